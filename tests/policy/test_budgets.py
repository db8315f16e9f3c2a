"""Budgets: what the calls may add up to before a human is asked."""

from __future__ import annotations

import pytest

from gatekit import Budget, Gate, UsageError, gated_step
from tests.policy.helpers import DAY, Till


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
