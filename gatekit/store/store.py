"""`SqliteStore`: one queue file, shared by all who use it in this process."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from gatekit.backend.tx import HandedOn, Observer, Refused, Tx
from gatekit.clock import Clock, SystemClock
from gatekit.errors import GatekitError, QueueNotFound, UsageError
from gatekit.reply import Reply, wake
from gatekit.store.engine import Engine
from gatekit.store.jobs import Job
from gatekit.store.reader import CLOSED

T = TypeVar("T")
_DRAIN: Final = 2.0
"""Seconds that the end of the program waits for what is queued."""


class SqliteStore:
    """A `Store` in the SQLite file at `path`. Making one touches nothing; the first job opens the file.

    With `create=False` a missing file is a `QueueNotFound` in the reply of every job, and none is made. Stores of
    one file in one process work on the same two threads; each of them is closed for itself.

    >>> store = SqliteStore.at("approvals.db", create=True, clock=SystemClock())
    >>> store.read(lambda tx, now: tx.last_cursor()).wait()
    0
    """

    def __init__(self, path: str, *, create: bool, clock: Clock) -> None:
        if "\0" in path:
            raise UsageError(f"a path cannot hold a NUL character: {path!r}")
        self._path = os.path.abspath(path)
        self._create = create
        self._clock = clock
        self._engine: Engine | None = None
        self._observers: list[Observer] = []
        self._closed = False

    @classmethod
    def at(cls, path: str, *, create: bool, clock: Clock) -> SqliteStore:
        """The store of the queue at `path`."""
        return cls(path, create=create, clock=clock)

    @property
    def path(self) -> str:
        return self._path

    def exists(self) -> bool:
        """Whether there is a file at the path; without, there is nothing to find either."""
        return os.path.exists(self._path)

    def write(self, job: Callable[[Tx, int], T | Refused | HandedOn], reply: Reply[T] | None = None) -> Reply[T]:
        return self._put(Engine.write, job, reply)

    def read(self, job: Callable[[Tx, int], T | Refused | HandedOn], reply: Reply[T] | None = None) -> Reply[T]:
        return self._put(Engine.read, job, reply)

    def observe(self, observer: Observer) -> None:
        self._observers.append(observer)
        if self._engine is not None and self._engine.works_here():
            self._engine.observe([observer])

    def stir(self) -> None:
        try:
            self._working().stir()
        except GatekitError as error:
            # There is no thread to tell it on, and nobody else is there to call the observers at the same time.
            for observer in self._observers:
                observer.fail(error)

    def close(self) -> None:
        engine, self._engine, self._closed = self._engine, None, True
        if engine is not None:
            engine.dismiss(self._observers)
            _leave(engine)

    def _put(
        self, into: Callable[[Engine, Job], bool], work: Callable[[Tx, int], Any], reply: Reply[T] | None
    ) -> Reply[T]:
        answer: Reply[T] = Reply() if reply is None else reply
        job = Job(work, answer)
        try:
            while not into(self._working(), job):
                # It stopped between the two steps: the next one is another.
                continue
        except GatekitError as error:
            wake(answer.resolve(error=error))
        return answer

    def _working(self) -> Engine:
        """The engine of this file; raises `UsageError` if this store is closed, or `QueueNotFound`."""
        if self._closed:
            raise UsageError(CLOSED)
        if not self._create and not self.exists():
            raise QueueNotFound(self._path)
        engine = self._engine
        return engine if engine is not None and engine.works_here() else self._join()

    def _join(self) -> Engine:
        with _lock:
            if self._engine is None or not self._engine.works_here():
                self._engine = _shared(os.path.realpath(self._path), self._clock)
                self._engine.users += 1
                # Before anything that makes the engine open the file.
                self._engine.home.create |= self._create
                self._engine.observe(self._observers)
            return self._engine


_lock = threading.Lock()
_engines: list[Engine] = []
"""Those that work or are being stopped. One that came through a fork unseen by Python stays here: its connections
are never closed, because that would meddle with its parent's locks."""
_paused: list[Engine] = []


def _shared(path: str, clock: Clock) -> Engine:
    for engine in _engines:
        if engine.works_here() and engine.home.path == path and _same(engine.clock, clock):
            return engine
    engine = Engine(path, clock)
    _engines.append(engine)
    return engine


def _same(one: Clock, other: Clock) -> bool:
    # The engine reads the time on its own threads, so a test's clock has an engine of its own.
    return one is other or (isinstance(one, SystemClock) and isinstance(other, SystemClock))


def _leave(engine: Engine) -> None:
    with _lock:
        engine.users -= 1
        if engine.users:
            return
        engine.retire()
    engine.stop()
    with _lock:
        _engines.remove(engine)


def _before_fork() -> None:
    # SQLite shares what it knows of a file's locks between all connections of a process. A child that inherits it
    # believes that it holds locks which only its parent holds, or waits for ever for one that its parent has let go
    # of: so no connection is open while the process forks.
    _lock.acquire()
    _paused.extend(engine for engine in _engines if engine.is_ours())
    for engine in _paused:
        engine.pause()


def _after_in_parent() -> None:
    for engine in _paused:
        engine.resume()
    _paused.clear()
    _lock.release()


def _after_in_child() -> None:
    global _lock
    for engine in _paused:
        engine.discard()
        _engines.remove(engine)
    _paused.clear()
    _lock = threading.Lock()


def _drain() -> None:
    with _lock:
        engines = [engine for engine in _engines if engine.works_here()]
    for engine in engines:
        # Threads that still wait are daemons and end with the program: an error would only make them print it.
        engine.forget_observers()
        engine.stop(_DRAIN)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
atexit.register(_drain)
