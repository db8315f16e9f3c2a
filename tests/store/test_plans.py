"""Whether SQLite uses the indexes, by its own account."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from gatekit.clock import FAR
from gatekit.store import statements as sql
from gatekit.store.opening import open_queue


@pytest.fixture
def connection(path: str) -> Iterator[sqlite3.Connection]:
    made, _ = open_queue(path, create=True)
    with closing(made):
        yield made


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    values = [1] * statement.count("?")
    return [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, values)]


@pytest.mark.parametrize("tool", [False, True])
@pytest.mark.parametrize("key", ["", "after", "before"])
def test_a_page_of_one_state_is_one_search(connection: sqlite3.Connection, tool: bool, key: str) -> None:
    steps = plan(connection, sql.page_of(1, tool=tool, after=key == "after", before=key == "before"))
    assert len(steps) == 1
    assert steps[0].startswith("SEARCH requests USING INDEX requests_" + ("tool" if tool else "status"))
    assert ("(due,pos)" in steps[0]) == bool(key), "the whole key must be searched for"


@pytest.mark.parametrize("statuses", [2, 12])
def test_a_page_of_several_states_scans_no_table_and_sorts_only_keys(
    connection: sqlite3.Connection, statuses: int
) -> None:
    steps = plan(connection, sql.page_of(statuses, tool=False, after=True, before=False))
    assert (
        sum("USING COVERING INDEX requests_status (status=? AND (due,pos)>(?,?))" in step for step in steps) == statuses
    )
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
        ("COUNT", "USING COVERING INDEX requests_status (status=?)"),
        ("PLACE", "USING INDEX sqlite_autoindex_requests_1 (id=?)"),
        ("POSITION", "USING COVERING INDEX requests_status (status=? AND (due,pos)<(?,?))"),
        ("OVERDUE", "USING INDEX requests_due (due<?)"),
        ("NEXT_DUE", "USING COVERING INDEX requests_due"),
        ("WAITING_OWNERS", "USING COVERING INDEX requests_waiter"),
        ("WAITED_FOR_BY", "USING INDEX requests_waiter (waiter=?"),
        ("RUNNING", "USING INDEX requests_status (status=?)"),
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
    return re.match("SCAN (requests|events|runs)", step) is not None and "INDEX" not in step


def test_requests_without_a_deadline_are_not_in_the_index_of_deadlines(connection: sqlite3.Connection) -> None:
    (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'requests_due'").fetchone()
    assert text.endswith(f"WHERE due < {FAR}")
