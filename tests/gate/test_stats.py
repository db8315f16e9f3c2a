"""How requests were decided, and what this one can be compared with."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gatekit import Gate, Policy, Stage, UsageError, gated_step
from gatekit.testing import FakeClock, memory_gate, temporary_gate


@pytest.fixture(params=["memory", "sqlite"])
def clocked(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    clock = FakeClock()
    with memory_gate(clock) if request.param == "memory" else temporary_gate(clock) as gate:
        yield gate, clock


def ask(gate: Gate, tool: str, **options: object) -> None:
    step = gated_step(lambda: None, gate=gate, name=tool, wait=0, on_suspend="return", **options)  # type: ignore[call-overload]
    step()


def test_the_numbers_of_a_week(clocked: tuple[Gate, FakeClock]) -> None:
    gate, clock = clocked
    bob = gate.reviewer("bob")
    for tool, seconds in (("pay", 1), ("pay", 10), ("pay", 30), ("mail", 5)):
        ask(gate, tool)
        clock.advance(seconds)
        (request,) = bob.pending()
        bob.reject(request, reason="no") if tool == "mail" else bob.approve(request)
    ask(gate, "pay")
    waiting = gate.get(next(iter(gate.requests())).id).created_at
    stats = gate.stats()
    assert (stats.waiting, stats.oldest, stats.cut) == (1, waiting, False)
    assert [(row.tool, row.decided, row.approved, row.hasty, row.median) for row in stats.tools] == [
        ("pay", 3, 3, 1, 10.0),
        ("mail", 1, 0, 0, 5.0),
    ]
    assert (stats.all.decided, stats.all.approved, stats.all.median) == (4, 3, 7.5)
    assert (sum(stats.all.trend), stats.all.trend[-1]) == (4, 4)


def test_what_is_older_than_asked_for_does_not_count(clocked: tuple[Gate, FakeClock]) -> None:
    gate, clock = clocked
    ask(gate, "pay")
    gate.reviewer("bob").approve(gate.reviewer("bob").pending()[0])
    clock.advance(3600)
    assert gate.stats(timedelta(minutes=59)).all.decided == 0
    assert gate.stats(timedelta(minutes=61)).all.decided == 1
    with pytest.raises(UsageError, match="above 0"):
        gate.stats(0)


def test_a_stage_is_decided_on_from_the_moment_when_it_is_asked(clocked: tuple[Gate, FakeClock]) -> None:
    gate, clock = clocked
    ask(gate, "pay", policy=Policy(Stage("one", "ann"), Stage("two", "bob")))
    for name, seconds in (("ann", 100), ("bob", 1)):
        clock.advance(seconds)
        seat = gate.reviewer(name)
        seat.approve(seat.pending()[0])
    assert (gate.stats().all.decided, gate.stats().all.hasty, gate.stats().all.median) == (2, 1, 50.5)


def test_a_request_is_compared_with_the_last_call_of_its_tool_that_ran(clocked: tuple[Gate, FakeClock]) -> None:
    gate, _ = clocked
    step = gated_step(lambda amount: amount, gate=gate, name="pay", wait=0, on_suspend="return", auto_approve_if=small)
    for amount in (1, 2, 300):
        step(amount)
    (row,) = gate.requests()
    before = gate.last_approved(gate.get(row.id))
    assert before is not None
    assert before.args == {"amount": 2}
    first = gate.get(next(row.id for row in gate.requests("succeeded") if gate.get(row.id).args == {"amount": 2}))
    earlier = gate.last_approved(first)
    assert earlier is not None
    assert earlier.args == {"amount": 1}


def small(args: object) -> bool:
    amount: int = args.amount  # type: ignore[attr-defined]
    return amount < 100
