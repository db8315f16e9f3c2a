"""Rows that contradict each other, written past gatekit: the tool does not run, and a typed error says what is wrong.

What was forged so that everything agrees cannot be told from the rows. `tests/store/tampering.py` makes the files.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import pytest

from gatekit import Gate, StoreError, calling, gated_step
from gatekit.cli.health import examine
from gatekit.errors import NotAQueue, SchemaTooNew
from tests.corpus_cases import pick
from tests.store.tampering import (
    ALLOWED,
    EVIL,
    EVIL_DIGEST,
    STATES,
    Bench,
    Finding,
    State,
    Tampering,
    Tool,
    approved_again,
    call,
    contents,
    tamperings,
)

NEVER: Final[frozenset[Finding]] = frozenset({"BROKEN", "CHANGED", "RAN"})


@pytest.fixture(scope="module")
def bench() -> Generator[Bench]:
    """Files in memory, where the system has such a place: there are hundreds."""
    fast = Path("/dev/shm")
    folder = Path(mkdtemp(prefix="gatekit-", dir=fast if os.access(fast, os.W_OK | os.X_OK) else None))
    made = Bench(folder)
    yield made
    made.close()
    shutil.rmtree(folder)


# The cases of the corpus, and what belongs to them.


@dataclass(frozen=True)
class Forgery:
    """What is written past gatekit into a queue with two calls of equal arguments, and what the error says of it.

    `:one` is the call that the agent makes again, `:two` the other.
    """

    case: str
    name: str
    one: str
    """Where the call stands before: `pending` or `approved`."""
    statements: tuple[str, ...]
    says: str


APPROVE: Final = (
    "INSERT INTO decisions SELECT :one, 1, 'approve', 'human:alice', created_at, 1, 1, 1, digest, 'v1:' ||"
    " substr(digest, 1, 16), 0, NULL, NULL, NULL, NULL, NULL, '[0]', 0 FROM requests WHERE id = :one"
)
PERMIT: Final = "INSERT INTO permits SELECT :one, 1, 1, 1, 1, digest, 1, 0, 0 FROM requests WHERE id = :one"
POINT: Final = (
    "UPDATE requests SET status = 'approved', decision = 1, permit = 1, start_by = created_at + start_within,"
    " due = created_at + start_within WHERE id = :one"
)
TAKE: Final = tuple(
    f"INSERT INTO {table} SELECT :one, {rest} FROM {table} WHERE request_id = :two"
    for table, rest in (
        (
            "decisions",
            'no, verb, "by", at, version, revision, base, digest, token, stage, note, reason, text,'
            " effective_at, attempt, stages, asked_at",
        ),
        ("permits", "no, decision, version, revision, digest, max_starts, starts, void"),
    )
)
SAME_MOMENT: Final = (
    "UPDATE requests SET (status, decision, permit, start_by, due) ="
    " (SELECT status, decision, permit, start_by, due FROM requests WHERE id = :two) WHERE id = :one"
)

FORGERIES: Final = (
    Forgery(
        "store_tamper-000",
        "an update of the state",
        "pending",
        ("UPDATE requests SET status = 'approved' WHERE id = :one",),
        "nobody decided",
    ),
    Forgery("store_tamper-002", "a decision alone", "pending", (APPROVE, POINT), "permit 1 is missing"),
    Forgery("store_tamper-002", "a permit alone", "pending", (PERMIT, POINT), "decision 1 is missing"),
    Forgery("store_tamper-002", "a decision and a permit", "pending", (APPROVE, PERMIT, POINT), "without its event"),
    Forgery(
        "store_tamper-004",
        "the last event deleted",
        "approved",
        ("DELETE FROM events WHERE cursor = (SELECT max(cursor) FROM events WHERE request_id = :one)",),
        "without its event",
    ),
    Forgery(
        "store_tamper-004", "all events deleted", "approved", ("DELETE FROM events",), "not submitted as it stands"
    ),
    Forgery(
        "store_tamper-008",
        "other arguments under the same digest",
        "approved",
        (f"UPDATE revisions SET text = '{EVIL}' WHERE request_id = :one AND revision = 2",),
        "do not match their digest",
    ),
    Forgery(
        "store_tamper-008",
        "other arguments with their own digest",
        "approved",
        (
            f"UPDATE revisions SET text = '{EVIL}', digest = '{EVIL_DIGEST}' WHERE request_id = :one AND revision = 2",
            f"UPDATE requests SET digest = '{EVIL_DIGEST}' WHERE id = :one",
        ),
        "other arguments",
    ),
    Forgery(
        "store_tamper-008",
        "other arguments with their own digest everywhere but in the event",
        "approved",
        (
            f"UPDATE revisions SET text = '{EVIL}', digest = '{EVIL_DIGEST}' WHERE request_id = :one AND revision = 2",
            f"UPDATE requests SET digest = '{EVIL_DIGEST}' WHERE id = :one",
            f"UPDATE permits SET digest = '{EVIL_DIGEST}' WHERE request_id = :one",
            f"UPDATE decisions SET digest = '{EVIL_DIGEST}' WHERE request_id = :one",
        ),
        "without its event",
    ),
    Forgery("store_tamper-014", "another call's approval", "pending", (*TAKE, SAME_MOMENT), "without its event"),
    Forgery(
        "store_tamper-014",
        "another call's request under this call's id",
        "approved",
        (
            "UPDATE requests SET call_id = 'gone' WHERE id = :one",
            "UPDATE requests SET call_id = 'call-1' WHERE id = :two",
        ),
        "not submitted as it stands",
    ),
)
BY_HAND: Final = {
    "store_tamper-006": "test_a_file_that_took_the_place_of_an_open_queue_starts_nothing",
    "store_tamper-010": "test_a_queue_that_calls_itself_newer_starts_nothing",
    "store_tamper-012": "test_a_folder_that_everybody_can_write_is_told_of",
}


def test_every_case_of_the_corpus_is_driven() -> None:
    here = {forgery.case for forgery in FORGERIES} | set(BY_HAND)
    assert {case.id for case in pick("store_tamper")} == here
    assert all(name in globals() for name in BY_HAND.values())


class Two:
    """A queue with two calls that ask for the same; the second one is approved as it is."""

    def __init__(self, path: Path) -> None:
        self.path, self.tool, self.gate = path, Tool(), Gate(path)
        self.step = self.tool.step(self.gate, 1)
        assert call(self.step)[0] == "Suspended"
        (self.one,) = (row.id for row in self.gate.requests())
        assert call(self.step, "call-2")[0] == "Suspended"
        (self.two,) = (row.id for row in self.gate.requests() if row.id != self.one)
        alice = self.gate.reviewer("alice")
        alice.approve(self.gate.get(self.two))

    def edit_the_first(self) -> None:
        self.gate.reviewer("alice").edit(self.gate.get(self.one), {"amount": 2})

    def reopen(self) -> None:
        self.gate.close()
        self.gate = Gate(self.path, create=False)
        self.step = self.tool.step(self.gate, 1)

    def forge(self, statements: Iterable[str]) -> None:
        with closing(sqlite3.connect(self.path)) as file, file:
            for statement in statements:
                file.execute(statement, {"one": self.one, "two": self.two})


@pytest.fixture
def two(tmp_path: Path) -> Generator[Two]:
    made = Two(tmp_path / "queue.db")
    yield made
    made.gate.close()


@pytest.mark.parametrize("opened", [True, False], ids=["while it is open", "while it is closed"])
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_nothing_runs_on_a_forgery(two: Two, forgery: Forgery, opened: bool) -> None:
    if forgery.one == "approved":
        two.edit_the_first()
    if not opened:
        two.gate.close()
    two.forge(forgery.statements)
    if not opened:
        two.reopen()
    before = contents(two.path)
    for _ in range(2):
        told = call(two.step)
        assert two.tool.calls == []
        assert told[0] == "StoreError"
        assert two.one in told[1] or two.two in told[1], "which request?"
        assert forgery.says in told[1]
    assert two.tool.calls == []
    assert contents(two.path) == before


def test_without_a_forgery_the_same_queue_runs_what_was_allowed(two: Two) -> None:
    two.edit_the_first()
    assert call(two.step) == "paid 2"
    assert two.tool.calls == [ALLOWED]


def test_a_queue_that_calls_itself_newer_starts_nothing(two: Two) -> None:
    two.edit_the_first()
    two.gate.close()
    two.forge(["PRAGMA user_version = 999"])
    two.reopen()
    assert call(two.step)[0] == SchemaTooNew.__name__
    assert two.tool.calls == []


def test_a_file_that_took_the_place_of_an_open_queue_starts_nothing(two: Two, tmp_path: Path) -> None:
    """Who replaces the file while nobody has it open has forged everything consistently: only an anchor tells."""
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(two.path)) as file, closing(sqlite3.connect(other)) as copy:
        file.backup(copy)
    two.edit_the_first()
    os.replace(other, two.path)
    assert call(two.step)[0] == "StoreError"
    assert two.tool.calls == []


def test_a_folder_that_everybody_can_write_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with Gate(folder / "queue.db") as gate:
        gate.count("pending")
    assert any(str(folder) in problem.what for problem in examine(str(folder / "queue.db")).problems)


@pytest.mark.parametrize("what", ["TRIGGER", "VIEW"])
def test_nothing_runs_where_the_file_decides_by_itself(two: Two, what: str) -> None:
    body = {
        "TRIGGER": "AFTER INSERT ON requests BEGIN UPDATE requests SET status = 'approved'; END",
        "VIEW": "AS SELECT * FROM requests",
    }[what]
    two.gate.close()
    two.forge([f"CREATE {what} friend {body}"])
    two.reopen()
    told = call(two.step)
    assert told[0] == NotAQueue.__name__
    assert "friend" in told[1]


# Everything that was used up, made new.


WIPED: Final = (
    "DELETE FROM attempts",
    "UPDATE permits SET starts = 0, void = 0",
    "UPDATE requests SET status = 'approved', attempt = NULL, outcome = NULL, result = NULL,"
    " start_by = (SELECT at FROM decisions) + start_within, due = (SELECT at FROM decisions) + start_within",
)
GIVEN_BACK: Final = (
    "UPDATE attempts SET state = 'given_back', finished_at = started_at",
    "UPDATE permits SET starts = 0, void = 0",
    WIPED[-1],
)
ONE_MORE: Final = (
    "UPDATE permits SET max_starts = 9, void = 0",
    "UPDATE requests SET max_starts = 9",
    "UPDATE requests SET status = 'approved', start_by = (SELECT at FROM decisions) + start_within,"
    " due = (SELECT at FROM decisions) + start_within",
)


@pytest.mark.parametrize("state", ["running", "unknown", "succeeded"])
@pytest.mark.parametrize(
    "statements", [WIPED, GIVEN_BACK, ONE_MORE], ids=["wiped out", "given back", "allowed once more"]
)
def test_what_ran_does_not_run_again_where_its_start_was(
    bench: Bench, state: State, statements: tuple[str, ...]
) -> None:
    tampering = Tampering("", "", tuple((statement, ()) for statement in statements))
    for starts in (1, 2):
        assert bench.find(bench.samples[state, starts], tampering) == "detected"


@pytest.mark.parametrize("state", ["running", "unknown", "succeeded"])
def test_a_deadline_that_was_made_up_moves_no_call_that_was_started(bench: Bench, state: State) -> None:
    tampering = Tampering("", "", (("UPDATE requests SET due = 0, start_by = 1, decide_by = 1", ()),))
    assert bench.find(bench.samples[state, 1], tampering) in ("harmless", "detected")


def test_an_approval_whose_deadline_was_moved_starts_nothing(bench: Bench) -> None:
    statement = "UPDATE requests SET start_by = start_by + 86400000000, due = due + 86400000000"
    tampering = Tampering("", "", ((statement, ()),))
    assert bench.find(bench.samples["approved", 1], tampering) == "detected"


def test_arguments_exchanged_between_two_looks_do_not_run(bench: Bench) -> None:
    """Before the start other arguments are in the file, at the start it is as it was: only those of the start count."""
    sample, calls = bench.samples["approved", 1], []
    path = bench.copy(sample)

    def write(text: str) -> None:
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE revisions SET text = ? WHERE revision = 2", (text,))

    def pay(amount: int, to: str) -> str:
        calls.append({"amount": amount, "to": to})
        return "paid"

    def looks_good(args: object) -> bool:
        write('{"amount":2,"to":"bob"}')
        return True

    with Gate(path, create=False) as gate, calling(call_id="call-1", agent="bot"):
        step = gated_step(pay, gate=gate, wait=0, tell_edits=False, revalidate=looks_good)
        write(EVIL)
        with suppress(StoreError):
            step(amount=1, to="bob")
    assert calls in ([], [ALLOWED])


# Every column of every row.


def findings(
    bench: Bench,
    cases: Iterable[tuple[State, int]],
    *,
    deep: bool,
    change: Callable[[Tampering], Tampering] = lambda one: one,
) -> dict[tuple[str, State], set[Finding]]:
    """What each tampering leads to, by its row and column of the table; fails for one that must never be."""
    found: dict[tuple[str, State], set[Finding]] = {}
    wrong: list[str] = []
    for state, starts in cases:
        sample = bench.samples[state, starts]
        for tampering in map(change, tamperings(sample, deep=deep)):
            for raises in (False, True) if deep else (False,):
                finding = bench.find(sample, tampering, raises=raises)
                if finding is not None:
                    found.setdefault((tampering.target, state), set()).add(finding)
                if finding in NEVER:
                    wrong.append(f"{finding}: {state}, {starts} starts, raises={raises}: {tampering}")
    assert not wrong, "\n".join(wrong)
    return found


@pytest.mark.sweep
def test_no_column_changed_makes_the_tool_run_otherwise(bench: Bench) -> None:
    found = findings(bench, [("approved", 1), ("unknown", 1)], deep=False)
    assert found["permits.max_starts", "approved"] == {"detected"}
    assert found["decisions.by", "approved"] == {"detected"}
    assert found["requests.description", "approved"] == {"harmless"}


@pytest.mark.sweep
def test_no_column_changed_of_a_request_called_approved_again_makes_the_tool_run_again(bench: Bench) -> None:
    found = findings(bench, [("running", 1)], deep=False, change=approved_again)
    assert {finding for (_, _), seen in found.items() for finding in seen} <= {"detected", "harmless", "forged"}


@pytest.mark.long
@pytest.mark.parametrize("starts", [1, 2])
@pytest.mark.parametrize("state", STATES)
def test_no_value_in_any_column_makes_the_tool_run_otherwise(bench: Bench, state: State, starts: int) -> None:
    assert findings(bench, [(state, starts)], deep=True)
    if state != "approved":
        assert findings(bench, [(state, starts)], deep=True, change=approved_again)
