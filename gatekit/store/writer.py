"""The writer thread: all that is queued in one transaction, and no reply before its COMMIT returned."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

from gatekit.backend.tx import HANDED_ON, LostRace
from gatekit.clock import Clock, SteadyClock
from gatekit.errors import GatekitError, StoreError
from gatekit.nudge import ring
from gatekit.store.checkpoint import Checkpointer
from gatekit.store.failures import is_busy, store_error
from gatekit.store.home import Home, Link
from gatekit.store.jobs import Job, answer_all, fail_all
from gatekit.store.sqlite import SqliteTx

_GROUP: Final = 256
"""Jobs in one transaction at most, so that nobody waits long for the COMMIT of all."""


_BREATH: Final = 0.025
"""Seconds between two transactions of one sweep, about as long as one of them takes."""


class _JobRaised(Exception):
    """One job of a group raised; nothing of the group was written."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Writer:
    """Runs write jobs on its own connection. `run` is the thread's body; anybody may call the rest."""

    def __init__(self, home: Home, clock: Clock, let_go: Callable[[], None]) -> None:
        self.link = Link(home)
        self._let_go = let_go
        self._home = home
        self._clock = SteadyClock(clock)
        self._checkpoints = Checkpointer(home)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._current: list[Job] = []
        self._open = True
        self._gate = threading.Lock()
        self._ending = threading.Event()

    def put(self, job: Job) -> bool:
        """Queue a job; False if the writer takes none any more."""
        with self._gate:
            if self._open:
                self._queue.put(job)
            return self._open

    def stop(self) -> None:
        """Take no more jobs; the thread ends when what is queued is done."""
        self._ending.set()
        with self._gate:
            if self._open:
                self._open = False
                self._queue.put(None)

    def run(self) -> None:
        """Serve until stopped."""
        while (jobs := self._take()) is not None:
            self._current = [job for job in jobs if job.reply.begin()]
            if self._current:
                with self.link.busy:
                    self._serve(self._current)
                if self._home.loss:
                    self._let_go()

    def end(self, error: GatekitError) -> None:
        """The thread ends: fail whoever still hopes, and let go of the file."""
        self.stop()
        fail_all(self._current, error)
        with suppress(Empty):
            while True:
                job = self._queue.get_nowait()
                fail_all([] if job is None else [job], error)
        with self.link.busy:
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connections; the next job opens them again. The caller holds the link's `busy`."""
        self._checkpoints.close()
        self.link.close()

    def _take(self) -> list[Job] | None:
        """Wait for jobs; None when there will be no more."""
        job = self._queue.get()
        jobs: list[Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == _GROUP:
                return jobs
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs
        if jobs:
            # The end came with the last jobs: meet it again when they are done.
            self._queue.put(None)
        return jobs or None

    def _serve(self, jobs: list[Job]) -> None:
        try:
            connection = self.link.connection()
            tx, outcomes = self._transaction(connection, jobs)
            self.link.verify()
        except _JobRaised as raised:
            self._one_by_one(jobs, raised.error)
        except (sqlite3.Error, StoreError) as error:
            # A lock in the way leaves the connection as it was; after anything else it may lead nowhere.
            if not is_busy(error):
                self.disconnect()
            fail_all(jobs, store_error(error, self._home.path))
        else:
            answer_all(jobs, outcomes)
            if tx.wrote_events:
                ring(self._home.nudges)
            self._checkpoints.after_commit(connection)
            if HANDED_ON in outcomes:
                # One of many transactions of a sweep. Whoever waits for the lock in another process only looks now and
                # then whether it is free, and would find it taken each time.
                self._ending.wait(_BREATH)

    def _transaction(self, connection: sqlite3.Connection, jobs: list[Job]) -> tuple[SqliteTx, list[object]]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Before anything is written over what others wrote by another log or index.
            self.link.verify()
            tx, now = SqliteTx(connection), self._clock.now()
            try:
                outcomes = [job.work(tx, now) for job in jobs]
            except Exception as error:
                raise _JobRaised(error) from error
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return tx, outcomes

    def _one_by_one(self, jobs: list[Job], error: Exception) -> None:
        """What one job raised is its own affair: the others are done again without it."""
        if len(jobs) > 1:
            for job in jobs:
                self._serve([job])
        elif isinstance(error, LostRace):
            fail_all(jobs, StoreError(f"{self._home.path}: {error}"))
        else:
            fail_all(jobs, store_error(error, self._home.path) if isinstance(error, sqlite3.Error) else error)
