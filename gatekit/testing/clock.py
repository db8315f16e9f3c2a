"""A clock that moves only when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from gatekit.clock import span

_START: Final = 1_767_225_600_000_000
"""2026-01-01 00:00 UTC, in microseconds."""


class FakeClock:
    """A `Clock` for tests; may be used from several threads.

    >>> clock = FakeClock()
    >>> before = clock.now()
    >>> clock.advance(1.5)
    >>> clock.now() - before
    1500000
    """

    def __init__(self, start: int = _START) -> None:
        """`start` is in microseconds since 1970."""
        self._lock = threading.Lock()
        self._now = start
        self._monotonic = 0.0
        self._wakes: list[Callable[[], None]] = []

    def now(self) -> int:
        """Microseconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Seconds, from 0."""
        return self._monotonic

    def on_jump(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after every `advance` and `jump`, in their thread; returns what unsubscribes it."""
        with self._lock:
            self._wakes.append(wake)

        def forget() -> None:
            with self._lock:
                if wake in self._wakes:
                    self._wakes.remove(wake)

        return forget

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks move."""
        if seconds < 0:
            raise ValueError(f"time does not pass backwards ({seconds} s): use jump()")
        self._move(span(seconds), seconds)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forwards or backwards, as an administrator does."""
        self._move(span(seconds), 0.0)

    def _move(self, wall: int, monotonic: float) -> None:
        with self._lock:
            self._now += wall
            self._monotonic += monotonic
            wakes = list(self._wakes)
        for wake in wakes:
            wake()
