"""Somebody removes, replaces or cuts the files of a queue while a gate is open on them and a call waits."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import PIPE

import pytest

from gatekit import Gate, Rejected, StoreError, Suspended, calling, gated_step
from gatekit.errors import AlreadyDecided, NotAQueue, QueueNotFound, RequestNotFound, SchemaTooNew
from gatekit.store import opening
from gatekit.store.schema import VERSION
from tests.faults.support import Background, ended, first_request, judge

pytestmark = pytest.mark.sweep

ROOT = Path(__file__).parents[2]
SOON = 5.0
"""Seconds within which a waiting call must hear that its queue is gone; gatekit looks four times a second."""
PAGE = 4096


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    """Another queue, with a request of its own, is moved to the place."""
    other = path.with_name("other.db")
    with Gate(other) as gate, pytest.raises(Suspended):
        gated_step(pay, gate=gate, wait=0)(1)
    other.replace(path)


def cut_to_nothing(path: Path) -> None:
    os.truncate(path, 0)


def cut_to_a_page(path: Path) -> None:
    os.truncate(path, PAGE)


def cut_by_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - PAGE)


def log_removed(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def index_removed(path: Path) -> None:
    path.with_name(path.name + "-shm").unlink()


def log_and_index_removed(path: Path) -> None:
    log_removed(path)
    index_removed(path)


GONE = (removed, replaced)
CUT = (cut_to_nothing, cut_to_a_page, cut_by_a_page)
UNLOGGED = (log_removed, index_removed, log_and_index_removed)
sweep = pytest.mark.sweep
IN_PROCESSES = [log_and_index_removed, *(pytest.param(fault, marks=sweep) for fault in UNLOGGED[:2])]


def pay(amount: int) -> str:
    return f"paid {amount}"


class Agent:
    """A call that waits in this process."""

    def __init__(self, queue: Path) -> None:
        self.gate = Gate(queue)
        self.ran: list[int] = []

        def tool(amount: int) -> str:
            self.ran.append(amount)
            return pay(amount)

        self.call = Background(lambda: gated_step(tool, gate=self.gate, name="pay")(5))
        self.request = first_request(self.gate)


@pytest.mark.parametrize("fault", [*GONE, *CUT, *UNLOGGED])
def test_a_waiting_call_hears_that_its_queue_is_lost(tmp_path: Path, fault: Callable[[Path], None]) -> None:
    agent = Agent(tmp_path / "queue.db")
    try:
        fault(tmp_path / "queue.db")
        end = agent.call.end(SOON)
    finally:
        agent.gate.close()
    assert isinstance(end, StoreError)
    assert str(tmp_path / "queue.db") in str(end)
    assert agent.ran == []


@pytest.mark.parametrize("fault", [*GONE, *CUT, *UNLOGGED])
def test_a_decision_on_a_lost_queue_is_refused_or_kept_and_nothing_runs(
    tmp_path: Path, fault: Callable[[Path], None]
) -> None:
    agent = Agent(tmp_path / "queue.db")
    fault(tmp_path / "queue.db")
    try:
        decision = ended(lambda: agent.gate.reviewer("bob").approve(agent.request))
        end = agent.call.end(SOON)
    finally:
        agent.gate.close()
    assert isinstance(end, StoreError)
    # Whoever looked first let go of the lost files: then the request is not in the queue that is there now, or it was
    # saved and can be decided, unless its call, which was told, withdrew it before.
    if not isinstance(decision, StoreError | RequestNotFound | AlreadyDecided):
        with Gate(tmp_path / "queue.db", create=False) as gate:
            assert "human:bob" in [event.by for event in gate.history(decision.request_id)]
    assert agent.ran == []


@pytest.mark.parametrize("fault", UNLOGGED)
def test_what_was_told_before_a_log_was_lost_is_saved_by_who_had_it_open(
    tmp_path: Path, fault: Callable[[Path], None]
) -> None:
    queue = tmp_path / "queue.db"
    agent = Agent(queue)
    agent.gate.reviewer("bob").reject(agent.request, reason="no")
    assert isinstance(agent.call.end(), Rejected)
    fault(queue)
    assert isinstance(ended(lambda: gated_step(pay, gate=agent.gate, wait=0)(6)), StoreError)
    assert isinstance(ended(lambda: gated_step(pay, gate=agent.gate, wait=0)(7)), Suspended)
    agent.gate.close()
    assert judge(queue, [(agent.request.id, "reject")]) == {"rejected": 1, "pending": 1}


@pytest.mark.parametrize("fault", IN_PROCESSES)
def test_who_comes_later_waits_until_a_log_that_was_lost_is_saved(
    tmp_path: Path, fault: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the queue open does nothing with it, and so does not notice."""
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.1)
    queue = tmp_path / "queue.db"
    idler = subprocess.Popen([sys.executable, "-c", IDLES, str(queue)], stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT)
    assert idler.stdout is not None
    request_id = idler.stdout.readline().strip()
    fault(queue)
    before = contents(tmp_path)
    with Gate(queue, create=False) as gate:
        refusal = ended(lambda: gate.get(request_id))
        assert isinstance(refusal, StoreError)
        assert "end that program" in str(refusal)
        assert contents(tmp_path) == before
        idler.communicate("\n", timeout=30)
        assert gate.get(request_id).status == "pending"


IDLES = """
import sys
from gatekit import Gate, gated_step
from tests.faults.support import ended
with Gate(sys.argv[1]) as gate:
    print(ended(lambda: gated_step(lambda amount: None, gate=gate, name="pay", wait=0)(5)).request_id, flush=True)
    sys.stdin.readline()
"""

FOREIGN = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("UPDATE meta SET " + sys.argv[2])
print(connection.execute("SELECT count(*) FROM requests").fetchone()[0])
connection.close()
"""


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "unnoticed"])
@pytest.mark.parametrize(("fault", "kept"), [(log_removed, 1), (index_removed, 1), (log_and_index_removed, 0)])
def test_what_another_program_wrote_to_a_log_of_its_own_is_not_buried(
    tmp_path: Path, fault: Callable[[Path], None], kept: int, noticed: bool
) -> None:
    queue = tmp_path / "queue.db"
    with Gate(queue) as gate:
        assert isinstance(ended(lambda: gated_step(pay, gate=gate, wait=0)(5)), Suspended)
        if fault is log_removed:
            # Else the other program cannot read what only the lost log holds.
            with closing(sqlite3.connect(queue)) as other:
                other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        fault(queue)
        command = [sys.executable, "-c", FOREIGN, str(queue), "value = 'told'"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=ROOT, check=False)
        assert (done.stdout.strip(), done.stderr) == (str(kept), "")
        if noticed:
            assert isinstance(ended(lambda: gated_step(pay, gate=gate, wait=0)(6)), StoreError)
            gate.count()
    with closing(sqlite3.connect(queue)) as after:
        assert after.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert after.execute("SELECT DISTINCT value FROM meta").fetchall() == [("told",)]
        assert after.execute("SELECT count(*) FROM requests").fetchone() == (kept,)


def test_a_queue_in_whose_place_comes_another_takes_its_log_along(tmp_path: Path) -> None:
    """By its name the log would belong to the queue that is there now, and SQLite would play it into that one."""
    queue, old = tmp_path / "queue.db", tmp_path / "old.db"
    agent = Agent(queue)
    # The queue is at both places until the other one comes: without any, the agent might make a third.
    os.link(queue, old)
    replaced(queue)
    assert isinstance(agent.call.end(SOON), StoreError)
    assert isinstance(ended(lambda: gated_step(pay, gate=agent.gate, wait=0)(2)), Suspended)
    agent.gate.close()
    assert judge(queue) == {"pending": 2}
    with Gate(old, create=False) as gate:
        assert gate.get(agent.request.id).args == {"amount": 5}
    assert judge(old).total() == 1


def test_a_queue_that_is_replaced_while_it_is_opened_is_not_taken_for_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, other = tmp_path / "queue.db", tmp_path / "other.db"
    for path in (queue, other):
        with Gate(path) as gate, pytest.raises(Suspended):
            gated_step(pay, gate=gate, wait=0)(1)
    connect = opening.connect

    def replacing(path: str) -> sqlite3.Connection:
        connection = connect(path)
        if other.exists():
            other.replace(queue)
        return connection

    monkeypatch.setattr(opening, "connect", replacing)
    with Gate(queue) as gate:
        refusal = ended(lambda: gated_step(pay, gate=gate, wait=0)(2))
        assert isinstance(ended(lambda: gated_step(pay, gate=gate, wait=0)(3)), Suspended)
    assert isinstance(refusal, StoreError)
    assert judge(queue) == {"pending": 2}


def test_a_vacuum_is_no_loss(tmp_path: Path) -> None:
    queue = tmp_path / "queue.db"
    agent = Agent(queue)
    with closing(sqlite3.connect(queue, isolation_level=None)) as other:
        other.execute("CREATE TABLE filler (x)")
        other.execute("INSERT INTO filler VALUES (zeroblob(1000000))")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        agent.gate.count()
        other.execute("DROP TABLE filler")
        size = queue.stat().st_size
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert queue.stat().st_size < size / 2
    agent.gate.reviewer("bob").approve(agent.request)
    assert agent.call.end() == "paid 5"
    agent.gate.close()
    assert judge(queue, [(agent.request.id, "approve")], agent.ran) == {"succeeded": 1}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


DECIDES_AND_DIES = """
import os, sys, threading
from gatekit import Gate, gated_step
from tests.faults.support import Background, ended, first_request
from tests.faults import test_lost_files as faults
gate = Gate(sys.argv[1])
@gated_step(gate=gate)
def pay(amount: int) -> str:
    print("ran", flush=True)
call = Background(lambda: pay(5))
request = first_request(gate)
getattr(faults, sys.argv[2])(faults.Path(sys.argv[1]))
answer = ended(lambda: gate.reviewer("bob").approve(request))
print("refused" if isinstance(answer, Exception) else f"acknowledged {request.id}", flush=True)
call.end()
os._exit(0)
"""


@sweep
@pytest.mark.parametrize("fault", UNLOGGED)
def test_a_decision_that_was_acknowledged_without_a_log_survives_the_process(
    tmp_path: Path, fault: Callable[[Path], None]
) -> None:
    """SQLite goes on writing to a log that has no name any more: all of it is gone with the process."""
    queue = tmp_path / "queue.db"
    program = [sys.executable, "-c", DECIDES_AND_DIES, str(queue), fault.__name__]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    acknowledged = [(line.split()[1], "approve") for line in said if line.startswith("acknowledged")]
    judge(queue, acknowledged, [5] if "ran" in said else [])


WAITS = """
import sys
from gatekit import Gate, gated_step
from tests.faults.support import Background, first_request
with Gate(sys.argv[1]) as gate:
    @gated_step(gate=gate)
    def pay(amount: int) -> None:
        print("ran", flush=True)
    call = Background(lambda: pay(5))
    print(first_request(gate).id, flush=True)
    sys.stdin.readline()
    print(type(call.end()).__name__, flush=True)
"""


@sweep
@pytest.mark.parametrize("fault", UNLOGGED)
def test_a_process_with_a_lost_log_buries_nothing_that_others_were_told(
    tmp_path: Path, fault: Callable[[Path], None]
) -> None:
    """The process that comes later makes a new log; the earlier one, as it ends, must not copy its own over that."""
    queue = tmp_path / "queue.db"
    with Gate(queue) as gate:
        gate.count()
    command = [sys.executable, "-c", WAITS, str(queue)]
    agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert agent.stdout is not None
    request_id = agent.stdout.readline().strip()
    fault(queue)
    with Gate(queue, create=False) as gate:
        decision = ended(lambda: gate.reviewer("bob").reject(gate.get(request_id), reason="no"))
        late = ended(lambda: gated_step(pay, gate=gate, wait=0)(7))
    out, _ = agent.communicate("\n", timeout=30)
    assert (agent.returncode, "ran" in out) == (0, False)
    assert out.strip() in ("StoreError", "Rejected"), out
    acknowledged = [] if isinstance(decision, Exception) else [(request_id, "reject")]
    states = judge(queue, acknowledged)
    assert states["pending"] + states["cancelled"] >= isinstance(late, Suspended), (states, late)


def test_after_a_replacement_the_new_queue_is_used_and_the_old_one_is_as_it_was(tmp_path: Path) -> None:
    queue, old = tmp_path / "queue.db", tmp_path / "old.db"
    agent = Agent(queue)
    for suffix in ("-wal", "-shm", ""):
        queue.with_name(queue.name + suffix).rename(f"{old}{suffix}")
    replaced(queue)
    assert isinstance(agent.call.end(SOON), StoreError)
    assert isinstance(ended(lambda: gated_step(pay, gate=agent.gate, wait=0)(2)), Suspended | StoreError)
    assert isinstance(ended(lambda: gated_step(pay, gate=agent.gate, wait=0)(3)), Suspended)
    pending = [request.args["amount"] for request in agent.gate.reviewer("bob").pending()]
    agent.gate.close()
    assert pending in ([1, 2, 3], [1, 3])
    assert agent.ran == []
    assert judge(queue)["cancelled"] == 0
    with Gate(old, create=False) as before:
        assert before.get(agent.request.id).args == {"amount": 5}


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")


def text(path: Path) -> None:
    path.write_text("Dear diary, " * 500)


def newer_queue(path: Path) -> None:
    Gate(path).close()
    with Gate(path) as gate:
        gate.count()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize(
    ("make", "error"), [(another_database, NotAQueue), (text, NotAQueue), (newer_queue, SchemaTooNew)]
)
@pytest.mark.parametrize("given", [None, "c1"])
def test_no_tool_runs_over_a_file_that_is_no_queue_of_ours(
    tmp_path: Path, make: Callable[[Path], None], error: type[StoreError], given: str | None
) -> None:
    queue = tmp_path / "queue.db"
    make(queue)
    before = queue.read_bytes()
    ran: list[int] = []
    with Gate(queue) as gate:
        with calling(call_id=given), pytest.raises(error):
            gated_step(lambda_of(ran), gate=gate)(5)
        with pytest.raises(error):
            gate.reviewer("bob").pending()
    assert ran == []
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("queue.db", before)]


def lambda_of(ran: list[int]) -> Callable[[int], None]:
    def tool(amount: int) -> None:
        ran.append(amount)

    return tool


@pytest.mark.parametrize("make", [another_database, text, newer_queue])
def test_a_file_that_takes_the_place_of_a_waiting_calls_queue_is_not_touched(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    queue, other = tmp_path / "queue.db", tmp_path / "other.db"
    agent = Agent(queue)
    make(other)
    before = other.read_bytes()
    for suffix in ("-wal", "-shm", ""):
        queue.with_name(queue.name + suffix).unlink()
    other.rename(queue)
    end = agent.call.end(SOON)
    decision = ended(lambda: agent.gate.reviewer("bob").approve(agent.request))
    agent.gate.close()
    assert isinstance(end, StoreError)
    assert isinstance(decision, StoreError)
    assert agent.ran == []
    assert queue.read_bytes() == before


def test_a_queue_that_may_not_be_made_again_is_missed_by_name(tmp_path: Path) -> None:
    queue = tmp_path / "queue.db"
    with Gate(queue) as gate:
        gate.count()
    with Gate(queue, create=False) as gate:
        gate.count()
        queue.unlink()
        assert isinstance(ended(lambda: gated_step(pay, gate=gate)(5)), QueueNotFound)
        assert isinstance(ended(lambda: gate.reviewer("bob").pending()), QueueNotFound)
    assert not queue.exists()
