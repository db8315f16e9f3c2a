"""Another program holds the queue's lock while a call is entered, decided, started, finished."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatekit import Args, Gate, Suspended, calling, gated_step
from gatekit.errors import StoreBusy
from gatekit.gating import attempt
from gatekit.store import opening
from tests.faults.support import Background, ended, first_request, judge, until_waiting

pytestmark = pytest.mark.sweep


class Lock:
    """The write lock of a queue, in the hand of a foreign connection."""

    def __init__(self, queue: Path) -> None:
        self._connection = sqlite3.connect(queue, isolation_level=None, check_same_thread=False)

    def take(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def gate(queue: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    with Gate(queue) as made:
        made.count()
        yield made


@pytest.fixture
def lock(gate: Gate, queue: Path) -> Iterator[Lock]:
    made = Lock(queue)
    yield made
    made.close()


class Tool:
    def __init__(self) -> None:
        self.ran: list[int] = []

    def __call__(self, amount: int, memo: str = "") -> str:
        self.ran.append(amount)
        return "paid"


def test_a_call_that_meets_a_lock_is_not_queued(gate: Gate, lock: Lock) -> None:
    tool = Tool()
    lock.take()
    end = ended(lambda: gated_step(tool, gate=gate)(5))
    lock.release()
    assert isinstance(end, StoreBusy)
    assert tool.ran == []
    assert gate.count(("pending", "approved", "cancelled")) == 0


def test_a_decision_that_meets_a_lock_is_refused_and_can_be_made_again(gate: Gate, lock: Lock) -> None:
    tool = Tool()
    call = Background(lambda: gated_step(tool, gate=gate)(5))
    request = first_request(gate)
    lock.take()
    end = ended(lambda: gate.reviewer("bob").approve(request))
    assert isinstance(end, StoreBusy)
    assert gate.get(request.id).status == "pending", "reading needs no lock"
    lock.release()
    gate.reviewer("bob").approve(request)
    assert call.end() == "paid"


@pytest.mark.parametrize("given", ["c1", None])
def test_a_start_that_meets_a_lock_runs_nothing_and_leaves_nobody_waiting(
    gate: Gate, lock: Lock, given: str | None
) -> None:
    tool = Tool()
    asked: list[Args] = []

    def predicate(args: Args) -> bool:
        # The second time it is asked of the edited arguments: after the decision, before the start.
        asked.append(args)
        if len(asked) == 2:
            lock.take()
        return True

    def pay() -> Any:
        with calling(call_id=given):
            return gated_step(tool, gate=gate, name="pay", requires_approval=predicate)(5)

    call = Background(pay)
    request = first_request(gate)
    gate.reviewer("bob").edit(request, {"memo": "m"})
    assert isinstance(call.end(), StoreBusy)
    # Behind all that the call still wanted of the queue when it broke off.
    ended(lambda: gate.backend.sweep().wait())
    lock.release()
    gate.backend.sweep().wait()
    assert tool.ran == []
    left = gate.get(request.id)
    if given is not None:
        assert left.status == "approved"
        assert str(pay()).endswith("paid")
    else:
        assert (left.status, left.waiter) == ("cancelled", "gone")


def test_an_outcome_that_meets_a_lock_is_stored_behind_it(
    gate: Gate, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "_FINISH_DELAYS", (0.05,) * 40)

    def tool(amount: int) -> str:
        lock.take()
        threading.Timer(0.3, lock.release).start()
        return "paid"

    call = Background(lambda: gated_step(tool, gate=gate)(5))
    request = first_request(gate)
    gate.reviewer("bob").approve(request)
    assert call.end() == "paid"
    assert gate.get(request.id).status == "succeeded"


LOCKS = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA busy_timeout = 5000")
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(10)
"""


@pytest.mark.sweep
def test_another_program_holds_the_lock_for_ten_seconds(queue: Path) -> None:
    """By the timeouts that are delivered: five seconds for a transaction, thirty for an outcome."""
    running, go_on = threading.Event(), threading.Event()
    paid: list[int] = []

    def pay(amount: int) -> str:
        paid.append(amount)
        if amount == 1:
            running.set()
            go_on.wait(20)
        return "paid"

    with Gate(queue) as gate:
        step, bob = gated_step(pay, gate=gate), gate.reviewer("bob")
        finishing = Background(lambda: step(1))
        bob.approve(first_request(gate))
        assert running.wait(10)
        decided = Background(lambda: step(2))
        until_waiting(gate)
        (request,) = bob.pending()
        holding = subprocess.Popen([sys.executable, "-c", LOCKS, str(queue)], stdout=subprocess.PIPE, text=True)
        with holding as program:
            assert program.stdout is not None
            program.stdout.readline()
            began = time.monotonic()
            decision = ended(lambda: bob.approve(request))
            assert isinstance(decision, StoreBusy)
            assert 4 < time.monotonic() - began < 9
            go_on.set()
            entering = Background(lambda: gated_step(pay, gate=gate, wait=0)(3))
            # It is written behind the outcome of the first call, just before or just after the lock is let go of.
            assert isinstance(entering.end(), StoreBusy | Suspended)
            assert finishing.end(30) == "paid"
            assert program.wait(20) == 0
            again = bob.approve(request)
            assert decided.end() == "paid"
    assert judge(queue, [(request.id, again.verb)], paid)["succeeded"] == 2


HOLDER = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    fcntl.lockf(index, fcntl.LOCK_EX, 5, 123)
    print("held", flush=True)
    sys.stdin.read()
"""
"""The locks of whoever reads the log are the bytes 123 to 127 of its index (sqlite.org/walformat.html)."""


@pytest.mark.long
def test_a_process_that_was_stopped_with_the_logs_own_locks_is_in_the_way_and_no_more(gate: Gate, queue: Path) -> None:
    # SQLite gives up on these by itself, after some 10 s, with SQLITE_PROTOCOL instead of SQLITE_BUSY.
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, f"{queue}-shm"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    end = ended(gate.count)
    holder.communicate()
    assert isinstance(end, StoreBusy)
    assert gate.count() == 0
