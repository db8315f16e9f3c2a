"""Taking a request, and handing one's part of it on."""

from __future__ import annotations

import pytest

from gatekit import Gate, Policy, Stage
from gatekit.errors import NotAllowed, ReviewError
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, YEAR, Till


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


def test_an_exclusive_claim_does_not_outlast_a_clock_that_is_set_back(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(exclusive_claims=True))
    request = till.asks(5)
    gate.reviewer("alice").claim(request)
    clock.jump(-YEAR)
    clock.advance(HOUR)
    gate.reviewer("bob").approve(request)
