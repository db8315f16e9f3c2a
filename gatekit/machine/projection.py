"""The public models of what the machine knows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, Literal

from gatekit.clock import to_datetime
from gatekit.machine.grants import GrantRecord
from gatekit.machine.ladder import people_of_next
from gatekit.machine.records import (
    CLAIM_LAPSES,
    AttemptRecord,
    DecisionRecord,
    EventRecord,
    RequestRecord,
    ReviewerRecord,
    RunRecord,
    State,
    StepRecord,
    StopRecord,
)
from gatekit.machine.voting import counted, progress
from gatekit.models import (
    Attempt,
    Claim,
    Decision,
    Event,
    Grant,
    Outcome,
    Preview,
    Request,
    ReviewerRow,
    RunRow,
    StageRow,
    StepRow,
    Stop,
)

_NO_END_YET: Final = ("running", "unknown")
"""Where the row can still hold how an earlier attempt ended, and the last one's end is not known."""


def _moment(at: int | None) -> datetime | None:
    return None if at is None else to_datetime(at)


def request_model(state: State, *, waiting: bool) -> Request:
    """The request as a reviewer reads it. `waiting` says whether the process named as waiter lives."""
    request = state.request
    decision, attempt = state.decision, state.attempt
    return Request(
        id=request.id,
        kind=request.kind,
        tool=request.tool,
        status=request.status,
        _args=state.revision.text,
        description=request.description,
        risk=request.risk,
        reasons=request.reasons,
        run=request.run or None,
        call_id=request.call_id,
        requester=request.requester,
        created_at=to_datetime(request.created_at),
        decide_by=_moment(request.decide_by),
        start_by=_moment(request.start_by),
        effective_at=_moment(request.effective_at),
        version=request.version,
        revision=request.revision,
        digest=request.digest,
        token=request.token,
        decision=None if decision is None else decision_model(state, decision),
        max_starts=request.max_starts,
        attempt=None if attempt is None else attempt_model(attempt),
        outcome=None if request.status in _NO_END_YET else outcome_model(request),
        waiter="waiting" if waiting else "gone",
        hidden=request.hidden,
        check_due=state.check_due,
        original=None if request.revision == 1 else _first(state),
        preview=preview_of(request.preview),
        stages=_stages(state),
        votes=tuple(decision_model(state, vote) for vote in counted(state)),
        rule=state.plan.rule or None,
        on_expiry=state.plan.on_expiry,
        escalates_to=people_of_next(state),
        claim=_claim(state),
        delegations=request.delegations,
    )


def preview_of(text: str | None) -> Preview | None:
    """The preview that the queue keeps; None also where it cannot be read, because nothing depends on it."""
    if text is None:
        return None
    try:
        kept = json.loads(text)
        rows = tuple(tuple(map(str, row)) for row in kept.pop("rows", ()))
        return Preview(**kept | {"rows": rows, "columns": tuple(map(str, kept.get("columns", ())))})
    except (ValueError, TypeError, AttributeError):
        return None


def _stages(state: State) -> tuple[StageRow, ...]:
    going = progress(state)
    rows = []
    for index, stage in enumerate(state.plan.stages):
        met = index not in going.open and len(going.people[index]) >= stage.quorum
        status: Literal["done", "current", "not reached"] = "done" if met else "not reached"
        if index in going.open and state.request.status in ("pending", "held"):
            status = "current"
        by = going.people[index]
        rows.append(StageRow(name=stage.name, reviewers=stage.everybody, quorum=stage.quorum, by=by, status=status))
    return tuple(rows)


def _claim(state: State) -> Claim | None:
    request = state.request
    if request.claimed_by is None or request.claimed_at is None:
        return None
    return Claim(
        by=request.claimed_by,
        at=to_datetime(request.claimed_at),
        until=to_datetime(request.claimed_at + CLAIM_LAPSES),
        exclusive=state.plan.exclusive_claims,
    )


def _first(state: State) -> str:
    return next(row.text for row in state.revisions if row.revision == 1)


def decision_model(state: State, decision: DecisionRecord) -> Decision:
    """A decision with what became of it."""
    return Decision(
        request_id=decision.request_id,
        verb=decision.verb,
        by=decision.by,
        at=to_datetime(decision.at),
        version=decision.version,
        revision=decision.revision,
        digest=decision.digest,
        token=decision.token,
        stages=_stage_names(state, decision),
        note=decision.note,
        reason=decision.reason,
        text=decision.text,
        effective_at=_moment(decision.effective_at),
        permit=next((permit.no for permit in state.permits if permit.decision == decision.no), None),
        attempt=decision.attempt,
        standing=_standing(state, decision),
    )


def _stage_names(state: State, decision: DecisionRecord) -> tuple[str, ...]:
    stages = state.plan.stages
    return tuple(stages[index].name for index in decision.stages if index < len(stages))


def _standing(state: State, decision: DecisionRecord) -> Literal["counts", "undone", "overtaken"]:
    for later in state.decisions:
        if later.no > decision.no and later.verb == "undo" and later.version == decision.version:
            return "undone"
    if decision.verb in ("undo", "declare_lost") or state.request.decision == decision.no:
        return "counts"
    votes = counted(state)
    return "counts" if decision in votes and (state.decision is None or state.decision in votes) else "overtaken"


def attempt_model(attempt: AttemptRecord) -> Attempt:
    """One start of the tool."""
    return Attempt(
        no=attempt.no,
        owner=attempt.owner,
        started_at=to_datetime(attempt.started_at),
        finished_at=_moment(attempt.finished_at),
        state=attempt.state,
    )


def outcome_model(request: RequestRecord) -> Outcome | None:
    """How the tool ended, if that is known."""
    if request.outcome is None:
        return None
    return Outcome(
        kind=request.outcome,
        _value=request.result,
        lost=request.result_lost,
        type_name=request.error_type,
        message=request.error_message,
    )


def event_model(event: EventRecord) -> Event:
    """One thing that happened."""
    return Event(
        cursor=event.cursor,
        kind=event.kind,
        request_id=event.request_id,
        call_id=event.call_id,
        tool=event.tool,
        run=event.run or None,
        by=event.by,
        at=to_datetime(event.at),
        version=event.version,
        digest=event.digest,
        _data=event.data,
    )


def run_model(run: RunRecord, place: int = 0) -> RunRow:
    """A run as a list shows it; `place` is its number in the queue."""
    return RunRow(
        id=run.id,
        workflow=run.workflow,
        status=run.status,
        reason=run.reason,
        waiting_for=run.waiting_for,
        ready=run.ready,
        requester=run.requester,
        created_at=to_datetime(run.created_at),
        updated_at=to_datetime(run.updated_at),
        executions=run.executions,
        key=str(place),
        _args=run.text,
        _result=run.result,
        result_lost=run.result_lost,
        error_type=run.error_type,
        error_request=run.error_request,
    )


def step_model(step: StepRecord) -> StepRow:
    """One step of a run."""
    return StepRow(name=step.name, tool=step.tool, request_id=step.request_id, status=step.status)


def grant_model(grant: GrantRecord, now: int) -> Grant:
    """A standing permission, as it is at this moment."""
    return Grant(
        id=grant.id,
        tool=grant.tool,
        _scope=grant.scope,
        run=grant.run,
        requester=grant.requester,
        by=grant.by,
        at=to_datetime(grant.at),
        request_id=grant.request_id,
        expires_at=_moment(grant.expires_at),
        uses=grant.uses,
        used=grant.used,
        revoked_at=_moment(grant.revoked_at),
        revoked_by=grant.revoked_by,
        active=grant.holds(now),
    )


def reviewer_model(reviewer: ReviewerRecord) -> ReviewerRow:
    """A reviewer whom the queue knows."""
    return ReviewerRow(name=reviewer.name, roles=reviewer.roles, by=reviewer.by, at=to_datetime(reviewer.at))


def stop_model(stop: StopRecord) -> Stop:
    """Why nothing starts."""
    return Stop(by=stop.by, at=to_datetime(stop.at), reason=stop.reason)
