"""The orders of the list, in both kinds of store: each is a sorted list, and its pages are that list in pieces."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekit.arguments.canonical import digest_of
from gatekit.backend.paging import look_up, text_of
from gatekit.backend.tx import Key, PageQuery, Tx
from gatekit.clock import FAR
from gatekit.filters import filter_from
from gatekit.machine.effects import InsertDecision, InsertRequest, PutRevision
from gatekit.machine.records import DecisionRecord, RequestRecord, RevisionRecord
from gatekit.models import ORDERS, RISKS, Order, Risk, Status
from gatekit.store.finding import bound_of, counted_of, found_of
from gatekit.store.opening import open_queue
from gatekit.store.sqlite import SqliteTx
from gatekit.testing.tables import MemoryTx, Tables
from tests.store.test_plans import Meter, fill

STATES: tuple[Status, ...] = ("pending", "held", "approved", "rejected")


@dataclass(frozen=True)
class Entry:
    """A request as the tests make it: its place in the list is the number of its arrival."""

    created_at: int = 0
    due: int = FAR
    risk: Risk = "low"
    status: Status = "pending"
    tool: str = "pay"
    said: tuple[int, ...] = ()
    """The moments of its decisions."""
    stands: int | None = None
    """Which of them stands, from 1."""


def enter(tx: Tx, number: int, entry: Entry) -> None:
    """Put the rows of one request into the tables, whatever the machine would say of them."""
    text, request_id = "{}", f"{number:026}"
    digest = digest_of(entry.tool, text)
    request = RequestRecord(
        id=request_id,
        tool=entry.tool,
        call_id=request_id,
        call_given=False,
        requester="agent:a",
        description="x",
        risk=entry.risk,
        status=entry.status,
        created_at=entry.created_at,
        due=entry.due,
        digest=digest,
        decision=entry.stands,
    )
    tx.apply(InsertRequest(request))
    revision = RevisionRecord(
        request_id=request_id, revision=1, text=text, digest=digest, schema="s", by="agent:a", at=0, verdict=None
    )
    tx.apply(PutRevision(revision))


def decide(tx: Tx, number: int, no: int, at: int) -> None:
    decision = DecisionRecord(
        request_id=f"{number:026}",
        no=no,
        verb="undo",
        by="human:alice",
        at=at,
        version=no,
        revision=1,
        base=1,
        digest="d",
        token="t",
    )
    tx.apply(InsertDecision(decision))


def enter_all(tx: Tx, entries: list[Entry]) -> dict[Order, list[tuple[Key, int]]]:
    """All of them, and their decisions as time goes; answers each order as it must be, with the keys."""
    for number, entry in enumerate(entries, 1):
        enter(tx, number, entry)
    said = [(at, number, no) for number, entry in enumerate(entries, 1) for no, at in enumerate(entry.said, 1)]
    decided: list[tuple[Key, int]] = []
    for nth, (at, number, no) in enumerate(sorted(said, key=lambda one: (one[2], one[1])), 1):
        decide(tx, number, no, at)
        if entries[number - 1].stands == no:
            decided.append(((at, nth), number))
    lines = [*enumerate(entries, 1)]
    return {
        "due": sorted(((entry.due, number), number) for number, entry in lines),
        "oldest": sorted(((entry.created_at, number), number) for number, entry in lines),
        "risk": sorted(((3 - RISKS.index(entry.risk), number), number) for number, entry in lines),
        "decided": sorted(decided, reverse=True),
    }


@contextmanager
def tables(kind: str, connection: sqlite3.Connection) -> Generator[Tx]:
    if kind == "memory":
        yield MemoryTx(Tables())
        return
    connection.execute("BEGIN")
    try:
        yield SqliteTx(connection)
    finally:
        connection.execute("ROLLBACK")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    made, _ = open_queue(str(tmp_path_factory.mktemp("orders") / "queue.db"), create=True)
    with closing(made):
        yield made


def key_of(text: str) -> Key:
    rank, _, pos = text.partition(":")
    return int(rank), int(pos)


def paged(tx: Tx, query: dict[str, Any], direction: str, looked_at: int) -> list[list[tuple[str, int]]]:
    """The pages as one comes by them from `next` to `next`, each with the keys and numbers of its lines."""
    beginning: dict[str, Any] = {"before": (0, 0) if query["order"] == "decided" else (1 << 60, 1 << 60)}
    place = beginning if direction == "before" else {}
    pages: list[list[tuple[str, int]]] = []
    while len(pages) < 200:
        found = look_up(tx, PageQuery(**query, **place), 1000, looked_at=looked_at)
        pages.append([(text_of(row.key), int(row.id)) for row in found.rows])
        if found.next is None:
            return pages
        place = dict[str, Any]({direction: key_of(found.next)})
    raise AssertionError("it does not come to an end")


MOMENTS = st.integers(min_value=1, max_value=6)


@st.composite
def entry_of(draw: st.DrawFn) -> Entry:
    said = tuple(draw(st.lists(MOMENTS, max_size=3)))
    return Entry(
        created_at=draw(MOMENTS),
        due=draw(st.one_of(MOMENTS, st.just(FAR))),
        risk=draw(st.sampled_from(RISKS)),
        status=draw(st.sampled_from(STATES)),
        tool=draw(st.sampled_from(["pay", "send"])),
        said=said,
        stands=draw(st.none() | st.integers(1, len(said))) if said else None,
    )


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=60, deadline=None)
@given(
    entries=st.lists(entry_of(), max_size=14),
    order=st.sampled_from(ORDERS),
    statuses=st.lists(st.sampled_from(STATES), min_size=1, max_size=3, unique=True),
    tool=st.sampled_from([None, "pay"]),
    where=st.sampled_from([None, "risk>=high", "tool:send"]),
    limit=st.integers(1, 5),
    looked_at=st.integers(1, 6),
)
def test_the_pages_by_next_are_the_sorted_list_in_both_directions(
    kind: str,
    connection: sqlite3.Connection,
    entries: list[Entry],
    order: Order,
    statuses: list[Status],
    tool: str | None,
    where: str | None,
    limit: int,
    looked_at: int,
) -> None:
    def is_wanted(entry: Entry) -> bool:
        fits = {None: True, "risk>=high": entry.risk in ("high", "critical"), "tool:send": entry.tool == "send"}
        return entry.status in statuses and tool in (None, entry.tool) and fits[where]

    with tables(kind, connection) as tx:
        sorted_lines = enter_all(tx, entries)[order]
        wanted = [(text_of(key), number) for key, number in sorted_lines if is_wanted(entries[number - 1])]
        query: dict[str, Any] = {
            "statuses": tuple(statuses),
            "order": order,
            "tool": tool,
            "where": None if where is None else filter_from(where),
            "limit": limit,
        }
        forwards = paged(tx, query, "after", looked_at)
        assert [line for page in forwards for line in page] == wanted
        backwards = paged(tx, query, "before", looked_at)
        assert [line for page in reversed(backwards) for line in page] == wanted
        assert all(len(page) <= limit for page in (*forwards, *backwards))


@pytest.fixture(params=["memory", "sqlite"])
def tx(request: pytest.FixtureRequest, connection: sqlite3.Connection) -> Iterator[Tx]:
    with tables(request.param, connection) as made:
        yield made


def numbers(tx: Tx, order: Order, *statuses: Status, **values: Any) -> list[int]:
    query = PageQuery(statuses=statuses or ("pending",), order=order, **values)
    return [int(row.id) for row in look_up(tx, query, 1000).rows]


def test_the_four_orders_differ_and_settle_what_is_equal_by_arrival(tx: Tx) -> None:
    enter_all(
        tx,
        [
            Entry(created_at=5, risk="low", due=90),
            Entry(created_at=4, risk="critical"),
            Entry(created_at=4, risk="medium", due=80),
            Entry(created_at=6, risk="critical"),
            Entry(created_at=1, risk="high"),
        ],
    )
    assert numbers(tx, "due") == [3, 1, 2, 4, 5]
    assert numbers(tx, "oldest") == [5, 2, 3, 1, 4]
    assert numbers(tx, "risk") == [2, 4, 5, 3, 1]
    assert numbers(tx, "oldest", offset=1, limit=2) == [2, 3]
    assert numbers(tx, "decided") == []


def test_what_was_decided_last_comes_first_by_the_decision_that_stands(tx: Tx) -> None:
    enter_all(
        tx,
        [
            Entry(status="rejected", said=(3,), stands=1),
            Entry(status="approved", said=(1, 8), stands=2),
            Entry(status="pending", said=(9,)),
            Entry(status="approved", said=(9, 5), stands=2),
            Entry(status="approved", said=(3,), stands=1),
        ],
    )
    assert numbers(tx, "decided", "approved", "rejected", "pending") == [2, 4, 5, 1]
    assert numbers(tx, "decided", "approved") == [2, 4, 5]


def test_where_few_of_the_decided_fit_one_page_looks_at_so_many_decisions_only(tx: Tx) -> None:
    enter_all(tx, [Entry(status="rejected" if n == 0 else "approved", said=(n + 1,), stands=1) for n in range(10)])
    query = PageQuery(statuses=("rejected",), order="decided", limit=5)
    page = look_up(tx, query, 1000, looked_at=4)
    assert (list(page.rows), page.next) == ([], "7:7")
    pages = paged(tx, {"statuses": ("rejected",), "order": "decided"}, "after", 4)
    assert pages == [[], [], [("1:1", 1)]]


PLACES: list[dict[str, Any]] = [{}, {"after": (1, 1), "until": (5, 5)}, {"before": (9, 9), "until": (3, 3)}]
LISTS = [
    *product(["oldest", "risk"], [None, "zz"], ["zz"]),
    *product(["oldest", "risk"], ["zz"], [None]),
    *product(["decided"], [None, "zz"], [None, "zz"]),
]


@pytest.mark.parametrize(("order", "tool", "where"), LISTS)
@pytest.mark.parametrize("statuses", [("pending",), ("pending", "held", "rejected")])
def test_no_page_for_which_lines_are_looked_at_sorts_or_scans_a_table(
    connection: sqlite3.Connection, order: Order, tool: str | None, where: str | None, statuses: tuple[Status, ...]
) -> None:
    for place in PLACES:
        filtered = None if where is None else filter_from(where)
        query = PageQuery(statuses=statuses, order=order, tool=tool, where=filtered, **place)
        for statement, values in (bound_of(query, 100), found_of(query), counted_of(query)):
            steps = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, values)]
            assert "zz" not in statement
            assert not any("TEMP B-TREE" in step for step in steps), steps
            assert not any(step.startswith("SCAN requests") for step in steps), steps
            if order == "decided":
                assert sum("decisions USING" in step for step in steps) == 1
                assert "INDEX decisions_at" in "".join(steps)
            else:
                lists = [step for step in steps if step.startswith("SEARCH requests")]
                assert all(f"INDEX requests_{order} (status=?" in step for step in lists), steps
                assert len(lists) == len(statuses)


def decide_all(connection: sqlite3.Connection, pending: int) -> None:
    """Every request of `fill` rejected, one after the other."""
    columns = {"request_id": "id", "no": "1", "verb": "'reject'", '"by"': "'human:a'", "at": "number", "base": "1"}
    columns |= {"version": "1", "revision": "1", "digest": "digest", "token": "''", "stage": "0"}
    connection.execute(
        f"INSERT INTO decisions ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM requests"
    )
    connection.execute("UPDATE requests SET status = 'rejected', decision = 1")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [50, 1000])
@pytest.mark.parametrize(
    ("few", "many"), [(2_100, 6_000), pytest.param(3_000, 100_000, marks=[pytest.mark.long, pytest.mark.timeout(120)])]
)
def test_the_first_page_takes_the_same_work_however_long_the_list_is(
    tmp_path: Path, order: Order, limit: int, few: int, many: int
) -> None:
    meters: list[Meter] = []
    for pending in (few, many):
        connection, _ = open_queue(str(tmp_path / f"{pending}.db"), create=True)
        with closing(connection):
            fill(connection, pending, 0)
            connection.execute("UPDATE requests SET risk = iif(number % 3, 'high', 'low'), created_at = -number")
            if order == "decided":
                decide_all(connection, pending)
            meter = Meter(connection)
            query = PageQuery(statuses=("rejected" if order == "decided" else "pending",), order=order, limit=limit)
            page = look_up(SqliteTx(connection), query, 1, looked_at=2_000)
            connection.set_trace_callback(None)
            connection.set_progress_handler(None, 0)
            assert len(page.rows) == limit
            assert page.next is not None
            meters.append(meter)
    less, more = meters
    assert more.statements == less.statements
    assert less.statements.total() == (2 if order == "decided" else 1)
    assert more.steps <= 1.1 * less.steps + 100
