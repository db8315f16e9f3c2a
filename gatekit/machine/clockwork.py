"""What happens because time passed: what is overdue is settled, before anything else is done to a request."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gatekit.clock import FAR
from gatekit.machine.effects import Draft
from gatekit.machine.records import CLOCK, DecisionRecord, PermitRecord
from gatekit.models import Status, Verb


def settle(draft: Draft) -> None:
    """Apply every deadline that has passed, one after the other, until none has."""
    if draft.request.due <= draft.now:
        # `due` is there to be searched by; what it says counts only where the deadlines themselves say it too.
        draft.move()
    while draft.request.due <= draft.now:
        if draft.request.status == "held":
            take_effect(draft)
        elif draft.request.status == "pending":
            expire(draft, "nobody decided in time")
        else:
            _not_started_in_time(draft)


def decided(draft: Draft, decision: DecisionRecord) -> None:
    """A decision that leaves `pending`: held while it can be undone, else in force at once."""
    draft.insert_decision(decision)
    draft.move(status="held", decision=decision.no, effective_at=decision.effective_at)
    draft.event(_PAST[decision.verb], decision.by, note=decision.note, reason=decision.reason, text=decision.text)
    if decision.effective_at is None:
        take_effect(draft)


def take_effect(draft: Draft) -> None:
    """The decision that stands counts from now on."""
    decision = draft.state.decision
    assert decision is not None, "held without a decision"
    since = draft.now if decision.effective_at is None else decision.effective_at
    if decision.effective_at is not None:
        draft.event("effective", decision.by)
    ended = _ENDED.get(decision.verb)
    if ended is None:
        grant_permit(draft, decision, since)
    else:
        ended_unstarted(draft, ended)


def grant_permit(draft: Draft, decision: DecisionRecord, since: int) -> None:
    """The permission to start that an approval makes, counted from the moment `since`."""
    request = draft.request
    permit = PermitRecord(
        request_id=request.id,
        no=len(draft.state.permits) + 1,
        decision=decision.no,
        version=request.version,
        revision=request.revision,
        digest=request.digest,
        max_starts=request.max_starts,
    )
    draft.put_permit(permit)
    start_by = None if request.start_within is None else since + request.start_within
    draft.move(status="approved", permit=permit.no, start_by=start_by, effective_at=None)


def expire(draft: Draft, reason: str) -> None:
    """Silence until the deadline: a decision of the clock."""
    request = draft.request
    decision = new_decision(draft, "expire", CLOCK, reason=reason)
    draft.insert_decision(decision)
    draft.move(decision=decision.no)
    ended_unstarted(draft, "expired")
    draft.event("expired", CLOCK, reason=reason, decide_by=request.decide_by)


def ended_unstarted(draft: Draft, status: Status) -> None:
    """The end of a request that never started, or, if it did, its last attempt's state: I11 forbids more."""
    attempt = draft.state.attempt
    if attempt is not None:
        status = "failed" if attempt.state == "raised" else "unknown"
        # What ran is what the attempt's own permit named, not what was asked since.
        own = next(row for row in draft.state.permits if row.no == attempt.permit)
        draft.move(revision=own.revision, digest=own.digest)
    void_permit(draft)
    draft.move(status=status, effective_at=None, start_by=None, waiter=None)


def back_to_review(draft: Draft, by: str, reason: str | None) -> None:
    """Ask again: a new version, all votes void, the time to decide starts anew."""
    request = draft.request
    void_permit(draft)
    expires = request.expires_after
    draft.move(
        status="pending",
        version=request.version + 1,
        stage=0,
        decision=None,
        effective_at=None,
        start_by=None,
        decide_by=None if expires is None else draft.now + expires,
        reasons=request.reasons if reason is None else (*request.reasons, reason),
    )
    draft.event("returned", by, reason=reason)


def void_permit(draft: Draft) -> None:
    """What is left of the permit in force must not be used any more."""
    permit = draft.state.permit
    if permit is not None and not permit.void:
        draft.put_permit(replace(permit, void=True))


def new_decision(draft: Draft, verb: Verb, by: str, *, reason: str | None = None) -> DecisionRecord:
    """The next decision, on what is asked now."""
    request = draft.request
    return DecisionRecord(
        request_id=request.id,
        no=len(draft.state.decisions) + 1,
        verb=verb,
        by=by,
        at=draft.now,
        version=request.version,
        revision=request.revision,
        base=request.revision,
        digest=request.digest,
        token=request.token,
        stage=request.stage,
        reason=reason,
    )


def _not_started_in_time(draft: Draft) -> None:
    decide_by = draft.request.decide_by
    if (FAR if decide_by is None else decide_by) > draft.now:
        back_to_review(draft, CLOCK, "approved, not started in time")
    else:
        expire(draft, "approved, not started in time")


_PAST: Final[dict[Verb, str]] = {
    "approve": "approved",
    "edit": "edited",
    "reject": "rejected",
    "respond": "responded",
    "release": "released",
}
_ENDED: Final[dict[Verb, Status]] = {"reject": "rejected", "respond": "responded", "release": "answered"}
