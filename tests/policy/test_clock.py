"""What silence means when the clock is set, or the queue was closed for long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gatekit import Gate, Policy, Stage
from gatekit.errors import ReviewError
from gatekit.testing import FakeClock
from tests.policy.helpers import DAY, HOUR, YEAR, Till, kinds

LADDER = {timedelta(hours=4): "b", timedelta(hours=8): "c", timedelta(hours=24): "d"}


@pytest.mark.parametrize(
    "policy",
    [
        Policy(Stage("boss", "alice"), escalate_after={timedelta(hours=1): "b"}),
        Policy(Stage("boss", "alice"), escalate_after={timedelta(hours=1): "b"}, on_expiry="approve"),
        Policy(Stage("boss", "alice"), escalate_after={timedelta(hours=1): "b"}, on_expiry="escalate"),
    ],
    ids=lambda policy: str(policy.on_expiry),
)
def test_no_human_decides_after_the_deadline_while_an_escalation_waits_for_a_steady_clock(
    gate: Gate, clock: FakeClock, policy: Policy
) -> None:
    till = Till(gate, policy=policy, expires_after=2 * HOUR)
    request = till.asks(5, call_id="a")
    clock.jump(YEAR)
    with pytest.raises(ReviewError):
        gate.reviewer("alice").approve(request)
    assert till.paid == []


def test_silence_approves_no_call_that_was_sent_back_to_review(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(on_expiry="approve"), expires_after=2 * HOUR, start_within=60)
    request = till.asks(5, call_id="a")
    gate.reviewer("alice").approve(request)
    clock.advance(61)
    assert gate.get(request.id).status == "pending"
    clock.advance(2 * HOUR + 1)
    assert gate.get(request.id).status == "expired"


def test_silence_approves_nothing_that_a_human_took_back(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(on_expiry="approve"), expires_after=2 * HOUR)
    request = till.asks(5, call_id="a")
    alice = gate.reviewer("alice", hold=60)
    alice.approve(request)
    alice.undo(gate.get(request.id))
    clock.advance(2 * HOUR + 1)
    assert gate.get(request.id).status == "expired"


@pytest.mark.parametrize("on_expiry", ["expire", "escalate"])
def test_of_a_ladder_missed_for_three_months_only_the_last_rung_is_climbed(
    gate: Gate, clock: FakeClock, on_expiry: str
) -> None:
    policy = Policy(Stage("boss", "alice"), escalate_after=LADDER, on_expiry=on_expiry)  # type: ignore[arg-type]
    till = Till(gate, policy=policy, expires_after=None if on_expiry == "expire" else HOUR)
    request = till.asks(5)
    clock.advance(90 * DAY)
    (stage,) = gate.get(request.id).stages
    assert stage.reviewers == ("alice", "d")
    assert kinds(gate, request).count("escalated") == 1


def test_what_waits_for_a_steady_clock_does_not_keep_others_from_expiring(gate: Gate, clock: FakeClock) -> None:
    silent = Till(gate, name="silent", policy=Policy(on_expiry="approve"), expires_after=HOUR)
    for amount in range(150):
        silent.called(amount)
    request = Till(gate, expires_after=HOUR + 1).asks(5)
    clock.jump(DAY)
    assert gate.get(request.id).status == "expired"


def test_whoever_looks_at_one_of_many_overdue_requests_sees_that_it_expired(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, expires_after=HOUR)
    for amount in range(350):
        till.called(amount)
    last = list(gate.requests(limit=1000))[-1]
    clock.advance(HOUR + 1)
    assert gate.get(last.id).status == "expired"
    assert gate.count("pending") == 0
    assert list(gate.requests()) == []
