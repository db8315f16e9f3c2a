"""When the reader looks next. All times are seconds of the machine's monotonic clock."""

from __future__ import annotations

from typing import Final

POLL: Final = 0.25
"""Seconds between two looks at the queue's counter of changes: under the nudges, it misses nothing."""
DEAF_POLL: Final = 0.1
"""The same where there are no nudges."""
LULL: Final = 0.002
"""Seconds between two looks that nudges asked for: a flood of them then costs little."""
_LONGEST: Final = 3600.0


class Timetable:
    """Decides about looking; knows neither the queue nor who looks."""

    def __init__(self) -> None:
        self._poll_at = 0.0
        self._look_at = 0.0
        self._deaf_until = 0.0
        self._seen: int | None = None

    def deaf(self, now: float) -> bool:
        """Whether nudges have to wait a moment."""
        return now < self._deaf_until

    def sleep(self, now: float) -> float:
        """How long to sleep at most. Nudges that came in a lull are heard at its end."""
        until = self._deaf_until if self.deaf(now) else min(self._poll_at, self._look_at)
        return max(0.0, until - now)

    def checks(self, now: float, *, asked: bool, heard: bool, poll: float) -> bool:
        """Whether to ask for the counter: somebody asks, a nudge was heard, or it is time.

        If so, the next time is `poll` seconds from now.
        """
        if not (asked or heard or now >= min(self._poll_at, self._look_at)):
            return False
        self._poll_at = now + poll
        if heard:
            self._deaf_until = now + LULL
        return True

    def is_due(self, now: float, changes: int, *, asked: bool) -> bool:
        """Whether to look, given the queue's counter of changes and whether somebody asks for it."""
        return asked or changes != self._seen or now >= self._look_at

    def looked(self, now: float, changes: int, seconds: float | None) -> None:
        """Somebody looked at this count, and wants the next look after so many seconds at the latest."""
        self._seen = changes
        self._look_at = now + min(_LONGEST, _LONGEST if seconds is None else max(0.0, seconds))

    def hindered(self) -> None:
        """Nobody could look: try again at the next poll, whether or not anything changes until then."""
        self._look_at = self._poll_at
