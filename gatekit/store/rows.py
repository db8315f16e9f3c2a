"""Records as rows of the tables, and back. Columns have the names of the fields, in their order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from gatekit.machine.records import (
    AttemptRecord,
    DecisionRecord,
    EventRecord,
    PermitRecord,
    RequestRecord,
    RevisionRecord,
    RowRecord,
    RunRecord,
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
    return row


def request_record(row: Row) -> RequestRecord:
    values = _request.values(row)
    values["reasons"] = _request.texts(values, "reasons")
    values["call_given"] = bool(values["call_given"])
    values["result_lost"] = bool(values["result_lost"])
    return RequestRecord(**values)


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
    return json.dumps({"gated": verdict.gated, "reasons": verdict.reasons, "errors": verdict.errors})


def _verdict(found: Any) -> Verdict:
    try:
        return Verdict(gated=found["gated"], reasons=tuple(found["reasons"]), errors=tuple(found["errors"]))
    except (TypeError, KeyError) as error:
        raise _revision.odd("verdict", found) from error


def decision_record(row: Row) -> DecisionRecord:
    return DecisionRecord(**_decision.values(row))


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


def plain_row(record: DecisionRecord | PermitRecord | AttemptRecord | EventRecord, names: tuple[str, ...]) -> Row:
    """The values of a record whose fields are columns as they are."""
    return [getattr(record, name) for name in names]
