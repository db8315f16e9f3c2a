"""Tables as dictionaries, and one transaction over them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import Any, Final

from gatekit.backend.tx import Key, LostRace, PageQuery, RunsQuery
from gatekit.clock import FAR
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
from gatekit.machine.entering import WAITED_FOR
from gatekit.machine.grants import GrantRecord
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
    State,
    StepRecord,
    StopRecord,
)
from gatekit.models import RunState, Status
from gatekit.testing.finding import is_found, is_in_page, rank_of

_DESCRIPTION_SHOWN: Final = 201
_VOTES: Final = ("approve", "edit", "reject", "respond", "answer", "release")
_SPENDS: Final = ("approved", "running", "unknown", "succeeded", "failed")
_Key = tuple[str, int]


@dataclass(slots=True)
class Tables:
    """All that a queue holds. Rows of a request are kept by (request id, number)."""

    schemas: dict[tuple[str, str], str] = field(default_factory=dict)
    requests: dict[str, RequestRecord] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    identities: dict[tuple[str, str, str], str] = field(default_factory=dict)
    revisions: dict[_Key, RevisionRecord] = field(default_factory=dict)
    decisions: dict[_Key, DecisionRecord] = field(default_factory=dict)
    votes: dict[tuple[str, int, int, str], int] = field(default_factory=dict)
    spoken: dict[_Key, int] = field(default_factory=dict)
    """The numbers of decisions, in the order in which they were made."""
    permits: dict[_Key, PermitRecord] = field(default_factory=dict)
    attempts: dict[_Key, AttemptRecord] = field(default_factory=dict)
    tokens: dict[str, _Key] = field(default_factory=dict)
    events: dict[int, EventRecord] = field(default_factory=dict)
    cursors: int = 0
    """How many were ever given: an event that is gone leaves a gap."""
    runs: dict[str, RunRecord] = field(default_factory=dict)
    reviewers: dict[str, ReviewerRecord] = field(default_factory=dict)
    grants: dict[str, GrantRecord] = field(default_factory=dict)
    stop: StopRecord | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    """Of runs, in the order of their beginning."""


class MemoryTx:
    """One transaction; `roll_back` takes back what it wrote."""

    def __init__(self, tables: Tables) -> None:
        self.sated = False
        self._tables = tables
        self._undo: list[Callable[[], object]] = []

    def roll_back(self) -> None:
        """Undo every write, the last one first."""
        while self._undo:
            self._undo.pop()()

    # Reads

    def state(self, request_id: str) -> State | None:
        request = self._tables.requests.get(request_id)
        if request is None:
            return None
        return State(
            request=request,
            revisions=_of(self._tables.revisions, request_id),
            decisions=_of(self._tables.decisions, request_id),
            permits=_of(self._tables.permits, request_id),
            attempts=_of(self._tables.attempts, request_id),
        )

    def find(self, run: str, tool: str, call_id: str) -> str | None:
        return self._tables.identities.get((run, tool, call_id))

    def schema(self, tool: str, digest: str) -> str | None:
        return self._tables.schemas.get((tool, digest))

    def page(self, query: PageQuery) -> Sequence[RowRecord]:
        wanted = [(key, row) for key, row in self._ranked(query) if self._is_wanted(key, row, query)]
        lines = [self._line(row, key) for key, row in wanted]
        end = len(lines) - query.offset
        if query.before is not None:
            return lines[max(0, end - query.limit) : max(0, end)]
        return lines[query.offset : query.offset + query.limit]

    def bound(self, query: PageQuery, rows: int) -> Key | None:
        keys = [key for key, _ in self._ranked(query) if is_in_page(key, query)]
        keys = keys if query.before is None else keys[::-1]
        return keys[rows - 1] if len(keys) > rows else None

    def count(self, statuses: Collection[Status], at_most: int) -> int:
        return min(at_most, len(self._listed(statuses)))

    def count_found(self, query: PageQuery) -> int:
        return len(self.page(query))

    def position(self, request_id: str) -> int | None:
        request = self._tables.requests.get(request_id)
        return None if request is None else self._listed((request.status,)).index(request)

    def history(self, request_id: str) -> Sequence[EventRecord]:
        return [event for event in self._tables.events.values() if event.request_id == request_id != ""]

    def events(self, since: int, limit: int) -> Sequence[EventRecord]:
        events = self._tables.events
        behind = (events[cursor] for cursor in range(since + 1, self._tables.cursors + 1) if cursor in events)
        return list(islice(behind, limit))

    def news(self, since: int) -> Iterable[tuple[int, str, str | None, str, Status | None]]:
        newer = reversed([*takewhile(lambda cursor: cursor > since, reversed(self._tables.events))])
        events = map(self._tables.events.__getitem__, newer)
        found = self._tables.requests
        return [
            (
                event.cursor,
                event.kind,
                event.request_id,
                event.run,
                found[event.request_id].status if event.request_id in found else None,
            )
            for event in events
        ]

    def last_cursor(self) -> int:
        return next(reversed(self._tables.events), 0)

    def statuses(self, request_ids: Collection[str]) -> Mapping[str, Status]:
        requests = self._tables.requests
        return {request_id: requests[request_id].status for request_id in request_ids if request_id in requests}

    def overdue(self, now: int, limit: int) -> Sequence[str]:
        due = [row for row in self._in_order(self._tables.requests.values()) if row.due <= now and row.due < FAR]
        return [row.id for row in due[:limit]]

    def next_due(self) -> int:
        return min((row.due for row in self._tables.requests.values()), default=FAR)

    def waiting_owners(self) -> Sequence[str]:
        return sorted({row.waiter for row in self._tables.requests.values() if row.waiter and _is_waited_for(row)})

    def waited_for_by(self, owner: str, limit: int) -> Sequence[tuple[str, str]]:
        rows = [row for row in self._tables.requests.values() if row.waiter == owner and _is_waited_for(row)]
        return [(row.id, row.ticket or "") for row in rows[:limit]]

    def running(self, limit: int) -> Sequence[tuple[str, str, str]]:
        rows = [row for row in self._tables.requests.values() if row.status == "running" and row.attempt]
        attempts = [self._tables.attempts[row.id, row.attempt or 0] for row in rows[:limit]]
        return [(attempt.request_id, attempt.token, attempt.owner) for attempt in attempts]

    # Runs

    def run(self, run_id: str) -> RunRecord | None:
        return self._tables.runs.get(run_id)

    def runs(self, query: RunsQuery) -> Sequence[tuple[int, RunRecord]]:
        numbered = ((self._tables.numbers[run.id], run) for run in reversed(self._tables.runs.values()))
        return list(islice((line for line in numbered if _is_wanted(*line, query)), query.limit))

    def steps(self, run_id: str) -> Sequence[StepRecord]:
        rows = [row for row in self._tables.requests.values() if row.run == run_id != ""]
        return [StepRecord(row.call_id, row.tool, row.id, row.status) for row in rows]

    def ready_runs(self, workflows: Collection[str], limit: int) -> Sequence[str]:
        ready = [run.id for run in self._tables.runs.values() if run.ready and run.workflow in workflows]
        return ready[:limit]

    def strange_runs(self, workflows: Collection[str], limit: int) -> Sequence[str]:
        ready = [run for run in self._tables.runs.values() if run.ready and run.status == "waiting"]
        return [run.id for run in ready if run.workflow not in workflows][:limit]

    def running_runs(self) -> Sequence[tuple[str, str]]:
        return [(run.id, run.owner or "") for run in self._tables.runs.values() if run.status == "running"]

    def run_states(self, run_ids: Collection[str]) -> Mapping[str, RunState]:
        found = [self._tables.runs[run_id] for run_id in run_ids if run_id in self._tables.runs]
        return {run.id: "ready" if run.ready else run.status for run in found}

    def run_history(self, run_id: str) -> Sequence[EventRecord]:
        return [event for event in self._tables.events.values() if event.run == run_id != ""]

    # Rules

    def reviewers(self) -> Sequence[ReviewerRecord]:
        return sorted(self._tables.reviewers.values(), key=lambda row: row.name)

    def grant(self, grant_id: str) -> GrantRecord | None:
        return self._tables.grants.get(grant_id)

    def grants(self, limit: int) -> Sequence[GrantRecord]:
        return list(islice(reversed(self._tables.grants.values()), limit))

    def grants_of(self, tool: str) -> Sequence[GrantRecord]:
        return [grant for grant in self._tables.grants.values() if grant.tool == tool and grant.revoked_at is None]

    def grants_on(self, request_id: str) -> Sequence[GrantRecord]:
        return [grant for grant in self._tables.grants.values() if grant.request_id == request_id]

    def stop(self) -> StopRecord | None:
        return self._tables.stop

    def spent(self, tool: str, since: int) -> Sequence[str]:
        rows = [row for row in self._tables.requests.values() if row.tool == tool and row.status in _SPENDS]
        return [row.spend for row in rows if row.spend is not None and (row.spend_at or 0) > since]

    def last_allowed(self, request: RequestRecord) -> str | None:
        found = [
            (said.at, place, row.id)
            for place, row, said in self._others(request)
            if row.status in _SPENDS and said.verb in ("approve", "edit", "retry")
        ]
        return max(found)[2] if found else None

    def last_refused(self, request: RequestRecord, since: int) -> str | None:
        found = [
            (request.run == row.run != "", said.at, place, row.id)
            for place, row, said in self._others(request)
            if row.status in ("rejected", "responded") and row.kind == request.kind
            if said.at > since and said.by.startswith("human:")
            if row.requester == request.requester or request.run == row.run != ""
        ]
        return max(found)[3] if found else None

    def _others(self, request: RequestRecord) -> Iterable[tuple[int, RequestRecord, DecisionRecord]]:
        """The others of its tool that people decided on, each with its place and what they said of it."""
        for row in self._tables.requests.values():
            if row.tool == request.tool and row.id != request.id:
                said = self._tables.decisions.get((row.id, row.decision or 0))
                if said is not None and said.verb == "settle":
                    attempt = self._tables.attempts[row.id, row.attempt or 0]
                    said = self._tables.decisions[row.id, self._tables.permits[row.id, attempt.permit].decision]
                if said is not None and said.by.startswith(("human:", "grant:")):
                    yield self._tables.places[row.id], row, said

    def said(self, since: int, limit: int) -> Sequence[Said]:
        rows = [row for row in self._tables.decisions.values() if row.at > since and row.by.startswith("human:")]
        newest = sorted((row for row in rows if row.verb in _VOTES), key=lambda row: -row.at)[:limit]
        tools = {row.request_id: self._tables.requests[row.request_id].tool for row in newest}
        return [Said(tools[row.request_id], row.verb, row.asked_at, row.at, row.by, row.request_id) for row in newest]

    def oldest_pending(self) -> int | None:
        pending = (row.created_at for row in self._tables.requests.values() if row.status == "pending")
        return min(pending, default=None)

    # Writes

    def apply(self, effect: Effect) -> None:
        tables = self._tables
        match effect:
            case InsertRequest(request):
                self._insert(request)
            case UpdateRequest():
                self._update(effect)
            case PutRevision(revision):
                self._put_revision(revision)
            case InsertDecision(decision):
                if decision.verb in _VOTES:
                    vote = (decision.request_id, decision.version, decision.stage, decision.by)
                    self._add(tables.votes, vote, decision.no)
                self._add(tables.decisions, (decision.request_id, decision.no), decision)
                self._add(tables.spoken, (decision.request_id, decision.no), _next(tables.spoken))
            case PutPermit(permit):
                self._set(tables.permits, (permit.request_id, permit.no), permit)
            case PutAttempt(attempt):
                self._put_attempt(attempt)
            case AppendEvent(event):
                cursor = tables.cursors + 1
                self._put("cursors", cursor)
                self._add(tables.events, cursor, replace(event, cursor=cursor))
            case WakeRun() | InsertRun() | UpdateRun() | DeleteRun():
                self._apply_to_run(effect)
            case PutGrant() | PutReviewer() | DropReviewer() | PutStop():
                self._apply_to_rules(effect)

    def put_schema(self, tool: str, digest: str, text: str) -> None:
        if (tool, digest) not in self._tables.schemas:
            self._set(self._tables.schemas, (tool, digest), text)

    def _insert(self, request: RequestRecord) -> None:
        tables = self._tables
        self._add(tables.identities, (request.run, request.tool, request.call_id), request.id)
        self._add(tables.requests, request.id, request)
        self._add(tables.places, request.id, _next(tables.places))

    def _update(self, effect: UpdateRequest) -> None:
        old = self._tables.requests.get(effect.request.id)
        if old is None or (old.version, old.status) != (effect.version, effect.status):
            raise LostRace(f"request {effect.request.id} is not as it was read")
        self._set(self._tables.requests, effect.request.id, effect.request)

    def _put_revision(self, revision: RevisionRecord) -> None:
        key = (revision.request_id, revision.revision)
        old = self._tables.revisions.get(key)
        if old is not None:
            if (old.digest, old.text) != (revision.digest, revision.text):
                raise LostRace(f"revision {revision.revision} of request {revision.request_id} has other arguments")
            revision = replace(old, verdict=revision.verdict)
        self._set(self._tables.revisions, key, revision)

    def _put_attempt(self, attempt: AttemptRecord) -> None:
        key = (attempt.request_id, attempt.no)
        if self._tables.tokens.get(attempt.token, key) != key:
            raise StoreError(f"there is an attempt of the token {attempt.token!r} already")
        self._set(self._tables.tokens, attempt.token, key)
        self._set(self._tables.attempts, key, attempt)

    def _apply_to_run(self, effect: WakeRun | InsertRun | UpdateRun | DeleteRun) -> None:
        tables = self._tables
        match effect:
            case WakeRun(run_id):
                waiting = tables.runs.get(run_id)
                if waiting is not None and waiting.status in ("waiting", "needs-review"):
                    self._set(tables.runs, run_id, replace(waiting, ready=True))
            case InsertRun(run):
                self._add(tables.runs, run.id, run)
                self._add(tables.numbers, run.id, _next(tables.numbers))
            case UpdateRun():
                self._update_run(effect)
            case DeleteRun(run_id):
                self._delete_run(run_id)

    def _apply_to_rules(self, effect: PutGrant | PutReviewer | DropReviewer | PutStop) -> None:
        tables = self._tables
        match effect:
            case PutGrant(grant):
                self._set(tables.grants, grant.id, grant)
            case PutReviewer(reviewer):
                self._set(tables.reviewers, reviewer.name, reviewer)
            case DropReviewer(name):
                self._keep("reviewers", lambda key, row: key != name)
            case PutStop(stop):
                self._put("stop", stop)

    def _update_run(self, effect: UpdateRun) -> None:
        old = self._tables.runs.get(effect.run.id)
        if old is None or (old.status, old.executions) != (effect.status, effect.executions):
            raise LostRace(f"run {effect.run.id} is not as it was read")
        self._set(self._tables.runs, effect.run.id, effect.run)

    def _delete_run(self, run_id: str) -> None:
        steps = {step.request_id for step in self.steps(run_id)}
        self._keep("events", lambda cursor, event: event.run != run_id or not run_id)
        for table in ("revisions", "decisions", "spoken", "votes", "permits", "attempts"):
            self._keep(table, lambda key, row: key[0] not in steps)
        self._keep("tokens", lambda token, key: key[0] not in steps)
        self._keep("identities", lambda identity, request_id: request_id not in steps)
        self._keep("requests", lambda request_id, request: request_id not in steps)
        self._keep("places", lambda request_id, place: request_id not in steps)
        self._keep("runs", lambda key, run: key != run_id)
        self._keep("numbers", lambda key, number: key != run_id)

    def _keep(self, name: str, wanted: Callable[[Any, Any], bool]) -> None:
        # A new table: rows that were taken out of the old one could only be put back at its end.
        self._put(name, {key: row for key, row in getattr(self._tables, name).items() if wanted(key, row)})

    def _put(self, name: str, value: object) -> None:
        tables, old = self._tables, getattr(self._tables, name)
        self._undo.append(lambda: setattr(tables, name, old))
        setattr(tables, name, value)

    def _add(self, table: dict[Any, Any], key: object, value: object) -> None:
        if key in table:
            raise StoreError(f"there is a row {key!r} already")
        self._set(table, key, value)

    def _set(self, table: dict[Any, Any], key: object, value: object) -> None:
        if key in table:
            old = table[key]
            self._undo.append(lambda: table.__setitem__(key, old))
        else:
            self._undo.append(lambda: table.__delitem__(key))
        table[key] = value

    # Lists

    def _in_order(self, requests: Iterable[RequestRecord]) -> list[RequestRecord]:
        return sorted(requests, key=lambda row: (row.due, self._tables.places[row.id]))

    def _listed(self, statuses: Collection[Status]) -> list[RequestRecord]:
        return self._in_order(row for row in self._tables.requests.values() if row.status in statuses)

    def _ranked(self, query: PageQuery) -> list[tuple[Key, RequestRecord]]:
        """All that is ordered, each with its key: what no index has apart is among it."""
        tables = self._tables
        if query.order == "decided":
            said = [((row.at, tables.spoken[no]), tables.requests[no[0]]) for no, row in tables.decisions.items()]
            return sorted(said, key=lambda line: line[0], reverse=True)
        rows = [row for row in tables.requests.values() if row.status in query.statuses]
        rows = [row for row in rows if query.order != "due" or query.tool in (None, row.tool)]
        keyed = [((rank_of(row, query.order), tables.places[row.id]), row) for row in rows]
        return sorted(keyed, key=lambda line: line[0])

    def _is_wanted(self, key: Key, row: RequestRecord, query: PageQuery) -> bool:
        tables = self._tables
        text = tables.revisions[row.id, row.revision].text
        return (
            is_in_page(key, query)
            and row.status in query.statuses
            and query.tool in (None, row.tool)
            and (query.order != "decided" or tables.spoken.get((row.id, row.decision or 0)) == key[1])
            and (query.where is None or is_found(query.where, row, text, query.now))
        )

    def _line(self, row: RequestRecord, key: Key) -> RowRecord:
        return RowRecord(
            id=row.id,
            kind=row.kind,
            tool=row.tool,
            status=row.status,
            description=row.description[:_DESCRIPTION_SHOWN],
            risk=row.risk,
            run=row.run,
            requester=row.requester,
            created_at=row.created_at,
            decide_by=row.decide_by,
            effective_at=row.effective_at,
            version=row.version,
            digest=row.digest,
            hidden=row.hidden,
            waiter=row.waiter,
            stage=row.stage,
            stages=row.stages,
            claimed_by=row.claimed_by,
            claimed_at=row.claimed_at,
            rank=key[0],
            pos=key[1],
        )


def _of(table: dict[_Key, Any], request_id: str) -> tuple[Any, ...]:
    # Numbers of a request's rows have no gaps.
    rows, number = [], 1
    while (request_id, number) in table:
        rows.append(table[request_id, number])
        number += 1
    return tuple(rows)


def _next(numbers: dict[Any, int]) -> int:
    # As in a table of SQLite, where the next number is one more than the greatest that is left.
    return next(reversed(numbers.values()), 0) + 1


def _is_wanted(number: int, run: RunRecord, query: RunsQuery) -> bool:
    return (
        run.status in query.statuses
        and query.workflow in (None, run.workflow)
        and (query.after is None or number < query.after)
    )


def _is_waited_for(row: RequestRecord) -> bool:
    return row.waiter is not None and not row.call_given and row.status in WAITED_FOR
