"""The reader thread: read jobs, and the observers, who are told when something may have changed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final

from gatekit.backend.tx import Observer
from gatekit.clock import Clock, SystemClock
from gatekit.errors import GatekitError, StoreBusy, StoreError, UsageError
from gatekit.store import timetable
from gatekit.store.doorbell import Doorbell
from gatekit.store.failures import is_busy, store_error
from gatekit.store.home import Home, Link
from gatekit.store.jobs import Job, Raised, answer_all, fail_all
from gatekit.store.sqlite import SqliteTx

CLOSED: Final = "the gate is closed: make a new Gate, or keep this one open while it is used"


class Reader:
    """Runs read jobs and looks, on its own connection. `run` is the thread's body; anybody may call the rest."""

    def __init__(self, home: Home, clock: Clock, let_go: Callable[[], None]) -> None:
        self.link = Link(home, read_only=True)
        self._let_go = let_go
        self.doorbell = Doorbell(home.nudges)
        self._home = home
        self._clock = clock
        # Sleeping takes real time, whatever clock the queue goes by.
        self._real = SystemClock()
        self._times = timetable.Timetable()
        self._lock = threading.Lock()
        self._open = True
        self._stirred = False
        self._jobs: list[Job] = []
        self._current: list[Job] = []
        self._observers: list[Observer] = []
        self._leaving: list[Observer] = []
        self._watching = False

    def put(self, job: Job) -> bool:
        """Queue a job; False if the reader takes none any more."""
        with self._lock:
            if not self._open:
                return False
            first = not self._jobs
            self._jobs.append(job)
        if first:
            self.doorbell.press()
        return True

    def observe(self, observers: Sequence[Observer]) -> None:
        """Tell these observers of changes."""
        with self._lock:
            self._observers += observers
        self.stir()

    def dismiss(self, observers: Sequence[Observer]) -> None:
        """Tell these observers nothing any more; who still waits there hears that the gate is closed."""
        with self._lock:
            self._observers = [observer for observer in self._observers if observer not in observers]
            self._leaving += observers
        self.stir()

    def forget_observers(self) -> None:
        """Tell nobody anything any more, not even that it ends."""
        with self._lock:
            self._observers = []

    def stir(self) -> None:
        """Let the observers look soon."""
        with self._lock:
            first, self._stirred = not self._stirred, True
        if first:
            self.doorbell.press()

    def stop(self) -> None:
        """Take no more jobs; the thread ends when what is queued is done."""
        with self._lock:
            self._open = False
        self.doorbell.press()

    def run(self) -> None:
        """Serve until stopped."""
        going = True
        while going:
            heard = self._sleep()
            with self._lock:
                going, jobs, self._jobs = self._open, self._jobs, []
                asked, self._stirred = self._stirred, False
                leaving, self._leaving = self._leaving, []
            _fail(leaving, UsageError(CLOSED))
            self._current = [job for job in jobs if job.reply.begin()]
            with self.link.busy:
                self._serve(self._current)
                self._watch(asked, heard)
            if self._home.loss:
                self._let_go()

    def end(self, error: GatekitError) -> None:
        """The thread ends: fail whoever still hopes, and let go of everything."""
        with self._lock:
            self._open = False
            jobs, self._jobs = [*self._current, *self._jobs], []
            observers, self._observers, self._leaving = [*self._observers, *self._leaving], [], []
        fail_all(jobs, error)
        _fail(observers, error)
        with self.link.busy:
            self.disconnect()
        self.doorbell.close()

    def fail_observers(self, error: GatekitError) -> None:
        """Tell whoever waits that what they wait for may be lost. The caller holds the link's `busy`."""
        _fail(self._wanting(), error)

    def disconnect(self) -> None:
        """Close the connection; the next use opens it again. The caller holds the link's `busy`."""
        self.link.close()

    def _sleep(self) -> bool:
        now = self._real.monotonic()
        if self._wanting():
            return self.doorbell.sleep(self._times.sleep(now), deaf=self._times.deaf(now))
        return self.doorbell.sleep(None, deaf=False)

    def _wanting(self) -> list[Observer]:
        with self._lock:
            observers = list(self._observers)
        return [observer for observer in observers if observer.wants()]

    def _serve(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        try:
            with self._snapshot() as tx:
                now = self._clock.now()
                outcomes = [self._outcome(job, tx, now) for job in jobs]
            self.link.verify()
        except (sqlite3.Error, StoreError) as error:
            self._disconnect_after(error)
            fail_all(jobs, store_error(error, self._home.path))
            return
        answer_all(jobs, outcomes)
        for outcome in outcomes:
            if isinstance(outcome, Raised):
                self._disconnect_after(outcome.error)

    def _outcome(self, job: Job, tx: SqliteTx, now: int) -> object:
        try:
            return job.work(tx, now)
        except sqlite3.Error as error:
            return Raised(store_error(error, self._home.path))
        except Exception as error:  # noqa: BLE001 - it is the caller's, who gets it
            return Raised(error)

    def _watch(self, stirred: bool, heard: bool) -> None:
        wanting = self._wanting()
        if not wanting:
            self._watching = False
            self.doorbell.hush()
            return
        # What happened before there was an ear was heard by nobody.
        asked, self._watching = stirred or not self._watching, True
        poll = timetable.POLL if self.doorbell.listen() else timetable.DEAF_POLL
        if self._times.checks(self._real.monotonic(), asked=asked, heard=heard, poll=poll):
            try:
                self._look(wanting, asked)
            except (sqlite3.Error, StoreError) as error:
                self._disconnect_after(error)
                if is_busy(error) or isinstance(error, StoreBusy):
                    self._times.hindered()
                else:
                    _fail(wanting, store_error(error, self._home.path))

    def _look(self, observers: list[Observer], asked: bool) -> None:
        (changes,) = self.link.connection().execute("PRAGMA data_version").fetchone()
        self.link.verify()
        if not self._times.is_due(self._real.monotonic(), changes, asked=asked):
            return
        wishes = [self._shown(observer) for observer in observers]
        soonest = min((wish for wish in wishes if wish is not None), default=None)
        self._times.looked(self._real.monotonic(), changes, soonest)

    def _shown(self, observer: Observer) -> float | None:
        # Each sees a state of its own: one as old as another's look would not hold what was waited for meanwhile.
        with self._snapshot() as tx:
            return observer.look(tx, self._clock.now())

    @contextmanager
    def _snapshot(self) -> Generator[SqliteTx, None, None]:
        connection = self.link.connection()
        connection.execute("BEGIN")
        try:
            yield SqliteTx(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _disconnect_after(self, error: Exception) -> None:
        # A lock in the way leaves the connection as it was; after anything else it may lead nowhere.
        if isinstance(error, sqlite3.Error | StoreError) and not isinstance(error, StoreBusy) and not is_busy(error):
            self.disconnect()


def _fail(observers: Sequence[Observer], error: GatekitError) -> None:
    for observer in observers:
        observer.fail(error)
