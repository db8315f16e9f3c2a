"""The queue in memory: the same seam as the file, for tests that need no file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from gatekit.backend.tx import HANDED_ON, HandedOn, Observer, Refused, Tx
from gatekit.clock import Clock, SteadyClock, SystemClock
from gatekit.errors import GatekitError, UsageError
from gatekit.reply import Reply, wake
from gatekit.testing.tables import MemoryTx, Tables

T = TypeVar("T")
_LONGEST: Final = 3600.0


class MemoryStore:
    """A `Store` without a file: jobs run inside the call that brings them, one after the other.

    Observers look after every write and whenever the clock jumps; by the machine's clock also, on a timer's thread,
    when the time has come that they asked for. With a `FakeClock` everything happens in the thread that causes it.

    >>> store = MemoryStore()
    >>> store.read(lambda tx, now: tx.last_cursor()).wait()
    0
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock: Clock = SystemClock() if clock is None else clock
        self._steady = SteadyClock(self._clock)
        self._tables = Tables()
        self._running = threading.RLock()
        self._observers: list[Observer] = []
        self._closed = False
        self._guard = threading.Lock()
        self._looking = self._again = False
        self._alarm: threading.Timer | None = None
        self._forget_jumps = self._clock.on_jump(self.stir)

    @property
    def path(self) -> str:
        return ":memory:"

    def exists(self) -> bool:
        """There is nothing to open."""
        return True

    def write(self, job: Callable[[Tx, int], T | Refused | HandedOn], reply: Reply[T] | None = None) -> Reply[T]:
        answer: Reply[T] = Reply() if reply is None else reply
        self._run(self._transaction, job, answer)
        self.stir()
        return answer

    def read(self, job: Callable[[Tx, int], T | Refused | HandedOn], reply: Reply[T] | None = None) -> Reply[T]:
        answer: Reply[T] = Reply() if reply is None else reply
        self._run(lambda work: work(MemoryTx(self._tables), self._clock.now()), job, answer)
        return answer

    def observe(self, observer: Observer) -> None:
        self._observers.append(observer)

    def stir(self) -> None:
        """Let the observers look. Whoever comes while somebody looks has them look once more, and goes on."""
        with self._guard:
            self._again = True
            if self._looking or self._closed:
                return
            self._looking = True
        try:
            while self._looks_again():
                self._look()
        finally:
            with self._guard:
                self._looking = False

    def close(self) -> None:
        with self._guard:
            self._closed = True
            self._forget_jumps()
            self._set_alarm(None)
        for observer in self._observers:
            observer.fail(_closed())

    def _run(
        self, how: Callable[[Callable[[Tx, int], Any]], Any], job: Callable[[Tx, int], Any], answer: Reply[Any]
    ) -> None:
        if self._closed:
            wake(answer.resolve(error=_closed()))
            return
        if not answer.begin():
            return
        with self._running:
            try:
                outcome = how(job)
            except Exception as error:  # noqa: BLE001 - it is the caller's, who gets it
                outcome = Refused(error) if isinstance(error, GatekitError) else error
        if isinstance(outcome, Refused):
            wake(answer.resolve(error=outcome.error))
        elif isinstance(outcome, Exception):
            wake(answer.resolve(error=outcome))
        elif outcome is not HANDED_ON:
            wake(answer.resolve(outcome))

    def _transaction(self, job: Callable[[Tx, int], Any]) -> Any:
        tx = MemoryTx(self._tables)
        try:
            return job(tx, self._steady.now())
        except BaseException:
            tx.roll_back()
            raise

    def _looks_again(self) -> bool:
        with self._guard:
            again, self._again = self._again, False
            if not again:
                # Said under the same lock as it was asked, so that nobody's wish falls between.
                self._looking = False
            return again

    def _look(self) -> None:
        with self._running:
            tx, now = MemoryTx(self._tables), self._clock.now()
            wishes = [observer.look(tx, now) for observer in self._observers if observer.wants()]
        with self._guard:
            self._set_alarm(min((wish for wish in wishes if wish is not None), default=None))

    def _set_alarm(self, seconds: float | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        # Another clock's time passes when somebody moves it, which stirs.
        if seconds is not None and not self._closed and isinstance(self._clock, SystemClock):
            self._alarm = threading.Timer(min(max(seconds, 0.001), _LONGEST), self.stir)
            self._alarm.daemon = True
            self._alarm.start()


def _closed() -> UsageError:
    return UsageError("the gate is closed: make a new Gate, or keep this one open while it is used")
