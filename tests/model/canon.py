"""The same state for the same future: what cannot matter any more is left out, so that a search ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gatekit.machine.effects import due_of
from gatekit.machine.records import AttemptRecord, DecisionRecord, RequestRecord, RevisionRecord, State
from gatekit.models import FINAL
from tests.model.bounds import Bounds

_FORGOTTEN: Final[dict[str, Any]] = {"reasons": (), "waiter": None, "error_type": None}


def canonical(state: State, bounds: Bounds) -> State:
    """`test_what_is_left_out_does_not_matter` holds this against the machine."""
    return State(
        request=_request(state.request, bounds),
        revisions=tuple(_revision(row) for row in state.revisions),
        decisions=tuple(_decision(row, state.request, bounds) for row in state.decisions),
        permits=state.permits,
        attempts=tuple(_attempt(row) for row in state.attempts),
    )


def _request(row: RequestRecord, bounds: Bounds) -> RequestRecord:
    kept = outlives_its_start(row)
    decide_by = bounds.cap(row.decide_by) if kept or row.status in ("pending", "held") else None
    start_by = bounds.cap(row.start_by) if kept else None
    effective_at = bounds.cap(row.effective_at) if row.status == "held" else None
    ticket = None if row.call_given else row.ticket
    changes = {
        "decide_by": decide_by,
        "start_by": start_by,
        "effective_at": effective_at,
        "ticket": ticket,
        **_FORGOTTEN,
    }
    if any(getattr(row, name) != value for name, value in changes.items()):
        row = replace(row, **changes)
    due = due_of(row)
    return row if row.due == due else replace(row, due=due)


def outlives_its_start(row: RequestRecord) -> bool:
    """Whether the deadlines of what is allowed or started can still send it back."""
    return row.start_within is not None and row.status not in FINAL


def _revision(row: RevisionRecord) -> RevisionRecord:
    if row.at == 0 and (row.verdict is None or not row.verdict.reasons):
        return row
    verdict = None if row.verdict is None else replace(row.verdict, reasons=())
    return replace(row, at=0, by="", verdict=verdict)


def _decision(row: DecisionRecord, request: RequestRecord, bounds: Bounds) -> DecisionRecord:
    held = request.status == "held" and row.no == request.decision
    effective_at = bounds.cap(row.effective_at) if held else None
    if row.at == 0 and row.effective_at == effective_at:
        return row
    return replace(row, at=0, reason=None, effective_at=effective_at)


def _attempt(row: AttemptRecord) -> AttemptRecord:
    if row.started_at == 0 and row.finished_at is None:
        return row
    return replace(row, owner="", started_at=0, finished_at=None)
