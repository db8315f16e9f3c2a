"""Taking a request, and handing one's part of it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gatekit import Gate, Policy, Stage
from gatekit.errors import AlreadyDecided, NotAllowed, RequestNotFound, ReviewError, UsageError
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, YEAR, Till, kinds


def test_who_has_voted_has_no_second_vote_to_hand_on(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("board", ["alice", "bob"], quorum=2)))
    request = till.asks(5, call_id="a")
    gate.reviewer("alice").approve(request)
    with pytest.raises(ReviewError):
        gate.reviewer("alice").delegate(request, to="carol", reason="she agrees with me")
    with pytest.raises(NotAllowed):
        gate.reviewer("carol").approve(request)
    assert till.called(5, call_id="a") == "waits"


def test_what_was_handed_on_can_be_handed_on_again(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("boss", "alice")))
    request = till.asks(5, call_id="a")
    gate.reviewer("alice").delegate(request, to="bob", reason="I am away")
    gate.reviewer("bob").delegate(request, to="carol", reason="so am I")
    for other in ("alice", "bob"):
        with pytest.raises(NotAllowed):
            gate.reviewer(other).approve(request)
    gate.reviewer("carol").approve(request)
    assert till.called(5, call_id="a") == "paid 5"


@pytest.mark.parametrize("reason", ["", " ", None, "\ud800", "x" * 20_001])
def test_handing_on_needs_a_reason_that_can_be_kept(gate: Gate, reason: Any) -> None:
    request = Till(gate, policy=Policy(Stage("boss", "alice"))).asks(5)
    with pytest.raises(UsageError, match="reason="):
        gate.reviewer("alice").delegate(request, to="bob", reason=reason)
    assert kinds(gate, request) == ["submitted"]


def test_an_exclusive_claim_does_not_outlast_a_clock_that_is_set_back(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(exclusive_claims=True))
    request = till.asks(5)
    gate.reviewer("alice").claim(request)
    clock.jump(-YEAR)
    clock.advance(HOUR)
    gate.reviewer("bob").approve(request)


def test_a_claim_is_seen_by_others_keeps_nobody_out_and_lapses(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    request = till.asks(5)
    claimed = gate.reviewer("alice").claim(request).claim
    assert claimed is not None
    assert (claimed.by, claimed.exclusive, (claimed.until - claimed.at).total_seconds()) == ("human:alice", False, 900)
    assert till.open[0].claim == claimed
    assert gate.requests()[0].claimed_by == "human:alice"
    assert till.open[0].token == request.token
    clock.advance(900)
    assert gate.requests()[0].claimed_by is None
    gate.reviewer("bob").claim(request.id)
    gate.reviewer("alice").approve(request)


def test_claiming_again_while_it_holds_is_no_news_and_by_another_it_is(gate: Gate, clock: FakeClock) -> None:
    request = Till(gate).asks(5)
    for seconds, name in ((0, "alice"), (60, "alice"), (60, "bob"), (900, "bob")):
        clock.advance(seconds)
        gate.reviewer(name).claim(request)
    told = [event.by for event in gate.history(request.id) if event.kind == "claimed"]
    assert told == ["human:alice", "human:bob", "human:bob"]


def test_an_exclusive_claim_keeps_every_word_of_others_out_until_it_lapses(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(exclusive_claims=True))
    request = till.asks(5, call_id="a")
    gate.reviewer("alice").claim(request)
    bob = gate.reviewer("bob")
    acts: list[Callable[[], object]] = [
        lambda: bob.approve(request),
        lambda: bob.edit(request, {"amount": 1}),
        lambda: bob.reject(request, reason="no"),
        lambda: bob.respond(request, "no"),
        lambda: bob.claim(request),
        lambda: bob.allow(request, uses=1),
    ]
    for act in acts:
        with pytest.raises(NotAllowed, match=r"human:alice has claimed it until \d\d:\d\d:\d\d UTC"):
            act()
    clock.advance(900)
    bob.approve(request)
    assert till.called(5, call_id="a") == "paid 5"


def test_an_exclusive_claim_keeps_out_neither_its_owner_nor_time(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(exclusive_claims=True), expires_after=60)
    mine, late = till.asks(5, call_id="a"), till.asks(6)
    for request in (mine, late):
        gate.reviewer("alice").claim(request)
    gate.reviewer("alice").approve(mine)
    clock.advance(60)
    assert (till.called(5, call_id="a"), gate.get(late.id).status) == ("paid 5", "expired")


def test_a_claim_ends_where_the_next_stage_is_asked(gate: Gate) -> None:
    policy = Policy(Stage("a", ["alice", "bob"]), Stage("b", ["carol", "bob"]), exclusive_claims=True)
    request = Till(gate, policy=policy).asks(5)
    gate.reviewer("alice").claim(request)
    gate.reviewer("alice").approve(request)
    assert gate.get(request.id).claim is None
    gate.reviewer("carol").approve(gate.get(request.id))


@pytest.mark.parametrize("verb", ["claim", "delegate"])
def test_what_is_decided_can_be_neither_claimed_nor_handed_on(gate: Gate, verb: str) -> None:
    request = Till(gate).asks(5)
    gate.reviewer("alice").reject(request, reason="no")
    with pytest.raises(AlreadyDecided):
        _claim_or_delegate(gate, verb, "bob", request.id)


@pytest.mark.parametrize("verb", ["claim", "delegate"])
def test_only_who_is_asked_claims_and_hands_on(gate: Gate, verb: str) -> None:
    request = Till(gate, policy=Policy(Stage("boss", "alice"))).asks(5)
    with pytest.raises(NotAllowed, match="alice may decide"):
        _claim_or_delegate(gate, verb, "mallory", request.id)
    with pytest.raises(RequestNotFound):
        _claim_or_delegate(gate, verb, "alice", "nothing")


def _claim_or_delegate(gate: Gate, verb: str, name: str, request_id: str) -> None:
    if verb == "claim":
        gate.reviewer(name).claim(request_id)
    else:
        gate.reviewer(name).delegate(request_id, to="carol", reason="away")


def test_whoever_was_handed_the_part_decides_in_place_of_whoever_had_it(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("boss", "alice"), Stage("legal", "lea")))
    request = till.asks(5, call_id="a")
    handed = gate.reviewer("alice").delegate(request, to="bob", reason="on leave")
    assert (handed.delegations, handed.token) == ((("alice", "bob"),), request.token)
    with pytest.raises(NotAllowed, match="bob in place of alice"):
        gate.reviewer("alice").approve(request)
    gate.reviewer("bob").approve(request)
    with pytest.raises(NotAllowed, match="bob is not asked here: lea"):
        gate.reviewer("bob").approve(gate.get(request.id))
    gate.reviewer("lea").approve(gate.get(request.id))
    assert till.called(5, call_id="a") == "paid 5"
    told = [(event.by, event.data) for event in gate.history(request.id) if event.kind == "delegated"]
    assert told == [("human:alice", {"to": "bob", "reason": "on leave"})]


def test_two_parts_in_one_hand_are_one_person(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("board", ["alice", "bob", "carol"], quorum=2)))
    request = till.asks(5, call_id="a")
    for giver in ("alice", "bob"):
        gate.reviewer(giver).delegate(request, to="dave", reason="away")
    gate.reviewer("dave").approve(request)
    assert till.called(5, call_id="a") == "waits"
    gate.reviewer("carol").approve(request)
    assert till.called(5, call_id="a") == "paid 5"


@pytest.mark.parametrize(
    ("to", "error"),
    [("alice", NotAllowed), ("bot", NotAllowed), ("", UsageError), ("human:bob", UsageError), (None, UsageError)],
)
def test_to_whom_nothing_can_be_handed(gate: Gate, to: Any, error: type[Exception]) -> None:
    request = Till(gate, policy=Policy(Stage("boss", "alice"))).asks(5)
    with pytest.raises(error):
        gate.reviewer("alice").delegate(request, to=to, reason="away")
    assert gate.get(request.id).delegations == ()


@pytest.mark.parametrize("reason", ["", " ", None])
def test_handing_on_needs_a_reason(gate: Gate, reason: Any) -> None:
    request = Till(gate).asks(5)
    with pytest.raises(UsageError, match="reason"):
        gate.reviewer("alice").delegate(request, to="bob", reason=reason)


def test_nothing_goes_round_in_a_circle_or_to_whom_the_queue_does_not_know(gate: Gate) -> None:
    for name in ("alice", "bob", "carol"):
        gate.add_reviewer(name)
    request = Till(gate, policy=Policy(Stage("boss", "alice"))).asks(5)
    gate.reviewer("alice").delegate(request, to="bob", reason="away")
    gate.reviewer("bob").delegate(request, to="carol", reason="away")
    for taker in ("alice", "bob"):
        with pytest.raises(NotAllowed, match="has handed this request on"):
            gate.reviewer("carol").delegate(request, to=taker, reason="away")
    with pytest.raises(NotAllowed, match="these are: alice, bob, carol"):
        gate.reviewer("carol").delegate(request, to="mallory", reason="away")


def test_handing_on_the_same_again_is_no_news_and_frees_a_claim(gate: Gate) -> None:
    request = Till(gate, policy=Policy(Stage("boss", "alice"), exclusive_claims=True)).asks(5)
    gate.reviewer("alice").claim(request)
    for _ in range(2):
        gate.reviewer("alice").delegate(request, to="bob", reason="away")
    assert kinds(gate, request) == ["submitted", "claimed", "delegated"]
    gate.reviewer("bob").approve(request)
