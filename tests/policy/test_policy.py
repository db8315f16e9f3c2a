"""Policies and stages: who must say yes, and how it is counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gatekit import Budget, Gate, Policy, Rejected, Stage
from gatekit.errors import AlreadyDecided, NotAllowed, StaleToken, UsageError
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, YEAR, Till, kinds, stages

WRONG: dict[str, Callable[[], Any]] = {
    "reviewers=5": lambda: Stage("a", 5),  # type: ignore[arg-type]
    "reviewers=None": lambda: Stage("a", None),  # type: ignore[arg-type]
    "escalate_after=[1]": lambda: Policy(escalate_after=[1]),  # type: ignore[arg-type]
    "escalate_after to None": lambda: Policy(escalate_after={timedelta(1): None}),  # type: ignore[dict-item]
    "remind_every=nan": lambda: Policy(remind_every=math.nan),
    "per=inf": lambda: Budget(5, per=math.inf),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options_are_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError):
        WRONG[name]()


def test_without_separation_one_person_decides_several_parallel_stages(gate: Gate) -> None:
    both = Policy(Stage("a", "alice"), Stage("b", "alice"), parallel=True, separation_of_duties=False)
    till = Till(gate, policy=both)
    gate.reviewer("alice").approve(till.asks(5, call_id="a"))
    if till.open:
        gate.reviewer("alice").approve(till.open[0])
    assert till.called(5, call_id="a") == "paid 5"


def test_without_separation_nobody_counts_twice_for_one_stage(gate: Gate, clock: FakeClock) -> None:
    policy = Policy(
        Stage("board", ["alice", "bob"], quorum=2),
        Stage("legal", "carol"),
        parallel=True,
        separation_of_duties=False,
        escalate_after={timedelta(hours=1): "alice"},
    )
    till = Till(gate, policy=policy)
    gate.reviewer("alice").approve(till.asks(5))
    clock.advance(HOUR + 1)
    gate.reviewer("alice").approve(till.open[0])
    assert stages(till.open[0])["board"] == "current"


MORE_WRONG: dict[str, Callable[[], Any]] = {
    "no name": lambda: Stage(""),
    "a name of blanks": lambda: Stage("  "),
    "a name that is no text": lambda: Stage(5),  # type: ignore[arg-type]
    "a colon in a name": lambda: Stage("a", "human:alice"),
    "an empty reviewer": lambda: Stage("a", ["alice", ""]),
    "an empty role": lambda: Stage("a", "role:"),
    "a role of a role": lambda: Stage("a", "role:role:x"),
    "quorum=0": lambda: Stage("a", quorum=0),
    "quorum=True": lambda: Stage("a", quorum=True),
    "quorum=1.0": lambda: Stage("a", quorum=1.0),  # type: ignore[arg-type]
    "quorum=51": lambda: Stage("a", quorum=51),
    "more than there are": lambda: Stage("a", ["alice", "bob"], quorum=3),
    "the same twice is one": lambda: Stage("a", ["alice", "alice"], quorum=2),
    "when=True": lambda: Stage("a", when=True),  # type: ignore[arg-type]
    "a text as stage": lambda: Policy("manager"),  # type: ignore[arg-type]
    "two of one name": lambda: Policy(Stage("a"), Stage("a", "alice")),
    "51 stages": lambda: Policy(*(Stage(str(number)) for number in range(51))),
    "parallel=1": lambda: Policy(parallel=1),  # type: ignore[arg-type]
    "exclusive_claims=None": lambda: Policy(exclusive_claims=None),  # type: ignore[arg-type]
    "separation_of_duties=0": lambda: Policy(separation_of_duties=0),  # type: ignore[arg-type]
    "edits=False": lambda: Policy(edits=False),  # type: ignore[arg-type]
    "edits=drop": lambda: Policy(edits="drop"),
    "on_expiry=reject": lambda: Policy(on_expiry="reject"),  # type: ignore[arg-type]
    "on_expiry=None": lambda: Policy(on_expiry=None),  # type: ignore[arg-type]
    "an unknown risk": lambda: Policy(on_expiry={"huge": "keep"}),  # type: ignore[dict-item]
    "critical approved by silence": lambda: Policy(on_expiry={"critical": "approve"}),
    "escalate to nobody": lambda: Policy(on_expiry="escalate"),
    "escalate to nobody for one risk": lambda: Policy(on_expiry={"low": "escalate"}),
    "a rung of nobody": lambda: Policy(escalate_after={timedelta(hours=1): ()}),
    "a rung at once": lambda: Policy(escalate_after={timedelta(0): "bob"}),
    "a rung in the past": lambda: Policy(escalate_after={timedelta(-1): "bob"}),
    "remind_every=0": lambda: Policy(remind_every=0),
    "remind_every=True": lambda: Policy(remind_every=True),
    "an unknown option": lambda: Policy(deadline=5),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("name", MORE_WRONG)
def test_what_no_policy_can_mean_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(TypeError if name == "an unknown option" else UsageError):
        MORE_WRONG[name]()


@pytest.mark.parametrize("policy", ["strict", 5, Stage("a")])
def test_a_step_takes_a_policy_or_a_function_of_the_arguments(gate: Gate, policy: Any) -> None:
    with pytest.raises(UsageError, match="policy"):
        Till(gate, policy=policy)


@pytest.mark.parametrize(
    "said", [lambda args: 1 / 0, lambda args: "strict", lambda args: Stage("a"), lambda args: args.nothing]
)
def test_a_call_whose_policy_cannot_be_told_is_refused_before_anything_is_queued(gate: Gate, said: Any) -> None:
    till = Till(gate, policy=said)
    with pytest.raises(UsageError, match="the tool does not run"):
        till.called(5)
    assert (till.paid, gate.count()) == ([], 0)


def test_a_policy_that_has_nothing_to_say_leaves_one_person_s_yes(gate: Gate) -> None:
    till = Till(gate, policy=lambda args: None)
    gate.reviewer("anybody").approve(till.asks(5, call_id="a"))
    assert till.called(5, call_id="a") == "paid 5"


def test_stages_are_chosen_by_the_arguments_and_a_when_that_cannot_tell_is_asked(gate: Gate) -> None:
    till = Till(
        gate,
        policy=Policy(
            Stage("manager", "mona"),
            Stage("finance", "fred", when=lambda args: args.amount > 1000),
            Stage("ceo", "cleo", when=lambda args: args.amount > 10_000),
            Stage("odd", "olga", when=lambda args: "no" if args.vip else False),
        ),
    )
    assert [list(stages(till.asks(amount))) for amount in (1000, 1001, 10_001)] == [
        ["manager"],
        ["manager", "finance"],
        ["manager", "finance", "ceo"],
    ]
    odd = till.asks(5, vip=True)
    assert list(stages(odd)) == ["manager", "odd"]
    assert any("the stage odd: its when returned neither True nor False" in reason for reason in odd.reasons)


def test_where_no_stage_has_anything_to_say_one_person_decides(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("ceo", "cleo", when=lambda args: False)))
    gate.reviewer("anybody").approve(till.asks(5, call_id="a"))
    assert till.called(5, call_id="a") == "paid 5"


def test_a_quorum_is_of_different_people_and_a_vote_leaves_what_is_asked_as_it_was(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("board", ["a", "b", "c"], quorum=2)))
    request = till.asks(5, call_id="x")
    first = gate.reviewer("a").approve(request, note="fine")
    assert gate.reviewer("a").approve(request, note="fine") == first
    assert gate.get(request.id).token == request.token
    assert [(vote.by, vote.note) for vote in gate.get(request.id).votes] == [("human:a", "fine")]
    assert till.called(5, call_id="x") == "waits"
    gate.reviewer("c").approve(request)
    assert till.called(5, call_id="x") == "paid 5"
    assert gate.get(request.id).stages[0].by == ("a", "c")


def test_what_was_read_before_the_next_stage_was_asked_is_stale(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("manager", "mona"), Stage("finance", "fred")))
    request = till.asks(5)
    gate.reviewer("mona").approve(request, note="looks right")
    with pytest.raises(StaleToken):
        gate.reviewer("fred").approve(request)
    current = gate.get(request.id)
    assert [(vote.by, vote.note, vote.stages) for vote in current.votes] == [
        ("human:mona", "looks right", ("manager",))
    ]


@pytest.mark.parametrize("parallel", [False, True])
def test_the_first_no_ends_it_whatever_was_said_before(gate: Gate, parallel: bool) -> None:
    till = Till(gate, policy=Policy(Stage("a", "alice"), Stage("b", "bob"), Stage("c", "carol"), parallel=parallel))
    request = till.asks(5, call_id="x")
    gate.reviewer("alice").approve(request)
    gate.reviewer("bob").reject(gate.get(request.id), reason="no")
    with pytest.raises(AlreadyDecided):
        gate.reviewer("carol").approve(gate.get(request.id))
    with pytest.raises(Rejected):
        till.called(5, call_id="x")
    assert stages(gate.get(request.id))["c"] == "not reached"


def test_a_last_yes_that_is_taken_back_leaves_those_before_it(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(Stage("manager", "mona"), Stage("finance", "fred")))
    request = till.asks(5, call_id="x")
    gate.reviewer("mona").approve(request)
    fred = gate.reviewer("fred", hold=60)
    fred.approve(gate.get(request.id))
    assert (gate.get(request.id).status, till.called(5, call_id="x")) == ("held", "waits")
    fred.undo(gate.get(request.id))
    assert stages(gate.get(request.id)) == {"manager": "done", "finance": "current"}
    clock.advance(61)
    assert till.called(5, call_id="x") == "waits"
    gate.reviewer("fred").approve(gate.get(request.id))
    assert till.called(5, call_id="x") == "paid 5"


def test_a_call_that_comes_back_to_review_asks_every_stage_anew(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(Stage("manager", "mona"), Stage("finance", "fred")), start_within=60)
    request = till.asks(5, call_id="x")
    for name in ("mona", "fred"):
        gate.reviewer(name).approve(gate.get(request.id))
    clock.advance(61)
    assert stages(gate.get(request.id)) == {"manager": "current", "finance": "not reached"}
    gate.reviewer("mona").approve(gate.get(request.id))
    assert till.called(5, call_id="x") == "waits"
    gate.reviewer("fred").approve(gate.get(request.id))
    assert till.called(5, call_id="x") == "paid 5"


def test_what_silence_means_follows_the_risk_and_critical_calls_are_never_approved_by_it(
    gate: Gate, clock: FakeClock
) -> None:
    def risk(args: Any) -> str:
        return "low" if args.amount < 10 else "medium" if args.amount < 100 else "critical"

    policy = Policy(on_expiry={"low": "approve", "medium": "keep"})
    by_risk = Till(gate, name="a", risk=risk, policy=policy, expires_after=HOUR)
    always = Till(gate, name="b", risk="critical", policy=Policy(on_expiry="approve"), expires_after=HOUR)
    requests = [by_risk.asks(amount) for amount in (5, 50, 500)] + [always.asks(5)]
    assert [request.on_expiry for request in requests] == ["approve", "keep", "expire", "expire"]
    clock.advance(HOUR)
    assert [gate.get(request.id).status for request in requests] == ["approved", "pending", "expired", "expired"]


def test_escalation_by_silence_starts_the_time_anew_and_ends_where_the_ladder_does(
    gate: Gate, clock: FakeClock
) -> None:
    ladder = {timedelta(hours=5): "bob", timedelta(hours=9): "carol"}
    policy = Policy(Stage("boss", "alice"), on_expiry="escalate", escalate_after=ladder)
    request = Till(gate, policy=policy, expires_after=HOUR).asks(5)
    for expected in (("alice", "bob"), ("alice", "bob", "carol")):
        clock.advance(HOUR)
        assert gate.get(request.id).stages[0].reviewers == expected
    clock.advance(HOUR)
    assert gate.get(request.id).status == "expired"
    assert kinds(gate, request) == ["submitted", "escalated", "escalated", "expired"]


def test_who_was_escalated_to_decides_too_and_what_was_read_before_is_stale(gate: Gate, clock: FakeClock) -> None:
    policy = Policy(Stage("boss", "alice"), Stage("legal", "lea"), escalate_after={timedelta(hours=4): "role:director"})
    gate.add_reviewer("alice")
    gate.add_reviewer("lea")
    gate.add_reviewer("dora", roles=["director"])
    till = Till(gate, policy=policy)
    request = till.asks(5, call_id="x")
    with pytest.raises(NotAllowed):
        gate.reviewer("dora").approve(request)
    clock.advance(4 * HOUR)
    with pytest.raises(StaleToken):
        gate.reviewer("dora").approve(request)
    gate.reviewer("dora").approve(gate.get(request.id))
    with pytest.raises(NotAllowed, match="lea may decide"):
        gate.reviewer("alice").approve(gate.get(request.id))
    clock.advance(4 * HOUR - 1)
    assert gate.get(request.id).stages[1].reviewers == ("lea",)
    clock.advance(1)
    assert gate.get(request.id).stages[1].reviewers == ("lea", "role:director")
    gate.reviewer("lea").approve(gate.get(request.id))
    assert till.called(5, call_id="x") == "paid 5"


def test_reminders_come_again_and_again_and_what_was_missed_comes_once(gate: Gate, clock: FakeClock) -> None:
    request = Till(gate, policy=Policy(remind_every=60)).asks(5)
    for seconds in (59, 1, 30, 30, 600):
        clock.advance(seconds)
        gate.requests()
    told = [event.data["no"] for event in gate.history(request.id) if event.kind == "reminder"]
    assert told == [1, 2, 12]


def test_a_year_forwards_and_a_year_back_change_nobody_s_mind(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, policy=Policy(Stage("board", quorum=2)), expires_after=2 * YEAR)
    request = till.asks(5, call_id="x")
    gate.reviewer("alice").approve(request)
    for seconds in (YEAR, -YEAR, -YEAR, YEAR):
        clock.jump(seconds)
        assert gate.get(request.id).stages[0].by == ("alice",)
    gate.reviewer("bob").approve(gate.get(request.id))
    assert till.called(5, call_id="x") == "paid 5"


def test_what_expired_while_the_clock_was_a_year_ahead_stays_so(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, expires_after=HOUR)
    request = till.asks(5, call_id="x")
    clock.jump(YEAR)
    assert gate.get(request.id).status == "expired"
    clock.jump(-YEAR)
    assert gate.get(request.id).status == "expired"
    with pytest.raises(AlreadyDecided):
        gate.reviewer("alice").approve(request)


@pytest.mark.parametrize("means", ["approve", "escalate"])
def test_what_silence_allows_waits_for_a_steady_clock_and_then_happens(
    gate: Gate, clock: FakeClock, means: Any
) -> None:
    rungs = {timedelta(hours=1): "bob"}
    till = Till(gate, policy=Policy(Stage("a", "alice"), on_expiry=means, escalate_after=rungs), expires_after=2 * HOUR)
    request = till.asks(5, call_id="x")
    clock.jump(YEAR)
    assert kinds(gate, request) == ["submitted"]
    clock.advance(61)
    assert kinds(gate, gate.get(request.id))[1] in ("approved", "escalated")
