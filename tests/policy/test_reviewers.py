"""Whom the queue knows: open while it knows nobody, closed to all others as soon as it knows one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gatekit import Gate, Policy, Stage
from gatekit.errors import NotAllowed, UsageError
from tests.policy.helpers import Till, stages

FINANCE = Policy(Stage("finance", "role:finance"))


def test_while_the_queue_knows_nobody_anybody_decides_and_stands_for_every_role(gate: Gate) -> None:
    till = Till(gate, policy=FINANCE)
    assert gate.reviewers() == []
    gate.reviewer("whoever").approve(till.asks(5, call_id="a"))
    assert till.called(5, call_id="a") == "paid 5"


def test_from_the_first_reviewer_on_nobody_else_decides_anything(gate: Gate) -> None:
    till = Till(gate)
    request = till.asks(5, call_id="a")
    gate.add_reviewer("alice")
    mallory = gate.reviewer("mallory")
    acts: list[Callable[[], object]] = [
        lambda: mallory.approve(request),
        lambda: mallory.edit(request, {"amount": 1}),
        lambda: mallory.reject(request, reason="no"),
        lambda: mallory.respond(request, "no"),
        lambda: mallory.cancel(request),
        lambda: mallory.claim(request),
        lambda: mallory.allow(request, uses=1),
        lambda: mallory.delegate(request, to="alice", reason="away"),
    ]
    for act in acts:
        with pytest.raises(NotAllowed, match="mallory is no reviewer of this queue; these are: alice"):
            act()
    assert gate.get(request.id) == request
    gate.reviewer("alice").approve(request)
    assert till.called(5, call_id="a") == "paid 5"


def test_only_who_has_the_role_is_asked_and_others_read_who_may(gate: Gate) -> None:
    gate.add_reviewer("alice", roles=["ops"])
    gate.add_reviewer("fred", roles=["finance", "ops"])
    till = Till(gate, policy=FINANCE)
    request = till.asks(5, call_id="a")
    with pytest.raises(NotAllowed, match="alice is not asked here: role:finance may decide"):
        gate.reviewer("alice").approve(request)
    gate.reviewer("fred").approve(request)
    assert till.called(5, call_id="a") == "paid 5"


def test_roles_that_are_set_anew_are_the_only_ones_from_then_on(gate: Gate) -> None:
    gate.add_reviewer("fred", roles=["finance"])
    request = Till(gate, policy=FINANCE).asks(5)
    changed = gate.add_reviewer("fred", roles=["ops"])
    assert changed.roles == ("ops",)
    with pytest.raises(NotAllowed, match="role:finance may decide"):
        gate.reviewer("fred").approve(request)
    assert [row.name for row in gate.reviewers()] == ["fred"]


def test_a_reviewer_who_was_removed_decides_nothing_more_and_what_they_said_stands(gate: Gate) -> None:
    gate.add_reviewer("alice")
    gate.add_reviewer("bob")
    till = Till(gate, policy=Policy(Stage("board", quorum=2)))
    request, other = till.asks(5, call_id="a"), till.asks(6)
    gate.reviewer("alice").approve(request)
    assert gate.remove_reviewer("alice") is True
    assert gate.remove_reviewer("alice") is False
    with pytest.raises(NotAllowed, match="these are: bob"):
        gate.reviewer("alice").approve(other)
    gate.reviewer("bob").approve(request)
    assert till.called(5, call_id="a") == "paid 5"
    assert gate.get(request.id).stages[0].by == ("alice", "bob")


def test_the_history_says_who_became_and_who_ceased_to_be_a_reviewer(gate: Gate) -> None:
    gate.add_reviewer("alice", roles=["b", "a", "a"])
    gate.remove_reviewer("alice")
    gate.remove_reviewer("nobody")
    told = [(event.kind, event.request_id, event.data) for event in gate.events()]
    assert told == [
        ("reviewer.set", "", {"name": "alice", "roles": ["a", "b"]}),
        ("reviewer.removed", "", {"name": "alice"}),
    ]


@pytest.mark.parametrize("name", ["", " ", "human:alice", "role:x", None, 5, "a\ud800"])
def test_what_is_no_name_is_refused(gate: Gate, name: Any) -> None:
    with pytest.raises(UsageError, match="name"):
        gate.add_reviewer(name)
    assert gate.reviewers() == []


@pytest.mark.parametrize("roles", ["finance", [""], ["a:b"], ["role:finance"], [5], [None]])
def test_what_is_no_role_is_refused(gate: Gate, roles: Any) -> None:
    with pytest.raises(UsageError, match="roles"):
        gate.add_reviewer("alice", roles=roles)
    assert gate.reviewers() == []


def test_a_stage_that_asks_a_role_which_nobody_has_is_met_by_nobody(gate: Gate) -> None:
    gate.add_reviewer("alice", roles=["ops"])
    request = Till(gate, policy=FINANCE).asks(5)
    with pytest.raises(NotAllowed, match="role:finance may decide"):
        gate.reviewer("alice").approve(request)
    assert stages(gate.get(request.id)) == {"finance": "current"}


@pytest.mark.parametrize("agent", ["alice", "human:alice", "agent:alice"])
def test_whoever_asks_does_not_decide_its_own_call_and_another_does(gate: Gate, agent: str) -> None:
    till = Till(gate)
    assert till.called(5, call_id="a", agent=agent) == "waits"
    (request,) = till.open
    for act in (
        lambda: gate.reviewer("alice").approve(request),
        lambda: gate.reviewer("alice").edit(request, {"amount": 1}),
    ):
        with pytest.raises(NotAllowed, match="another person must"):
            act()
    gate.reviewer("bob").approve(request)
    assert till.called(5, call_id="a", agent=agent) == "paid 5"


def test_whoever_asks_hands_no_right_to_decide_on_to_somebody_of_its_choice(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("board", ["alice", "bob"])))
    till.called(5, call_id="a", agent="alice")
    (request,) = till.open
    with pytest.raises(NotAllowed):
        gate.reviewer("alice").delegate(request, to="mallory", reason="be quick")
    with pytest.raises(NotAllowed):
        gate.reviewer("mallory").approve(gate.get(request.id))
    assert till.called(5, call_id="a", agent="alice") == "waits"


def test_whoever_asks_does_not_keep_the_others_away_by_claiming_it(gate: Gate) -> None:
    till = Till(gate, policy=Policy(exclusive_claims=True))
    till.called(5, call_id="a", agent="alice")
    (request,) = till.open
    with pytest.raises(NotAllowed):
        gate.reviewer("alice").claim(request)
    gate.reviewer("bob").approve(request)
    assert till.called(5, call_id="a", agent="alice") == "paid 5"


def test_without_separation_the_same_person_asks_and_decides_and_the_history_says_so(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("a", "alice"), Stage("b", "alice"), separation_of_duties=False))
    till.called(5, call_id="a", agent="alice")
    (request,) = till.open
    gate.reviewer("alice").approve(request)
    gate.reviewer("alice").approve(gate.get(request.id))
    assert till.called(5, call_id="a", agent="alice") == "paid 5"
    assert gate.history(request.id)[0].data["separate"] is False
