"""An edit meets the policy again, and can only make it stricter."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from gatekit import Gate, Policy, Stage, calling, gated_step
from gatekit.errors import InvalidEdit, NotAllowed
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, Till, stages


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


def test_who_was_escalated_to_does_not_edit_themselves_into_a_call_that_is_another_s(
    gate: Gate, clock: FakeClock
) -> None:
    def policy(args: Any) -> Policy:
        asked = ["clerk", "chief"] if args.amount < 1000 else ["chief"]
        return Policy(Stage("ok", asked), escalate_after={timedelta(hours=4): "deputy"})

    till = Till(gate, policy=policy)
    request = till.asks(5, call_id="a")
    clock.advance(4 * HOUR)
    gate.reviewer("deputy").edit(gate.get(request.id), {"amount": 1_000_000})
    assert till.called(5, call_id="a") == "waits"
    # The chief has not been silent on this for four hours.
    with pytest.raises(NotAllowed):
        gate.reviewer("deputy").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "waits"
    assert till.paid == []


def test_an_edit_to_what_needs_more_people_counts_for_whoever_made_it(gate: Gate) -> None:
    board = ["xenia", "yves", "zoe"]
    till = Till(gate, policy=lambda args: Policy(Stage("board", board, quorum=1 if args.amount < 1000 else 2)))
    request = till.asks(5, call_id="a")
    gate.reviewer("xenia").edit(request, {"amount": 5000})
    assert till.called(5, call_id="a") == "waits"
    gate.reviewer("yves").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "paid 5000"


def test_an_edit_asks_everybody_anew_but_whoever_made_it(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("manager", "mona"), Stage("finance", "fred")))
    request = till.asks(5, call_id="a")
    gate.reviewer("mona").approve(request)
    gate.reviewer("fred").edit(gate.get(request.id), {"amount": 7})
    assert [vote.by for vote in gate.get(request.id).votes] == ["human:fred"]
    assert stages(gate.get(request.id)) == {"manager": "current", "finance": "done"}
    assert till.called(5, call_id="a") == "waits"
    gate.reviewer("mona").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "paid 7"


def test_where_the_policy_keeps_approvals_an_edit_asks_only_those_who_have_not_said_yes(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("manager", "mona"), Stage("finance", "fred"), edits="keep"))
    request = till.asks(5, call_id="a")
    gate.reviewer("mona").approve(request)
    gate.reviewer("fred").edit(gate.get(request.id), {"amount": 7})
    assert till.called(5, call_id="a") == "paid 7"


def test_approvals_that_are_kept_do_not_meet_a_stage_that_the_edit_adds(gate: Gate) -> None:
    ceo = Stage("ceo", "cleo", when=lambda args: args.amount > 10_000)
    till = Till(gate, policy=Policy(Stage("manager", "mona"), Stage("finance", "fred"), ceo, edits="keep"))
    request = till.asks(5, call_id="a")
    gate.reviewer("mona").approve(request)
    gate.reviewer("fred").edit(gate.get(request.id), {"amount": 20_000})
    assert till.called(5, call_id="a") == "waits"
    assert stages(gate.get(request.id)) == {"manager": "done", "finance": "done", "ceo": "current"}
    assert any("the edited arguments need more: ceo" in reason for reason in gate.get(request.id).reasons)
    gate.reviewer("cleo").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "paid 20000"


def test_back_to_the_first_arguments_earlier_approvals_of_exactly_these_count_again(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("board", ["a", "b", "c", "d"], quorum=3)))
    request = till.asks(5, call_id="x")
    gate.reviewer("a").approve(request)
    gate.reviewer("b").edit(gate.get(request.id), {"amount": 7})
    gate.reviewer("c").edit(gate.get(request.id), {"amount": 5})
    assert gate.get(request.id).stages[0].by == ("a", "c")
    gate.reviewer("d").approve(gate.get(request.id))
    assert till.called(5, call_id="x") == "paid 5"


def test_edited_arguments_for_which_no_policy_can_be_told_go_back_to_review(gate: Gate) -> None:
    till = Till(gate, policy=lambda args: Policy(Stage("ok", "alice")) if args.amount < 10 else 5)
    request = till.asks(5, call_id="a")
    gate.reviewer("alice").edit(request, {"amount": 50})
    assert till.called(5, call_id="a") == "waits"
    assert till.paid == []
    assert any("its policy returned int, not a Policy" in reason for reason in gate.get(request.id).reasons)
    with pytest.raises(InvalidEdit):
        gate.reviewer("alice").approve(gate.get(request.id))
    gate.reviewer("alice").edit(gate.get(request.id), {"amount": 6})
    assert till.called(5, call_id="a") == "paid 6"


def test_a_check_that_asks_for_the_same_adds_nothing_twice(gate: Gate) -> None:
    policy = Policy(Stage("manager", "mona"), Stage("finance", "fred", when=lambda args: args.amount > 10))
    till = Till(gate, policy=policy)
    request = till.asks(5, call_id="a")
    gate.reviewer("mona").edit(request, {"amount": 50})
    assert till.called(5, call_id="a") == "waits"
    gate.reviewer("fred").edit(gate.get(request.id), {"amount": 60})
    assert list(stages(gate.get(request.id))) == ["manager", "finance"]
    gate.reviewer("mona").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "paid 60"
    assert list(stages(gate.get(request.id))) == ["manager", "finance"]


@pytest.mark.parametrize("comes_back", ["stale", "not started in time"])
def test_what_an_edit_demanded_is_demanded_again_when_the_call_comes_back_to_review(
    gate: Gate, clock: FakeClock, comes_back: str
) -> None:
    fresh = [comes_back != "stale"]

    def policy(args: Any) -> Policy:
        return Policy(Stage("ok", () if args.amount < 1000 else "chief"))

    till = Till(gate, policy=policy, revalidate=lambda args: fresh[0], start_within=60)
    request = till.asks(5, call_id="a")
    gate.reviewer("chief").edit(request, {"amount": 1_000_000})
    if comes_back == "stale":
        assert till.called(5, call_id="a") == "waits"
        fresh[0] = True
    else:
        clock.advance(61)
    assert gate.get(request.id).status == "pending"
    with suppress(NotAllowed):
        gate.reviewer("clerk").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "waits"
    assert till.paid == []
    gate.reviewer("chief").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "paid 1000000"


def test_what_an_edit_demanded_is_demanded_again_when_a_failed_call_is_retried(gate: Gate) -> None:
    tries: list[int] = []

    @gated_step(
        gate=gate,
        name="pay",
        wait=0,
        on_suspend="return",
        policy=lambda args: Policy(Stage("ok", () if args.amount < 1000 else "chief")),
    )
    def pay(amount: int) -> str:
        tries.append(amount)
        raise OSError("the line broke")

    with calling(call_id="a", agent="bot"):
        pay(5)
        request = gate.get(gate.requests()[0].id)
        gate.reviewer("chief").edit(request, {"amount": 1_000_000})
        with pytest.raises(OSError, match="the line broke"):
            pay(5)
        gate.reviewer("clerk").retry(gate.get(request.id))
        with suppress(OSError):
            pay(5)
    assert tries == [1_000_000]
    assert gate.get(request.id).status == "pending"
