"""A lock that a forked child finds open: the thread that held it in the parent does not exist there."""

from __future__ import annotations

import os
import threading
from typing import Final
from weakref import WeakSet


class ForkLock:
    """Like `threading.Lock`, as a context manager. What it guards must be whole wherever a fork can come."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _all.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """In the child, before any other code runs there."""
        self._lock = threading.Lock()


_all: Final[WeakSet[ForkLock]] = WeakSet()


def _renew() -> None:
    for lock in list(_all):
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
