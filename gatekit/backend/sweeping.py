"""Store what time and dead processes have changed, before anybody builds on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gatekit import owner
from gatekit.backend.tx import Tx, stored
from gatekit.machine import entering, running, runs
from gatekit.machine.clockwork import settle
from gatekit.machine.commands import Answer, Lose
from gatekit.machine.effects import Draft

BATCH: Final = 25
"""Requests of one kind that a sweep moves at most, so that no start waits long behind it; then comes the next."""
_ALL: Final = 1 << 31


def sweep_once(tx: Tx, now: int, how: Callable[[Tx, int], int]) -> int:
    """Settle by `how`, unless this transaction has had its batch; answers how many requests were moved.

    Where it has not had one afterwards, nothing is left to settle.
    """
    if tx.sated:
        return 0
    moved = how(tx, now)
    tx.sated = moved >= BATCH
    return moved


def sweep(tx: Tx, now: int) -> int:
    """All of it; answers how many requests and runs were moved."""
    return sweep_due(tx, now) + _sweep_waiters(tx, now) + sweep_attempts(tx, now) + _sweep_runs(tx, now)


def sweep_due(tx: Tx, now: int) -> int:
    """Settle what is overdue; answers how many requests were moved, at most `BATCH`."""
    moved = 0
    for request_id in tx.overdue(now, BATCH):
        state = tx.state(request_id)
        if state is not None:
            draft = Draft(state, now)
            settle(draft)
            moved += bool(stored(tx, Answer(state=draft.state, effects=draft.effects())).effects)
    return moved


def _sweep_waiters(tx: Tx, now: int) -> int:
    moved, here = 0, owner.current().text
    for waiter in tx.waiting_owners():
        if waiter == here or owner.is_dead(waiter) is True:
            for request_id, ticket in tx.waited_for_by(waiter, _ALL if waiter == here else BATCH):
                state = tx.state(request_id) if waiter != here or ticket not in owner.living else None
                if state is not None:
                    moved += bool(stored(tx, entering.withdraw(state, ticket, now)).effects)
    return moved


def sweep_attempts(tx: Tx, now: int) -> int:
    """Store that nobody knows how a started tool ended, where its process cannot say so any more."""
    # All of them are looked at: behind a hundred that live for long the dead would never be found.
    rows, here = tx.running(_ALL), owner.current().text
    dead = {process for process in {row[2] for row in rows} - {here} if owner.is_dead(process) is True}
    ended = [row for row in rows if row[2] in dead or (row[2] == here and row[1] not in owner.living)][:BATCH]
    for request_id, token, process in ended:
        why = "its process could not report how it ended" if process == here else "its process died"
        state = tx.state(request_id)
        if state is not None:
            stored(tx, running.lose(state, Lose(token=token, why=why), now))
    return len(ended)


def _sweep_runs(tx: Tx, now: int) -> int:
    """Free the runs whose processes died."""
    moved = 0
    for run_id, process in tx.running_runs():
        run = tx.run(run_id) if moved < BATCH else None
        if run is not None and owner.has_given_up(process, run.token) is True:
            why = "its process died, or could not say how it ended"
            moved += stored(tx, runs.interrupt(run, now, why)).moved
    return moved
