"""The storm of `test_invariants` is not blind: each promise that the machine is made to break is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest

from gatekit.machine import attempts, clockwork, deciding, entering, running
from gatekit.machine.commands import Answer, Decide, Finish, Reconcile, Resolve, Start
from gatekit.machine.effects import Draft
from gatekit.machine.records import PermitRecord, State
from gatekit.models import FINAL
from tests.machine.storm import LENGTH, STEPS, Storm

pytestmark = pytest.mark.sweep

Patch = pytest.MonkeyPatch
SEEDS: Final = 800


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
    patch.setattr(running, "flaw_in_rows", always(None))


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
        running.ended(draft, command)
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

    def back(draft: Draft, by: str, reason: str | None, *, keeps_votes: bool = False) -> None:
        version = draft.request.version
        real(draft, by, reason, keeps_votes=keeps_votes)
        draft.move(version=version)

    for module in (attempts, clockwork, deciding, running):
        patch.setattr(module, "back_to_review", back)


def a_return_to_review_keeps_the_old_deadline(patch: Patch) -> None:
    real = clockwork.back_to_review

    def back(draft: Draft, by: str, reason: str | None, *, keeps_votes: bool = False) -> None:
        decide_by = draft.request.decide_by
        real(draft, by, reason, keeps_votes=keeps_votes)
        draft.move(decide_by=decide_by)

    for module in (attempts, clockwork, deciding, running):
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


def a_retry_leaves_the_old_permit(patch: Patch) -> None:
    real = clockwork.back_to_review

    def back(draft: Draft, by: str, reason: str | None, *, keeps_votes: bool = False) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(clockwork, "void_permit", always(None))
            real(draft, by, reason, keeps_votes=keeps_votes)

    patch.setattr(attempts, "back_to_review", back)


def a_retry_runs_again_under_the_old_version(patch: Patch) -> None:
    patch.setattr(attempts, "back_to_review", always(None))


def who_asks_may_retry_and_settle(patch: Patch) -> None:
    patch.setattr(attempts, "name_of", lambda principal: object())


def a_call_that_runs_is_retried(patch: Patch) -> None:
    patch.setattr(attempts, "_OPEN_TO", {**attempts._OPEN_TO, "retry": ("unknown", "failed", "running")})


def what_succeeded_is_settled(patch: Patch) -> None:
    patch.setattr(attempts, "_OPEN_TO", {**attempts._OPEN_TO, "settle": ("unknown", "succeeded", "failed")})


def a_word_counts_for_whatever_attempt_is_the_last(patch: Patch) -> None:
    real = attempts.resolve

    def resolve(state: State, command: Resolve, now: int) -> Answer[Any]:
        last = state.request.attempt
        return real(state, command if last is None else replace(command, attempt=last), now)

    patch.setattr(attempts, "resolve", resolve)


def every_settlement_by_one_person_is_the_same(patch: Patch) -> None:
    patch.setattr(attempts, "_says_the_same", always(True))


def the_same_word_again_is_another_one(patch: Patch) -> None:
    patch.setattr(attempts, "_says_the_same", always(False))


def a_settlement_is_overridden_by_a_late_report(patch: Patch) -> None:
    real = running.finish

    def finish(state: State, command: Finish, now: int) -> Answer[None]:
        decision, attempt = state.decision, state.attempt
        if decision is None or attempt is None or decision.verb != "settle" or attempt.token != command.token:
            return real(state, command, now)
        draft = Draft(state, now)
        running.record_outcome(draft, command)
        return Answer(state=draft.state, effects=draft.effects())

    patch.setattr(running, "finish", finish)


def a_settlement_leaves_it_unknown(patch: Patch) -> None:
    real = attempts._settle

    def settle(draft: Draft, command: Resolve) -> Any:
        decision = real(draft, command)
        draft.move(status="unknown")
        return decision

    patch.setattr(attempts, "_settle", settle)


def again_and_never_after_a_humans_word(patch: Patch) -> None:
    patch.setattr(attempts, "_given_up", always(False))


def never_keeps_the_start(patch: Patch) -> None:
    def never(draft: Draft, command: Reconcile) -> None:
        if draft.state.permit is not None and not attempts._given_up(draft.state, command):
            draft.move(status="approved")

    patch.setattr(attempts, "_never", never)


def again_gives_the_start_back(patch: Patch) -> None:
    patch.setattr(attempts, "_again", attempts._never)


def what_was_found_out_of_an_older_attempt_counts(patch: Patch) -> None:
    real = attempts.reconcile

    def reconcile(state: State, command: Reconcile, now: int) -> Answer[None]:
        last = state.request.attempt
        return real(state, command if last is None else replace(command, attempt=last), now)

    patch.setattr(attempts, "reconcile", reconcile)


def a_stale_start_runs_anyway(patch: Patch) -> None:
    real = running.start

    def start(state: State, command: Start, now: int) -> Answer[Any]:
        return real(state, replace(command, stale=None), now)

    patch.setattr(running, "start", start)


def a_permit_is_never_used_up(patch: Patch) -> None:
    patch.setattr(PermitRecord, "left", property(lambda permit: 0 if permit.void else 9))


def a_pause_is_approved_and_a_call_released(patch: Patch) -> None:
    patch.setattr(deciding, "_OTHER_KIND", {"call": {}, "pause": {}})


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
    a_return_to_review_keeps_the_version: "I3: two decisions|I2: a retry is another version",
    a_return_to_review_keeps_the_old_deadline: "I6: the old deadline",
    started_calls_end_as_if_never_started: "I11",
    a_decision_is_answered_but_not_written: "effects",
    a_withdrawn_call_stays: "nobody can collect it",
    a_retry_leaves_the_old_permit: "I2: starts are left",
    a_retry_runs_again_under_the_old_version: "I2: a retry is another version",
    who_asks_may_retry_and_settle: "I5",
    a_call_that_runs_is_retried: "I8: run again while it may still run",
    what_succeeded_is_settled: "I8: settled although it is known",
    a_word_counts_for_whatever_attempt_is_the_last: "I3: another word",
    every_settlement_by_one_person_is_the_same: "I3: another settlement",
    the_same_word_again_is_another_one: "I3: the same word again was refused",
    a_settlement_is_overridden_by_a_late_report: "I8: the outcome became another",
    a_settlement_leaves_it_unknown: "I8: settled otherwise",
    again_and_never_after_a_humans_word: "I8: a human has spoken",
    never_keeps_the_start: "I2: starts are miscounted",
    again_gives_the_start_back: "I2: starts are miscounted|I11",
    what_was_found_out_of_an_older_attempt_counts: "I8: found out of something else",
    a_stale_start_runs_anyway: "its own last look",
    a_permit_is_never_used_up: "I2: more starts than",
    a_pause_is_approved_and_a_call_released: "a call was released|a pause was decided",
}


@pytest.mark.parametrize(("fault", "promise"), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS])
def test_the_storm_notices(fault: Callable[[Patch], None], promise: str, monkeypatch: Patch) -> None:
    fault(monkeypatch)
    with pytest.raises(AssertionError, match=promise):
        storms()


def storms() -> None:
    for seed in range(SEEDS):
        chance = Random(seed)
        storm = Storm(chance)
        for _ in range(LENGTH):
            chance.choice(STEPS)(storm, chance)
