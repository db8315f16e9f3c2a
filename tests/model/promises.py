"""I1 to I11 (docs/trust-model.md), held against the notes after every transition."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from gatekit.errors import AlreadyDecided
from gatekit.machine.commands import Answer, Decide, Reconcile, Resolve, Start, Started
from gatekit.machine.records import DecisionRecord, State, name_of
from gatekit.models import FINAL
from tests.machine.case import BOT, digest
from tests.model.bounds import Bounds
from tests.model.notes import Notes, Token, Vote, ack_of, asked_again

NEVER_STARTED: Final = ("rejected", "responded", "answered", "expired", "cancelled")
_ENDED: Final = ("failed", "unknown")
_CLOCK: Final = {
    "pending": ("expired", *_ENDED),
    "held": ("approved", "rejected", "responded", "answered", "pending", "expired", *_ENDED),
    "approved": ("pending", "expired", *_ENDED),
}
_REOPENED: Final = ("approved", *_CLOCK["approved"])
OTHER_KIND: Final = {"call": ("release",), "pause": ("approve", "edit", "respond")}
MAY_MOVE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "clock": _CLOCK,
    "decide": {
        "pending": ("held", "approved", "rejected", "responded", "answered", "cancelled", *_ENDED),
        "held": ("pending", "cancelled", *_ENDED),
        "approved": ("cancelled", *_ENDED),
    },
    "start": {"approved": ("running", "pending")},
    "give_back": {"running": _REOPENED},
    "finish": {
        "pending": ("succeeded",),
        "held": ("succeeded",),
        "approved": ("succeeded",),
        "running": ("succeeded", "failed", "approved"),
        "unknown": ("succeeded", "failed"),
    },
    "lose": {"running": ("unknown",)},
    "resolve": {"running": ("unknown",), "unknown": ("approved", "succeeded", "failed"), "failed": ("approved",)},
    "reconcile": {"unknown": ("succeeded", *_REOPENED)},
    "attach": {},
}
"""Which state may follow which, by what happened: the table of docs/states.md as one sees it from outside."""


_REFUSED: Final = "I3: the same command again was refused"


class Step(NamedTuple):
    """One transaction: what was read, the same after the clock, what was committed, what was answered."""

    before: State
    settled: State
    after: State
    answer: Answer[Any]
    now: int
    bounds: Bounds


# What is said.


def decided(notes: Notes, command: Decide, step: Step) -> Notes:
    value, asked = step.answer.value, step.settled.request
    if value is None:
        same = (command.verb, command.by, command.token)
        again = command.verb not in ("edit", "release") and any(row[1:4] == same for row in notes.acks)
        assert not again, _REFUSED
        return _refused(notes, step)
    if ack_of(value) in notes.acks:
        assert (value.by, value.token) == (command.by, command.token or asked.token), "I3: not the same command"
        assert command.verb in (value.verb, "edit"), "I3: not the same command"
        assert step.after == step.settled, "I3: the same command again changed something"
        return notes
    assert value.by == command.by
    assert value.verb not in OTHER_KIND[asked.kind], f"a {asked.kind} got {value.verb}"
    notes = notes._replace(acks=(*notes.acks, ack_of(value)))
    if command.verb == "cancel":
        return notes
    if command.verb == "undo":
        return _undone(notes, value, step)
    return _voted(notes, command, value, step)


def _refused(notes: Notes, step: Step) -> Notes:
    error, decisions = step.answer.refusal, step.after.decisions
    assert error is not None, "neither a value nor a refusal"
    # `before`: what the clock did was answered, not stored. It is lawful until the clock has gone back.
    assert step.after in (step.settled, step.before), "a refused command changed something"
    if isinstance(error, AlreadyDecided):
        winner = error.decision
        said = {(row.verb, row.by, row.version, row.token) for row in decisions}
        assert (winner.verb, winner.by, winner.version, winner.token) in said, "I3: the winner that was named is none"
    return notes


def _voted(notes: Notes, command: Decide, value: DecisionRecord, step: Step) -> Notes:
    asked, request = step.settled.request, step.after.request
    assert command.token in (None, asked.token), "I3: decided on what was not asked"
    assert all(vote.version != value.version for vote in notes.votes), "I3: two decisions on one version"
    assert notes.decide_by is None or step.now < notes.decide_by, "I6: decided too late"
    assert notes.overdue not in (value.version, asked.version), "I6: decided after an observed expiry"
    assert value.digest == (command.edit.digest if command.edit else asked.digest), "I1: not what was said"
    until, held = None, value.effective_at
    if held is not None:
        assert held > step.now, "held until now"
        assert notes.decide_by is None or held <= notes.decide_by, "I6: held too long"
    since = step.now if held is None else held
    if value.verb in ("approve", "edit", "release"):
        _another_person(value)
    if value.verb in ("approve", "edit") and request.start_within is not None:
        until = since + request.start_within
    vote = Vote(value.version, value.verb, value.by, value.digest, asked.digest, since, until, effective=held is None)
    return notes._replace(votes=(*notes.votes, vote))


def _undone(notes: Notes, value: DecisionRecord, step: Step) -> Notes:
    _another_person(value)
    index, vote = next(pair for pair in enumerate(notes.votes) if pair[1].version == value.version)
    assert vote.by == value.by, "undone by another"
    assert not vote.effective, "undone although it counted"
    assert step.after.request.digest == vote.asked, "undone, and something else is asked"
    return notes.with_vote(index, undone=True)


def resolved(notes: Notes, command: Resolve, step: Step) -> Notes:
    """Retry, settle, declare lost: one of each for an attempt."""
    value, said = step.answer.value, (command.verb, command.by, command.attempt)
    if value is None:
        same = any((row.verb, row.by, row.attempt) == said for row in notes.acks)
        assert not (same and _as_settled(command, step)), _REFUSED
        return _refused(notes, step)
    if ack_of(value) in notes.acks:
        assert (value.verb, value.by, value.attempt) == said, "I3: another word"
        assert _as_settled(command, step), "I3: another settlement"
        assert step.after == step.settled, "I3: the same command again changed something"
        return notes
    assert not notes.said(command.attempt, command.verb), f"I3: two of {command.verb} for one attempt"
    assert command.attempt == step.settled.request.attempt, "I3: a word on an attempt that is not the last"
    notes = notes._replace(acks=(*notes.acks, ack_of(value)))
    if command.verb == "declare_lost":
        return notes
    _another_person(value)
    if command.verb == "settle":
        assert _as_settled(command, step), "I8: settled otherwise"
        return notes
    return _retried(notes, value, step)


def _as_settled(command: Resolve, step: Step) -> bool:
    """Whether the request stands as this settlement says."""
    outcome, request = command.outcome, step.after.request
    if outcome is None:
        return True
    status = "succeeded" if outcome.kind == "returned" else "failed"
    return (request.status, request.outcome) == (status, outcome.kind)


def _retried(notes: Notes, value: DecisionRecord, step: Step) -> Notes:
    assert value.version > step.settled.request.version, "I2: a retry is another version"
    notes = asked_again(notes, step.bounds.deadline(step.now))
    within = step.after.request.start_within
    until = None if within is None else step.now + within
    vote = Vote(value.version, "retry", value.by, value.digest, value.digest, step.now, until, effective=True)
    return notes._replace(votes=(*notes.votes, vote))


def _another_person(value: DecisionRecord) -> None:
    assert name_of(value.by) != name_of(BOT), f"I5: who asks says {value.verb}"


# What runs.


def started(notes: Notes, command: Start, step: Step) -> Notes:
    """A start was granted, or not."""
    if step.answer.value is None:
        return notes
    value: Started = step.answer.value
    said = [no for no, vote in enumerate(notes.votes) if vote.version == command.version]
    assert said, "I1: started without a yes to this version"
    index, vote = said[0], notes.votes[said[0]]
    assert command.stale is None, "started although its own last look said no"
    assert vote.allows, "I1: started without a yes to this version"
    assert not vote.over, "I6: started on what is asked again, or was seen too late to start"
    assert vote.effective, "started while it could still be undone"
    assert vote.until is None or step.now < vote.until, "I6: started too late"
    assert notes.token(command.token) is None, "I2: one token, two attempts"
    assert vote.digest == value.revision.digest == digest(value.revision.text), "I1: other arguments"
    verdict = step.after.revision.verdict
    assert verdict is not None, "I10: started unchecked"
    assert not verdict.errors, "I10: started although found invalid"
    notes = notes._replace(tokens=(*notes.tokens, Token(command.token, index)))
    assert notes.standing(index) <= step.after.request.max_starts, "I2: more starts than allowed"
    return notes


def called(notes: Notes, name: str, text_digest: str, max_starts: int) -> Notes:
    """The tool itself runs."""
    token = notes.token(name)
    assert token is not None, "I1: the tool ran without a start"
    assert token.state != "back", "I2: a start that was given back was used"
    assert not token.called, "I2: one start, two calls"
    vote = notes.votes[token.vote]
    assert text_digest == vote.digest, "I1: nobody allowed these arguments"
    assert not vote.undone, "I1: what allowed it was undone"
    notes = notes.with_token(name, called=True)
    assert notes.called <= max_starts * sum(vote.allows for vote in notes.votes), "I2: called more often than allowed"
    return notes


def gave_back(notes: Notes, name: str, step: Step) -> Notes:
    if _counts(name, step):
        assert notes.token(name) is not None, "I2: what was never granted was given back"
        return notes.with_token(name, state="back")
    return notes


def reported(notes: Notes, name: str, kind: str, step: Step) -> Notes:
    """I7: only its own attempt's report counts, and not over a human's settlement."""
    token, old, new = notes.token(name), step.settled, step.after
    if token is None or token.state == "back":
        assert new.request == old.request, "I7: a stranger's report counted"
        assert new.attempts == old.attempts, "I7: a stranger's report was kept"
        return notes
    number = next((row.no for row in old.attempts if row.token == name), 0)
    if notes.said(number, "settle"):
        assert new.request == old.request, "I8: a late report overrode a settlement"
    elif old.request.attempt != number:
        assert new.request == old.request, "I7: the report of an earlier attempt counted"
    return notes.with_token(name, state=kind) if token.state == "open" else notes


def lost(notes: Notes, name: str, step: Step) -> Notes:
    _counts(name, step)
    return notes


def _counts(name: str, step: Step) -> bool:
    """Whether what was said of this attempt changed the request; it may only if it is the one that runs."""
    old, new = step.settled, step.after
    if new.request == old.request and new.attempts == old.attempts:
        return False
    assert old.attempt is not None
    assert old.attempt.token == name, "I7: what was said of one attempt moved another"
    return True


def reconciled(notes: Notes, command: Reconcile, step: Step) -> Notes:
    """The agent's own finding; a human's word on the attempt comes before it."""
    old, new = step.settled, step.after
    if new == old:
        return notes
    for verb in ("retry", "settle", "declare_lost"):
        blind = command.kind in ("again", "never")
        final = verb == "settle"
        assert not (notes.said(command.attempt, verb) and (blind or final)), f"I8: a finding overrode {verb}"
    row = old.attempt
    assert row is not None
    assert row.no == command.attempt, "I7: a finding on another attempt"
    if command.kind == "never":
        return notes.with_token(row.token, state="back", called=False)
    return notes if command.kind == "again" else notes.with_token(row.token, state=command.kind)


# What may follow what, and what must hold at rest.


def moved(notes: Notes, cause: str, old: State, new: State, deadline: int | None) -> Notes:
    """After every transition, by whatever caused it."""
    before, after = old.request, new.request
    if before.status in FINAL and after.status != before.status:
        assert (cause, before.status) == ("resolve", "failed"), f"I8: {before.status} became {after.status} by {cause}"
    if after.status != before.status:
        allowed = MAY_MOVE[cause].get(before.status, ())
        assert after.status in allowed, f"I8: {before.status} became {after.status} by {cause}"
    assert after.version >= before.version, "a version went back"
    for row, kept in zip(old.revisions, new.revisions, strict=False):
        assert (row.text, row.digest) == (kept.text, kept.digest), "I1: stored arguments were written over"
        assert row.verdict in (None, kept.verdict), "I10: a verdict was written over"
    if after.version > before.version and after.status == "pending":
        return asked_again(notes, deadline)
    return notes


def at_rest(notes: Notes, state: State, bounds: Bounds) -> None:
    """What holds between any two transitions."""
    request, status = state.request, state.request.status
    stored = {ack_of(row) for row in state.decisions}
    assert stored.issuperset(notes.acks), "I4: an acknowledged decision is gone"
    assert request.digest == digest(state.revision.text), "I1: what is shown is not what is asked"
    assert status not in FINAL or state.decision is not None, "I3: nothing to name the winner with"
    if status == "pending":
        assert request.decide_by == bounds.cap(notes.decide_by), "I6: another deadline than the one that was set"
    _starts_and_states(notes, state)
    _permits(notes, state)


def _starts_and_states(notes: Notes, state: State) -> None:
    status = state.request.status
    if status in NEVER_STARTED:
        assert not notes.started, f"I11: {status} although it was started"
        assert not notes.called, f"I11: {status} although the tool was called"
    if status in ("succeeded", "failed", "running", "unknown"):
        assert notes.started, f"I7: {status} without a start"
    if status == "succeeded":
        settled = any(row.verb == "settle" for row in notes.acks)
        assert settled or any(row.state == "returned" for row in notes.tokens), "I7: a success that nobody reported"
    kept = [row for row in state.attempts if row.state != "given_back"]
    assert len(kept) == notes.started, "I2: starts are miscounted"


def _permits(notes: Notes, state: State) -> None:
    votes = {vote.version: vote for vote in notes.votes}
    kept = [row for row in state.attempts if row.state != "given_back"]
    for permit in state.permits:
        vote = votes.get(permit.version)
        assert vote is not None, "I1: a permit without a vote"
        assert vote.allows, "I1: a permit without a yes"
        assert permit.digest == vote.digest, "I1: a permit for other arguments"
        assert permit.starts == sum(row.permit == permit.no for row in kept), "I2: starts are miscounted"
        assert permit.starts <= permit.max_starts, "I2: more starts than its permit allows"
        assert permit.void or not vote.over, "I2: a permit that is over was not made void"
    current = state.permit
    if state.request.status == "approved":
        assert current is not None, "L: approved without a permit"
        assert current.left > 0, "L: approved, and no start is left"
        assert current.digest == state.request.digest, "I1: approved by a permit for other arguments"
