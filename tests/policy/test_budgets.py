"""Budgets: what the calls may add up to before a human is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gatekit import Budget, Gate, Policy, Stage, UsageError, gated_step
from gatekit.testing import FakeClock
from tests.policy.helpers import DAY, YEAR, Till


def test_an_edit_that_was_approved_counts_from_then_on_with_what_it_takes(gate: Gate) -> None:
    till = Till(gate, budget=Budget(100, per=DAY, field="amount"), requires_approval=lambda args: args.vip)
    gate.reviewer("alice").edit(till.asks(10, vip=True, call_id="a"), {"amount": 95})
    assert till.called(80) == "waits"
    assert till.called(10, vip=True, call_id="a") == "paid 95"
    assert sum(till.paid) <= 100


def test_an_absurd_amount_is_refused_before_anything_is_queued(gate: Gate) -> None:
    @gated_step(gate=gate, budget=Budget(100, per=DAY, field="amount"), wait=0, on_suspend="return")
    def pay(amount: str) -> str:
        return f"paid {amount}"

    for absurd in ("1e99999", "1e9999999999", "-1e40", "1e-40", "NaN", "a lot"):
        with pytest.raises(UsageError, match="is no number"):
            pay(absurd)
    assert gate.count() == 0


WRONG: dict[str, Any] = {
    "a float": lambda: Budget(5.0, per=60),  # type: ignore[arg-type]
    "True": lambda: Budget(True, per=60),
    "below zero": lambda: Budget(-1, per=60),
    "no number": lambda: Budget("a lot", per=60),
    "NaN": lambda: Budget("NaN", per=60),
    "infinite": lambda: Budget(Decimal("Infinity"), per=60),
    "absurd": lambda: Budget("1e99", per=60),
    "no time": lambda: Budget(5, per=0),
    "a time below zero": lambda: Budget(5, per=-1),
    "a time that is none": lambda: Budget(5, per="day"),  # type: ignore[arg-type]
    "an empty field": lambda: Budget(5, per=60, field=""),
    "a field that is no name": lambda: Budget(5, per=60, field=5),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_budget_can_mean_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        WRONG[name]()


def test_a_budget_of_what_the_tool_does_not_take_is_refused_at_decoration(gate: Gate) -> None:
    with pytest.raises(UsageError, match="'sum', which the tool does not take"):
        Till(gate, budget=Budget(5, per=60, field="sum"))
    with pytest.raises(UsageError, match="budget"):
        Till(gate, budget=500)


def test_a_call_for_which_no_number_is_given_is_refused_and_spends_nothing(gate: Gate) -> None:
    till = Till(gate, budget=Budget(5, per=60, field="vip"))
    with pytest.raises(UsageError, match="is no number"):
        till.called(1)
    assert (till.paid, gate.count()) == ([], 0)


def test_up_to_the_limit_it_runs_beyond_it_a_human_reads_what_is_left(gate: Gate) -> None:
    till = Till(gate, budget=Budget(100, per=DAY, field="amount"))
    assert [till.called(amount) for amount in (60, 40)] == ["paid 60", "paid 40"]
    request = till.asks(1, call_id="a")
    assert "budget: this takes 1; 0 of 100 is left" in request.reasons
    gate.reviewer("alice").approve(request)
    assert till.called(1, call_id="a") == "paid 1"
    assert {getattr(gate.get(row.id).decision, "by", "") for row in gate.requests("succeeded")} == {
        "policy:budget",
        "human:alice",
    }


def test_what_was_spent_comes_back_when_its_time_is_over_and_not_before(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, budget=Budget(100, per=60, field="amount"))
    assert till.called(70) == "paid 70"
    clock.advance(30)
    assert till.called(30) == "paid 30"
    clock.advance(29.999)
    assert till.called(1) == "waits"
    clock.advance(0.001)
    assert (till.called(71), till.called(70)) == ("waits", "paid 70")


def test_calls_can_be_counted_in_place_of_sums(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, budget=Budget(2, per=60))
    assert [till.called(1000) for _ in range(3)] == ["paid 1000", "paid 1000", "waits"]
    clock.advance(60)
    assert till.called(1000) == "paid 1000"


@pytest.mark.parametrize("amount", [-1, -1000])
def test_what_is_below_zero_waits_and_makes_no_room(gate: Gate, amount: int) -> None:
    till = Till(gate, budget=Budget(100, per=DAY, field="amount"))
    request = till.asks(amount, call_id="back")
    gate.reviewer("alice").approve(request)
    assert till.called(amount, call_id="back") == f"paid {amount}"
    assert (till.called(100), till.called(1)) == ("paid 100", "waits")


def test_tenths_add_up_exactly(gate: Gate) -> None:
    @gated_step(gate=gate, budget=Budget("0.3", per=DAY, field="amount"), wait=0, on_suspend="return")
    def pay(amount: Decimal) -> str:
        return "paid"

    assert [pay(Decimal("0.1")) == "paid" for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("ends", ["reject", "cancel", "expire"])
def test_what_never_starts_spends_nothing(gate: Gate, clock: FakeClock, ends: str) -> None:
    till = Till(
        gate, budget=Budget(100, per=DAY, field="amount"), expires_after=60, requires_approval=lambda args: args.vip
    )
    request = till.asks(100, vip=True, call_id="a")
    if ends == "reject":
        gate.reviewer("alice").reject(request, reason="no")
    elif ends == "cancel":
        gate.reviewer("alice").approve(request)
        assert till.called(1) == "waits"
        gate.reviewer("alice").cancel(request)
    else:
        clock.advance(60)
    assert till.called(100) == "paid 100"


def test_a_tool_that_raises_has_spent(gate: Gate) -> None:
    @gated_step(gate=gate, budget=Budget(1, per=DAY), wait=0, on_suspend="return")
    def pay() -> str:
        raise OSError("the line broke")

    with pytest.raises(OSError, match="the line broke"):
        pay()
    assert "approv" in pay()


def test_where_the_predicate_gates_the_budget_lets_nothing_pass_and_both_are_read(gate: Gate) -> None:
    till = Till(gate, budget=Budget(100, per=DAY, field="amount"), requires_approval=lambda args: args.vip)
    assert till.called(5) == "paid 5"
    request = till.asks(5, vip=True)
    assert "budget: this takes 5; 95 of 100 is left" in request.reasons


def test_a_rule_of_the_gate_is_above_a_budget(gate: Gate) -> None:
    till = Till(gate, budget=Budget(100, per=DAY, field="amount"))
    gate.policy("*", Policy(Stage("owner", "olga")))
    assert till.called(5) == "waits"


def test_each_tool_has_a_purse_of_its_own_and_each_process_the_same(gate: Gate) -> None:
    purse = Budget(100, per=DAY, field="amount")
    first, second, again = (
        Till(gate, name="a", budget=purse),
        Till(gate, name="b", budget=purse),
        Till(gate, name="a", budget=purse),
    )
    assert (first.called(100), second.called(100), again.called(1, call_id="again")) == (
        "paid 100",
        "paid 100",
        "waits",
    )


def test_a_call_that_is_made_again_spends_once(gate: Gate) -> None:
    till = Till(gate, budget=Budget(100, per=DAY, field="amount"))
    assert [till.called(60, call_id="a") for _ in range(3)] == ["paid 60"] * 3
    assert till.paid == [60]
    assert till.called(40) == "paid 40"


def test_a_clock_that_is_set_back_makes_no_room(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, budget=Budget(100, per=60, field="amount"))
    assert till.called(100) == "paid 100"
    clock.jump(-YEAR)
    assert till.called(1) == "waits"
    clock.jump(YEAR)
    assert till.called(1) == "waits"


def test_what_is_redacted_cannot_be_added_up() -> None:
    with pytest.raises(UsageError, match="redacted"):
        gated_step(lambda amount: amount, name="pay", budget=Budget(5, per=DAY, field="amount"), redact=["amount"])
