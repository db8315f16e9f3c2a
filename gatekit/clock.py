"""Time, in one place: every other module is handed a `Clock` and asks nothing else what time it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from gatekit.errors import UsageError

FAR: Final = 253_402_300_799_999_999
"""The last microsecond of the year 9999: "never", as a number that sorts after every real moment."""

SWEEP_SECONDS: Final = 60.0
"""How long after a jump of the wall clock nothing is approved or escalated by silence."""
_JUMP: Final = 60_000_000
"""Microseconds that the wall clock may gain on the monotonic one: more is no drift."""
_log: Final = logging.getLogger("gatekit")

_LONGEST: Final = 100 * 366 * 86_400
"""Seconds: beyond a century a span is a mistake, and `nan` and `inf` are among them."""

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


class Unsteady(int):
    """A moment read off a wall clock that has just been set: what silence allows waits until it is steady."""

    __slots__ = ()


class SteadyClock:
    """Wall time that says for how long it cannot be trusted: a sweep's period after it moved without passing.

    A clock that was set forwards by a day has not given anybody a day to decide. One thread reads it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.now(), clock.monotonic()
        self._unsteady_until: float | None = None

    def now(self) -> int:
        """The moment, in microseconds since 1970; an `Unsteady` one soon after a jump of more than a minute."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if now - self._last[0] - span(monotonic - self._last[1]) > _JUMP:
            self._unsteady_until = monotonic + SWEEP_SECONDS
            _log.warning("the wall clock jumped forwards: what silence allows waits for %g s", SWEEP_SECONDS)
        self._last = now, monotonic
        if self._unsteady_until is None or monotonic >= self._unsteady_until:
            self._unsteady_until = None
            return now
        return Unsteady(now)


def to_datetime(moment: int) -> datetime:
    """The aware UTC datetime of a moment in microseconds."""
    return _EPOCH + timedelta(microseconds=moment)


def seconds_of(name: str, length: float | timedelta | None) -> float | None:
    """An option that takes seconds or a timedelta, as seconds; raises `UsageError` for what is neither."""
    if length is None:
        return None
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < _LONGEST:
        raise UsageError(f"{name}={length!r}: it takes seconds from 0, or a timedelta; None: no limit")
    return float(seconds)


def span(duration: float | timedelta) -> int:
    """A duration in microseconds, given in seconds or as a timedelta."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    return round(seconds * 1_000_000)
