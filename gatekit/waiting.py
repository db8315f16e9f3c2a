"""Who waits for which request or run, and who watches: woken by the reader thread, never by one of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from gatekit.backend.tx import Tx
from gatekit.clock import Clock
from gatekit.errors import GatekitError, RequestNotFound
from gatekit.forking import ForkLock
from gatekit.machine.projection import event_model
from gatekit.models import Event, RunState, Status
from gatekit.reply import Listener, Reply, wake

_BATCH: Final = 500
_OWNERS_EVERY: Final = 1.0
"""Seconds between two looks at whether the processes of running calls still live, while somebody waits for one."""
_OWNERS_WATCHED: Final = 10.0
"""The same while somebody only watches."""
_TIDY_EVERY: Final = 1.0
"""Seconds between two searches for waits that were abandoned: a look must not cost more the more others wait."""
_SWEEP_AGAIN: Final = 1.0
"""Seconds after which a sweep that did not come through is asked for again."""


class _Run(NamedTuple):
    """What a wait for a run is kept under; one for a request is under the bare id, because those are many."""

    id: str


_Key = str | _Run
_OF_ALL: Final = frozenset({"run.deleted", "queue.stopped", "queue.lifted"})
"""Events that name nobody and change the state of many: a run's requests are gone with it, and what may start."""
_WHILE_STOPPED: Final = {"approved": "stopped", "ready": "waiting"}
"""What states are to those who wait, while nothing may start."""
_GONE: Final = "gone"
"""The state of what is in no row: its run was deleted."""


class _Wait(Reply[Any]):
    """The reply of one who waits, with what it waits for: there are many, so they are one object and not two."""

    __slots__ = ("key", "until", "while_in")

    def __init__(self, key: _Key, while_in: frozenset[Any], until: float | None) -> None:
        super().__init__()
        self.key = key
        self.while_in = while_in
        self.until = until

    def end(self, state: str | None) -> Sequence[Listener]:
        """Tell the state that it came to, or None: the time is over."""
        if not isinstance(self.key, str):
            return self.resolve(state is not None)
        return self.resolve(error=RequestNotFound(self.key)) if state is _GONE else self.resolve(state)


@dataclass(slots=True, eq=False)
class _Watch:
    since: int
    reply: Reply[Sequence[Event]] = field(default_factory=Reply)


class Waiting:
    """The observer of one store. `sweep` is asked for when a deadline has passed; it must not block."""

    def __init__(self, clock: Clock, sweep: Callable[[], object]) -> None:
        self._clock = clock
        self._sweep = sweep
        self._lock = ForkLock()
        self._fresh: list[_Wait] = []
        self._waits: dict[_Key, list[_Wait]] = {}
        self._timed: set[_Wait] = set()
        self._for_outcome: set[_Wait] = set()
        self._watches: list[_Watch] = []
        self._cursor: int | None = None
        self._owners_at = self._tidied_at = clock.monotonic()

    def wait(self, request_id: str, while_in: frozenset[Status], seconds: float | None) -> Reply[Status | None]:
        """Register a wait; the caller stirs the store, which looks at it at once."""
        return self._register(request_id, while_in, seconds)

    def wait_run(self, run_id: str, while_in: frozenset[RunState], seconds: float | None) -> Reply[bool]:
        """The same for a run: True once it can go on or is in none of these states, False when the time is over."""
        return self._register(_Run(run_id), while_in, seconds)

    def watch(self, since: int) -> Reply[Sequence[Event]]:
        """Register for the next events after a cursor."""
        watching = _Watch(since)
        with self._lock:
            self._watches.append(watching)
        return watching.reply

    def wants(self) -> bool:
        with self._lock:
            return bool(self._fresh or self._waits or self._watches)

    def look(self, tx: Tx, now: int) -> float | None:
        """Resolve whatever can be resolved; answers the seconds to the next deadline of anybody here."""
        self._forget_abandoned()
        wake(self._resolve_waits(tx))
        wake(self._resolve_watches(tx))
        return self._next_look(tx, now)

    def fail(self, error: GatekitError) -> None:
        """Nobody here can be told the truth any more: tell them that."""
        with self._lock:
            waits = [*self._fresh, *(wait for group in self._waits.values() for wait in group)]
            watches, self._watches = self._watches, []
            self._fresh, self._waits, self._timed, self._for_outcome = [], {}, set(), set()
        woken = [pair for wait in waits for pair in wait.resolve(error=error)]
        woken += [pair for watch in watches for pair in watch.reply.resolve(error=error)]
        wake(woken)

    def leave(self, error: GatekitError) -> set[str]:
        """The gate closes: tell whoever waits for a request. Answers which requests those are.

        Called on any thread: what is resolved here is let go of by the next look or `fail`.
        """
        with self._lock:
            waits = [*self._fresh, *(wait for group in list(self._waits.values()) for wait in list(group))]
        wake(pair for wait in waits for pair in wait.resolve(error=error))
        return {wait.key for wait in waits if isinstance(wait.key, str)}

    def _register(self, key: _Key, while_in: frozenset[Any], seconds: float | None) -> Reply[Any]:
        until = None if seconds is None else self._clock.monotonic() + seconds
        waiting = _Wait(key, while_in, until)
        with self._lock:
            self._fresh.append(waiting)
        return waiting

    def _resolve_waits(self, tx: Tx) -> list[Listener]:
        with self._lock:
            fresh = list(self._fresh)
        cursor, changed = self._changed(tx)
        touched = dict.fromkeys(key for key in changed if key in self._waits)
        touched.update((wait.key, None) for wait in fresh)
        states = {key: state for key, state in changed.items() if state is not None}
        states.update(_states(tx, [key for key in touched if key not in states]))
        if touched and tx.stop() is not None:
            states = {key: _WHILE_STOPPED.get(state, state) for key, state in states.items()}
        # Nothing is read from here on: a look that fails before has changed nothing, and is made again.
        self._cursor = cursor
        with self._lock:
            del self._fresh[: len(fresh)]
            for wait in fresh:
                self._admit(wait)
        woken: list[Listener] = []
        for key in touched:
            state = states.get(key, _GONE)
            for wait in [wait for wait in self._waits[key] if state not in wait.while_in]:
                woken += self._release(wait, state)
        return woken + self._resolve_late()

    def _changed(self, tx: Tx) -> tuple[int, dict[_Key, str | None]]:
        """The last event's cursor, and of whom there were events since the look before, in the order of these.

        With the state of each, where it came along: asking for those of thousands takes as long as the events do.
        In that order their rows lie in the file, and mostly the waits in memory: in any other both take longer.
        """
        cursor = self._cursor
        if cursor is None or not self._waits:
            return tx.last_cursor(), dict.fromkeys(self._waits)
        changed: dict[_Key, str | None] = {}
        for last, kind, request_id, run, status in tx.news(cursor):
            cursor = last
            if request_id:
                changed[request_id] = status
            if run:
                changed[_Run(run)] = None
            if kind in _OF_ALL:
                changed = {**dict.fromkeys(self._waits), **changed}
        return cursor, changed

    def _resolve_late(self) -> list[Listener]:
        moment = self._clock.monotonic()
        late = [wait for wait in self._timed if wait.until is not None and wait.until <= moment]
        return [pair for wait in late for pair in self._release(wait, None)]

    def _admit(self, wait: _Wait) -> None:
        self._waits.setdefault(wait.key, []).append(wait)
        if wait.until is not None:
            self._timed.add(wait)
        if "running" in wait.while_in:
            self._for_outcome.add(wait)

    def _release(self, wait: _Wait, state: str | None) -> Sequence[Listener]:
        group = self._waits[wait.key]
        group.remove(wait)
        if not group:
            del self._waits[wait.key]
        self._timed.discard(wait)
        self._for_outcome.discard(wait)
        return wait.end(state)

    def _resolve_watches(self, tx: Tx) -> list[Listener]:
        with self._lock:
            watches = list(self._watches)
        woken: list[Listener] = []
        for watch, events in [(watch, tx.events(watch.since, _BATCH)) for watch in watches]:
            if events:
                woken += watch.reply.resolve([event_model(event) for event in events])
        with self._lock:
            self._watches = [watch for watch in self._watches if not watch.reply.done]
        return woken

    def _forget_abandoned(self) -> None:
        with self._lock:
            self._fresh = [wait for wait in self._fresh if not wait.abandoned]
            self._watches = [watch for watch in self._watches if not watch.reply.abandoned]
        moment = self._clock.monotonic()
        if moment < self._tidied_at + _TIDY_EVERY:
            return
        self._tidied_at = moment
        for wait in [wait for group in self._waits.values() for wait in group if wait.abandoned]:
            self._release(wait, None)

    def _next_look(self, tx: Tx, now: int) -> float:
        moment = self._clock.monotonic()
        due = tx.next_due()
        times = [(due - now) / 1e6]
        if due <= now:
            self._sweep()
            times = [_SWEEP_AGAIN]
        times += [wait.until - moment for wait in self._timed if wait.until is not None]
        every = self._owners_every()
        if every is not None:
            times.append(self._look_at_owners(moment, every))
        return max(0.0, min(times))

    def _owners_every(self) -> float | None:
        if self._for_outcome:
            return _OWNERS_EVERY
        with self._lock:
            return _OWNERS_WATCHED if self._watches else None

    def _look_at_owners(self, moment: float, every: float) -> float:
        if moment >= self._owners_at + every:
            self._owners_at = moment
            self._sweep()
        return self._owners_at + every - moment


def _states(tx: Tx, keys: Collection[_Key]) -> dict[_Key, str]:
    """Where these stand; what is in no row is left out."""
    runs = [key.id for key in keys if isinstance(key, _Run)]
    states: dict[_Key, str] = {}
    states.update(tx.statuses([key for key in keys if isinstance(key, str)]).items())
    if runs:
        states.update((_Run(run_id), state) for run_id, state in tx.run_states(runs).items())
    return states
