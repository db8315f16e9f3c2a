"""What `reviewer.may` says of a verb, and what the verb itself says then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gatekit import Gate, Policy, Stage, Suspended, calling
from gatekit.errors import AlreadyDecided, NotAllowed, RequestNotFound, ReviewError, UsageError
from gatekit.machine.commands import Start
from gatekit.models import REVIEW_VERBS, Request, ReviewVerb
from gatekit.reviewer import Reviewer
from gatekit.testing import FakeClock, memory_gate
from tests.policy.helpers import HOUR, Till

Situation = Callable[[Gate, FakeClock], Request]


def acts(seat: Reviewer, request: Request) -> dict[ReviewVerb, Callable[[], object]]:
    return {
        "approve": lambda: seat.approve(request),
        "edit": lambda: seat.edit(request, {"amount": 77}),
        "reject": lambda: seat.reject(request, reason="no"),
        "respond": lambda: seat.respond(request, "no"),
        "release": lambda: seat.release(request),
        "answer": lambda: seat.answer(request, "eu"),
        "cancel": lambda: seat.cancel(request),
        "undo": lambda: seat.undo(request),
        "retry": lambda: seat.retry(request),
        "settle": lambda: seat.settle(request, result=1),
        "declare_lost": lambda: seat.declare_lost(request),
        "claim": lambda: seat.claim(request),
        "delegate": lambda: seat.delegate(request, to="zoe", reason="away"),
        "escalate": lambda: seat.escalate(request, reason="away"),
    }


def fresh(gate: Gate, clock: FakeClock) -> Request:
    return Till(gate).asks(5)


def ones_own(gate: Gate, clock: FakeClock) -> Request:
    till = Till(gate)
    assert till.called(5, agent="alice") == "waits"
    return till.open[-1]


def claimed_by_another(gate: Gate, clock: FakeClock) -> Request:
    return gate.reviewer("bob").claim(Till(gate, policy=Policy(exclusive_claims=True)).asks(5))


def claimed_by_another_and_lapsed(gate: Gate, clock: FakeClock) -> Request:
    claimed_by_another(gate, clock)
    clock.advance(HOUR)
    return gate.get(gate.requests()[0].id)


def not_ones_stage(gate: Gate, clock: FakeClock) -> Request:
    return Till(gate, policy=Policy(Stage("boss", "bob"), Stage("board", "alice"))).asks(5)


def of_a_stranger(gate: Gate, clock: FakeClock) -> Request:
    gate.add_reviewer("bob")
    return Till(gate).asks(5)


def voted_already(gate: Gate, clock: FakeClock) -> Request:
    request = Till(gate, policy=Policy(Stage("board", ["alice", "bob"], quorum=2))).asks(5)
    gate.reviewer("alice").approve(request)
    return gate.get(request.id)


def voted_for_an_earlier_stage(gate: Gate, clock: FakeClock) -> Request:
    request = Till(gate, policy=Policy(Stage("one"), Stage("two"), edits="keep")).asks(5)
    gate.reviewer("alice").approve(request)
    return gate.get(request.id)


def handed_on(gate: Gate, clock: FakeClock) -> Request:
    return gate.reviewer("alice").delegate(fresh(gate, clock), to="bob", reason="away")


def with_a_ladder(gate: Gate, clock: FakeClock) -> Request:
    policy = Policy(Stage("boss", ["alice", "bob"]), escalate_after={timedelta(hours=4): "zoe"})
    return Till(gate, policy=policy).asks(5)


def at_the_end_of_its_ladder(gate: Gate, clock: FakeClock) -> Request:
    return gate.reviewer("bob").escalate(with_a_ladder(gate, clock), reason="away")


def with_a_ladder_and_decided(gate: Gate, clock: FakeClock) -> Request:
    request = with_a_ladder(gate, clock)
    gate.reviewer("bob").reject(request, reason="no")
    return gate.get(request.id)


def past_its_deadline(gate: Gate, clock: FakeClock) -> Request:
    request = Till(gate, expires_after=60, risk="low", policy=Policy(on_expiry="approve")).asks(5)
    clock.jump(61)
    return request


def expired(gate: Gate, clock: FakeClock) -> Request:
    request = Till(gate, expires_after=60).asks(5)
    clock.advance(61)
    return request


def held(gate: Gate, clock: FakeClock) -> Request:
    request = fresh(gate, clock)
    gate.reviewer("alice", hold=60).approve(request)
    return gate.get(request.id)


def held_by_another(gate: Gate, clock: FakeClock) -> Request:
    request = fresh(gate, clock)
    gate.reviewer("bob", hold=60).approve(request)
    return gate.get(request.id)


def rejected_by_another(gate: Gate, clock: FakeClock) -> Request:
    request = fresh(gate, clock)
    gate.reviewer("bob").reject(request, reason="no")
    return gate.get(request.id)


def running(gate: Gate, clock: FakeClock) -> Request:
    request = fresh(gate, clock)
    gate.reviewer("bob").approve(request)
    start = Start(version=gate.get(request.id).version, token="start-1", owner="host/boot/1/2/3")
    gate.backend.start(request.id, start).wait()
    return gate.get(request.id)


def unknown(gate: Gate, clock: FakeClock) -> Request:
    request = running(gate, clock)
    return gate.backend.lose(request.id, "start-1", "its process died").wait()


def question(gate: Gate, clock: FakeClock) -> Request:
    return _asked(gate, lambda: gate.ask("Which region?", choices=("eu", "us"), wait=0))


def confirmation(gate: Gate, clock: FakeClock) -> Request:
    return _asked(gate, lambda: gate.confirm("Go on?", wait=0))


def _asked(gate: Gate, ask: Callable[[], Any]) -> Request:
    with pytest.raises(Suspended), calling(call_id="q"):
        ask()
    return gate.get(gate.requests()[0].id)


SITUATIONS: list[Situation] = [
    fresh,
    ones_own,
    claimed_by_another,
    claimed_by_another_and_lapsed,
    not_ones_stage,
    of_a_stranger,
    voted_already,
    voted_for_an_earlier_stage,
    handed_on,
    with_a_ladder,
    at_the_end_of_its_ladder,
    with_a_ladder_and_decided,
    past_its_deadline,
    expired,
    held,
    held_by_another,
    rejected_by_another,
    running,
    unknown,
    question,
    confirmation,
]
REFUSED: dict[Situation, set[str]] = {
    fresh: {"release", "answer", "undo", "retry", "settle", "declare_lost", "escalate"},
    with_a_ladder: {"release", "answer", "undo", "retry", "settle", "declare_lost"},
    at_the_end_of_its_ladder: {"release", "answer", "undo", "retry", "settle", "declare_lost", "escalate"},
    ones_own: {*REVIEW_VERBS} - {"reject", "respond", "cancel"},
    claimed_by_another: {*REVIEW_VERBS} - {"delegate", "cancel"},
    not_ones_stage: {*REVIEW_VERBS} - {"cancel"},
    of_a_stranger: {*REVIEW_VERBS},
    held: {"release", "answer", "claim", "delegate", "approve", "edit", "reject", "respond"}
    | {"retry", "settle", "declare_lost", "escalate"},
    running: {*REVIEW_VERBS} - {"declare_lost"},
    unknown: {*REVIEW_VERBS} - {"retry", "settle"},
    question: {*REVIEW_VERBS} - {"answer", "reject", "claim", "delegate", "cancel", "approve"},
    confirmation: {*REVIEW_VERBS} - {"approve", "reject", "respond", "claim", "delegate", "cancel"},
}
"""Of some situations, all that alice may not do: written down, so that what both get wrong alike is seen."""


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
@pytest.mark.parametrize("verb", REVIEW_VERBS)
def test_may_says_no_where_the_verb_itself_does_and_in_the_same_words(
    clock: FakeClock, situation: Situation, verb: ReviewVerb
) -> None:
    gate = memory_gate(clock)
    request = situation(gate, clock)
    alice = gate.reviewer("alice")
    beforehand = alice.may(request, verb)
    events = len(gate.history(request.id))
    if situation in REFUSED:
        assert (beforehand is not None) == (verb in REFUSED[situation]), beforehand
    refusal = refused(acts(alice, request)[verb])
    if isinstance(refusal, (NotAllowed, AlreadyDecided)):
        assert beforehand == str(refusal)
    elif beforehand is not None:
        assert refusal is None
        assert len(gate.history(request.id)) == events, "it was refused, and it was done"


def refused(act: Callable[[], object]) -> ReviewError | None:
    try:
        act()
    except ReviewError as error:
        return error
    return None


def test_may_decides_nothing_and_takes_an_id(gate: Gate, clock: FakeClock) -> None:
    request = fresh(gate, clock)
    alice = gate.reviewer("alice")
    assert [alice.may(request.id, verb) for verb in ("approve", "edit", "claim")] == [None, None, None]
    assert alice.may(request) is None
    assert gate.get(request.id) == request
    assert len(gate.history(request.id)) == 1


def test_whoever_said_yes_to_the_first_of_two_stages_may_still_edit(gate: Gate, clock: FakeClock) -> None:
    request = voted_for_an_earlier_stage(gate, clock)
    alice = gate.reviewer("alice")
    assert alice.may(request, "edit") is None
    assert "approve" in (alice.may(request, "approve") or "")
    assert alice.edit(request, {"amount": 4}).verb == "edit"


def test_a_word_that_is_no_verb_and_a_request_that_is_not_there_are_errors(gate: Gate) -> None:
    alice = gate.reviewer("alice")
    for wrong in ("expire", "aprove", ""):
        with pytest.raises(UsageError, match="it is one of approve, edit, reject"):
            alice.may("x", wrong)  # type: ignore[arg-type]
    with pytest.raises(RequestNotFound):
        alice.may("x", "approve")
