"""`SqliteTx`: the reads and writes of one transaction on a connection. It knows rows, and no rule about states."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gatekit.backend.tx import LostRace, PageQuery
from gatekit.machine.effects import (
    AppendEvent,
    Effect,
    InsertDecision,
    InsertRequest,
    PutAttempt,
    PutPermit,
    PutRevision,
    UpdateRequest,
)
from gatekit.machine.records import EventRecord, RowRecord, State
from gatekit.models import Status
from gatekit.store import rows
from gatekit.store import statements as sql


class SqliteTx:
    """One transaction; whoever made it begins and ends it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self.wrote_events = False
        """Whether somebody else may want to hear of it."""

    # Reads

    def state(self, request_id: str) -> State | None:
        request = self._execute(sql.REQUEST_BY_ID, (request_id,)).fetchone()
        if request is None:
            return None
        return State(
            request=rows.request_record(request),
            revisions=tuple(map(rows.revision_record, self._execute(sql.REVISIONS_OF, (request_id,)))),
            decisions=tuple(map(rows.decision_record, self._execute(sql.DECISIONS_OF, (request_id,)))),
            permits=tuple(map(rows.permit_record, self._execute(sql.PERMITS_OF, (request_id,)))),
            attempts=tuple(map(rows.attempt_record, self._execute(sql.ATTEMPTS_OF, (request_id,)))),
        )

    def find(self, run: str, tool: str, call_id: str) -> str | None:
        found: str | None = self._first(sql.FIND, run, tool, call_id)
        return found

    def schema(self, tool: str, digest: str) -> str | None:
        found: str | None = self._first(sql.SCHEMA, tool, digest)
        return found

    def page(self, query: PageQuery) -> Sequence[RowRecord]:
        if not query.statuses:
            return []
        statement, values = _page(query)
        lines = [rows.line_record(row) for row in self._execute(statement, values)]
        return lines if query.before is None else lines[::-1]

    def count(self, statuses: Collection[Status], at_most: int) -> int:
        total = 0
        for status in set(statuses):
            total += self._first(sql.COUNT, status, at_most - total)
        return total

    def position(self, request_id: str) -> int | None:
        own = self._execute(sql.PLACE, (request_id,)).fetchone()
        if own is None:
            return None
        before: int = self._first(sql.POSITION, *own)
        return before

    def history(self, request_id: str) -> Sequence[EventRecord]:
        return [rows.event_record(row) for row in self._execute(sql.HISTORY, (request_id,))]

    def events(self, since: int, limit: int) -> Sequence[EventRecord]:
        return [rows.event_record(row) for row in self._execute(sql.EVENTS, (since, limit))]

    def last_cursor(self) -> int:
        cursor: int = self._first(sql.LAST_CURSOR)
        return cursor

    def statuses(self, request_ids: Collection[str]) -> Mapping[str, Status]:
        if not request_ids:
            return {}
        return dict(self._execute(sql.STATUSES, (json.dumps(list(request_ids)),)).fetchall())

    def overdue(self, now: int, limit: int) -> Sequence[str]:
        return [request_id for (request_id,) in self._execute(sql.OVERDUE, (now, limit))]

    def next_due(self) -> int:
        due: int = self._first(sql.NEXT_DUE)
        return due

    def waiting_owners(self) -> Sequence[str]:
        return [waiter for (waiter,) in self._execute(sql.WAITING_OWNERS)]

    def waited_for_by(self, owner: str, limit: int) -> Sequence[tuple[str, str]]:
        return self._execute(sql.WAITED_FOR_BY, (owner, limit)).fetchall()

    def running(self, limit: int) -> Sequence[tuple[str, str, str]]:
        return self._execute(sql.RUNNING, (limit,)).fetchall()

    # Writes

    def apply(self, effect: Effect) -> None:
        match effect:
            case InsertRequest(request):
                self._execute(sql.INSERT_REQUEST, rows.request_row(request))
            case UpdateRequest():
                self._update(effect)
            case PutRevision(revision):
                written = self._execute(sql.PUT_REVISION, rows.revision_row(revision)).rowcount
                _must_be_one(written, f"revision {revision.revision} of request {revision.request_id}")
            case InsertDecision(decision):
                self._execute(sql.INSERT_DECISION, rows.plain_row(decision, rows.DECISION))
            case PutPermit(permit):
                self._execute(sql.PUT_PERMIT, rows.plain_row(permit, rows.PERMIT))
            case PutAttempt(attempt):
                written = self._execute(sql.PUT_ATTEMPT, rows.plain_row(attempt, rows.ATTEMPT)).rowcount
                _must_be_one(written, f"attempt {attempt.no} of request {attempt.request_id}")
            case AppendEvent(event):
                self.wrote_events = True
                self._execute(sql.APPEND_EVENT, rows.plain_row(event, sql.WRITTEN_EVENT))

    def put_schema(self, tool: str, digest: str, text: str) -> None:
        if self.schema(tool, digest) is None:
            self._execute(sql.PUT_SCHEMA, (tool, digest, text))

    def _update(self, effect: UpdateRequest) -> None:
        old = {"old_version": effect.version, "old_status": effect.status}
        written = self._execute(sql.UPDATE_REQUEST, rows.request_row(effect.request) | old).rowcount
        _must_be_one(written, f"request {effect.request.id}")

    def _first(self, statement: str, *values: Any) -> Any:
        row = self._execute(statement, values).fetchone()
        return None if row is None else row[0]


def _page(query: PageQuery) -> tuple[str, list[Any]]:
    statuses = dict.fromkeys(query.statuses)
    keys: list[Any] = [] if query.tool is None else [query.tool]
    keys += (*(query.after or ()), *(query.before or ()))
    statement = sql.page_of(
        len(statuses),
        tool=query.tool is not None,
        after=query.after is not None,
        before=query.before is not None,
    )
    values: list[Any] = []
    for status in statuses:
        values += [status, *keys]
        values += [query.offset + query.limit] if len(statuses) > 1 else []
    return statement, [*values, query.limit, query.offset]


def _must_be_one(written: int, what: str) -> None:
    if written != 1:
        raise LostRace(f"{what} is not as it was read: somebody else writes to the tables of this queue")
