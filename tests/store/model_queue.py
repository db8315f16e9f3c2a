"""A queue as the pure machine alone would keep it: rows in dictionaries, one command after the other.

Every method is named after the one of the backend that it stands for, and answers what that one has to answer. A
refusal is raised, as there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from gatekit import owner
from gatekit.backend.base import Call
from gatekit.clock import FAR
from gatekit.errors import RequestNotFound
from gatekit.machine import attempts, deciding, entering, running
from gatekit.machine.clockwork import settle
from gatekit.machine.commands import Answer, Decide, Finish, Lose, Reconcile, Resolve, Start, Started
from gatekit.machine.effects import Draft
from gatekit.machine.projection import decision_model, request_model
from gatekit.machine.records import AttemptRecord, DecisionRecord, RequestRecord, RevisionRecord, State
from gatekit.models import Decision, Request, Status
from tests.machine.rows import Rows

T = TypeVar("T")
_WAITED_FOR: Final = ("pending", "held", "approved")


def records(call: Call, waiter: str, now: int, expires_after: int | None) -> tuple[RequestRecord, RevisionRecord]:
    """What a call has to look like in the tables when it has just entered the queue."""
    request = RequestRecord(
        id=call.request_id,
        kind=call.kind,
        tool=call.tool,
        run=call.run,
        call_id=call.request_id if call.call_id is None else call.call_id,
        call_given=call.call_id is not None,
        requester=call.requester,
        description=call.description,
        risk=call.risk,
        reasons=call.reasons,
        hidden=call.hidden,
        created_at=now,
        digest=call.digest,
        max_starts=call.max_starts,
        start_within=call.start_within,
        expires_after=expires_after,
        decide_by=None if expires_after is None else now + expires_after,
        waiter=waiter if call.waits else None,
        ticket=call.ticket if call.waits else None,
    )
    revision = RevisionRecord(
        request_id=call.request_id,
        revision=1,
        text=call.text,
        digest=call.digest,
        schema=call.schema_digest,
        by=call.requester,
        at=now,
        verdict=call.verdict,
    )
    return request, revision


class ModelQueue:
    """The rows of every request, by its id, in the order in which they came."""

    def __init__(self) -> None:
        self.rows: dict[str, Rows] = {}

    def state(self, request_id: str) -> State:
        return self.rows[request_id].state()

    def status(self, request_id: str) -> Status:
        return self.state(request_id).request.status

    # Entering and leaving

    def submit(self, call: Call, waiter: str, now: int, *, expires_after: int | None = None) -> Request:
        present = self.present(call)
        if present is None:
            self.rows[call.request_id] = Rows()
            self._take(call.request_id, entering.submit(*records(call, waiter, now, expires_after), now))
        return self._request(present or call.request_id)

    def submit_allowed(self, call: Call, waiter: str, token: str, now: int) -> Request:
        present = self.present(call)
        if present is None:
            self.rows[call.request_id] = Rows()
            self._take(call.request_id, entering.submit_allowed(*records(call, waiter, now, None), now))
            command = Start(version=1, token=token, owner=waiter)
            self._take(call.request_id, running.start(self.state(call.request_id), command, now))
        return self._request(present or call.request_id)

    def attach(self, request_id: str, waiter: str, ticket: str, now: int) -> Request:
        return self._move(request_id, lambda state: entering.attach(state, waiter, ticket, now))

    def detach(self, request_id: str, ticket: str, now: int) -> Request:
        return self._move(request_id, lambda state: entering.detach(state, ticket, now))

    def withdraw(self, request_id: str, ticket: str, now: int) -> None:
        self._move(request_id, lambda state: entering.withdraw(state, ticket, now))

    # Deciding and running

    def decide(self, request_id: str, command: Decide, now: int) -> Decision:
        return self._say(request_id, lambda state: deciding.decide(state, command, now))

    def resolve(self, request_id: str, command: Resolve, now: int) -> Decision:
        return self._say(request_id, lambda state: attempts.resolve(state, command, now))

    def reconcile(self, request_id: str, command: Reconcile, now: int) -> Request:
        return self._move(request_id, lambda state: attempts.reconcile(state, command, now))

    def start(self, request_id: str, command: Start, now: int) -> Started | Request:
        answer = self._take(request_id, running.start(self.state(request_id), command, now))
        if answer.refusal is not None:
            raise answer.refusal
        return answer.value or self._request(request_id)

    def give_back(self, request_id: str, token: str, now: int) -> None:
        self._move(request_id, lambda state: running.give_back(state, token, now))

    def finish(self, request_id: str, command: Finish, now: int) -> Request:
        return self._move(request_id, lambda state: running.finish(state, command, now))

    def lose(self, request_id: str, token: str, why: str, now: int) -> Request:
        return self._move(request_id, lambda state: running.lose(state, Lose(token=token, why=why), now))

    # Time, and reading

    def sweep(self, now: int) -> int:
        """Settle what is overdue, then withdraw and lose what dead processes left."""
        moved = self.settle(now)
        for rows in self.rows.values():
            request = rows.state().request
            if _is_dead(request.waiter) and not request.call_given and request.status in _WAITED_FOR:
                self.withdraw(request.id, request.ticket or "", now)
                moved += 1
        for rows in self.rows.values():
            attempt = rows.state().attempt
            why = None if attempt is None or rows.state().request.status != "running" else _given_up(attempt)
            if attempt is not None and why is not None:
                self.lose(attempt.request_id, attempt.token, why, now)
                moved += 1
        return moved

    def settle(self, now: int) -> int:
        """What every look at the queue does first."""
        overdue = [rows for rows in self.rows.values() if rows.state().request.due <= now]
        for rows in overdue:
            draft = Draft(rows.state(), now)
            settle(draft)
            rows.apply(draft.effects())
        return len(overdue)

    def get(self, request_id: str, now: int) -> Request:
        self.settle(now)
        if request_id not in self.rows:
            raise RequestNotFound(request_id)
        return self._request(request_id)

    def listed(self, statuses: Collection[Status]) -> list[str]:
        """Ids in the order of the list: those due first first, then as they came."""
        requests = [rows.state().request for rows in self.rows.values()]
        return [row.id for row in sorted(requests, key=lambda row: row.due) if row.status in statuses]

    def next_due(self) -> int:
        return min((rows.state().request.due for rows in self.rows.values()), default=FAR)

    def present(self, call: Call) -> str | None:
        """The id of the request with this call's identity."""
        wanted = (call.run, call.tool, call.call_id)
        for rows in self.rows.values():
            request = rows.state().request
            if (request.run, request.tool, request.call_id) == wanted:
                return request.id
        return None

    def _say(self, request_id: str, say: Callable[[State], Answer[DecisionRecord]]) -> Decision:
        if request_id not in self.rows:
            raise RequestNotFound(request_id)
        answer = self._take(request_id, say(self.state(request_id)))
        if answer.refusal is not None:
            raise answer.refusal
        assert answer.value is not None, "neither a decision nor a refusal"
        return decision_model(self.state(request_id), answer.value)

    def _move(self, request_id: str, change: Callable[[State], Answer[None]]) -> Request:
        self._take(request_id, change(self.state(request_id)))
        return self._request(request_id)

    def _take(self, request_id: str, answer: Answer[T]) -> Answer[T]:
        self.rows[request_id].apply(answer.effects)
        return answer

    def _request(self, request_id: str) -> Request:
        state = self.state(request_id)
        waiter = state.request.waiter
        return request_model(state, waiting=waiter is not None and not _is_dead(waiter))


def _given_up(attempt: AttemptRecord) -> str | None:
    """Why nobody will report how this attempt ended; None: somebody may."""
    if attempt.owner == owner.current().text:
        return None if attempt.token in owner.living else "its process could not report how it ended"
    return "its process died" if _is_dead(attempt.owner) else None


def _is_dead(process: str | None) -> bool:
    return process is not None and owner.is_dead(process) is True
