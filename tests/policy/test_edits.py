"""An edit meets the policy again, and can only make it stricter."""

from __future__ import annotations

from typing import Any

import pytest

from gatekit import Gate, Policy, Stage
from tests.policy.helpers import Till, stages


def narrowing(args: Any) -> Policy:
    """Small amounts are the clerk's or the chief's, large ones only the chief's: under one name."""
    return Policy(Stage("finance", ["clerk", "chief"] if args.amount < 1000 else ["chief"]))


def test_an_edit_to_what_only_the_chief_may_approve_is_not_approved_by_the_clerk(gate: Gate) -> None:
    till = Till(gate, policy=narrowing)
    gate.reviewer("clerk").edit(till.asks(5, call_id="a"), {"amount": 1_000_000})
    assert till.called(5, call_id="a") == "waits"
    assert till.paid == []
    gate.reviewer("chief").approve(till.open[0])
    assert till.called(5, call_id="a") == "paid 1000000"


def test_an_edit_from_anybody_s_to_one_person_s_is_that_person_s_to_approve(gate: Gate) -> None:
    till = Till(gate, policy=lambda args: Policy(Stage("ok", () if args.amount < 1000 else "chief")))
    gate.reviewer("clerk").edit(till.asks(5, call_id="a"), {"amount": 5000})
    assert till.called(5, call_id="a") == "waits"


def test_an_edit_that_whoever_made_it_could_approve_by_themselves_asks_nobody_else(gate: Gate) -> None:
    till = Till(gate, policy=narrowing)
    gate.reviewer("chief").edit(till.asks(5, call_id="a"), {"amount": 5000})
    assert till.called(5, call_id="a") == "paid 5000"


@pytest.mark.parametrize(
    "options",
    [
        {"requires_approval": lambda args: args.amount > 100, "policy": Policy(Stage("finance", "chief"))},
        {"policy": lambda args: Policy(Stage("finance", "chief")) if args.amount > 100 else None},
        {"policy": Policy(Stage("finance", "chief", when=lambda args: args.amount > 100))},
    ],
    ids=["the predicate", "the policy", "the stage"],
)
def test_an_edit_to_less_than_needs_approval_asks_nobody_else(gate: Gate, options: dict[str, Any]) -> None:
    till = Till(gate, **options)
    request = till.asks(500, call_id="a")
    gate.reviewer("chief").edit(request, {"amount": 5})
    assert till.called(500, call_id="a") == "paid 5"
    assert stages(gate.get(request.id)) == {"finance": "done"}


def test_an_edit_away_from_a_rule_of_the_gate_asks_nobody_else(gate: Gate) -> None:
    gate.policy("pa*", Policy(Stage("owner", "olga", when=lambda args: args.amount > 100)))
    till = Till(gate, requires_approval=False)
    gate.reviewer("olga").edit(till.asks(500, call_id="a"), {"amount": 5})
    assert till.called(500, call_id="a") == "paid 5"
