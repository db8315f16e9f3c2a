"""Standing permissions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gatekit import Gate, Policy, Stage, Suspended, calling, gated_step
from gatekit.errors import NotAllowed, ReviewError, StaleToken, UsageError
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, YEAR, Till


def test_a_permission_that_has_ended_stays_ended_when_the_clock_is_set_back(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), for_=HOUR)
    clock.advance(2 * HOUR)
    assert till.called(5) == "waits"
    clock.jump(-2 * HOUR)
    assert till.called(5) == "waits"


def test_a_permission_does_not_outlast_a_clock_that_is_set_back_a_year(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), for_=HOUR)
    clock.jump(-YEAR)
    clock.advance(2 * HOUR)
    assert till.called(5) == "waits"


def test_an_approval_that_was_taken_back_gives_no_permission(gate: Gate) -> None:
    till = Till(gate)
    request = till.asks(5)
    alice = gate.reviewer("alice", hold=60)
    alice.approve(request)
    alice.undo(gate.get(request.id))
    with pytest.raises(ReviewError):
        alice.allow(request, uses=3)
    assert gate.grants() == []
    assert till.called(5) == "waits"


def test_saying_it_again_does_not_bring_back_a_permission_that_was_revoked(gate: Gate) -> None:
    till = Till(gate)
    request = till.asks(5)
    grant = gate.reviewer("alice").allow(request, uses=3)
    gate.reviewer("bob").revoke(grant)
    gate.reviewer("alice").allow(request, uses=3)
    assert [one.active for one in gate.grants()] == [False]
    assert till.called(5) == "waits"


@pytest.mark.parametrize("path", ["/srv/\u202eb", "/srv/a\u200b", "/srv/\x85"], ids=ascii)
def test_no_pattern_covers_what_cannot_be_seen(gate: Gate, path: str) -> None:
    @gated_step(gate=gate, wait=0, on_suspend="return")
    def remove(path: str) -> str:
        return f"removed {path}"

    remove("/srv/a")
    gate.reviewer("alice").allow(gate.get(next(iter(gate.requests())).id), uses=3, scope={"path": "/srv/*"})
    assert remove("/srv/b") == "removed /srv/b"
    assert not remove(path).startswith("removed")


@pytest.mark.parametrize(
    "options",
    [
        {"for_": "1h"},
        {"for_": math.nan},
        {"for_": math.inf},
        {"for_": True},
        {"uses": 1, "scope": {"amount": object()}},
        {"uses": 1, "scope": ["amount"]},
    ],
    ids=lambda options: "-".join(options),
)
def test_wrong_options_of_allow_are_refused(gate: Gate, options: Mapping[str, Any]) -> None:
    request = Till(gate).asks(5)
    with pytest.raises(UsageError):
        gate.reviewer("alice").allow(request, **options)
    assert gate.get(request.id).status == "pending"


def test_a_second_permission_on_other_terms_is_refused_whole_and_approves_nothing(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, start_within=60)
    request = till.asks(5)
    gate.reviewer("alice").allow(request, uses=1)
    clock.advance(61)
    with pytest.raises(NotAllowed, match="on other terms"):
        gate.reviewer("alice").allow(gate.get(request.id), uses=5)
    assert gate.get(request.id).status == "pending"


def test_after_a_permission_was_revoked_another_can_be_given_as_its_refusal_says(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, start_within=60)
    request = till.asks(5)
    alice = gate.reviewer("alice")
    first = alice.allow(request, uses=1)
    clock.advance(61)
    alice.revoke(first)
    second = alice.allow(gate.get(request.id), uses=5)
    assert (second.id != first.id, second.active) == (True, True)
    assert till.called(5) == "paid 5"


def test_the_call_itself_passes_and_each_use_is_a_decision_that_names_the_permission(gate: Gate) -> None:
    till = Till(gate)
    request = till.asks(5, call_id="first")
    grant = gate.reviewer("alice").allow(request, uses=2, note="all week")
    assert till.called(5, call_id="first") == "paid 5"
    assert [till.called(5) for _ in range(3)] == ["paid 5", "paid 5", "waits"]
    by = [getattr(gate.get(row.id).decision, "by", "") for row in gate.requests("succeeded")]
    assert sorted(by) == [f"grant:{grant.id}"] * 2 + ["human:alice"]
    (now,) = gate.grants()
    assert (now.used, now.uses, now.active, now.by, now.request_id) == (2, 2, False, "human:alice", request.id)
    granted = [event.data for event in gate.history(request.id) if event.kind == "granted"]
    assert granted == [{"grant": grant.id, "uses": 2}]


def test_a_permission_ends_at_its_very_moment(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), for_=timedelta(hours=1))
    clock.advance(HOUR - 0.001)
    assert till.called(5) == "paid 5"
    clock.advance(0.001)
    assert till.called(5) == "waits"


@pytest.mark.parametrize(("within", "same", "other"), [("agent", "paid 5", "waits"), ("all", "paid 5", "paid 5")])
def test_whose_calls_a_permission_covers(gate: Gate, within: Any, same: str, other: str) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), uses=5, within=within)
    assert (till.called(5), till.called(5, agent="stranger")) == (same, other)


def test_a_permission_for_a_run_covers_no_call_outside_of_it(gate: Gate) -> None:
    till = Till(gate)

    def called(run: str | None) -> str:
        try:
            with calling(run=run, agent="bot"):
                return till.step(5)
        except Suspended:
            return "waits"

    assert called("thread-1") == "waits"
    gate.reviewer("alice").allow(till.open[0], uses=5, within="run")
    assert [called(run) for run in ("thread-1", "thread-2", None)] == ["paid 5", "waits", "waits"]


def test_a_permission_for_everybody_lets_nobody_approve_their_own_calls_with_it(gate: Gate) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), uses=5, within="all")
    assert [till.called(5, agent=agent) for agent in ("alice", "human:alice", "zoe")] == ["waits", "waits", "paid 5"]


def test_a_permission_ends_with_the_right_of_whoever_gave_it(gate: Gate) -> None:
    gate.add_reviewer("alice", roles=["finance"])
    gate.add_reviewer("bob", roles=["finance"])
    till = Till(gate, policy=Policy(Stage("finance", "role:finance")))
    gate.reviewer("alice").allow(till.asks(5), uses=5)
    assert till.called(5) == "paid 5"
    gate.add_reviewer("alice", roles=["ops"])
    assert till.called(5) == "waits"
    gate.add_reviewer("alice", roles=["finance"])
    assert till.called(5) == "paid 5"
    gate.remove_reviewer("alice")
    assert till.called(5) == "waits"


def test_a_permission_is_of_one_tool(gate: Gate) -> None:
    pay, refund = Till(gate, name="pay"), Till(gate, name="refund")
    gate.reviewer("alice").allow(pay.asks(5), uses=5)
    assert (pay.called(5), refund.called(5)) == ("paid 5", "waits")


def test_what_was_decided_already_keeps_its_decision_when_a_permission_comes(gate: Gate) -> None:
    till = Till(gate)
    waiting, request = till.asks(5, call_id="waiting"), till.asks(5)
    gate.reviewer("alice").allow(request, uses=5)
    assert till.called(5, call_id="waiting") == "waits"
    assert gate.get(waiting.id).status == "pending"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"risk": "critical"}, "its risk is critical"),
        ({"policy": Policy(Stage("board", quorum=2))}, "asks more than one person"),
        ({"policy": Policy(Stage("a"), Stage("b"))}, "asks more than one person"),
    ],
)
def test_what_nobody_can_allow_alone(gate: Gate, options: dict[str, Any], why: str) -> None:
    request = Till(gate, **options).asks(5)
    with pytest.raises(NotAllowed, match=why):
        gate.reviewer("alice").allow(request, uses=5)
    assert (gate.get(request.id).status, gate.grants()) == ("pending", [])


def test_a_permission_given_while_the_risk_was_low_covers_no_critical_call(gate: Gate) -> None:
    till = Till(gate, risk=lambda args: "critical" if args.amount > 100 else "low")
    gate.reviewer("alice").allow(till.asks(5), uses=5, scope={"amount": {"any": True}})
    assert (till.called(50), till.called(500)) == ("paid 50", "waits")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "for how long"),
        ({"uses": 0}, "uses=0"),
        ({"uses": True}, "uses=True"),
        ({"uses": 1.0}, "uses=1.0"),
        ({"for_": 0}, "for_=0"),
        ({"for_": -1}, "for_=-1"),
        ({"for_": timedelta(days=367)}, "at most a year"),
        ({"uses": 1, "within": "team"}, "within"),
        ({"uses": 1, "within": "run"}, "belongs to no run"),
        ({"uses": 1, "scope": {"sum": 5}}, "no argument 'sum'"),
        ({"uses": 1, "scope": {"amount": 6}}, "does not cover the very call"),
        ({"uses": 1, "scope": {"amount": "*"}}, "does not cover the very call"),
        ({"uses": 1, "scope": {"amount": {"at_most": 4}}}, "does not cover the very call"),
        ({"uses": 1, "scope": {"amount": {"at_most": "5"}}}, "a mapping in a scope is"),
        ({"uses": 1, "scope": {"amount": {"at_most": True}}}, "a mapping in a scope is"),
        ({"uses": 1, "scope": {"amount": {"at_most": math.nan}}}, "a mapping in a scope is"),
        ({"uses": 1, "scope": {"amount": {}}}, "a mapping in a scope is"),
        ({"uses": 1, "scope": {"amount": {"any": False}}}, "a mapping in a scope is"),
        ({"uses": 1, "scope": {"amount": {"at_most": 9, "any": True}}}, "a mapping in a scope is"),
        ({"uses": 1, "note": 5}, "note"),
    ],
)
def test_a_permission_that_cannot_be_is_refused_with_its_reason(gate: Gate, options: dict[str, Any], why: str) -> None:
    request = Till(gate).asks(5)
    with pytest.raises(UsageError, match=why):
        gate.reviewer("alice").allow(request, **options)
    assert (gate.get(request.id).status, gate.grants()) == ("pending", [])


def test_allow_takes_what_was_read_and_nothing_stale(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, start_within=60)
    request = till.asks(5)
    with pytest.raises(UsageError, match="takes the request that was read"):
        gate.reviewer("alice").allow(request.id, uses=5)  # type: ignore[arg-type]
    gate.reviewer("bob").approve(request)
    clock.advance(61)
    with pytest.raises(StaleToken):
        gate.reviewer("alice").allow(request, uses=5)
    assert (gate.get(request.id).status, gate.grants()) == ("pending", [])


def test_anybody_takes_a_permission_back_at_once_and_again_changes_nothing(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    grant = gate.reviewer("alice").allow(till.asks(5), uses=5)
    revoked = gate.reviewer("bob").revoke(grant)
    clock.advance(5)
    assert gate.reviewer("carol").revoke(grant.id) == revoked
    assert (revoked.active, revoked.revoked_by) == (False, "human:bob")
    assert till.called(5) == "waits"
    assert [event.by for event in gate.events() if event.kind == "grant.revoked"] == ["human:bob"]
    with pytest.raises(NotAllowed, match="no grant 'nothing'"):
        gate.reviewer("bob").revoke("nothing")
    gate.add_reviewer("alice")
    with pytest.raises(NotAllowed, match="no reviewer of this queue"):
        gate.reviewer("bob").revoke(grant)


def test_permissions_are_listed_the_newest_first_those_that_ended_too(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    first = gate.reviewer("alice").allow(till.asks(1), for_=60, scope={"vip": {"any": True}})
    second = gate.reviewer("alice").allow(till.asks(2), uses=3)
    clock.advance(61)
    assert [(one.id, one.active) for one in gate.grants()] == [(second.id, True), (first.id, False)]
    assert gate.grants(limit=1)[0].id == second.id
    assert first.scope == {"amount": {"is": 1}, "vip": {"any": True}}
    assert first.expires_at == first.at + timedelta(seconds=60)


def test_whoever_only_stands_in_for_somebody_allows_nothing_for_a_while(gate: Gate) -> None:
    step = gated_step(
        lambda amount: amount, gate=gate, name="pay", policy=Policy(Stage("ok", "alice")), wait=0, on_suspend="return"
    )
    step(5)
    (row,) = gate.requests()
    gate.reviewer("alice").delegate(gate.get(row.id), to="bob", reason="holiday")
    with pytest.raises(NotAllowed, match="only those whom the policy itself asks"):
        gate.reviewer("bob").allow(gate.get(row.id), uses=1)
    assert gate.get(row.id).status == "pending"
