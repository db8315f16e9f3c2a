"""Rules of the gate, by the names of tools: they only ever ask for more."""

from __future__ import annotations

from typing import Any

import pytest

from gatekit import Gate, Policy, Stage
from gatekit.errors import NotAllowed, UsageError
from tests.policy.helpers import HOUR, Till, stages


def delete_file(path: str) -> str:
    return f"deleted {path}"


def read_file(path: str) -> str:
    return f"read {path}"


OWNER = Policy(Stage("owner", "olga"))


def test_a_rule_gates_the_wrapped_tools_whose_names_match_and_the_request_says_which(gate: Gate) -> None:
    delete, read = gate.wrap([delete_file, read_file], requires_approval=False, wait=0, on_suspend="return")
    gate.policy("delete_*", OWNER)
    assert read("/a") == "read /a"
    assert delete("/a") != "deleted /a"
    (row,) = gate.requests()
    request = gate.get(row.id)
    assert (request.rule, stages(request)) == ("delete_*", {"owner": "current"})
    assert "the rule 'delete_*' asks for it" in request.reasons
    with pytest.raises(NotAllowed, match="olga may decide"):
        gate.reviewer("alice").approve(request)


@pytest.mark.parametrize(
    ("pattern", "gates"),
    [("pay", True), ("p*", True), ("*", True), ("*y", True), ("PAY", False), ("pa", False), ("pay_*", False)],
)
def test_a_pattern_is_the_whole_name(gate: Gate, pattern: str, gates: bool) -> None:
    gate.policy(pattern, OWNER)
    assert (Till(gate, requires_approval=False).called(5) == "waits") == gates


def test_a_rule_whose_stages_have_nothing_to_say_leaves_the_call_alone(gate: Gate) -> None:
    gate.policy("*", Policy(Stage("owner", "olga", when=lambda args: args.amount > 100)))
    till = Till(gate, requires_approval=False)
    assert (till.called(5), till.called(500)) == ("paid 5", "waits")


@pytest.mark.parametrize(
    "when", [lambda args: 1 / 0, lambda args: None, lambda args: args.nothing], ids=["raises", "None", "no argument"]
)
def test_a_rule_that_cannot_tell_asks_and_says_why(gate: Gate, when: Any) -> None:
    gate.policy("*", Policy(Stage("owner", "olga", when=when)))
    request = Till(gate, requires_approval=False).asks(5)
    assert stages(request) == {"owner": "current"}
    assert any("the stage owner: its when" in reason for reason in request.reasons)


def test_all_that_match_are_asked_and_each_stage_once(gate: Gate) -> None:
    gate.policy("p*", Policy(Stage("owner", "olga"), Stage("board", ["bea", "bob", "ben"], quorum=2)))
    gate.policy("*", Policy(Stage("owner", "olga"), Stage("board", ["bea", "bob", "ben"], quorum=3)))
    till = Till(gate, policy=Policy(Stage("manager", "mona")))
    request = till.asks(5, call_id="a")
    assert [(stage.name, stage.quorum) for stage in request.stages] == [("manager", 1), ("owner", 1), ("board", 3)]
    assert request.rule == "p*, *"
    for name in ("mona", "olga", "bea", "bob"):
        gate.reviewer(name).approve(till.open[0])
    assert till.called(5, call_id="a") == "waits"
    gate.reviewer("ben").approve(till.open[0])
    assert till.called(5, call_id="a") == "paid 5"


@pytest.mark.parametrize(
    ("own", "central", "expected"),
    [
        ({"on_expiry": "approve"}, {"on_expiry": "keep"}, "keep"),
        ({"on_expiry": "approve"}, {}, "expire"),
        ({"on_expiry": "keep"}, {"on_expiry": "expire"}, "expire"),
    ],
)
def test_of_what_silence_means_the_strictest_wins(gate: Gate, own: Any, central: Any, expected: str) -> None:
    gate.policy("*", Policy(Stage("owner", "olga"), **central))
    request = Till(gate, policy=Policy(Stage("manager", "mona"), **own), expires_after=HOUR).asks(5)
    assert request.on_expiry == expected


def test_of_the_terms_the_strictest_win(gate: Gate) -> None:
    gate.policy("*", Policy(Stage("owner", "olga"), exclusive_claims=True))
    loose = Policy(Stage("manager", "mona"), separation_of_duties=False, edits="keep", parallel=True)
    till = Till(gate, policy=loose)
    till.called(5, call_id="a", agent="mona")
    (request,) = till.open
    assert list(stages(request).values()) == ["current", "not reached"]
    with pytest.raises(NotAllowed, match="another person must"):
        gate.reviewer("mona").approve(request)


def test_a_rule_made_after_the_step_and_its_first_call_holds_from_then_on(gate: Gate) -> None:
    till = Till(gate, requires_approval=False)
    assert till.called(5) == "paid 5"
    gate.policy("pay", OWNER)
    assert till.called(5) == "waits"


def test_a_rule_of_one_gate_says_nothing_of_another_s_tools(gate: Gate) -> None:
    from gatekit.testing import memory_gate

    with memory_gate() as other:
        other.policy("*", OWNER)
        assert Till(gate, requires_approval=False).called(5) == "paid 5"


def test_an_edit_into_the_reach_of_a_rule_asks_its_stage_too(gate: Gate) -> None:
    gate.policy("*", Policy(Stage("owner", "olga", when=lambda args: args.amount > 100)))
    till = Till(gate)
    gate.reviewer("alice").edit(till.asks(5, call_id="a"), {"amount": 500})
    assert till.called(5, call_id="a") == "waits"
    request = till.open[0]
    assert stages(request)["owner"] == "current"
    gate.reviewer("olga").approve(request)
    assert till.called(5, call_id="a") == "paid 500"


def test_a_permission_passes_no_rule_by_whose_people_did_not_give_it(gate: Gate) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), uses=5)
    assert till.called(5) == "paid 5"
    gate.policy("*", OWNER)
    assert till.called(5) == "waits"
    gate.reviewer("olga").allow(till.open[0], uses=5)
    assert till.called(5) == "paid 5"


@pytest.mark.parametrize("pattern", ["", None, 5])
def test_what_is_no_pattern_is_refused(gate: Gate, pattern: Any) -> None:
    with pytest.raises(UsageError, match="pattern"):
        gate.policy(pattern, OWNER)


@pytest.mark.parametrize("policy", [None, Stage("owner"), lambda args: OWNER, "olga"])
def test_what_is_no_policy_is_refused(gate: Gate, policy: Any) -> None:
    with pytest.raises(UsageError, match="takes a Policy"):
        gate.policy("*", policy)
    assert not gate.has_rules
