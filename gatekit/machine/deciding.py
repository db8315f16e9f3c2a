"""What a reviewer's word does: one function for the whole row of verbs, and the refusals in their order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from gatekit.errors import AlreadyDecided, InvalidEdit, NotAllowed, ReviewError, StaleToken
from gatekit.machine.amounts import amount_of
from gatekit.machine.claims import barred_by_claim
from gatekit.machine.clockwork import back_to_review, decided, ended_unstarted, new_decision, settle, voted
from gatekit.machine.commands import Answer, Decide
from gatekit.machine.effects import Draft
from gatekit.machine.projection import decision_model
from gatekit.machine.records import DecisionRecord, RevisionRecord, State, Verdict, name_of
from gatekit.machine.voting import OPEN, Directory, cast_for, counted, not_asked, progress, stranger
from gatekit.models import Kind, Verb

_YES: Final = ("approve", "edit", "release", "answer")
_SEEN: Final = (*_YES, "undo")
"""What needs another person than the one who asks, and one who has read what is asked."""
_VOTES: Final = (*_YES, "reject", "respond")
"""What only those may say whom the policy asks."""
_CALL: Final = "this is a call of a tool: approve it, edit it or reject it"
_PAUSE: Final = "this is a pause of a run, not a call: release it, as it is or with another payload, or reject it"
_QUESTION: Final = "this is a question: answer it, or reject it"
_CONFIRM: Final = "this asks for a yes: approve it, or reject it"
_OTHER_KIND: Final[dict[Kind, dict[Verb, str]]] = {
    "call": {"release": _CALL, "answer": _CALL},
    "pause": {"approve": _PAUSE, "edit": _PAUSE, "respond": _PAUSE, "answer": _PAUSE},
    "question": {"edit": _QUESTION, "respond": _QUESTION, "release": _QUESTION},
    "confirm": {"edit": _CONFIRM, "release": _CONFIRM, "answer": _CONFIRM},
}


def decide(state: State, command: Decide, now: int, directory: Directory = OPEN) -> Answer[DecisionRecord]:
    """Apply the clock, then the command. The same command again changes nothing and answers the same."""
    draft = Draft(state, now)
    settle(draft)
    recorded = _same_command(draft.state, command)
    if recorded is not None:
        return _answer(draft, recorded)
    refusal = _refusal(draft, command, directory)
    if refusal is not None:
        return Answer(state=draft.state, effects=draft.effects(), refusal=refusal)
    if command.verb == "undo":
        return _answer(draft, _undo(draft, command))
    if command.verb == "cancel":
        return _answer(draft, _cancel(draft, command))
    return _answer(draft, _vote(draft, command, directory))


def barred(draft: Draft, command: Decide, directory: Directory) -> ReviewError | None:
    """Why this person cannot say that now, whatever they have read and whatever they write; None: they can."""
    return (
        _not_allowed(draft.state, command)
        or _not_the_one(draft, command, directory)
        or _already_decided(draft.state, command)
    )


def _answer(draft: Draft, decision: DecisionRecord) -> Answer[DecisionRecord]:
    return Answer(state=draft.state, effects=draft.effects(), value=decision)


def _same_command(state: State, command: Decide) -> DecisionRecord | None:
    if command.invalid or (command.token is None and command.verb in _SEEN):
        return None
    token = state.request.token if command.token is None else command.token
    for decision in reversed(state.decisions):
        if decision.by != command.by or decision.token != token:
            continue
        if decision.verb == command.verb and _says_the_same(decision, command):
            return decision
        # An edit that changed nothing was recorded as the approval that it is.
        if command.edit and decision.verb == "approve" and decision.digest == command.edit.digest:
            return decision
    return None


def _says_the_same(decision: DecisionRecord, command: Decide) -> bool:
    if command.edit is not None:
        return decision.digest == command.edit.digest
    return command.verb != "release" or decision.base == decision.revision


def _refusal(draft: Draft, command: Decide, directory: Directory) -> ReviewError | None:
    state = draft.state
    return barred(draft, command, directory) or _stale(state, command) or _invalid(state, command)


def _not_allowed(state: State, command: Decide) -> ReviewError | None:
    status, verb, by = state.request.status, command.verb, command.by
    if verb in _OTHER_KIND[state.request.kind]:
        return NotAllowed(_OTHER_KIND[state.request.kind][verb])
    if verb in _SEEN and state.plan.separate and name_of(by) == name_of(state.request.requester):
        return NotAllowed(f"{by} asked for this call and cannot {verb} it: another person must")
    if verb in _SEEN and command.token is None:
        return NotAllowed(f"{verb} needs the token of what was read: give the request, or its id with token=")
    if verb == "undo" and status == "pending":
        return NotAllowed("nothing to undo: the request waits for a decision")
    if verb == "undo" and status == "held" and state.decision is not None and state.decision.by != by:
        return NotAllowed(f"only {state.decision.by} can undo this decision")
    if verb == "cancel" and status in ("running", "unknown"):
        cure = "wait for its end" if status == "running" else "settle it"
        return NotAllowed(f"the tool was started, so the call cannot be cancelled any more: {cure}")
    return None


def _not_the_one(draft: Draft, command: Decide, directory: Directory) -> ReviewError | None:
    """Whether somebody else has to say it: by the queue's reviewers, the policy, a claim, or the clock."""
    state, name = draft.state, name_of(command.by)
    own = command.verb == "cancel" and command.by == state.request.requester
    unknown = None if own else stranger(directory, command.by)
    if unknown is not None:
        return unknown
    if command.verb not in _VOTES or state.request.status != "pending":
        return None
    if state.plan.parallel and progress(state).counts(name):
        # Of several stages at once a person has one voice, which was heard.
        return None
    unasked = not_asked(state, directory, command.by)
    if unasked is not None:
        return unasked
    claim = barred_by_claim(state, command.by, draft.now)
    if claim is not None:
        return NotAllowed(claim)
    until = state.request.decide_by
    if command.verb in _YES and until is not None and until <= draft.now and state.plan.on_expiry != "keep":
        # Only while what silence means has to wait for a steady clock.
        return NotAllowed("the time to decide is over: what its policy says of that follows within a minute")
    return None


def _already_decided(state: State, command: Decide) -> ReviewError | None:
    if command.verb in _VOTES and state.request.status == "pending":
        return _has_voted(state, command)
    open_to = {
        "undo": ("held",),
        "cancel": ("pending", "held", "approved"),
    }.get(command.verb, ("pending",))
    if state.request.status in open_to:
        return None
    decision = state.decision
    assert decision is not None, f"{state.request.status} without a decision"
    return AlreadyDecided(decision_model(state, decision))


def _has_voted(state: State, command: Decide) -> ReviewError | None:
    """A person counts once, unless the policy lets the same person decide several stages."""
    name = name_of(command.by)
    for vote in counted(state):
        again = vote.version == state.request.version or set(progress(state).open) <= set(vote.stages)
        if name_of(vote.by) == name and (state.plan.separate or again):
            # An edit asks everybody anew, and is no second yes to the same.
            edits = command.edit is not None and command.edit.digest != state.request.digest
            if not edits or vote.version == state.request.version:
                return AlreadyDecided(decision_model(state, vote))
    return None


def _stale(state: State, command: Decide) -> ReviewError | None:
    current = state.request.token
    allowed = {current}
    if command.verb == "undo" and state.decision is not None:
        # After an edit the reviewer still holds the request as it was before.
        allowed.add(state.decision.token)
    if command.token is None or command.token in allowed:
        return None
    return StaleToken(command.token, current)


def _invalid(state: State, command: Decide) -> ReviewError | None:
    if command.invalid:
        return InvalidEdit(command.invalid)
    verdict = state.revision.verdict
    unchanged = command.edit is None or command.edit.digest == state.request.digest
    if command.verb == "approve" and state.request.kind == "question" and state.request.revision == 1:
        return InvalidEdit(("nobody has answered yet: give an answer",))
    if command.verb in ("approve", "edit") and unchanged and verdict is not None and verdict.errors:
        return InvalidEdit(verdict.errors)
    return None


def _vote(draft: Draft, command: Decide, directory: Directory) -> DecisionRecord:
    base, name = draft.request, name_of(command.by)
    stages = cast_for(draft.state, directory, name)
    if command.edit is not None and command.edit.digest != base.digest:
        _revise(draft, command)
        verb = command.verb
    else:
        verb = "approve" if command.verb == "edit" else command.verb
    decision = replace(_of_command(draft, command, stages), verb=verb, base=base.revision, token=base.token)
    if verb in _YES and not _completes(draft, decision):
        draft.insert_decision(decision)
        voted(draft, decision)
        return decision
    decision = replace(decision, effective_at=_held_until(draft, command.hold))
    draft.insert_decision(decision)
    decided(draft, decision)
    return decision


def _completes(draft: Draft, decision: DecisionRecord) -> bool:
    """Whether nothing that the policy asks for is left open behind this vote."""
    after = replace(draft.state, decisions=(*draft.state.decisions, decision))
    return progress(after).done


def _held_until(draft: Draft, hold: int) -> int | None:
    if hold <= 0:
        return None
    until = draft.now + hold
    return until if draft.request.decide_by is None else min(until, draft.request.decide_by)


def _revise(draft: Draft, command: Decide) -> None:
    edit, request = command.edit, draft.request
    assert edit is not None
    number = request.revisions + 1
    draft.put_revision(
        RevisionRecord(
            request_id=request.id,
            revision=number,
            text=edit.text,
            digest=edit.digest,
            schema=draft.state.revision.schema,
            by=command.by,
            at=draft.now,
            # What a pause hands on is checked by nobody but its run.
            verdict=None if request.kind == "call" else Verdict(gated=True, plan=request.plan),
        )
    )
    draft.move(version=request.version + 1, revision=number, revisions=number, digest=edit.digest)
    if request.spend is not None and request.spend_of is not None:
        amount = amount_of(json.loads(edit.text).get(request.spend_of))
        draft.move(spend=request.spend if amount is None else str(amount))


def _undo(draft: Draft, command: Decide) -> DecisionRecord:
    undone = draft.state.decision
    assert undone is not None
    decision = _of_command(draft, command)
    draft.insert_decision(decision)
    if undone.base != undone.revision:
        # The edited revision stays in the history; what was asked before is asked again.
        base = next(row for row in draft.state.revisions if row.revision == undone.base)
        draft.move(revision=base.revision, digest=base.digest)
    back_to_review(draft, command.by, None, keeps_votes=True)
    draft.event("undone", command.by, note=command.note)
    return decision


def _cancel(draft: Draft, command: Decide) -> DecisionRecord:
    decision = _of_command(draft, command)
    draft.insert_decision(decision)
    draft.move(decision=decision.no)
    ended_unstarted(draft, "cancelled")
    draft.event("cancelled", command.by, reason=command.reason)
    return decision


def _of_command(draft: Draft, command: Decide, stages: tuple[int, ...] = ()) -> DecisionRecord:
    decision = new_decision(draft, command.verb, command.by, reason=command.reason, stages=stages)
    token = decision.token if command.token is None else command.token
    return replace(decision, token=token, note=command.note, text=command.text)
