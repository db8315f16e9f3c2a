"""What a transition writes: a closed union, and the builder that collects it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from gatekit.clock import FAR
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
    RunRecord,
    State,
    StopRecord,
)
from gatekit.models import FINAL, RunStatus, Status


@dataclass(frozen=True, slots=True)
class InsertRequest:
    """A new request; its identity must be new too."""

    request: RequestRecord


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """The request's new row, written only where version and status are still those that were read."""

    request: RequestRecord
    version: int
    status: Status


@dataclass(frozen=True, slots=True)
class PutRevision:
    """A new revision, or the verdict on one."""

    revision: RevisionRecord


@dataclass(frozen=True, slots=True)
class InsertDecision:
    """A decision; never changed afterwards."""

    decision: DecisionRecord


@dataclass(frozen=True, slots=True)
class PutPermit:
    """A new permit, or its new count."""

    permit: PermitRecord


@dataclass(frozen=True, slots=True)
class PutAttempt:
    """A new attempt, or its outcome."""

    attempt: AttemptRecord


@dataclass(frozen=True, slots=True)
class AppendEvent:
    """One more event."""

    event: EventRecord


@dataclass(frozen=True, slots=True)
class WakeRun:
    """A run that waits, or needs a review, can be taken up again. Harmless where there is none of this id."""

    run_id: str


@dataclass(frozen=True, slots=True)
class InsertRun:
    """A new run; its id must be new too."""

    run: RunRecord


@dataclass(frozen=True, slots=True)
class UpdateRun:
    """The run's new row, written only where status and executions are still those that were read."""

    run: RunRecord
    status: RunStatus
    executions: int


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """The run and all that its steps left, events too."""

    run_id: str


@dataclass(frozen=True, slots=True)
class PutGrant:
    """A new standing permission, or its use or end."""

    grant: GrantRecord


@dataclass(frozen=True, slots=True)
class PutReviewer:
    """A reviewer whom the queue knows from now on, with these roles."""

    reviewer: ReviewerRecord


@dataclass(frozen=True, slots=True)
class DropReviewer:
    """A reviewer whom the queue no longer knows."""

    name: str


@dataclass(frozen=True, slots=True)
class PutStop:
    """Nothing may start from now on; None: it may again."""

    stop: StopRecord | None


Effect = (
    InsertRequest
    | UpdateRequest
    | PutRevision
    | InsertDecision
    | PutPermit
    | PutAttempt
    | AppendEvent
    | WakeRun
    | InsertRun
    | UpdateRun
    | DeleteRun
    | PutGrant
    | PutReviewer
    | DropReviewer
    | PutStop
)


Timer = Literal["silence", "escalate", "remind"]


class Draft:
    """A transition in the making: the state so far and what it writes. Lives inside one call of the machine."""

    def __init__(self, state: State, now: int) -> None:
        self._before = state.request
        self.state = state
        self.now = now
        self._effects: list[Effect] = []

    @property
    def request(self) -> RequestRecord:
        return self.state.request

    def move(self, **changes: Any) -> None:
        """Change the request's row; `due` follows from the rest."""
        request = replace(self.state.request, **changes)
        due = due_of(request)
        if due != request.due:
            request = replace(request, due=due)
        self.state = replace(self.state, request=request)

    def put_off(self, until: int) -> None:
        """Let the clock look at the request again only then, although something is due."""
        self.state = replace(self.state, request=replace(self.state.request, due=until))

    def put_revision(self, revision: RevisionRecord) -> None:
        others = tuple(row for row in self.state.revisions if row.revision != revision.revision)
        self.state = replace(self.state, revisions=(*others, revision))
        self._effects.append(PutRevision(revision))

    def insert_decision(self, decision: DecisionRecord) -> None:
        self.state = replace(self.state, decisions=(*self.state.decisions, decision))
        self._effects.append(InsertDecision(decision))

    def put_permit(self, permit: PermitRecord) -> None:
        others = tuple(row for row in self.state.permits if row.no != permit.no)
        self.state = replace(self.state, permits=(*others, permit))
        self._effects.append(PutPermit(permit))

    def put_attempt(self, attempt: AttemptRecord) -> None:
        others = tuple(row for row in self.state.attempts if row.no != attempt.no)
        self.state = replace(self.state, attempts=(*others, attempt))
        self._effects.append(PutAttempt(attempt))

    def event(self, kind: str, by: str, /, **data: Any) -> None:
        """One event, with the version and digest that hold now."""
        request = self.request
        self._effects.append(
            AppendEvent(
                EventRecord(
                    kind=kind,
                    request_id=request.id,
                    call_id=request.call_id,
                    tool=request.tool,
                    run=request.run,
                    by=by,
                    at=self.now,
                    version=request.version,
                    digest=request.digest,
                    data=event_data(data),
                )
            )
        )

    def effects(self) -> tuple[Effect, ...]:
        """What to write: the request's row first, so that a lost race is noticed before anything else."""
        if self.state.request == self._before:
            return tuple(self._effects)
        update = UpdateRequest(self.state.request, self._before.version, self._before.status)
        return (update, *self._effects, *self._wake())

    def _wake(self) -> tuple[WakeRun, ...]:
        """A run that waits for this request has something to go on with."""
        request = self.request
        goes_on = request.status in ("approved", "unknown") or request.status in FINAL
        return (WakeRun(request.run),) if request.run and goes_on and request.status != self._before.status else ()


def event_data(data: dict[str, Any]) -> str:
    """What an event says besides its kind, as it is kept; what is None is left out."""
    return json.dumps({key: value for key, value in data.items() if value is not None}, sort_keys=True)


def event_of_queue(kind: str, by: str, now: int, /, **data: Any) -> AppendEvent:
    """Something that happened to the queue itself, and concerns no request."""
    return AppendEvent(
        EventRecord(
            kind=kind,
            request_id="",
            call_id="",
            tool="",
            run="",
            by=by,
            at=now,
            version=0,
            digest="",
            data=event_data(data),
        )
    )


def due_of(request: RequestRecord) -> int:
    """When the clock next has something to say of this request."""
    if request.status == "pending":
        return min((moment for moment, _ in timers_of(request)), default=FAR)
    moment = {"held": request.effective_at, "approved": request.start_by}.get(request.status)
    return FAR if moment is None else moment


def timers_of(request: RequestRecord) -> list[tuple[int, Timer]]:
    """What the clock does to a pending request, and when, in this order."""
    plan = plan_of(request.plan)
    timers: list[tuple[int, Timer]] = []
    if request.decide_by is not None:
        timers.append((request.decide_by, "silence"))
    if request.rung < len(plan.rungs):
        timers.append((request.asked_at + plan.rungs[request.rung].after, "escalate"))
    if plan.remind_every is not None:
        timers.append((request.asked_at + (request.reminded + 1) * plan.remind_every, "remind"))
    # Of those that come at the same moment silence first: nobody is asked or reminded of what is over.
    return sorted(timers, key=lambda timer: timer[0])
