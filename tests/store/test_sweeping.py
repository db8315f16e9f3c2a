"""However many ask at once, what is due is settled in batches, and no transaction holds two of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from gatekit import Gate
from gatekit.backend.sweeping import BATCH
from gatekit.backend.tx import PageQuery
from gatekit.clock import SystemClock
from gatekit.machine.effects import Effect, UpdateRequest
from gatekit.reply import Reply
from gatekit.store import SqliteStore
from gatekit.store.opening import open_queue
from gatekit.store.sqlite import SqliteTx
from tests.store.test_plans import fill

DUE = 200


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[SqliteTx, int]]:
    """Each transaction that settled something, with how many requests."""
    found: list[tuple[SqliteTx, int]] = []
    apply = SqliteTx.apply

    def counted(tx: SqliteTx, effect: Effect) -> None:
        if isinstance(effect, UpdateRequest) and effect.request.status == "expired":
            before = found.pop()[1] if found and found[-1][0] is tx else 0
            found.append((tx, before + 1))
        apply(tx, effect)

    monkeypatch.setattr(SqliteTx, "apply", counted)
    return found


@pytest.fixture
def due(path: str) -> Iterator[SqliteStore]:
    """A queue of which 200 requests are due, and its writer."""
    connection, _ = open_queue(path, create=True)
    with closing(connection):
        fill(connection, DUE + 50, DUE)
    store = SqliteStore.at(path, create=False, clock=SystemClock())
    yield store
    store.close()


def gates(path: str, count: int) -> list[Gate]:
    return [Gate(path, create=False) for _ in range(count)]


def sweeps(gate: Gate) -> list[Reply[int]]:
    return [gate.backend.sweep() for _ in range(5)]


def counts(gate: Gate) -> list[Reply[int]]:
    return [gate.backend.count(("pending",), 1000) for _ in range(5)]


def everything(gate: Gate) -> list[Reply[int]]:
    page = gate.backend.page(PageQuery(statuses=("pending",)))
    return [*sweeps(gate), *counts(gate), page]  # type: ignore[list-item]


@pytest.mark.parametrize("ask", [sweeps, counts, everything])
@pytest.mark.parametrize("seats", [1, 6])
def test_many_who_ask_at_once_settle_one_batch_in_a_transaction(
    due: SqliteStore,
    path: str,
    settled: list[tuple[SqliteTx, int]],
    seats: int,
    ask: Callable[[Gate], list[Reply[int]]],
) -> None:
    begun, go = threading.Event(), threading.Event()

    def hold(tx: object, now: int) -> None:
        begun.set()
        assert go.wait(10)

    # While the writer is held all the others come, so that it takes them together.
    held = due.write(hold)
    assert begun.wait(10)
    opened = gates(path, seats)
    replies = [reply for gate in opened for reply in ask(gate)]
    go.set()
    held.wait()
    for reply in replies:
        reply.wait()
    try:
        assert [gate.count("expired") for gate in opened] == [DUE] * seats
    finally:
        for gate in opened:
            gate.close()
    assert sum(number for _, number in settled) == DUE
    assert max(number for _, number in settled) <= BATCH


def test_opening_by_many_threads_at_once_settles_one_batch_in_a_transaction(
    due: SqliteStore, path: str, settled: list[tuple[SqliteTx, int]]
) -> None:
    opened = gates(path, 8)
    threads = [threading.Thread(target=gate.count) for gate in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [gate.count("expired") for gate in opened] == [DUE] * 8
    for gate in opened:
        gate.close()
    assert max(number for _, number in settled) <= BATCH
