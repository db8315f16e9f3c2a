"""How requests were decided, and how soon."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gatekit import Gate, Policy, Stage, UsageError, gated_step
from gatekit.insight import Said, summarise
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


def decide_at(gate: Gate, clock: FakeClock, *moments: tuple[float, str, str]) -> None:
    """Old requests that are approved at these seconds, by these people, each of its tool."""
    for _, _, tool in moments:
        ask(gate, tool)
    waiting = {row.tool: row.id for row in gate.requests()}
    began, clock_at = 3600.0, 0.0
    clock.advance(began)
    for at, name, tool in moments:
        clock.advance(at - clock_at)
        clock_at = at
        gate.reviewer(name).approve(gate.get(waiting[tool]))


def hasty_of(gate: Gate) -> tuple[int, set[str]]:
    stats = gate.stats()
    return stats.all.hasty, {row.tool for row in stats.tools if row.hasty}


def test_old_requests_that_are_waved_through_one_a_second_are_decided_in_haste(clocked: tuple[Gate, FakeClock]) -> None:
    decide_at(*clocked, *((float(number), "ann", f"t{number}") for number in range(5)))
    assert hasty_of(clocked[0]) == (4, {"t1", "t2", "t3", "t4"})


def test_what_another_person_decided_a_moment_before_makes_nobody_hasty(clocked: tuple[Gate, FakeClock]) -> None:
    decide_at(*clocked, (0, "ann", "a"), (1, "bob", "b"), (2, "ann", "c"), (3.9, "ann", "d"))
    assert hasty_of(clocked[0]) == (1, {"d"})


def test_what_was_decided_together_is_one_decision_which_itself_can_come_too_soon(
    clocked: tuple[Gate, FakeClock],
) -> None:
    batch = [(10 + number / 20, "ann", f"b{number}") for number in range(4)]
    again = [(11 + number / 20, "ann", f"c{number}") for number in range(3)]
    decide_at(*clocked, *batch, *again)
    assert hasty_of(clocked[0]) == (3, {"c0", "c1", "c2"})


def test_the_same_request_decided_again_at_once_is_no_haste() -> None:
    second = 1_000_000
    said = [
        Said("pay", "approve", 0, 10 * second, "human:ann", "r1"),
        Said("pay", "approve", 0, 11 * second, "human:ann", "r1"),
        Said("mail", "approve", 0, 11 * second + second // 2, "human:ann", "r2"),
    ]
    stats = summarise(said, since=0, now=12 * second, waiting=0, oldest=None, cut=False)
    assert [(row.tool, row.hasty) for row in stats.tools] == [("pay", 0), ("mail", 1)]
