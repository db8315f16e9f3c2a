"""Time, in one place: every other module is handed a `Clock` and asks nothing else what time it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

FAR: Final = 253_402_300_799_999_999
"""The last microsecond of the year 9999: "never", as a number that sorts after every real moment."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What gatekit needs to know of time.

    `now` is wall time in whole microseconds since 1970 in UTC, comparable between processes. `monotonic` is
    in seconds and only ever goes forward: the time that *this process* waits is measured with it.
    """

    def now(self) -> int: ...

    def monotonic(self) -> float: ...

    def on_jump(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever time moves otherwise than by passing; returns what unsubscribes it."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    def on_jump(self, wake: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


def to_datetime(moment: int) -> datetime:
    """The aware UTC datetime of a moment in microseconds."""
    return _EPOCH + timedelta(microseconds=moment)


def span(duration: float | timedelta) -> int:
    """A duration in microseconds, given in seconds or as a timedelta."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    return round(seconds * 1_000_000)
