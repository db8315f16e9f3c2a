"""Whether SQLite uses the indexes, by its own account."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from gatekit.backend.local import LocalBackend
from gatekit.backend.sweeping import BATCH, sweep, sweep_due
from gatekit.clock import FAR, SystemClock, span
from gatekit.machine.plan import Plan, Rung, StagePlan
from gatekit.models import Order
from gatekit.store import SqliteStore
from gatekit.store import statements as sql
from gatekit.store.opening import open_queue
from gatekit.store.sqlite import SqliteTx
from gatekit.testing import FakeClock
from tests.store.support import submitting


@pytest.fixture
def connection(path: str) -> Iterator[sqlite3.Connection]:
    made, _ = open_queue(path, create=True)
    with closing(made):
        yield made


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    values = [1] * statement.count("?")
    return [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, values)]


INDEXES: dict[Order, tuple[str, str]] = {
    "due": ("requests_status", "due,pos"),
    "oldest": ("requests_oldest", "created_at,pos"),
    "risk": ("requests_risk", "risk_rank,pos"),
}


@pytest.mark.parametrize(("order", "tool"), [*((order, False) for order in INDEXES), ("due", True)])
@pytest.mark.parametrize("key", ["", "after", "before"])
def test_a_page_of_one_state_is_one_search(connection: sqlite3.Connection, order: Order, tool: bool, key: str) -> None:
    steps = plan(connection, sql.page_of(1, order, tool=tool, after=key == "after", before=key == "before"))
    index, columns = INDEXES[order]
    assert len(steps) == 1
    assert steps[0].startswith(f"SEARCH requests USING INDEX {'requests_tool' if tool else index} ")
    assert (f"({columns})" in steps[0]) == bool(key), "the whole key must be searched for"


@pytest.mark.parametrize("order", INDEXES)
@pytest.mark.parametrize("statuses", [2, 12])
def test_a_page_of_several_states_scans_no_table_and_sorts_only_keys(
    connection: sqlite3.Connection, statuses: int, order: Order
) -> None:
    steps = plan(connection, sql.page_of(statuses, order, tool=False, after=True, before=False))
    index, columns = INDEXES[order]
    search = f"INDEX {index} (status=? AND ({columns})>(?,?))"
    assert sum(step.endswith(search) for step in steps) == statuses
    assert [step for step in steps if step.startswith("SCAN") and "requests" in step] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("REQUEST_BY_ID", "USING INDEX sqlite_autoindex_requests_1"),
        ("REVISIONS_OF", "USING INDEX sqlite_autoindex_revisions_1"),
        ("DECISIONS_OF", "USING INDEX sqlite_autoindex_decisions_1"),
        ("PERMITS_OF", "USING INDEX sqlite_autoindex_permits_1"),
        ("ATTEMPTS_OF", "USING INDEX sqlite_autoindex_attempts_"),
        ("FIND", "INDEX sqlite_autoindex_requests_2 (run=? AND tool=? AND call_id=?)"),
        ("SCHEMA", "USING INDEX sqlite_autoindex_tools_1 (tool=? AND sha256=?)"),
        ("UPDATE_REQUEST", "USING INDEX sqlite_autoindex_requests_1 (id=?)"),
        ("HISTORY", "USING INDEX events_request"),
        ("EVENTS", "USING INTEGER PRIMARY KEY (rowid>?)"),
        ("LAST_CURSOR", "SEARCH events"),
        ("COUNT", "SEARCH requests USING COVERING INDEX requests_"),
        ("PLACE", "USING INDEX sqlite_autoindex_requests_1 (id=?)"),
        ("POSITION", "USING COVERING INDEX requests_status (status=? AND (due,pos)<(?,?))"),
        ("OVERDUE", "USING INDEX requests_due (due<?)"),
        ("NEXT_DUE", "USING COVERING INDEX requests_due"),
        ("WAITING_OWNERS", "USING COVERING INDEX requests_waiter"),
        ("WAITED_FOR_BY", "USING INDEX requests_waiter (waiter=?"),
        ("RUNNING", "SEARCH requests USING INDEX requests_"),
        ("STATUSES", "USING INDEX sqlite_autoindex_requests_1 (id=?)"),
        ("RUN_BY_ID", "USING INDEX sqlite_autoindex_runs_1 (id=?)"),
        ("UPDATE_RUN", "USING INDEX sqlite_autoindex_runs_1 (id=?)"),
        ("WAKE_RUN", "USING INDEX sqlite_autoindex_runs_1 (id=?)"),
        ("STEPS", "USING INDEX requests_run (run=?)"),
        ("READY_RUNS", "USING INDEX runs_ready (workflow=?)"),
        ("STRANGE_RUNS", "SCAN runs USING INDEX runs_unclaimed"),
        ("RUNNING_RUNS", "USING INDEX runs_status (status=?)"),
        ("RUN_STATES", "USING INDEX sqlite_autoindex_runs_1 (id=?)"),
        ("RUN_HISTORY", "USING INDEX events_run (run=?)"),
        ("NEWS", "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"),
        ("SPENT", "USING COVERING INDEX requests_spend (tool=? AND spend_at>?)"),
        ("GRANT_BY_ID", "USING INDEX sqlite_autoindex_grants_1 (id=?)"),
        ("GRANTS_OF", "USING INDEX grants_tool (tool=?)"),
        ("GRANTS_ON", "USING INDEX grants_request (request_id=?)"),
        ("STOP", "USING INDEX sqlite_autoindex_meta_1 (key=?)"),
        ("LIFT_STOP", "USING INDEX sqlite_autoindex_meta_1 (key=?)"),
        ("DROP_REVIEWER", "USING INDEX sqlite_autoindex_reviewers_1 (name=?)"),
    ],
)
def test_every_look_up_is_a_search_without_sorting(connection: sqlite3.Connection, name: str, expected: str) -> None:
    statement = re.sub(r":\w+", "?", getattr(sql, name))
    steps = plan(connection, statement)
    assert any(expected in step for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps)
    assert not any(scans_a_table(step) for step in steps)


@pytest.mark.parametrize("statuses", [1, 2, 6])
@pytest.mark.parametrize("workflow", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_a_page_of_runs_is_one_search_for_each_state_merged_without_sorting(
    connection: sqlite3.Connection, statuses: int, workflow: bool, after: bool
) -> None:
    steps = plan(connection, sql.runs_of(statuses, workflow=workflow, after=after))
    key = ("workflow=? AND " if workflow else "") + "status=?" + (" AND number<?" if after else "")
    search = f"SEARCH runs USING INDEX runs_{'workflow' if workflow else 'status'} ({key})"
    assert [step for step in steps if step not in ("LEFT", "RIGHT", "MERGE (UNION ALL)")] == [search] * statuses


@pytest.mark.parametrize("statement", sql.DELETE_RUN)
def test_deleting_a_run_searches_for_all_that_it_left_and_for_all_that_refers_to_it(
    connection: sqlite3.Connection, statement: str
) -> None:
    steps = plan(connection, statement)
    assert any(step.startswith("SEARCH") for step in steps)
    assert not any(step.startswith("SCAN") for step in steps), steps


def scans_a_table(step: str) -> bool:
    return re.match(r"SCAN (requests|events|runs|grants|r|e)\b", step) is not None and "INDEX" not in step


def test_requests_without_a_deadline_are_not_in_the_index_of_deadlines(connection: sqlite3.Connection) -> None:
    (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'requests_due'").fetchone()
    assert text.endswith(f"WHERE due < {FAR}")


LADDER = Plan(stages=(StagePlan("boss", ("alice",)),), rungs=(Rung(span(3600), ("bob",)),))


def fill(connection: sqlite3.Connection, pending: int, due: int, *, plan: str = "") -> int:
    """So many pending requests, the later ones of them due; answers the moment by which these are."""
    now = FakeClock().now()
    connection.execute("BEGIN")
    tx = SqliteTx(connection)
    submitting(id=f"{1:026}", call_id="c1", plan=plan)(tx, now)
    own = {"number": "n", "pos": "n", "id": "printf('%026d', n)", "call_id": "n", "request_id": "printf('%026d', n)"}
    own |= {"due": f"iif(n > {pending - due}, {now} + n, {FAR})", "expires_after": "1"}
    own |= {"decide_by": f"iif(n > {pending - due} AND plan = '', {now} + n, NULL)"}
    own |= (
        {"asked_at": f"iif(n > {pending - due}, {now} + n - {span(3600)}, {now} + {10 * span(3600)})"} if plan else {}
    )
    for table in ("requests", "revisions", "events"):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "cursor"]
        connection.execute(
            f"WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {pending})"
            f" INSERT INTO {table} ({', '.join(f'{chr(34)}{name}{chr(34)}' for name in columns)})"
            f" SELECT {', '.join(own.get(name, f'{chr(34)}{name}{chr(34)}') for name in columns)}"
            f" FROM (SELECT * FROM {table} LIMIT 1), numbers"
        )
    connection.execute("COMMIT")
    return now + pending + 1


class Meter:
    """The statements of a connection, and the steps of SQLite's machine that they took."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.statements: Counter[str] = Counter()
        self.steps = 0
        connection.set_trace_callback(self._statement)
        connection.set_progress_handler(self._step, 100)

    def _statement(self, text: str) -> None:
        # Without the values, which sqlite3 puts in.
        self.statements[re.sub(r"'(?:[^']|'')*'|\b\d+\b|NULL", "?", text)] += 1

    def _step(self) -> int:
        self.steps += 100
        return 0


def swept(connection: sqlite3.Connection, now: int) -> Meter:
    """What it takes to settle all that is due, in batches."""
    meter = Meter(connection)
    while True:
        connection.execute("BEGIN IMMEDIATE")
        moved = sweep_due(SqliteTx(connection), now)
        connection.execute("COMMIT")
        if moved < BATCH:
            break
    connection.set_trace_callback(None)
    connection.set_progress_handler(None, 0)
    return meter


@pytest.mark.parametrize("plan", ["", LADDER.text], ids=["expiry", "escalation"])
@pytest.mark.parametrize(
    ("few", "many", "due"),
    [(300, 3_000, 250), pytest.param(2_000, 100_000, 1_000, marks=[pytest.mark.long, pytest.mark.timeout(120)])],
)
def test_settling_what_is_due_takes_the_same_work_however_many_others_are_pending(
    path: str, few: int, many: int, due: int, plan: str
) -> None:
    meters = []
    for number, pending in enumerate((few, many)):
        connection, _ = open_queue(f"{path}-{number}", create=True)
        with closing(connection):
            now = fill(connection, pending, due, plan=plan)
            meters.append(swept(connection, now))
            settled = "expired" if not plan else "escalated"
            (told,) = connection.execute("SELECT count(*) FROM events WHERE kind = ?", (settled,)).fetchone()
            assert told == due
            assert connection.execute(sql.OVERDUE, (now, 1)).fetchall() == []
    less, more = meters
    assert more.statements == less.statements
    assert more.statements.total() < 12 * due
    # A few more for the deeper trees, nothing for the rows.
    assert more.steps < 1.1 * less.steps


def test_a_whole_sweep_where_nothing_is_due_looks_at_no_pending_request(path: str) -> None:
    steps = []
    for number, pending in enumerate((10, 5_000)):
        connection, _ = open_queue(f"{path}-{number}", create=True)
        with closing(connection):
            now = fill(connection, pending, 0)
            meter = Meter(connection)
            connection.execute("BEGIN IMMEDIATE")
            assert sweep(SqliteTx(connection), now) == 0
            connection.execute("COMMIT")
            assert meter.statements.total() < 15
            steps.append(meter.steps)
    assert steps[1] <= steps[0] + 100


@pytest.mark.long
@pytest.mark.timeout(120)
def test_what_comes_while_a_thousand_of_a_hundred_thousand_are_settled_waits_for_one_batch_only(path: str) -> None:
    """As a start does: it is one job of the writer like this one."""
    connection, _ = open_queue(path, create=True)
    with closing(connection):
        fill(connection, 100_000, 1_000)
        store = SqliteStore.at(path, create=False, clock=SystemClock())
        try:
            reply = LocalBackend(store, SystemClock()).sweep()
            waited = []
            while not reply.done:
                (before,) = connection.execute("SELECT count(*) FROM requests WHERE status = 'expired'").fetchone()
                waited.append(store.write(lambda tx, now: tx.count(("expired",), 2_000)).wait() - before)
            assert reply.wait() >= 1_000
        finally:
            store.close()
    assert len(waited) > 2
    assert max(waited) <= 2 * BATCH
