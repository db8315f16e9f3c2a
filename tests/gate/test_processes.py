"""Many processes on one queue file: one winner each, no error, nobody in another's way."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from gatekit import Gate, Suspended, gated_step
from gatekit.errors import AlreadyDecided
from tests.gate.helpers import approve, deciding

pytestmark = pytest.mark.sweep

REVIEWERS, REQUESTS = 50, 20


def _review(queue: str, name: str, ids: list[str], start: Any, answers: Any) -> None:
    won, lost, errors = 0, 0, []
    with Gate(queue, create=False) as gate:
        reviewer = gate.reviewer(name)
        requests = [gate.get(request_id) for request_id in ids]
        start.wait()
        for request in requests:
            try:
                reviewer.approve(request)
                won += 1
            except AlreadyDecided as error:
                lost += error.decision.by != f"human:{name}"
            except Exception as error:  # noqa: BLE001 - shown by the test
                errors.append(repr(error))
    answers.put((won, lost, errors))


@pytest.mark.timeout(120)
def test_50_processes_of_50_reviewers_decide_20_requests(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")

    with Gate(queue) as gate:

        @gated_step(gate=gate, wait=0)
        def pay(amount: int) -> None: ...

        ids = []
        for amount in range(REQUESTS):
            with pytest.raises(Suspended) as raised:
                pay(amount)
            ids.append(raised.value.request_id)
    fork = multiprocessing.get_context("fork")
    start, answers = fork.Barrier(REVIEWERS), fork.Queue()
    processes = [
        fork.Process(target=_review, args=(queue, f"reviewer-{n}", ids, start, answers)) for n in range(REVIEWERS)
    ]
    for process in processes:
        process.start()
    results = [answers.get(timeout=100) for _ in processes]
    for process in processes:
        process.join(20)
    assert [error for _, _, errors in results for error in errors] == []
    assert sum(won for won, _, _ in results) == REQUESTS
    assert sum(lost for _, lost, _ in results) == REQUESTS * (REVIEWERS - 1)
    with Gate(queue, create=False) as gate:
        assert gate.count("approved") == REQUESTS


def test_a_readers_long_query_delays_no_start(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    with Gate(queue) as gate:

        @gated_step(gate=gate)
        def pay(amount: int) -> str:
            return "paid"

        gate.events()
        reader = sqlite3.connect(queue, check_same_thread=False)
        stop, reading = threading.Event(), threading.Event()
        reader.create_function("turn", 0, lambda: reading.set() or stop.is_set())
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE NOT turn()) SELECT max(i) FROM n"
        )

        def read() -> None:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM requests").fetchone()
            reader.execute(endless).fetchone()

        thread = threading.Thread(target=read)
        thread.start()
        try:
            assert reading.wait(10)
            with deciding(gate, approve):
                assert pay(5) == "paid"
        finally:
            stop.set()
            thread.join(10)
            reader.close()


def _decide_one(queue: str) -> None:
    with Gate(queue, create=False) as gate:
        reviewer = gate.reviewer("bob")
        for event in gate.watch(0):
            if event.kind == "submitted":
                reviewer.edit(gate.get(event.request_id), {"amount": 40})
                return


def test_a_decision_of_another_process_wakes_the_waiter(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    with Gate(queue) as gate:
        gate.events()

        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            return amount

        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=_decide_one, args=(queue,))
        process.start()
        assert pay(100) == 40
        process.join(20)
        assert process.exitcode == 0
