"""Records as rows of the tables, and back. Columns have the names of the fields, in their order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from gatekit.machine.grants import GrantRecord
from gatekit.machine.plan import plan_of
from gatekit.machine.records import (
    AttemptRecord,
    DecisionRecord,
    EventRecord,
    PermitRecord,
    RequestRecord,
    ReviewerRecord,
    RevisionRecord,
    RowRecord,
    RunRecord,
    StopRecord,
    Verdict,
)
from gatekit.store.columns import Columns, names_of

Row = Sequence[Any]


REQUEST: Final = names_of(RequestRecord)
REVISION: Final = names_of(RevisionRecord)
DECISION: Final = names_of(DecisionRecord)
PERMIT: Final = names_of(PermitRecord)
ATTEMPT: Final = names_of(AttemptRecord)
EVENT: Final = names_of(EventRecord)
RUN: Final = names_of(RunRecord)
REVIEWER: Final = names_of(ReviewerRecord)
GRANT: Final = names_of(GrantRecord)
_reviewer, _grant = Columns(ReviewerRecord), Columns(GrantRecord)
_request, _revision, _decision = Columns(RequestRecord), Columns(RevisionRecord), Columns(DecisionRecord)
_permit, _attempt, _event, _run = (
    Columns(PermitRecord),
    Columns(AttemptRecord),
    Columns(EventRecord),
    Columns(RunRecord),
)
LINE: Final = RowRecord._fields

_DESCRIPTION: Final = LINE.index("description")
DESCRIPTION_SHOWN: Final = 201
"""Characters of the description in a line of the list."""


def request_row(record: RequestRecord) -> dict[str, Any]:
    """The columns of a request."""
    row = {name: getattr(record, name) for name in REQUEST}
    row["reasons"] = json.dumps(record.reasons)
    row["delegations"] = json.dumps(record.delegations)
    return row


def request_record(row: Row) -> RequestRecord:
    values = _request.values(row)
    values["reasons"] = _request.texts(values, "reasons")
    values["delegations"] = _pairs(values)
    values["call_given"] = bool(values["call_given"])
    values["result_lost"] = bool(values["result_lost"])
    values["returned"] = bool(values["returned"])
    _check_plan(_request, values, values["plan"])
    return RequestRecord(**values)


def _pairs(values: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = _request.tree(values, "delegations")
    try:
        return tuple((_request.text(giver), _request.text(taker)) for giver, taker in found)
    except (TypeError, ValueError) as error:
        raise _request.odd("delegations", found) from error


def _check_plan(columns: Columns, values: dict[str, Any], text: object) -> None:
    try:
        plan = plan_of(text)
    except (ValueError, TypeError) as error:
        raise columns.odd("plan", text) from error
    if "stages" in values and values["stages"] != len(plan.stages):
        raise columns.odd("stages", values["stages"])


def revision_row(record: RevisionRecord) -> dict[str, Any]:
    """The columns of a revision."""
    row = {name: getattr(record, name) for name in REVISION}
    row["verdict"] = None if record.verdict is None else _verdict_text(record.verdict)
    return row


def revision_record(row: Row) -> RevisionRecord:
    values = _revision.values(row)
    if values["verdict"] is not None:
        values["verdict"] = _verdict(_revision.tree(values, "verdict"))
    return RevisionRecord(**values)


def _verdict_text(verdict: Verdict) -> str:
    kept = {"gated": verdict.gated, "reasons": verdict.reasons, "errors": verdict.errors}
    kept |= {"plan": verdict.plan} if verdict.plan else {}
    return json.dumps(kept if verdict.spend is None else kept | {"spend": verdict.spend})


def _verdict(found: Any) -> Verdict:
    try:
        _check_plan(_revision, {}, found.get("plan", ""))
        return Verdict(
            gated=found["gated"],
            reasons=tuple(found["reasons"]),
            errors=tuple(found["errors"]),
            plan=found.get("plan", ""),
            spend=found.get("spend"),
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise _revision.odd("verdict", found) from error


def decision_row(record: DecisionRecord) -> dict[str, Any]:
    """The columns of a decision."""
    row = {name: getattr(record, name) for name in DECISION}
    row["stages"] = json.dumps(record.stages)
    return row


def decision_record(row: Row) -> DecisionRecord:
    values = _decision.values(row)
    values["stages"] = _decision.numbers(values, "stages")
    return DecisionRecord(**values)


def reviewer_row(record: ReviewerRecord) -> dict[str, Any]:
    """The columns of a reviewer."""
    row = {name: getattr(record, name) for name in REVIEWER}
    row["roles"] = json.dumps(record.roles)
    return row


def reviewer_record(row: Row) -> ReviewerRecord:
    values = _reviewer.values(row)
    values["roles"] = _reviewer.texts(values, "roles")
    return ReviewerRecord(**values)


def grant_row(record: GrantRecord) -> dict[str, Any]:
    """The columns of a grant."""
    return {name: getattr(record, name) for name in GRANT}


def grant_record(row: Row) -> GrantRecord:
    values = _grant.values(row)
    if not isinstance(_grant.tree(values, "scope"), dict):
        raise _grant.odd("scope", values["scope"])
    return GrantRecord(**values)


def permit_record(row: Row) -> PermitRecord:
    values = _permit.values(row)
    values["void"] = bool(values["void"])
    return PermitRecord(**values)


def attempt_record(row: Row) -> AttemptRecord:
    return AttemptRecord(**_attempt.values(row))


def event_record(row: Row) -> EventRecord:
    return EventRecord(**_event.values(row))


def line_record(row: Row) -> RowRecord:
    line = RowRecord._make(row)
    # The statement cut the description by bytes, so a character may be torn at its end; it cut behind the last one.
    return line._replace(description=row[_DESCRIPTION].decode("utf-8", "ignore")[:DESCRIPTION_SHOWN])


def run_row(record: RunRecord) -> dict[str, Any]:
    """The columns of a run."""
    row = {name: getattr(record, name) for name in RUN}
    row["waiting_for"] = json.dumps(record.waiting_for)
    row["retried"] = json.dumps(record.retried)
    row["loose"] = json.dumps(record.loose)
    return row


def run_record(row: Row) -> RunRecord:
    values = _run.values(row)
    values["waiting_for"] = _run.texts(values, "waiting_for")
    values["retried"] = _run.texts(values, "retried")
    values["loose"] = _run.texts(values, "loose")
    values["ready"] = bool(values["ready"])
    values["result_lost"] = bool(values["result_lost"])
    return RunRecord(**values)


def plain_row(record: PermitRecord | AttemptRecord | EventRecord, names: tuple[str, ...]) -> Row:
    """The values of a record whose fields are columns as they are."""
    return [getattr(record, name) for name in names]


def stop_text(stop: StopRecord) -> str:
    """The stop as `meta` keeps it."""
    return json.dumps({"by": stop.by, "at": stop.at, "reason": stop.reason}, sort_keys=True)


def stop_record(text: object) -> StopRecord:
    try:
        found = json.loads(text)  # type: ignore[arg-type]
        return StopRecord(by=str(found["by"]), at=int(found["at"]), reason=str(found["reason"]))
    except (TypeError, KeyError, ValueError):
        # Whatever stands there, somebody wanted everything to stop.
        return StopRecord(by="system:unknown", at=0, reason="the stop itself cannot be read")
