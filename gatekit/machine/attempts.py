"""The ways out of an attempt whose end is not known: a human's word, or what the agent's process can find out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gatekit.errors import AlreadyDecided, NotAllowed, ReviewError, StaleToken
from gatekit.machine.clockwork import (
    back_to_review,
    give_back_start,
    grant_permit,
    in_force_since,
    new_decision,
    settle,
    start_by_of,
    void_permit,
    voted,
)
from gatekit.machine.commands import Answer, Reconcile, Resolve
from gatekit.machine.effects import Draft
from gatekit.machine.projection import decision_model
from gatekit.machine.records import DecisionRecord, State, name_of
from gatekit.machine.running import ended, record_outcome
from gatekit.machine.voting import OPEN, Directory, cast_for, progress, stranger

_HUMAN: Final = ("retry", "settle", "declare_lost")
_OPEN_TO: Final = {"retry": ("unknown", "failed"), "settle": ("unknown",), "declare_lost": ("running",)}


def resolve(state: State, command: Resolve, now: int, directory: Directory = OPEN) -> Answer[DecisionRecord]:
    """Apply the clock, then a human's word on the last attempt. The same word again changes nothing."""
    draft = Draft(state, now)
    settle(draft)
    said = _said_of(draft.state, command.attempt)
    same = next((row for row in said if (row.verb, row.by) == (command.verb, command.by)), None)
    if same is not None and _says_the_same(draft.state, same, command):
        return Answer(state=draft.state, effects=draft.effects(), value=same)
    refusal = _refusal(draft.state, command, said, directory)
    if refusal is not None:
        return Answer(state=draft.state, effects=draft.effects(), refusal=refusal)
    if command.verb == "retry":
        decision = _retry(draft, command, directory)
    else:
        decision = {"settle": _settle, "declare_lost": _declare_lost}[command.verb](draft, command)
    return Answer(state=draft.state, effects=draft.effects(), value=decision)


def _says_the_same(state: State, decision: DecisionRecord, command: Resolve) -> bool:
    """A settlement with another outcome is another word, also from the same mouth."""
    outcome, request = command.outcome, state.request
    if outcome is None or request.decision != decision.no:
        return True
    known = (request.outcome, request.result, request.error_message)
    return known == (outcome.kind, outcome.result, outcome.message)


def _said_of(state: State, attempt: int) -> list[DecisionRecord]:
    return [row for row in state.decisions if row.attempt == attempt and row.verb in _HUMAN]


def refused(state: State, command: Resolve, directory: Directory) -> ReviewError | None:
    """Why this person cannot say that of the attempt; None: they can."""
    return _refusal(state, command, _said_of(state, command.attempt), directory)


def _refusal(state: State, command: Resolve, said: list[DecisionRecord], directory: Directory) -> ReviewError | None:
    request = state.request
    unknown = stranger(directory, command.by)
    if unknown is not None:
        return unknown
    if command.verb != "declare_lost" and state.plan.separate and name_of(command.by) == name_of(request.requester):
        return NotAllowed(f"{command.by} asked for this call and cannot {command.verb} it: another person must")
    final_word = next((row for row in reversed(said) if row.verb != "declare_lost"), None)
    if final_word is not None and not _may_follow(state, final_word, command):
        return AlreadyDecided(decision_model(state, final_word))
    if said and command.verb == "declare_lost":
        return AlreadyDecided(decision_model(state, said[-1]))
    if request.status not in _OPEN_TO[command.verb]:
        return NotAllowed(_why_not(command.verb, request.status))
    if command.verb == "retry" and not request.call_given:
        return NotAllowed("nobody can make this call again, because it was made without an id: settle it instead")
    if command.attempt != request.attempt:
        return StaleToken(f"attempt {command.attempt}", f"attempt {request.attempt}")
    return None


def _may_follow(state: State, word: DecisionRecord, command: Resolve) -> bool:
    """A retry that came to nothing leaves the attempt to be settled; the same retry sent twice must not start twice."""
    open_again = state.request.status == "unknown" and state.request.attempt == command.attempt
    return (word.verb, command.verb) == ("retry", "settle") and open_again


def _why_not(verb: str, status: str) -> str:
    if verb == "declare_lost":
        return f"the request is {status}: only a call that runs can be declared lost"
    if status == "running":
        return f"the call runs and may still end by itself: declare it lost first if it hangs, then {verb} it"
    if verb == "settle" and status in ("succeeded", "failed"):
        return f"how the call ended is known: it {status}"
    return f"the request is {status}: no attempt of it has an end that is in doubt"


def _retry(draft: Draft, command: Resolve, directory: Directory) -> DecisionRecord:
    """Asked again, with the retrier's own yes: that is all where the policy asks for no more people."""
    seen = draft.request.token
    back_to_review(draft, command.by, None)
    stages = cast_for(draft.state, directory, name_of(command.by))
    made = new_decision(draft, "retry", command.by, stages=stages)
    decision = replace(made, token=seen, note=command.note, attempt=command.attempt)
    draft.insert_decision(decision)
    if progress(draft.state).done:
        draft.move(decision=decision.no)
        grant_permit(draft, decision, draft.now)
        draft.event("retried", command.by, attempt=command.attempt, note=command.note)
    else:
        voted(draft, decision)
    return decision


def _settle(draft: Draft, command: Resolve) -> DecisionRecord:
    outcome = command.outcome
    assert outcome is not None, "a settlement says how the attempt ended"
    decision = replace(new_decision(draft, "settle", command.by), note=command.note, attempt=command.attempt)
    draft.insert_decision(decision)
    void_permit(draft)
    record_outcome(draft, outcome)
    status = "succeeded" if outcome.kind == "returned" else "failed"
    draft.move(status=status, decision=decision.no, waiter=None, start_by=None)
    draft.event("settled", command.by, attempt=command.attempt, kind=outcome.kind, note=command.note)
    return decision


def _declare_lost(draft: Draft, command: Resolve) -> DecisionRecord:
    attempt = draft.state.attempt
    assert attempt is not None, "running without an attempt"
    decision = replace(new_decision(draft, "declare_lost", command.by), note=command.note, attempt=command.attempt)
    draft.insert_decision(decision)
    draft.put_attempt(replace(attempt, state="lost", finished_at=draft.now))
    draft.move(status="unknown", waiter=None)
    draft.event("unknown", command.by, attempt=attempt.no, why="declared lost", note=command.note)
    return decision


def start_again(state: State, by: str, now: int) -> Answer[None]:
    """The run of this failed step is resumed. Nobody is asked again while the step's permit has starts left."""
    draft = Draft(state, now)
    permit, decision = draft.state.permit, draft.state.decision
    if has_starts_left(state) and permit is not None and decision is not None:
        draft.move(status="approved", start_by=start_by_of(draft.request, in_force_since(decision)))
        draft.event("again", by, attempt=draft.request.attempt)
        settle(draft)
    return Answer(state=draft.state, effects=draft.effects())


def has_starts_left(state: State) -> bool:
    """Whether a failed step of a run can start again under the permit that it has."""
    permit = state.permit
    return state.request.status == "failed" and permit is not None and permit.left > 0


def reconcile(state: State, command: Reconcile, now: int) -> Answer[None]:
    """Take what the agent's process found out. Where a human has spoken, or it is no longer unknown, change nothing."""
    draft = Draft(state, now)
    settle(draft)
    attempt = draft.state.attempt
    if attempt is not None and draft.request.status == "unknown" and attempt.no == command.attempt:
        {"again": _again, "never": _never}.get(command.kind, _found_out)(draft, command)
    settle(draft)
    return Answer(state=draft.state, effects=draft.effects())


def _again(draft: Draft, command: Reconcile) -> None:
    permit = draft.state.permit
    if permit is None or permit.left < 1 or _given_up(draft.state, command):
        return
    draft.move(status="approved")
    draft.event("again", draft.request.requester, attempt=command.attempt)


def _never(draft: Draft, command: Reconcile) -> None:
    # A human gives up an attempt whose process lives: that it did nothing so far does not say that it never will.
    attempt, permit = draft.state.attempt, draft.state.permit
    if attempt is None or permit is None or permit.void or _given_up(draft.state, command):
        return
    give_back_start(draft, attempt, permit, "reconciled")


def _found_out(draft: Draft, command: Reconcile) -> None:
    attempt, outcome = draft.state.attempt, command.outcome
    assert attempt is not None
    assert outcome is not None, "what was found out is how the attempt ended"
    draft.put_attempt(replace(attempt, state=outcome.kind, finished_at=draft.now))
    draft.event("reconciled", draft.request.requester, attempt=attempt.no, kind=outcome.kind)
    ended(draft, outcome)


def _given_up(state: State, command: Reconcile) -> bool:
    return any(row.attempt == command.attempt and row.verb in _HUMAN for row in state.decisions)
