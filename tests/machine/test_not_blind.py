"""The storm of `test_invariants` is not blind: each promise that the machine is made to break is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest

from gatekit.machine import clockwork, deciding, entering, running
from gatekit.machine.commands import Answer, Decide, Finish, Start
from gatekit.machine.effects import Draft
from gatekit.machine.records import State
from gatekit.models import FINAL
from tests.machine.storm import STEPS, Storm

Patch = pytest.MonkeyPatch


def always(value: object) -> Callable[..., Any]:
    return lambda *args, **named: value


def start_of_any_version(patch: Patch) -> None:
    real = running.start

    def start(state: State, command: Start, now: int) -> Answer[Any]:
        return real(state, replace(command, version=state.request.version), now)

    patch.setattr(running, "start", start)


def start_with_a_used_token(patch: Patch) -> None:
    patch.setattr(running, "_used", always(None))


def start_unchecked(patch: Patch) -> None:
    patch.setattr(running, "_check", always(True))


def start_without_the_clock(patch: Patch) -> None:
    patch.setattr(running, "settle", always(None))


def start_of_older_arguments(patch: Patch) -> None:
    real = running.start

    def start(state: State, command: Start, now: int) -> Answer[Any]:
        answer = real(state, command, now)
        if answer.value is None:
            return answer
        return replace(answer, value=replace(answer.value, revision=state.revisions[0]))

    patch.setattr(running, "start", start)


def a_start_that_is_not_counted(patch: Patch) -> None:
    real = Draft.put_permit

    def put_permit(draft: Draft, permit: Any) -> None:
        real(draft, replace(permit, starts=0))

    patch.setattr(Draft, "put_permit", put_permit)
    patch.setattr(running, "_contradiction", always(None))


def give_back_of_any_attempt(patch: Patch) -> None:
    def give_back(state: State, token: str, now: int) -> Answer[None]:
        draft, attempt, permit = Draft(state, now), state.attempt, state.permit
        if attempt is not None and permit is not None and attempt.token == token:
            draft.put_attempt(replace(attempt, state="given_back"))
            draft.put_permit(replace(permit, starts=permit.starts - 1))
            draft.move(status="approved", attempt=None)
        return Answer(state=draft.state, effects=draft.effects())

    patch.setattr(running, "give_back", give_back)


def give_back_without_its_token(patch: Patch) -> None:
    real = running.give_back

    def give_back(state: State, token: str, now: int) -> Answer[None]:
        return real(state, token if state.attempt is None else state.attempt.token, now)

    patch.setattr(running, "give_back", give_back)


def finish_without_its_token(patch: Patch) -> None:
    real = running.finish

    def finish(state: State, command: Finish, now: int) -> Answer[None]:
        token = command.token if state.attempt is None else state.attempt.token
        return real(state, replace(command, token=token), now)

    patch.setattr(running, "finish", finish)


def a_lost_attempt_runs_again(patch: Patch) -> None:
    def lose(state: State, command: Any, now: int) -> Answer[None]:
        return running.give_back(state, command.token, now)

    patch.setattr(running, "lose", lose)


def a_report_in_a_final_state_counts(patch: Patch) -> None:
    real = running.finish

    def finish(state: State, command: Finish, now: int) -> Answer[None]:
        if state.request.status not in FINAL or all(row.token != command.token for row in state.attempts):
            return real(state, command, now)
        draft = Draft(state, now)
        running._ended(draft, command)
        return Answer(state=draft.state, effects=draft.effects())

    patch.setattr(running, "finish", finish)


def decide_without_the_clock(patch: Patch) -> None:
    patch.setattr(deciding, "settle", always(None))


def decide_what_is_decided(patch: Patch) -> None:
    patch.setattr(deciding, "_already_decided", always(None))


def decide_on_any_token(patch: Patch) -> None:
    patch.setattr(deciding, "_stale", always(None))


def decide_by_digest_alone(patch: Patch) -> None:
    real = deciding._stale

    def stale(state: State, command: Decide) -> Any:
        given = (command.token or "").partition(":")[2]
        return None if given == state.request.digest[:16] else real(state, command)

    patch.setattr(deciding, "_stale", stale)


def who_asks_may_approve(patch: Patch) -> None:
    patch.setattr(deciding, "name_of", lambda principal: object())


def kinds_make_two_people_of_one(patch: Patch) -> None:
    patch.setattr(deciding, "name_of", lambda principal: principal)


def the_same_command_counts_twice(patch: Patch) -> None:
    patch.setattr(deciding, "_same_command", always(None))
    patch.setattr(deciding, "_already_decided", always(None))


def any_command_of_a_reviewer_is_the_same(patch: Patch) -> None:
    def same(state: State, command: Decide) -> Any:
        return next((row for row in state.decisions if row.by == command.by), None)

    patch.setattr(deciding, "_same_command", same)


def undo_keeps_the_edited_arguments(patch: Patch) -> None:
    real = deciding._undo

    def undo(draft: Draft, command: Decide) -> Any:
        request = draft.request
        value = real(draft, command)
        draft.move(revision=request.revision, digest=request.digest)
        return value

    patch.setattr(deciding, "_undo", undo)


def held_counts_at_once(patch: Patch) -> None:
    real = clockwork.decided

    def decided(draft: Draft, decision: Any) -> None:
        real(draft, decision)
        if draft.request.status == "held":
            clockwork.take_effect(draft)

    patch.setattr(deciding, "decided", decided)


def held_for_ever_past_decide_by(patch: Patch) -> None:
    patch.setattr(deciding, "_held_until", lambda draft, hold: draft.now + hold if hold else None)


def a_return_to_review_keeps_the_version(patch: Patch) -> None:
    real = clockwork.back_to_review

    def back(draft: Draft, by: str, reason: str | None) -> None:
        version = draft.request.version
        real(draft, by, reason)
        draft.move(version=version)

    for module in (clockwork, deciding, running):
        patch.setattr(module, "back_to_review", back)


def a_return_to_review_keeps_the_old_deadline(patch: Patch) -> None:
    real = clockwork.back_to_review

    def back(draft: Draft, by: str, reason: str | None) -> None:
        decide_by = draft.request.decide_by
        real(draft, by, reason)
        draft.move(decide_by=decide_by)

    for module in (clockwork, deciding, running):
        patch.setattr(module, "back_to_review", back)


def started_calls_end_as_if_never_started(patch: Patch) -> None:
    def ended(draft: Draft, status: Any) -> None:
        draft.move(status=status, waiter=None)

    patch.setattr(clockwork, "ended_unstarted", ended)
    patch.setattr(deciding, "ended_unstarted", ended)


def a_decision_is_answered_but_not_written(patch: Patch) -> None:
    real = Draft.effects
    patch.setattr(
        Draft, "effects", lambda draft: tuple(one for one in real(draft) if type(one).__name__ != "InsertDecision")
    )


def a_withdrawn_call_stays(patch: Patch) -> None:
    patch.setattr(entering, "withdraw", entering.detach)


FAULTS: Final = {
    start_of_any_version: "I1: started without a yes",
    start_with_a_used_token: "I2: one token",
    start_unchecked: "I10: started unchecked",
    start_without_the_clock: "I6|I7",
    start_of_older_arguments: "I1: other arguments",
    a_start_that_is_not_counted: "I2",
    give_back_of_any_attempt: "I2|I8",
    give_back_without_its_token: "I2",
    finish_without_its_token: "I7: a stranger",
    a_lost_attempt_runs_again: "I2|I8",
    a_report_in_a_final_state_counts: "I8",
    decide_without_the_clock: "I6|a refused command",
    decide_what_is_decided: "I3|I8|cancelled",
    decide_on_any_token: "I3: decided on what was not asked",
    decide_by_digest_alone: "I3: decided on what was not asked",
    who_asks_may_approve: "I5",
    kinds_make_two_people_of_one: "I5",
    the_same_command_counts_twice: "I3|cancelled",
    any_command_of_a_reviewer_is_the_same: "I3: not the same command",
    undo_keeps_the_edited_arguments: "undone, and something else",
    held_counts_at_once: "could still be undone",
    held_for_ever_past_decide_by: "I6: held too long",
    a_return_to_review_keeps_the_version: "I3: two decisions",
    a_return_to_review_keeps_the_old_deadline: "I6: the old deadline",
    started_calls_end_as_if_never_started: "I11",
    a_decision_is_answered_but_not_written: "effects",
    a_withdrawn_call_stays: "nobody can collect it",
}


@pytest.mark.parametrize(("fault", "promise"), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS])
def test_the_storm_notices(fault: Callable[[Patch], None], promise: str, monkeypatch: Patch) -> None:
    fault(monkeypatch)
    with pytest.raises(AssertionError, match=promise):
        storms()


def storms() -> None:
    for seed in range(600):
        chance = Random(seed)
        storm = Storm(chance)
        for _ in range(40):
            chance.choice(STEPS)(storm, chance)
