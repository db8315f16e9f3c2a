"""`SqliteTx`: the reads and writes of one transaction on a connection. It knows rows, and no rule about states."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from gatekit.backend.tx import Key, LostRace, PageQuery, RunsQuery
from gatekit.errors import StoreError
from gatekit.insight import Said
from gatekit.machine.effects import (
    AppendEvent,
    DeleteRun,
    DropReviewer,
    Effect,
    InsertDecision,
    InsertRequest,
    InsertRun,
    PutAttempt,
    PutGrant,
    PutPermit,
    PutReviewer,
    PutRevision,
    PutStop,
    UpdateRequest,
    UpdateRun,
    WakeRun,
)
from gatekit.machine.grants import GrantRecord
from gatekit.machine.records import (
    EventRecord,
    RequestRecord,
    ReviewerRecord,
    RowRecord,
    RunRecord,
    State,
    StepRecord,
    StopRecord,
)
from gatekit.models import RunState, Status
from gatekit.store import rows
from gatekit.store import statements as sql
from gatekit.store.finding import bound_of, counted_of, found_of


class SqliteTx:
    """One transaction; whoever made it begins and ends it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self.sated = False
        self.wrote_events = False
        """Whether somebody else may want to hear of it."""

    # Reads

    def state(self, request_id: str) -> State | None:
        request = self._execute(sql.REQUEST_BY_ID, (request_id,)).fetchone()
        if request is None:
            return None
        state = State(
            request=rows.request_record(request),
            revisions=tuple(map(rows.revision_record, self._execute(sql.REVISIONS_OF, (request_id,)))),
            decisions=tuple(map(rows.decision_record, self._execute(sql.DECISIONS_OF, (request_id,)))),
            permits=tuple(map(rows.permit_record, self._execute(sql.PERMITS_OF, (request_id,)))),
            attempts=tuple(map(rows.attempt_record, self._execute(sql.ATTEMPTS_OF, (request_id,)))),
        )
        missing = {1, state.request.revision} - {row.revision for row in state.revisions}
        if missing:
            raise StoreError(f"revision {min(missing)} of request {request_id} is missing: somebody else deletes rows")
        return state

    def find(self, run: str, tool: str, call_id: str) -> str | None:
        found: str | None = self._first(sql.FIND, run, tool, call_id)
        return found

    def schema(self, tool: str, digest: str) -> str | None:
        found: str | None = self._first(sql.SCHEMA, tool, digest)
        return found

    def page(self, query: PageQuery) -> Sequence[RowRecord]:
        if not query.statuses:
            return []
        statement, values = found_of(query) if query.looks else _page(query)
        lines = [rows.line_record(row) for row in self._execute(statement, values)]
        return lines if query.before is None else lines[::-1]

    def bound(self, query: PageQuery, rows: int) -> Key | None:
        if not query.statuses:
            return None
        found: list[Key] = self._execute(*bound_of(query, rows)).fetchall()
        return found[0] if len(found) > 1 else None

    def count(self, statuses: Collection[Status], at_most: int) -> int:
        total = 0
        for status in set(statuses):
            total += self._first(sql.COUNT, status, at_most - total)
        return total

    def count_found(self, query: PageQuery) -> int:
        found: int = self._execute(*counted_of(query)).fetchone()[0] if query.statuses else 0
        return found

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

    def news(self, since: int) -> Iterable[tuple[int, str, str | None, str, Status | None]]:
        return self._execute(sql.NEWS, (since,))

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

    # Runs

    def run(self, run_id: str) -> RunRecord | None:
        row = self._execute(sql.RUN_BY_ID, (run_id,)).fetchone()
        return None if row is None else rows.run_record(row)

    def runs(self, query: RunsQuery) -> Sequence[tuple[int, RunRecord]]:
        if not query.statuses:
            return []
        statement, values = _runs(query)
        return [(number, rows.run_record(row)) for number, *row in self._execute(statement, values)]

    def steps(self, run_id: str) -> Sequence[StepRecord]:
        return [StepRecord._make(row) for row in self._execute(sql.STEPS, (run_id,))]

    def ready_runs(self, workflows: Collection[str], limit: int) -> Sequence[str]:
        # Each workflow's oldest come from the index in order; together they would all have to be sorted.
        found = [row for name in set(workflows) for row in self._execute(sql.READY_RUNS, (name, limit))]
        return [run_id for _, run_id in sorted(found)[:limit]]

    def strange_runs(self, workflows: Collection[str], limit: int) -> Sequence[str]:
        return [run_id for (run_id,) in self._execute(sql.STRANGE_RUNS, (json.dumps(list(workflows)), limit))]

    def running_runs(self) -> Sequence[tuple[str, str]]:
        return self._execute(sql.RUNNING_RUNS).fetchall()

    def run_states(self, run_ids: Collection[str]) -> Mapping[str, RunState]:
        if not run_ids:
            return {}
        return dict(self._execute(sql.RUN_STATES, (json.dumps(list(run_ids)),)).fetchall())

    def run_history(self, run_id: str) -> Sequence[EventRecord]:
        return [rows.event_record(row) for row in self._execute(sql.RUN_HISTORY, (run_id,))]

    # Rules

    def reviewers(self) -> Sequence[ReviewerRecord]:
        return [rows.reviewer_record(row) for row in self._execute(sql.REVIEWERS)]

    def grant(self, grant_id: str) -> GrantRecord | None:
        row = self._execute(sql.GRANT_BY_ID, (grant_id,)).fetchone()
        return None if row is None else rows.grant_record(row)

    def grants(self, limit: int) -> Sequence[GrantRecord]:
        return [rows.grant_record(row) for row in self._execute(sql.GRANTS, (limit,))]

    def grants_of(self, tool: str) -> Sequence[GrantRecord]:
        return [rows.grant_record(row) for row in self._execute(sql.GRANTS_OF, (tool,))]

    def grants_on(self, request_id: str) -> Sequence[GrantRecord]:
        return [rows.grant_record(row) for row in self._execute(sql.GRANTS_ON, (request_id,))]

    def stop(self) -> StopRecord | None:
        text = self._first(sql.STOP)
        return None if text is None else rows.stop_record(text)

    def spent(self, tool: str, since: int) -> Sequence[str]:
        return [spend for (spend,) in self._execute(sql.SPENT, (tool, since))]

    def last_allowed(self, request: RequestRecord) -> str | None:
        row = self._execute(sql.LAST_ALLOWED, {"tool": request.tool, "id": request.id}).fetchone()
        return None if row is None else row[0]

    def last_refused(self, request: RequestRecord, since: int) -> str | None:
        values = {name: getattr(request, name) for name in ("tool", "id", "kind", "run", "requester")}
        row = self._execute(sql.LAST_REFUSED, values | {"since": since}).fetchone()
        return None if row is None else row[0]

    def said(self, since: int, limit: int) -> Sequence[Said]:
        return [Said._make(row) for row in self._execute(sql.SAID, (since, limit))]

    def oldest_pending(self) -> int | None:
        oldest: int | None = self._first(sql.OLDEST)
        return oldest

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
                self._execute(sql.INSERT_DECISION, rows.decision_row(decision))
            case PutPermit(permit):
                self._execute(sql.PUT_PERMIT, rows.plain_row(permit, rows.PERMIT))
            case PutAttempt(attempt):
                written = self._execute(sql.PUT_ATTEMPT, rows.plain_row(attempt, rows.ATTEMPT)).rowcount
                _must_be_one(written, f"attempt {attempt.no} of request {attempt.request_id}")
            case AppendEvent(event):
                self.wrote_events = True
                self._execute(sql.APPEND_EVENT, rows.plain_row(event, sql.WRITTEN_EVENT))
            case WakeRun() | InsertRun() | UpdateRun() | DeleteRun():
                self._apply_to_run(effect)
            case PutGrant() | PutReviewer() | DropReviewer() | PutStop():
                self._apply_to_rules(effect)

    def put_schema(self, tool: str, digest: str, text: str) -> None:
        if self.schema(tool, digest) is None:
            self._execute(sql.PUT_SCHEMA, (tool, digest, text))

    def _update(self, effect: UpdateRequest) -> None:
        old = {"old_version": effect.version, "old_status": effect.status}
        written = self._execute(sql.UPDATE_REQUEST, rows.request_row(effect.request) | old).rowcount
        _must_be_one(written, f"request {effect.request.id}")

    def _apply_to_run(self, effect: WakeRun | InsertRun | UpdateRun | DeleteRun) -> None:
        match effect:
            case WakeRun(run_id):
                self._execute(sql.WAKE_RUN, (run_id,))
            case InsertRun(run):
                self._execute(sql.INSERT_RUN, rows.run_row(run))
            case UpdateRun():
                self._update_run(effect)
            case DeleteRun(run_id):
                for statement in sql.DELETE_RUN:
                    self._execute(statement, (run_id,))

    def _update_run(self, effect: UpdateRun) -> None:
        old = {"old_status": effect.status, "old_executions": effect.executions}
        written = self._execute(sql.UPDATE_RUN, rows.run_row(effect.run) | old).rowcount
        _must_be_one(written, f"run {effect.run.id}")

    def _apply_to_rules(self, effect: PutGrant | PutReviewer | DropReviewer | PutStop) -> None:
        match effect:
            case PutGrant(grant):
                self._execute(sql.PUT_GRANT, rows.grant_row(grant))
            case PutReviewer(reviewer):
                self._execute(sql.PUT_REVIEWER, rows.reviewer_row(reviewer))
            case DropReviewer(name):
                self._execute(sql.DROP_REVIEWER, (name,))
            case PutStop(stop):
                if stop is None:
                    self._execute(sql.LIFT_STOP)
                else:
                    self._execute(sql.PUT_STOP, (rows.stop_text(stop),))

    def _first(self, statement: str, *values: Any) -> Any:
        row = self._execute(statement, values).fetchone()
        return None if row is None else row[0]


def _page(query: PageQuery) -> tuple[str, list[Any]]:
    statuses = dict.fromkeys(query.statuses)
    keys: list[Any] = [] if query.tool is None else [query.tool]
    keys += (*(query.after or ()), *(query.before or ()))
    statement = sql.page_of(
        len(statuses),
        query.order,
        tool=query.tool is not None,
        after=query.after is not None,
        before=query.before is not None,
    )
    values: list[Any] = []
    for status in statuses:
        values += [status, *keys]
        values += [query.offset + query.limit] if len(statuses) > 1 else []
    return statement, [*values, query.limit, query.offset]


def _runs(query: RunsQuery) -> tuple[str, list[Any]]:
    statuses = dict.fromkeys(query.statuses)
    keys: list[Any] = [key for key in (query.workflow, query.after) if key is not None]
    statement = sql.runs_of(len(statuses), workflow=query.workflow is not None, after=query.after is not None)
    return statement, [*(value for status in statuses for value in (status, *keys)), query.limit]


def _must_be_one(written: int, what: str) -> None:
    if written != 1:
        raise LostRace(f"{what} is not as it was read: somebody else writes to the tables of this queue")
