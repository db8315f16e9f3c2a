"""Whether a dashboard draws on this process's terminal: then nobody else may write a line to it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

_lock = threading.Lock()
_running = 0


@contextmanager
def dashboard_running() -> Generator[None]:
    """While it is open, gates of this process print no line to the terminal: it would tear the picture.

    >>> with dashboard_running():
    ...     dashboard_is_running()
    True
    """
    _count(+1)
    try:
        yield
    finally:
        _count(-1)


def dashboard_is_running() -> bool:
    """Whether a gatekit dashboard has this process's terminal now."""
    return _running > 0


def _count(step: int) -> None:
    global _running
    with _lock:
        _running += step
