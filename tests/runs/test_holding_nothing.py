"""A run that waits holds nothing: no thread, no task, no connection, no transaction, no object."""

from __future__ import annotations

import gc
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from gatekit import AsyncRun, Gate, Run, gated_step
from gatekit.runs.execution import Execution
from gatekit.testing import temporary_gate
from tests.runs.helpers import release

pytestmark = pytest.mark.sweep

RUNS = 200


def alive() -> dict[str, int]:
    """The objects of executions that are still there."""
    gc.collect()
    kinds = (Execution, Run, AsyncRun)
    return dict(Counter(type(one).__name__ for one in gc.get_objects() if type(one) in kinds))


def open_files(path: str) -> int:
    """How many descriptors this process has on the queue's files."""
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(os.path.realpath(link).startswith(path) for link in links)


@pytest.fixture
def before() -> dict[str, int]:
    return alive()


def test_200_waiting_runs_keep_no_thread_no_file_and_no_object(before: dict[str, int]) -> None:
    with temporary_gate() as gate:

        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def refund(run: Run, amount: int) -> int:
            run.parallel(("a", abs, 1), ("b", abs, 2))
            return run.step("pay", pay, amount)

        refund.start("first", 0)
        threads, files = set(threading.enumerate()), open_files(gate.path)
        for n in range(RUNS):
            refund.start(f"r{n}", n)
        assert set(threading.enumerate()) <= threads
        # Once, and not for each run: the store's second connection, for checkpoints, comes when the log has grown.
        assert open_files(gate.path) <= files + 3
        assert alive() == before
        other = sqlite3.connect(gate.path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        finally:
            other.close()
        assert len(gate.runs("waiting", limit=RUNS + 2)) == RUNS + 1


@pytest.mark.parametrize("local", ["lambda", "closure", "method"])
def test_steps_made_of_functions_of_the_workflow_itself_are_let_go_of(
    gate: Gate, before: dict[str, int], local: str
) -> None:
    class Helper:
        def __init__(self, run: Run) -> None:
            self.run = run

        def look(self) -> str:
            return self.run.id

    @gate.workflow
    def refund(run: Run) -> object:
        def closure() -> str:
            return run.id

        tools: dict[str, Callable[[], str]] = {
            "lambda": lambda: run.id,
            "closure": closure,
            "method": Helper(run).look,
        }
        run.step("note", tools[local])
        return run.pause("look")

    for n in range(3):
        assert refund.start(f"r{n}").status == "waiting"
    assert alive() == before


@pytest.mark.anyio
async def test_a_waiting_async_run_keeps_no_task_and_no_object(
    gate: Gate, anyio_backend: str, before: dict[str, int]
) -> None:
    @gate.workflow
    async def refund(run: AsyncRun) -> object:
        await run.parallel(("a", abs, 1), ("b", abs, 2))
        return await run.pause("look")

    tasks = len(_tasks())
    for n in range(20):
        await refund.start(f"r{n}")
    assert len(_tasks()) == tasks
    assert alive() == before


def _tasks() -> list[Any]:
    return anyio.get_running_tasks()


def test_a_run_that_was_resumed_and_is_over_leaves_nothing_either(gate: Gate, before: dict[str, int]) -> None:
    @gate.workflow
    def refund(run: Run) -> object:
        return run.pause("look", "draft")

    for n in range(5):
        handle = refund.start(f"r{n}")
        release(gate, "look")
        assert handle.result(timeout=5) == "draft"
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("gatekit-branch")]
    assert threads == []
    assert alive() == before
