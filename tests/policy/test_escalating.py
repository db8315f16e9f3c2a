"""Asking the next people of a ladder by hand, before their time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from gatekit import Gate, Policy, Stage
from gatekit.errors import AlreadyDecided, NotAllowed, RequestNotFound, ReviewError, StaleToken, UsageError
from gatekit.models import Event, Request
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, YEAR, Till, kinds

LADDER = {timedelta(hours=4): "role:director", timedelta(hours=8): ["carla", "dan"]}


def under(gate: Gate, ladder: Any = LADDER, **options: Any) -> Till:
    return Till(gate, policy=Policy(Stage("boss", ["alice", "bob"]), escalate_after=ladder), **options)


def escalations(gate: Gate, request: Request) -> list[Event]:
    return [event for event in gate.history(request.id) if event.kind == "escalated"]


def test_whoever_is_escalated_to_decides_too_at_once_and_what_was_read_before_is_stale(gate: Gate) -> None:
    for name, roles in (("alice", []), ("bob", []), ("dora", ["director"])):
        gate.add_reviewer(name, roles=roles)
    till = under(gate, expires_after=HOUR)
    request = till.asks(5, call_id="x")
    with pytest.raises(NotAllowed):
        gate.reviewer("dora").approve(request)
    escalated = gate.reviewer("alice").escalate(request, reason="I am not sure")
    assert escalated.stages[0].reviewers == ("alice", "bob", "role:director")
    assert (escalated.status, escalated.version, escalated.decide_by) == ("pending", 2, request.decide_by)
    with pytest.raises(StaleToken):
        gate.reviewer("dora").approve(request)
    gate.reviewer("dora").approve(escalated)
    assert till.called(5, call_id="x") == "paid 5"


def test_whoever_was_asked_first_may_go_on_deciding(gate: Gate) -> None:
    till = under(gate)
    escalated = gate.reviewer("alice").escalate(till.asks(5, call_id="x"), reason="I am not sure")
    gate.reviewer("bob").approve(escalated)
    assert till.called(5, call_id="x") == "paid 5"


def test_it_is_noted_with_who_did_it_and_why(gate: Gate, clock: FakeClock) -> None:
    request = under(gate).asks(5)
    gate.reviewer("alice").escalate(request, reason="nobody answers")
    clock.advance(8 * HOUR)
    gate.get(request.id)
    by_hand, by_clock = escalations(gate, request)
    assert (by_hand.by, by_hand.version) == ("human:alice", 2)
    assert by_hand.data == {"rung": 1, "to": ["role:director"], "reason": "nobody answers"}
    assert (by_clock.by, by_clock.data) == ("system:clock", {"rung": 2, "to": ["carla", "dan"]})


def test_a_request_says_whom_the_next_escalation_asks_while_it_waits(gate: Gate) -> None:
    request = under(gate).asks(5)
    alice = gate.reviewer("alice")
    first = alice.escalate(request, reason="away")
    second = alice.escalate(first, reason="away")
    assert [it.escalates_to for it in (request, first, second)] == [("role:director",), ("carla", "dan"), ()]
    assert request.to_dict()["escalates_to"] == ["role:director"]
    decided = under(gate, name="decided").asks(6)
    alice.reject(decided, reason="no")
    assert gate.get(decided.id).escalates_to == ()
    assert Till(gate, name="plain").asks(7).escalates_to == ()


def test_the_clock_climbs_no_rung_again_and_the_next_one_in_its_own_time(gate: Gate, clock: FakeClock) -> None:
    request = under(gate).asks(5)
    clock.advance(HOUR)
    gate.reviewer("alice").escalate(request, reason="away")
    clock.advance(7 * HOUR - 1)
    assert gate.get(request.id).version == 2
    clock.advance(1)
    assert gate.get(request.id).stages[0].reviewers == ("alice", "bob", "role:director", "carla", "dan")
    clock.advance(YEAR)
    assert len(escalations(gate, request)) == 2


def test_silence_that_escalates_goes_on_from_the_rung_that_was_climbed_by_hand(gate: Gate, clock: FakeClock) -> None:
    policy = Policy(Stage("boss", "alice"), on_expiry="escalate", escalate_after=LADDER)
    request = Till(gate, policy=policy, expires_after=HOUR).asks(5)
    clock.advance(HOUR / 2)
    gate.reviewer("alice").escalate(request, reason="away")
    clock.advance(HOUR / 2)
    assert gate.get(request.id).stages[0].reviewers == ("alice", "role:director", "carla", "dan")
    clock.advance(HOUR)
    assert gate.get(request.id).status == "expired"
    assert kinds(gate, request) == ["submitted", "escalated", "escalated", "expired"]


def test_each_stage_and_each_return_has_the_whole_ladder_again(gate: Gate) -> None:
    policy = Policy(Stage("boss", "alice"), Stage("legal", "lea"), escalate_after=LADDER)
    request = Till(gate, policy=policy).asks(5)
    gate.reviewer("alice").escalate(request, reason="away")
    gate.reviewer("alice").approve(gate.get(request.id))
    second = gate.get(request.id)
    assert (second.escalates_to, second.stages[1].reviewers) == (("role:director",), ("lea",))
    escalated = gate.reviewer("lea").escalate(second, reason="away")
    assert [stage.reviewers for stage in escalated.stages] == [("alice", "role:director"), ("lea", "role:director")]
    lea = gate.reviewer("lea", hold=60)
    lea.approve(escalated)
    lea.undo(gate.get(request.id))
    assert gate.get(request.id).escalates_to == ("role:director",)


def test_of_two_who_read_the_same_only_one_climbs(gate: Gate) -> None:
    request = under(gate).asks(5)
    gate.reviewer("alice").escalate(request, reason="away")
    for late in ("alice", "bob"):
        with pytest.raises(StaleToken):
            gate.reviewer(late).escalate(request, reason="away")
    assert gate.get(request.id).escalates_to == ("carla", "dan")


def test_of_many_who_press_it_at_the_same_time_only_one_climbs(tmp_path: Path) -> None:
    """The same from as many connections, each in a thread of its own."""
    path, people = str(tmp_path / "queue.db"), 6
    start = Barrier(people)

    def press(request: Request) -> bool:
        with Gate(path, create=False) as own:
            start.wait(30)
            try:
                own.reviewer("alice").escalate(request, reason="away")
            except StaleToken:
                return False
            return True

    with Gate(path) as gate, ThreadPoolExecutor(people) as pool:
        request = under(gate).asks(5)
        assert sum(pool.map(press, [request] * people)) == 1
        assert len(escalations(gate, request)) == 1


def test_what_the_clock_climbed_meanwhile_is_not_climbed_once_more(gate: Gate, clock: FakeClock) -> None:
    request = under(gate).asks(5)
    clock.advance(4 * HOUR)
    with pytest.raises(StaleToken):
        gate.reviewer("alice").escalate(request, reason="away")
    assert [event.by for event in escalations(gate, request)] == ["system:clock"]


def test_an_id_means_whatever_comes_next_by_now(gate: Gate, clock: FakeClock) -> None:
    request = under(gate).asks(5)
    clock.advance(4 * HOUR)
    assert gate.reviewer("alice").escalate(request.id, reason="away").stages[0].reviewers[-2:] == ("carla", "dan")


def test_a_clock_that_jumped_keeps_nobody_from_it(gate: Gate, clock: FakeClock) -> None:
    request = under(gate).asks(5)
    clock.jump(YEAR)
    gate.reviewer("alice").escalate(request, reason="away")
    assert [event.by for event in escalations(gate, request)] == ["human:alice"]


@pytest.mark.parametrize(
    ("ladder", "told"),
    [
        (None, r"names nobody to escalate to: that is Policy\(escalate_after=…\)"),
        ({timedelta(hours=4): "dora"}, "nobody left to escalate to: all whom its policy names were asked already"),
    ],
)
def test_there_must_be_somebody_left_to_escalate_to(gate: Gate, ladder: Any, told: str) -> None:
    request = under(gate, ladder).asks(5)
    alice = gate.reviewer("alice")
    for _ in ladder or ():
        alice.escalate(request.id, reason="away")
    before = gate.get(request.id)
    with pytest.raises(NotAllowed, match=told) as refused:
        alice.escalate(before, reason="away")
    assert alice.may(before, "escalate") == str(refused.value)
    assert gate.get(request.id) == before


@pytest.mark.parametrize("name", ["mallory", "dora", "bot"])
def test_only_who_is_asked_now_escalates(gate: Gate, name: str) -> None:
    request = under(gate, {timedelta(hours=4): "dora"}).asks(5)
    seat = gate.reviewer(name)
    with pytest.raises(NotAllowed) as refused:
        seat.escalate(request, reason="away")
    assert seat.may(request, "escalate") == str(refused.value)
    assert kinds(gate, request) == ["submitted"]


def test_whom_the_queue_does_not_know_and_who_handed_it_on_escalate_nothing(gate: Gate) -> None:
    for name in ("alice", "bob", "carla"):
        gate.add_reviewer(name)
    request = under(gate).asks(5)
    gate.reviewer("alice").delegate(request, to="carla", reason="away")
    for name, why in (("mallory", "no reviewer of this queue"), ("alice", "carla in place of alice")):
        with pytest.raises(NotAllowed, match=why):
            gate.reviewer(name).escalate(request, reason="away")
    gate.reviewer("carla").escalate(request, reason="away")


def test_what_is_decided_is_not_escalated(gate: Gate) -> None:
    request = under(gate).asks(5)
    gate.reviewer("bob").reject(request, reason="no")
    with pytest.raises(AlreadyDecided):
        gate.reviewer("alice").escalate(request, reason="away")
    assert kinds(gate, request) == ["submitted", "rejected"]


def test_a_request_that_is_not_there_is_not_escalated(gate: Gate) -> None:
    for wrong in ("nothing", None):
        with pytest.raises(RequestNotFound):
            gate.reviewer("alice").escalate(wrong, reason="away")  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", ["", " ", None, "\ud800", "x" * 20_001])
def test_escalating_needs_a_reason_that_can_be_kept(gate: Gate, reason: Any) -> None:
    request = under(gate).asks(5)
    with pytest.raises(UsageError, match="reason="):
        gate.reviewer("alice").escalate(request, reason=reason)
    assert gate.get(request.id) == request


def test_neither_a_stop_nor_somebody_s_claim_is_in_its_way(gate: Gate) -> None:
    till = Till(gate, policy=Policy(Stage("boss", ["alice", "bob"]), escalate_after=LADDER, exclusive_claims=True))
    request = till.asks(5)
    gate.reviewer("bob").claim(request)
    gate.stop("wait")
    escalated = gate.reviewer("alice").escalate(request, reason="away")
    assert escalated.claim is not None
    assert escalated.escalates_to == ("carla", "dan")


def test_a_stage_that_anybody_decides_stays_open_to_all(gate: Gate) -> None:
    till = Till(gate, policy=Policy(escalate_after=LADDER))
    escalated = gate.reviewer("alice").escalate(till.asks(5, call_id="x"), reason="have a look")
    assert escalated.stages[0].reviewers == ()
    gate.reviewer("erin").approve(escalated)
    assert till.called(5, call_id="x") == "paid 5"


def test_a_vote_that_was_cast_before_still_counts(gate: Gate) -> None:
    board = Policy(Stage("board", ["alice", "bob"], quorum=2), escalate_after={timedelta(hours=4): "dora"})
    till = Till(gate, policy=board)
    request = till.asks(5, call_id="x")
    gate.reviewer("alice").approve(request)
    gate.reviewer("alice").escalate(request, reason="bob is away")
    with pytest.raises(ReviewError):
        gate.reviewer("alice").approve(gate.get(request.id))
    gate.reviewer("dora").approve(gate.get(request.id))
    assert till.called(5, call_id="x") == "paid 5"


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_it_is_awaited_from_an_async_seat(gate: Gate, anyio_backend: str) -> None:
    request = under(gate).asks(5)
    escalated = await gate.aio.reviewer("alice").escalate(request, reason="away")
    assert escalated.stages[0].reviewers == ("alice", "bob", "role:director")
