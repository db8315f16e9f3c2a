"""Records as rows of the tables, and back. Columns have the names of the fields, in their order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from gatekit.machine.records import (
    AttemptRecord,
    DecisionRecord,
    EventRecord,
    PermitRecord,
    RequestRecord,
    RevisionRecord,
    RowRecord,
    Verdict,
)

Row = Sequence[Any]


def _names(record: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record))


REQUEST: Final = _names(RequestRecord)
REVISION: Final = _names(RevisionRecord)
DECISION: Final = _names(DecisionRecord)
PERMIT: Final = _names(PermitRecord)
ATTEMPT: Final = _names(AttemptRecord)
EVENT: Final = _names(EventRecord)
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
    values = dict(zip(REQUEST, row, strict=True))
    values["reasons"] = tuple(json.loads(values["reasons"]))
    values["call_given"] = bool(values["call_given"])
    values["result_lost"] = bool(values["result_lost"])
    return RequestRecord(**values)


def revision_row(record: RevisionRecord) -> dict[str, Any]:
    """The columns of a revision."""
    row = {name: getattr(record, name) for name in REVISION}
    row["verdict"] = None if record.verdict is None else _verdict_text(record.verdict)
    return row


def revision_record(row: Row) -> RevisionRecord:
    values = dict(zip(REVISION, row, strict=True))
    if values["verdict"] is not None:
        values["verdict"] = _verdict(values["verdict"])
    return RevisionRecord(**values)


def _verdict_text(verdict: Verdict) -> str:
    return json.dumps({"gated": verdict.gated, "reasons": verdict.reasons, "errors": verdict.errors})


def _verdict(text: str) -> Verdict:
    found = json.loads(text)
    return Verdict(gated=found["gated"], reasons=tuple(found["reasons"]), errors=tuple(found["errors"]))


def decision_record(row: Row) -> DecisionRecord:
    return DecisionRecord(**dict(zip(DECISION, row, strict=True)))


def permit_record(row: Row) -> PermitRecord:
    values = dict(zip(PERMIT, row, strict=True))
    values["void"] = bool(values["void"])
    return PermitRecord(**values)


def attempt_record(row: Row) -> AttemptRecord:
    return AttemptRecord(**dict(zip(ATTEMPT, row, strict=True)))


def event_record(row: Row) -> EventRecord:
    return EventRecord(**dict(zip(EVENT, row, strict=True)))


def line_record(row: Row) -> RowRecord:
    line = RowRecord._make(row)
    # The statement cut the description by bytes, so a character may be torn at its end; it cut behind the last one.
    return line._replace(description=row[_DESCRIPTION].decode("utf-8", "ignore")[:DESCRIPTION_SHOWN])


def plain_row(record: DecisionRecord | PermitRecord | AttemptRecord | EventRecord, names: tuple[str, ...]) -> Row:
    """The values of a record whose fields are columns as they are."""
    return [getattr(record, name) for name in names]
