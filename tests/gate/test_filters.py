"""The filter language: what it reads, what it finds in both stores alike, and that no page looks without bound."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekit import Gate, Policy, Stage, Suspended, UsageError, calling, gated_step
from gatekit.backend.paging import look_up
from gatekit.backend.tx import PageQuery, Tx
from gatekit.clock import FAR
from gatekit.filters import Filter, Pattern, filter_from
from gatekit.machine.effects import InsertRequest, PutRevision
from gatekit.models import Risk, Status
from gatekit.store.finding import bound_of, found_of
from gatekit.store.opening import open_queue
from gatekit.store.sqlite import SqliteTx
from gatekit.testing import FakeClock, memory_gate, temporary_gate
from gatekit.testing.tables import MemoryTx, Tables
from tests.store.support import TEXT, first_revision, request

EVERYTHING = "risk>=high tool:zz*b by:zz* run:zz kind:call claimed:no stage:2 older:10m newer:1d expires:5m zz 'zz"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Filter()),
        ("  \t\n", Filter()),
        ("risk>=high", Filter(risks=("high", "critical"))),
        ("risk>medium", Filter(risks=("high", "critical"))),
        ("risk<=medium", Filter(risks=("low", "medium"))),
        ("risk<medium", Filter(risks=("low",))),
        ("risk:low", Filter(risks=("low",))),
        ("risk=low", Filter(risks=("low",))),
        ("tool:deploy*", Filter(tool=("deploy", ""))),
        ("tool:deploy", Filter(tool=("deploy",))),
        ('tool:"my tool"*', Filter(tool=("my tool", ""))),
        ('tool:a"*"b*c', Filter(tool=("a*b", "c"))),
        ("run:thread-7", Filter(run=("thread-7",))),
        ("run:http://x", Filter(run=("http://x",))),
        ("by:a*", Filter(by=(("a", ""), ("agent:a", ""), ("human:a", ""), ("system:a", "")))),
        ("kind:question", Filter(kind="question")),
        ("claimed:no", Filter(claimed=False)),
        ("claimed:yes", Filter(claimed=True)),
        ("stage:2", Filter(stage=2)),
        ("older:90s newer:1w", Filter(older=90.0, newer=604_800.0)),
        ("expires:5m", Filter(expires=300.0)),
        ("text words", Filter(words=("text", "words"))),
        ('"text words" ""', Filter(words=("text words",))),
        ('"risk>=high"', Filter(words=("risk>=high",))),
        (r'"say \"a\\b\""', Filter(words=('say "a\\b"',))),
        ("100% a_b c* d?", Filter(words=("100%", "a_b", "c*", "d?"))),
        ("don't 12:30 :x >5", Filter(words=("don't", "12:30", ":x", ">5"))),
    ],
)
def test_a_filter_is_read(text: str, expected: Filter) -> None:
    assert filter_from(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "toll:x",
            "toll:x in the filter: there is no toll; there is risk, tool, by, run, older, newer, expires, kind, ",
        ),
        ("http://x", "To search for the text, quote it"),
        ("risk>=hi", "risk>=hi in the filter: it is one of low, medium, high, critical"),
        ("risk>critical", "no risk is above critical"),
        ("risk<low", "no risk is below low"),
        ("tool>x", "tool takes a colon, as in tool:deploy*"),
        ("tool:", "it says nothing: write it as in tool:deploy*"),
        ("risk>=", "it says nothing: write it as in risk>=high"),
        ("tool:a tool:b", "tool:b in the filter: tool is given twice"),
        ("tool:*a*b*c*d*", "it has 5 stars: 4 are the most"),
        ("older:10", "older:10 in the filter: it is no span of time: write 90s, 10m, 2h, 1d or 1w"),
        ("older:0m", "no span of time"),
        ("newer:99999w", "no span of time"),
        ("kind:form", "it is one of call, pause, question, confirm"),
        ("claimed:ana", "it is one of yes, no"),
        ("stage:0", "a stage is a number from 1"),
        ("stage:two", "a stage is a number from 1"),
        ('a "b', "a quote is not closed"),
        ("a " * 17, "searches for 17 words: 16 are the most"),
        ("a" * 1001, "has 1,001 characters: 1,000 are the most"),
        ("x\ud800", "<U+D800> holds half a character"),
        ("x\0", "x␀ holds a NUL"),
        ("kind:\x1b[2J\u202e", "kind:␛[2J<U+202E> in the filter: it is one of call"),
    ],
)
def test_a_filter_that_is_wrong_is_refused_with_the_word_and_the_cure(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        filter_from(text)
    assert said in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_only_a_text_is_a_filter() -> None:
    with memory_gate() as gate, pytest.raises(UsageError, match="a filter is a text, not dict"):
        gate.requests(where={"tool": "x"})  # type: ignore[arg-type]


@pytest.fixture(params=["memory", "sqlite"])
def clocked(request: pytest.FixtureRequest) -> Iterator[tuple[Gate, FakeClock]]:
    clock = FakeClock()
    with memory_gate(clock) if request.param == "memory" else temporary_gate(clock) as gate:
        yield gate, clock


def ask(gate: Gate, tool: str, *, agent: str = "tidy", run: str | None = None, note: str = "", **options: Any) -> None:
    def call(note: str) -> None: ...

    step = gated_step(call, gate=gate, name=tool, wait=0, on_suspend="return", **options)
    with calling(agent=agent, run=run):
        step(note)


def found(gate: Gate, where: str, status: Status | Sequence[Status] = "pending") -> list[str]:
    return [row.tool for row in gate.requests(status, where=where)]


def test_what_a_filter_finds(clocked: tuple[Gate, FakeClock]) -> None:
    gate, clock = clocked
    ask(gate, "deploy_api", agent="agent-7", run="thread-7", risk="high", description="Roll out v2", note='say "a"')
    clock.advance(600)
    ask(gate, "deploy_web", agent="agent-77", run="thread-77", risk="critical", note="100% Über_uns * ПРИВЕТ")
    ask(gate, "pay", policy=Policy(Stage("one", "ann"), Stage("two", "bob")), risk="low", note="C:\\new\nline")
    gate.reviewer("ann").approve(gate.reviewer("ann").pending()[-1])
    with pytest.raises(Suspended):
        gate.ask("Which region?", choices=["eu", "us"], name="region", wait=0)
    gate.reviewer("bob").claim(gate.get(gate.requests(where="region")[0].id))
    everything = ["deploy_api", "deploy_web", "pay", "region"]
    for where, expected in {
        "": everything,
        "risk>=high": ["deploy_api", "deploy_web"],
        "risk>=high risk": [],
        "tool:deploy*": ["deploy_api", "deploy_web"],
        "tool:*_web": ["deploy_web"],
        "tool:deploy": [],
        "tool:pay": ["pay"],
        "tool:PAY": [],
        "tool:deploy_??i": [],
        "tool:deploy_?*": [],
        "tool:[d]eploy*": [],
        "by:agent-7": ["deploy_api"],
        "by:agent:agent-7": ["deploy_api"],
        "by:agent-7*": ["deploy_api", "deploy_web"],
        "by:gent-7": [],
        "run:thread-7": ["deploy_api"],
        "run:*7": ["deploy_api", "deploy_web"],
        "kind:question": ["region"],
        "kind:pause": [],
        "claimed:yes": ["region"],
        "claimed:no": everything[:3],
        "stage:2": ["pay"],
        "stage:1": [],
        "older:10m": ["deploy_api"],
        "older:11m": [],
        "newer:10m": everything[1:],
        "newer:11m": everything,
        "ROLL v2": ["deploy_api"],
        "deploy_ out": ["deploy_api"],
        '"roll out"': ["deploy_api"],
        '"roll v2"': [],
        r'"say \"a\""': ["deploy_api"],
        "100%": ["deploy_web"],
        "1%": [],
        "über_uns": ["deploy_web"],
        "ÜBER": ["deploy_web"],
        "привет": ["deploy_web"],
        "*": ["deploy_web"],
        "deploy%": [],
        r'"C:\\new"': ["pay"],
        '"new\nline"': ["pay"],
        "region": ["region"],
        "older:10m risk:high v2": ["deploy_api"],
        "older:10m risk:low": [],
    }.items():
        assert found(gate, where) == expected, where
    clock.advance(timedelta(minutes=15).total_seconds())
    assert found(gate, "claimed:yes") == [], "a claim lapses"


def test_what_expires_soon_is_found_and_what_never_does_is_not(clocked: tuple[Gate, FakeClock]) -> None:
    gate, clock = clocked
    ask(gate, "never")
    ask(gate, "soon", expires_after=600.0)
    ask(gate, "later", expires_after=3600.0)
    assert found(gate, "expires:9m") == []
    assert found(gate, "expires:10m") == ["soon"]
    clock.advance(300)
    assert found(gate, "expires:5m") == ["soon"]
    assert found(gate, "expires:1d") == ["soon", "later"]


def test_a_filter_goes_with_a_tool_and_with_several_states(clocked: tuple[Gate, FakeClock]) -> None:
    gate, _ = clocked
    for tool in ("a1", "a2", "b1"):
        ask(gate, tool, risk="high")
    ann = gate.reviewer("ann")
    ann.reject(ann.pending()[0], reason="no")
    assert found(gate, "tool:a*", "rejected") == ["a1"]
    assert sorted(found(gate, "tool:a*", ("pending", "rejected"))) == ["a1", "a2"]
    assert [row.tool for row in gate.requests(where="risk:high", tool="a2")] == ["a2"]
    assert [row.tool for row in gate.requests(where="tool:b1", tool="a2")] == []
    with pytest.raises(UsageError, match="offset= goes with neither where="):
        gate.requests(where="a", offset=1)


def test_words_are_found_in_the_arguments_as_they_were_edited(clocked: tuple[Gate, FakeClock]) -> None:
    gate, _ = clocked
    ask(gate, "pay", note="before", description="Pay", policy=Policy(Stage("one", "ann"), Stage("two", "bob")))
    ann = gate.reviewer("ann")
    ann.edit(ann.pending()[0], {"note": "after"})
    assert (found(gate, "after"), found(gate, "before")) == (["pay"], [])


def enter(tx: Tx, number: int, now: int, **changes: Any) -> None:
    text = changes.pop("text", TEXT)
    record = replace(request(now, id=f"{number:026}", call_id=str(number), **changes), asked_at=now)
    tx.apply(InsertRequest(record))
    tx.apply(PutRevision(first_revision(record, now, text=text, schema="s", by="agent:a")))


class TestABoundedPage:
    """Of 40 lines every seventh fits, and the thirtieth, and one page looks at ten."""

    @pytest.fixture(params=["memory", "sqlite"])
    def tx(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tx]:
        if request.param == "memory":
            tx: Tx = MemoryTx(Tables())
            self.fill(tx)
            yield tx
            return
        connection, _ = open_queue(str(tmp_path / "queue.db"), create=True)
        with closing(connection):
            connection.execute("BEGIN")
            tx = SqliteTx(connection)
            self.fill(tx)
            yield tx
            connection.execute("ROLLBACK")

    @staticmethod
    def fill(tx: Tx) -> None:
        for number in range(40):
            status: Status = "held" if number % 2 else "pending"
            risk: Risk = "high" if number % 7 == 0 or number == 30 else "low"
            enter(tx, number, 1000, status=status, risk=risk, due=5000 - number if number < 20 else 9000)

    def query(self, **values: Any) -> PageQuery:
        return PageQuery(statuses=("pending", "held"), where=filter_from("risk:high"), **values)

    def key(self, text: str | None) -> tuple[int, int]:
        due, _, pos = (text or "").partition(":")
        return int(due), int(pos)

    def pages(self, tx: Tx, direction: str, limit: int) -> list[list[int]]:
        found: list[list[int]] = []
        place: dict[str, Any] = {} if direction == "after" else {"before": (1 << 60, 1 << 60)}
        while len(found) < 50:
            page = look_up(tx, self.query(limit=limit, **place), 2000, looked_at=10)
            found.append([int(row.id) for row in page.rows])
            if page.next is None:
                return found
            place = {direction: self.key(page.next)}
        raise AssertionError("it does not come to an end")

    def test_forwards_each_page_looks_at_ten_lines_and_none_is_left_out(self, tx: Tx) -> None:
        assert self.pages(tx, "after", 50) == [[14], [7, 0], [21, 28], [30, 35]]

    def test_a_full_page_ends_sooner_and_the_next_begins_behind_its_last_line(self, tx: Tx) -> None:
        assert self.pages(tx, "after", 1) == [[14], [7], [0], [21], [28], [30], [35]]

    def test_backwards_is_the_same_list(self, tx: Tx) -> None:
        assert self.pages(tx, "before", 50) == [[30, 35], [21, 28], [7, 0], [14]]

    def test_a_filter_that_fits_nothing_comes_to_the_end(self, tx: Tx) -> None:
        nothing = replace(self.query(limit=5), where=filter_from("risk:critical"))
        first = look_up(tx, nothing, 2000, looked_at=10)
        assert (list(first.rows), first.next) == ([], "4990:11")
        last = look_up(tx, replace(nothing, after=(9000, 31)), 2000, looked_at=10)
        assert (list(last.rows), last.next) == ([], None)

    def test_without_a_filter_the_next_page_begins_behind_the_last_line(self, tx: Tx) -> None:
        page = look_up(tx, PageQuery(statuses=("pending", "held"), limit=3), 2000)
        assert page.next == "{}:{}".format(*page.rows[-1].key)
        assert look_up(tx, PageQuery(statuses=("pending", "held"), limit=40), 2000).next is None


def test_the_pages_of_a_gate_can_be_gone_through(
    clocked: tuple[Gate, FakeClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, _ = clocked
    monkeypatch.setattr("gatekit.backend.local.look_up", partial(look_up, looked_at=4))
    for number in range(10):
        ask(gate, f"t{number}", risk="high" if number in (1, 9) else "low")
    page = gate.requests(where="risk:high")
    seen = [[row.tool for row in page]]
    while page.more:
        assert page.next is not None
        page = gate.requests(where="risk:high", after=page.next)
        seen.append([row.tool for row in page])
    assert (seen, page.next) == ([["t1"], [], ["t9"]], None)


STATES: list[tuple[Status, ...]] = [("pending",), ("pending", "held"), ("pending", "held", "rejected", "expired")]
PLACES = [{}, {"after": (1, 1)}, {"before": (9, 9)}]


@pytest.mark.parametrize("text", [EVERYTHING, "risk:low", "by:zz", "run:zz", "tool:zz", "zz", "claimed:yes"])
def test_no_page_sorts_or_scans_a_table(tmp_path: Path, text: str) -> None:
    connection, _ = open_queue(str(tmp_path / "queue.db"), create=True)
    where = filter_from(text)
    with closing(connection):
        for statuses, place, tool in product(STATES, PLACES, [None, "zz"]):
            query = PageQuery(statuses=statuses, tool=tool, where=where, **place)  # type: ignore[arg-type]
            for statement, values in (bound_of(query, 100), found_of(replace(query, until=(5, 5)))):
                assert "zz" not in statement, "what was typed is a value, not a part of the statement"
                steps = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, values)]
                assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), steps
                index = "requests_tool (tool=? AND status=?" if tool else "requests_status (status=?"
                lists = [step for step in steps if step.startswith("SEARCH requests")]
                assert all(f"INDEX {index}" in step for step in lists), steps
                assert len(lists) == len(statuses)
                bounded = statement.count("(due, pos)") // len(statuses)
                assert all(step.count("(due,pos)") == bounded for step in lists), "the index must hold every bound"


def test_a_page_takes_the_same_work_however_long_the_list_is(tmp_path: Path) -> None:
    steps = []
    for pending in (300, 3000):
        connection, _ = open_queue(str(tmp_path / f"{pending}.db"), create=True)
        with closing(connection):
            connection.execute("BEGIN")
            tx = SqliteTx(connection)
            for number in range(pending):
                enter(tx, number, 1000)
            connection.execute("COMMIT")
            steps.append(0)

            def step() -> int:
                steps[-1] += 10
                return 0

            connection.set_progress_handler(step, 10)
            query = PageQuery(statuses=("pending", "held"), where=filter_from("nowhere kind:question"), limit=50)
            page = look_up(SqliteTx(connection), query, 2000, looked_at=200)
            connection.set_progress_handler(None, 0)
            assert (list(page.rows), page.next) == ([], f"{FAR}:200")
    assert steps[1] < 1.1 * steps[0]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    made, _ = open_queue(str(tmp_path_factory.mktemp("odd") / "queue.db"), create=True)
    with closing(made):
        yield made


ODD = st.text(alphabet="aAbB*?[]%_\\\"'\0\n.éÉßΣ\U0001f600- ", max_size=6)
LINES = st.lists(st.tuples(ODD, ODD, ODD, ODD), min_size=1, max_size=6)
TYPED = ODD.map(lambda text: text.replace("\0", ""))
PIECES = st.lists(TYPED, min_size=1, max_size=3).map(tuple)


@settings(max_examples=150, deadline=None)
@given(lines=LINES, data=st.data())
def test_both_stores_find_the_same_whatever_the_texts_hold(
    lines: list[tuple[str, str, str, str]], data: st.DataObject, connection: sqlite3.Connection
) -> None:
    drawn = st.one_of(PIECES, st.sampled_from([(one.replace("\0", ""),) for line in lines for one in line]))
    patterns: list[Pattern] = [data.draw(drawn) for _ in range(3)]
    words = data.draw(st.lists(TYPED.filter(bool), max_size=2))
    one = data.draw(st.sampled_from(["tool", "run", "by", "words"]))
    where = {
        "tool": Filter(tool=patterns[0]),
        "run": Filter(run=patterns[0]),
        "by": Filter(by=tuple(patterns)),
        "words": Filter(words=tuple(words)),
    }[one]
    memory: Tx = MemoryTx(Tables())
    connection.execute("BEGIN")
    try:
        stored = SqliteTx(connection)
        for number, (tool, run, requester, description) in enumerate(lines):
            values = {"tool": tool, "run": run, "requester": requester, "description": description}
            for tx in (memory, stored):
                enter(tx, number, 1000, **values, text=json.dumps({"x": description[::-1]}, ensure_ascii=False))
        query = PageQuery(statuses=("pending",), where=where)
        assert [row.id for row in stored.page(query)] == [row.id for row in memory.page(query)], where
    finally:
        connection.execute("ROLLBACK")
