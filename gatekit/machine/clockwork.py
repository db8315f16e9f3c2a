"""What happens because time passed: what is overdue is settled, before anything else is done to a request."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gatekit.clock import FAR, SWEEP_SECONDS, Unsteady, span
from gatekit.machine.effects import Draft, Timer, timers_of
from gatekit.machine.ladder import climb
from gatekit.machine.records import CLOCK, SILENCE, AttemptRecord, DecisionRecord, PermitRecord, RequestRecord
from gatekit.machine.voting import progress
from gatekit.models import Status, Verb


def settle(draft: Draft) -> None:
    """Apply every deadline that has passed, one after the other, until none has."""
    if draft.request.due <= draft.now:
        # `due` is there to be searched by; what it says counts only where the deadlines themselves say it too.
        draft.move()
    while draft.request.due <= draft.now:
        if draft.request.status == "held":
            take_effect(draft)
        elif draft.request.status == "approved":
            _not_started_in_time(draft)
        elif not _time_passed(draft):
            return


def decided(draft: Draft, decision: DecisionRecord) -> None:
    """A decision that leaves `pending`: held while it can be undone, else in force at once."""
    draft.move(status="held", decision=decision.no, effective_at=decision.effective_at)
    draft.event(_PAST[decision.verb], decision.by, note=decision.note, reason=decision.reason, text=decision.text)
    if decision.effective_at is None:
        take_effect(draft)


def voted(draft: Draft, decision: DecisionRecord) -> None:
    """A yes that was not the last one that the policy asks for: the next stage is asked where this one is met."""
    draft.event("voted", decision.by, verb=decision.verb, note=decision.note, stages=list(decision.stages))
    stage = progress(draft.state).first
    if stage != draft.request.stage and not draft.state.plan.parallel:
        draft.move(version=draft.request.version + 1)
        ask_stage(draft, stage)
    else:
        draft.move(stage=stage)


def ask_stage(draft: Draft, stage: int) -> None:
    """This stage is asked from now on."""
    draft.move(stage=stage, asked_at=draft.now, rung=0, reminded=0, claimed_by=None, claimed_at=None)
    if len(draft.state.plan.stages) > 1:
        draft.event("stage", CLOCK, stage=draft.state.plan.stages[stage].name, number=stage + 1)


def take_effect(draft: Draft) -> None:
    """The decision that stands counts from now on."""
    decision = draft.state.decision
    assert decision is not None, "held without a decision"
    since = draft.now if decision.effective_at is None else decision.effective_at
    if decision.effective_at is not None:
        draft.event("effective", decision.by)
    ended = _ENDED.get(decision.verb) or ("answered" if draft.request.kind != "call" else None)
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
    draft.move(
        status="approved",
        permit=permit.no,
        start_by=start_by_of(request, since),
        effective_at=None,
        spend_at=None if request.spend is None else since,
    )


def start_by_of(request: RequestRecord, since: int) -> int | None:
    """The last moment for a start under an approval that counts since then."""
    return None if request.start_within is None else since + request.start_within


def in_force_since(decision: DecisionRecord) -> int:
    """When a decision that counts began to."""
    return decision.at if decision.effective_at is None else decision.effective_at


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
        own = draft.state.permit_of(attempt)
        draft.move(revision=own.revision, digest=own.digest)
    void_permit(draft)
    draft.move(status=status, effective_at=None, start_by=None, waiter=None)


def back_to_review(draft: Draft, by: str, reason: str | None, *, keeps_votes: bool = False) -> None:
    """Ask again: a new version, the time to decide starts anew, and all votes are void unless they are kept."""
    request = draft.request
    void_permit(draft)
    expires = request.expires_after
    draft.move(
        status="pending",
        version=request.version + 1,
        votes_from=request.votes_from if keeps_votes else len(draft.state.decisions),
        decision=None,
        effective_at=None,
        start_by=None,
        returned=True,
        # What may have been spent stays spent, whatever is asked now.
        spend_at=None if draft.state.attempt is None else request.spend_at,
        decide_by=None if expires is None else draft.now + expires,
        reasons=request.reasons if reason is None else (*request.reasons, reason),
    )
    draft.event("returned", by, reason=reason)
    ask_stage(draft, progress(draft.state).first)


def void_permit(draft: Draft) -> None:
    """What is left of the permit in force must not be used any more."""
    permit = draft.state.permit
    if permit is not None and not permit.void:
        draft.put_permit(replace(permit, void=True))


def give_back_start(draft: Draft, attempt: AttemptRecord, permit: PermitRecord, why: str | None = None) -> None:
    """A start that never called the tool: its permit has it back."""
    draft.put_attempt(replace(attempt, state="given_back", finished_at=draft.now))
    draft.put_permit(replace(permit, starts=permit.starts - 1))
    earlier = [row.no for row in draft.state.attempts if row.no < attempt.no and row.state != "given_back"]
    draft.move(status="approved", attempt=max(earlier, default=None))
    draft.event("not_started", draft.request.requester, attempt=attempt.no, why=why)


def new_decision(
    draft: Draft, verb: Verb, by: str, *, reason: str | None = None, stages: tuple[int, ...] = ()
) -> DecisionRecord:
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
        stage=stages[0] if stages else request.stage,
        stages=stages,
        asked_at=request.asked_at,
        reason=reason,
    )


def approve_by_rule(draft: Draft, by: str, reason: str | None = None) -> None:
    """Approved without a human: by a rule of the program, a grant, or silence."""
    decision = new_decision(draft, "approve", by, reason=reason)
    draft.insert_decision(decision)
    draft.move(decision=decision.no)
    draft.event("approved", by, reason=reason)
    take_effect(draft)


def _not_started_in_time(draft: Draft) -> None:
    decide_by = draft.request.decide_by
    if (FAR if decide_by is None else decide_by) > draft.now:
        back_to_review(draft, CLOCK, "approved, not started in time")
    else:
        expire(draft, "approved, not started in time")


def _time_passed(draft: Draft) -> bool:
    """What a pending request's next timer does; False where that has to wait until the clock is steady again."""
    due: list[Timer] = [timer for moment, timer in timers_of(draft.request) if moment <= draft.now]
    timer = next((timer for timer in due if not _has_to_wait(draft, timer)), None)
    if timer is None:
        draft.put_off(draft.now + span(SWEEP_SECONDS))
        return False
    if timer == "remind":
        _remind(draft)
    elif timer == "escalate":
        _climb_what_is_due(draft)
    else:
        _silence(draft)
    return True


def _has_to_wait(draft: Draft, timer: Timer) -> bool:
    means = draft.state.plan.on_expiry if timer == "silence" else timer
    return isinstance(draft.now, Unsteady) and means in ("approve", "escalate")


def _silence(draft: Draft) -> None:
    request, plan = draft.request, draft.state.plan
    if plan.on_expiry == "keep":
        draft.move(decide_by=None, reasons=(*request.reasons, "nobody decided in time; it stays open"))
        draft.event("overdue", CLOCK, decide_by=request.decide_by)
    elif plan.on_expiry == "escalate" and request.rung < len(plan.rungs):
        expires = request.expires_after
        draft.move(decide_by=None if expires is None else draft.now + expires)
        _climb_what_is_due(draft)
    elif plan.on_expiry == "approve" and _may_be_approved_by_silence(draft):
        approve_by_rule(draft, SILENCE, "nobody decided in time")
    else:
        expire(draft, "nobody decided in time")


def _may_be_approved_by_silence(draft: Draft) -> bool:
    """Not what came back to the reviewers, for a reason that somebody should read; nor what has no answer."""
    verdict = draft.state.revision.verdict
    invalid = verdict is not None and bool(verdict.errors)
    return draft.request.kind != "question" and not draft.request.returned and not invalid


def _climb_what_is_due(draft: Draft) -> None:
    """The next rung; of a ladder that was missed, the last one that is due."""
    request, rungs = draft.request, draft.state.plan.rungs
    due = [no for no, rung in enumerate(rungs) if request.asked_at + rung.after <= draft.now]
    climb(draft, max(request.rung, due[-1] if due else 0), CLOCK)


def _remind(draft: Draft) -> None:
    request, every = draft.request, draft.state.plan.remind_every
    assert every is not None
    draft.move(reminded=(draft.now - request.asked_at) // every)
    draft.event("reminder", CLOCK, no=draft.request.reminded)


_PAST: Final[dict[Verb, str]] = {
    "approve": "approved",
    "edit": "edited",
    "reject": "rejected",
    "respond": "responded",
    "release": "released",
    "answer": "answered",
}
_ENDED: Final[dict[Verb, Status]] = {"reject": "rejected", "respond": "responded"}
