"""The smallest queue there can be: it writes the machine's effects down and reads the state back from them.

What the machine forgets to write is then missing in the next command, as it would be in a file.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

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
from gatekit.machine.records import (
    AttemptRecord,
    DecisionRecord,
    EventRecord,
    PermitRecord,
    RequestRecord,
    RevisionRecord,
    State,
)


class Rows:
    """The tables of one request."""

    def __init__(self) -> None:
        self.request: RequestRecord | None = None
        self.revisions: dict[int, RevisionRecord] = {}
        self.decisions: dict[int, DecisionRecord] = {}
        self.permits: dict[int, PermitRecord] = {}
        self.attempts: dict[int, AttemptRecord] = {}
        self.events: list[EventRecord] = []

    def state(self) -> State:
        assert self.request is not None
        return in_order(
            State(
                request=self.request,
                revisions=tuple(self.revisions.values()),
                decisions=tuple(self.decisions.values()),
                permits=tuple(self.permits.values()),
                attempts=tuple(self.attempts.values()),
            )
        )

    def apply(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            self._apply(effect)

    def _apply(self, effect: Effect) -> None:
        match effect:
            case InsertRequest(request):
                assert self.request is None, "inserted twice"
                self.request = request
            case UpdateRequest(request, version, status):
                assert self.request is not None
                assert (self.request.version, self.request.status) == (version, status), "a lost race"
                self.request = request
            case PutRevision(revision):
                self._put_revision(revision)
            case InsertDecision(decision):
                assert decision.no not in self.decisions, "a decision was written over"
                self.decisions[decision.no] = decision
            case PutPermit(permit):
                old_permit = self.permits.get(permit.no, permit)
                assert replace(permit, starts=0, void=False) == replace(old_permit, starts=0, void=False)
                assert permit.void or not old_permit.void, "a void permit came to life"
                self.permits[permit.no] = permit
            case PutAttempt(attempt):
                old = replace(self.attempts.get(attempt.no, attempt), state="lost", finished_at=0)
                assert replace(attempt, state="lost", finished_at=0) == old
                self.attempts[attempt.no] = attempt
            case AppendEvent(event):
                self.events.append(event)
            case WakeRun():
                # The run's own row, in the tables of a queue.
                pass
            case InsertRun() | UpdateRun() | DeleteRun() | PutGrant() | PutReviewer() | DropReviewer() | PutStop():
                raise AssertionError(f"a transition of a request wrote {effect}")

    def _put_revision(self, revision: RevisionRecord) -> None:
        old = self.revisions.get(revision.revision)
        if old is not None:
            assert old.verdict is None, "a verdict was written over"
            assert replace(revision, verdict=None) == old, "arguments were written over"
        self.revisions[revision.revision] = revision

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def data(self, kind: str) -> dict[str, Any]:
        """What the last event of this kind says."""
        loaded: dict[str, Any] = json.loads([event for event in self.events if event.kind == kind][-1].data)
        return loaded


def in_order(state: State) -> State:
    """The same state with its rows as a table returns them."""
    return replace(
        state,
        revisions=tuple(sorted(state.revisions, key=lambda row: row.revision)),
        decisions=tuple(sorted(state.decisions, key=lambda row: row.no)),
        permits=tuple(sorted(state.permits, key=lambda row: row.no)),
        attempts=tuple(sorted(state.attempts, key=lambda row: row.no)),
    )
