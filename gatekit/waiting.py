"""Who waits for which request, and who watches: woken by the reader thread, never by a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import anyio

from gatekit.backend.tx import Tx
from gatekit.clock import Clock
from gatekit.errors import GatekitError
from gatekit.machine.projection import event_model
from gatekit.models import Event, Status
from gatekit.reply import Reply, wake

_BATCH: Final = 500
_OWNERS_EVERY: Final = 1.0
"""Seconds between two looks at whether the processes of running calls still live, while somebody waits for one."""
_OWNERS_WATCHED: Final = 10.0
"""The same while somebody only watches."""
_TIDY_EVERY: Final = 1.0
"""Seconds between two searches for waits that were abandoned: a look must not cost more the more others wait."""
_SWEEP_AGAIN: Final = 1.0
"""Seconds after which a sweep that did not come through is asked for again."""


@dataclass(slots=True, eq=False)
class _Wait:
    request_id: str
    while_in: frozenset[Status]
    until: float | None
    reply: Reply[Status | None] = field(default_factory=Reply)


@dataclass(slots=True, eq=False)
class _Watch:
    since: int
    reply: Reply[Sequence[Event]] = field(default_factory=Reply)


class Waiting:
    """The observer of one store. `sweep` is asked for when a deadline has passed; it must not block."""

    def __init__(self, clock: Clock, sweep: Callable[[], object]) -> None:
        self._clock = clock
        self._sweep = sweep
        self._lock = threading.Lock()
        self._fresh: list[_Wait] = []
        self._waits: dict[str, list[_Wait]] = {}
        self._timed: set[_Wait] = set()
        self._for_outcome: set[_Wait] = set()
        self._watches: list[_Watch] = []
        self._cursor: int | None = None
        self._owners_at = self._tidied_at = clock.monotonic()

    def wait(self, request_id: str, while_in: frozenset[Status], seconds: float | None) -> Reply[Status | None]:
        """Register a wait; the caller stirs the store, which looks at it at once."""
        until = None if seconds is None else self._clock.monotonic() + seconds
        waiting = _Wait(request_id, while_in, until)
        with self._lock:
            self._fresh.append(waiting)
        return waiting.reply

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
        woken = self._resolve_waits(tx) + self._resolve_watches(tx)
        wake(woken)
        return self._next_look(tx, now)

    def fail(self, error: GatekitError) -> None:
        """Nobody here can be told the truth any more: tell them that."""
        with self._lock:
            waits = [*self._fresh, *(wait for group in self._waits.values() for wait in group)]
            watches, self._watches = self._watches, []
            self._fresh, self._waits, self._timed, self._for_outcome = [], {}, set(), set()
        woken = [pair for wait in waits for pair in wait.reply.resolve(error=error)]
        woken += [pair for watch in watches for pair in watch.reply.resolve(error=error)]
        wake(woken)

    def leave(self, error: GatekitError) -> set[str]:
        """The gate closes: tell whoever waits for a request. Answers which requests those are.

        Called on any thread: what is resolved here is let go of by the next look or `fail`.
        """
        with self._lock:
            waits = [*self._fresh, *(wait for group in list(self._waits.values()) for wait in list(group))]
        wake(pair for wait in waits for pair in wait.reply.resolve(error=error))
        return {wait.request_id for wait in waits}

    def _resolve_waits(self, tx: Tx) -> list[tuple[object, anyio.Event]]:
        with self._lock:
            fresh, self._fresh = self._fresh, []
        touched = {wait.request_id for wait in fresh} | self._changed(tx)
        for wait in fresh:
            self._admit(wait)
        statuses = tx.statuses([request_id for request_id in touched if request_id in self._waits])
        woken = []
        for request_id, status in statuses.items():
            for wait in [wait for wait in self._waits[request_id] if status not in wait.while_in]:
                woken += self._release(wait, status)
        return woken + self._resolve_late()

    def _changed(self, tx: Tx) -> set[str]:
        if self._cursor is None or not self._waits:
            self._cursor = tx.last_cursor()
            return set(self._waits)
        changed: set[str] = set()
        while events := tx.events(self._cursor, _BATCH):
            changed.update(event.request_id for event in events)
            self._cursor = events[-1].cursor
            if len(events) < _BATCH:
                break
        return changed

    def _resolve_late(self) -> list[tuple[object, anyio.Event]]:
        moment = self._clock.monotonic()
        late = [wait for wait in self._timed if wait.until is not None and wait.until <= moment]
        return [pair for wait in late for pair in self._release(wait, None)]

    def _admit(self, wait: _Wait) -> None:
        self._waits.setdefault(wait.request_id, []).append(wait)
        if wait.until is not None:
            self._timed.add(wait)
        if "running" in wait.while_in:
            self._for_outcome.add(wait)

    def _release(self, wait: _Wait, status: Status | None) -> list[tuple[object, anyio.Event]]:
        group = self._waits[wait.request_id]
        group.remove(wait)
        if not group:
            del self._waits[wait.request_id]
        self._timed.discard(wait)
        self._for_outcome.discard(wait)
        return wait.reply.resolve(status)

    def _resolve_watches(self, tx: Tx) -> list[tuple[object, anyio.Event]]:
        with self._lock:
            watches = list(self._watches)
        woken = []
        for watch in watches:
            events = tx.events(watch.since, _BATCH)
            if events:
                woken += watch.reply.resolve([event_model(event) for event in events])
        with self._lock:
            self._watches = [watch for watch in self._watches if not watch.reply.done]
        return woken

    def _forget_abandoned(self) -> None:
        with self._lock:
            self._fresh = [wait for wait in self._fresh if not wait.reply.abandoned]
            self._watches = [watch for watch in self._watches if not watch.reply.abandoned]
        moment = self._clock.monotonic()
        if moment < self._tidied_at + _TIDY_EVERY:
            return
        self._tidied_at = moment
        for wait in [wait for group in self._waits.values() for wait in group if wait.reply.abandoned]:
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
