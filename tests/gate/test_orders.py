"""The orders of `gate.requests`, and the number of those that fit a filter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from gatekit import Gate, calling, gated_step
from gatekit.backend.paging import count, look_up
from gatekit.errors import UsageError
from gatekit.models import Order
from gatekit.testing import FakeClock, memory_gate, temporary_gate

Clocked = tuple[Gate, FakeClock]


@pytest.fixture(params=["memory", "sqlite"])
def clocked(request: pytest.FixtureRequest) -> Iterator[Clocked]:
    clock = FakeClock()
    with memory_gate(clock) if request.param == "memory" else temporary_gate(clock) as gate:
        yield gate, clock


def ask(gate: Gate, tool: str, **options: Any) -> str:
    step = gated_step(lambda: None, gate=gate, name=tool, wait=0, on_suspend="return", **options)
    with calling(call_id=tool):
        step()
    return next(row.id for row in gate.requests(limit=1000) if row.tool == tool)


def fill(gate: Gate, clock: FakeClock) -> list[str]:
    terms: list[dict[str, Any]] = [
        {},
        {"risk": "critical", "expires_after": 900},
        {"risk": "low"},
        {"risk": "critical"},
    ]
    made = []
    for number, options in enumerate(terms):
        # The clock is set back: what came last is the oldest by it.
        clock.jump(-30 if number == 3 else 1)
        made.append(ask(gate, f"t{number}", **options))
    return made


def tools(gate: Gate, order: Order, **values: Any) -> list[str]:
    return [row.tool for row in gate.requests(order=order, **values)]


def test_what_waits_comes_in_the_order_that_was_asked_for(clocked: Clocked) -> None:
    gate, clock = clocked
    fill(gate, clock)
    assert tools(gate, "due") == ["t1", "t0", "t2", "t3"]
    assert tools(gate, "oldest") == ["t3", "t0", "t1", "t2"]
    assert tools(gate, "risk") == ["t1", "t3", "t0", "t2"]
    assert tools(gate, "risk", where="risk:critical") == ["t1", "t3"]
    assert tools(gate, "oldest", tool="t1") == ["t1"]
    assert tools(gate, "risk", offset=1, limit=2) == ["t3", "t0"]


@pytest.mark.parametrize("order", ["due", "oldest", "risk"])
def test_a_key_leads_on_in_the_order_in_which_it_was_given(clocked: Clocked, order: Order) -> None:
    gate, clock = clocked
    fill(gate, clock)
    rows = gate.requests(order=order)
    for place, row in enumerate(rows):
        assert list(gate.requests(order=order, after=row.key)) == list(rows[place + 1 :])
        assert list(gate.requests(order=order, before=row.key)) == list(rows[:place])


def test_what_was_decided_last_comes_first_and_what_was_undone_or_not_decided_is_left_out(clocked: Clocked) -> None:
    gate, clock = clocked
    made = fill(gate, clock)
    seat = gate.reviewer("ann", hold=60)
    for request_id in (made[2], made[0], made[1]):
        clock.advance(1)
        seat.approve(gate.get(request_id))
    seat.undo(gate.get(made[0]))
    every = ("pending", "held", "approved", "rejected")
    assert tools(gate, "decided", status=every) == ["t1", "t2"]
    clock.advance(2)
    gate.reviewer("bob").reject(made[0], reason="no")
    rows = gate.requests(every, order="decided")
    assert [row.tool for row in rows] == ["t0", "t1", "t2"]
    assert tools(gate, "decided", status=every, after=rows[0].key) == ["t1", "t2"]
    assert tools(gate, "decided", status=every, before=rows[2].key, limit=1) == ["t1"]
    assert tools(gate, "decided", status="rejected") == ["t0"]
    assert tools(gate, "decided", status=every, where="risk:low") == ["t2"]
    assert tools(gate, "decided", status=every, tool="t1") == ["t1"]


def test_where_lines_are_looked_at_the_pages_go_on_from_their_next(
    clocked: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, clock = clocked
    monkeypatch.setattr("gatekit.backend.local.look_up", partial(look_up, looked_at=2))
    fill(gate, clock)
    page = gate.requests(order="oldest", tool="t2")
    assert (list(page), page.more) == ([], True)
    page = gate.requests(order="oldest", tool="t2", after=page.next)
    assert ([row.tool for row in page], page.next) == (["t2"], None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"order": "newest"}, "order='newest': it is one of due, oldest, risk, decided"),
        ({"order": None}, "it is one of due, oldest, risk, decided"),
        ({"order": ["due"]}, "it is one of due, oldest, risk, decided"),
        ({"order": "decided"}, "what is pending has no decision"),
        ({"order": "decided", "status": ["pending"]}, "what is pending has no decision"),
        ({"order": "decided", "status": "held", "offset": 1}, "offset= goes with neither where= nor order"),
        ({"order": "risk", "tool": "x", "offset": 1}, "with tool= only in the order"),
        ({"order": "risk", "after": "-1:2"}, "is no key of a line"),
    ],
)
def test_an_order_that_cannot_be_is_an_error_that_says_what_can(values: dict[str, Any], said: str) -> None:
    with memory_gate() as gate, pytest.raises(UsageError) as raised:
        gate.requests(**values)
    assert said in str(raised.value)


def test_the_number_of_those_that_fit(clocked: Clocked) -> None:
    gate, clock = clocked
    fill(gate, clock)
    assert gate.count(where="risk>=high") == 2
    assert gate.count(where="risk>=high", at_most=1) == 1
    assert gate.count(where="risk>=high", at_most=0) == 0
    assert gate.count(where="tool:t1 risk:critical") == 1
    assert gate.count(where="tool:t*", status=("pending", "held")) == 4
    assert gate.count("rejected", where="tool:t*") == 0
    assert gate.count(where="") == gate.count() == 4
    with pytest.raises(UsageError, match="there is no toll"):
        gate.count(where="toll:x")


def test_the_number_of_those_that_fit_is_held_against_so_many_lines_only(
    clocked: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, clock = clocked
    monkeypatch.setattr("gatekit.backend.local.count", partial(count, looked_at=2))
    fill(gate, clock)
    assert gate.count(where="risk:critical") == 1, "t1 and t0 come first in the list"
    assert gate.count(where="tool:t3") == 1, "of one tool only its own lines are looked at"
    assert gate.count() == 4


@pytest.mark.anyio
async def test_the_awaited_verbs_take_the_same(clocked: Clocked) -> None:
    gate, clock = clocked
    fill(gate, clock)
    assert [row.tool for row in await gate.aio.requests(order="risk", limit=1)] == ["t1"]
    assert await gate.aio.count(where="risk:critical") == 2


def test_two_calls_are_compared_by_path(clocked: Clocked) -> None:
    gate, _ = clocked

    @gated_step(gate=gate, wait=0, on_suspend="return")
    def pay(to: str, amount: int) -> None: ...

    pay("bob", 5)
    pay("bob", 9)
    first, second = gate.reviewer("ann").pending()
    for before, after in ((first, second), (first.args_text, second)):
        (change,) = gate.compare(before, after)
        assert (change.path, change.before, change.after) == ("$.amount", 5, 9)
    assert gate.compare(first, first) == ()
    with pytest.raises(UsageError):
        gate.compare("nonsense", second)
