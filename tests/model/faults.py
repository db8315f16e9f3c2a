"""What the machine could do wrong beyond `tests.machine.test_not_blind`: each is patched in for one search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gatekit.errors import AlreadyDecided
from gatekit.machine import attempts, clockwork, running
from gatekit.machine.commands import Answer, Finish, Reconcile, Resolve, Start, Started
from gatekit.machine.effects import Draft, PutAttempt, PutPermit, UpdateRequest
from gatekit.machine.projection import decision_model
from gatekit.machine.records import DecisionRecord, State
from gatekit.machine.voting import Directory
from gatekit.models import FINAL
from tests.machine.case import FIRST, OTHER, digest
from tests.model import moves

Patch = pytest.MonkeyPatch


def start_reads_then_writes(patch: Patch) -> None:
    """No compare-and-set: what two workers read when it was approved, both write."""
    real = running.start

    def start(state: State, command: Start, now: int) -> Answer[Started]:
        request = state.request
        permits = tuple(replace(row, starts=0) for row in state.permits)
        read = replace(state, request=replace(request, status="approved"), permits=permits, attempts=())
        answer = real(read if request.status == "running" else state, command, now)
        if answer.value is None or request.status != "running":
            return answer
        number = len(state.attempts) + 1
        draft = Draft(state, now)
        for effect in answer.effects:
            match effect:
                case PutAttempt(attempt):
                    draft.put_attempt(replace(attempt, no=number))
                case PutPermit(permit):
                    draft.put_permit(permit)
                case UpdateRequest():
                    draft.move(attempt=number)
                case _:
                    pass
        return replace(answer, state=draft.state, effects=draft.effects())

    patch.setattr(running, "start", start)


def live_arguments_run(patch: Patch) -> None:
    patch.setattr(moves, "runs", lambda started: digest(FIRST))


def a_second_submit_replaces_the_arguments(patch: Patch) -> None:
    real = moves.again

    def again(state: State, text: str, now: int) -> Answer[None]:
        draft = Draft(state, now)
        clockwork.settle(draft)
        if text != OTHER or draft.request.status in FINAL or draft.request.digest == digest(OTHER):
            return real(state, text, now)
        draft.put_revision(replace(draft.state.revision, revision=2, text=text, digest=digest(text)))
        draft.move(revision=2, revisions=2, digest=digest(text))
        return Answer(state=draft.state, effects=draft.effects())

    patch.setattr(moves, "again", again)


def expiry_is_computed_not_stored(patch: Patch) -> None:
    """A page shows it as expired, and the queue does not hear of it."""
    patch.setattr(moves, "look", lambda state, now: Answer(state=state, effects=()))


def a_start_that_came_too_late(patch: Patch) -> None:
    """The deadline is checked when a reviewer decides, and not again right before the call."""
    real = running.start

    def start(state: State, command: Start, now: int) -> Answer[Started]:
        late = state.request.status == "approved" and state.request.due <= now
        return real(state, command, state.request.due - 1 if late else now)

    patch.setattr(running, "start", start)


def a_given_back_start_can_report(patch: Patch) -> None:
    real = running.finish

    def finish(state: State, command: Finish, now: int) -> Answer[None]:
        draft = Draft(state, now)
        row = next((row for row in state.attempts if row.token == command.token), None)
        if row is None or row.state != "given_back" or state.request.status in FINAL:
            return real(state, command, now)
        draft.put_attempt(replace(row, state=command.kind))
        draft.move(status="succeeded", attempt=row.no)
        return Answer(state=draft.state, effects=draft.effects())

    patch.setattr(running, "finish", finish)


def whatever_raised_may_start_again(patch: Patch) -> None:
    def ended(draft: Draft, command: Finish) -> None:
        raised = command.kind == "raised"
        draft.move(status="approved" if raised else "succeeded", outcome=command.kind, waiter=None)

    patch.setattr(running, "ended", ended)


def a_lost_owner_is_started_anew(patch: Patch) -> None:
    """Auto-retry: the sweep finds a dead process and makes a new permit."""

    def lose(state: State, command: Any, now: int) -> Answer[None]:
        draft = Draft(state, now)
        attempt, decision = state.attempt, state.decision
        if attempt and decision and attempt.token == command.token and state.request.status == "running":
            draft.put_attempt(replace(attempt, state="lost"))
            clockwork.void_permit(draft)
            clockwork.grant_permit(draft, decision, now)
        return Answer(state=draft.state, effects=draft.effects())

    patch.setattr(running, "lose", lose)


def _refusals(patch: Patch, wrong: Callable[[State, Resolve, list[DecisionRecord], Directory], Any]) -> None:
    patch.setattr(attempts, "_refusal", wrong)


def a_second_retry_of_the_same_attempt(patch: Patch) -> None:
    real = attempts._refusal
    _refusals(patch, lambda state, command, said, known: real(state, command, [], known))


def what_runs_can_be_settled(patch: Patch) -> None:
    patch.setattr(attempts, "_OPEN_TO", {**attempts._OPEN_TO, "settle": ("unknown", "running")})


def a_retry_forbids_a_settlement(patch: Patch) -> None:
    """Retried, cancelled before it started again: unknown once more, and nobody may say how it ended."""
    real = attempts._refusal

    def refusal(state: State, command: Resolve, said: list[DecisionRecord], directory: Directory) -> Any:
        retry = next((row for row in said if row.verb == "retry"), None)
        if command.verb == "settle" and retry is not None:
            return AlreadyDecided(decision_model(state, retry))
        return real(state, command, said, directory)

    _refusals(patch, refusal)


def an_earlier_attempt_reports_for_the_last(patch: Patch) -> None:
    """The outcome is written by request, not by attempt."""
    real = running.finish

    def finish(state: State, command: Finish, now: int) -> Answer[None]:
        known = any(row.token == command.token and row.state != "given_back" for row in state.attempts)
        token = state.attempt.token if known and state.attempt else command.token
        return real(state, replace(command, token=token), now)

    patch.setattr(running, "finish", finish)


def it_runs_again_without_a_start_left(patch: Patch) -> None:
    """An idempotent tool is run again as often as its process dies."""

    def again(draft: Draft, command: Reconcile) -> None:
        if not attempts._given_up(draft.state, command):
            draft.move(status="approved")

    patch.setattr(attempts, "_again", again)
