"""How a call enters the queue, and how the process that waits for it comes and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gatekit.machine.clockwork import approve_by_rule, settle
from gatekit.machine.commands import Answer, Decide
from gatekit.machine.deciding import decide
from gatekit.machine.effects import Draft, Effect, InsertRequest, PutRevision, UpdateRequest, WakeRun, due_of
from gatekit.machine.records import PREDICATE, RequestRecord, RevisionRecord, State
from gatekit.models import UNDECIDED, Status

WAITED_FOR: Final[frozenset[Status]] = frozenset({"pending", "held", "approved"})
"""The states in which the process that made the call can come and go."""


def submit(request: RequestRecord, revision: RevisionRecord, now: int) -> Answer[None]:
    """A new request, pending."""
    draft = _entered(request, revision, now)
    _submitted(draft)
    return _inserted(draft)


def _submitted(draft: Draft) -> None:
    plan = draft.state.plan
    stages = [stage.name for stage in plan.stages] if draft.request.plan else None
    # Who lets the same person ask and decide says so in the history too.
    separate = None if plan.separate else False
    draft.event("submitted", draft.request.requester, stages=stages, rule=plan.rule or None, separate=separate)


def submit_allowed(
    request: RequestRecord, revision: RevisionRecord, now: int, by: str = PREDICATE, reason: str | None = None
) -> Answer[None]:
    """A call that needs no human: approved by its predicate, a rule, a budget or a grant, and never pending."""
    draft = _entered(request, revision, now)
    _submitted(draft)
    approve_by_rule(draft, by, reason)
    return _inserted(draft)


def _entered(request: RequestRecord, revision: RevisionRecord, now: int) -> Draft:
    request = replace(request, asked_at=now)
    due = due_of(request)
    entered = request if due == request.due else replace(request, due=due)
    return Draft(State(request=entered, revisions=(revision,)), now)


def _inserted(draft: Draft) -> Answer[None]:
    (revision,) = draft.state.revisions
    rest = tuple(effect for effect in draft.effects() if not isinstance(effect, UpdateRequest | WakeRun))
    effects: tuple[Effect, ...] = (InsertRequest(draft.request), PutRevision(revision), *rest)
    return Answer(state=draft.state, effects=effects)


def attach(state: State, waiter: str, ticket: str, now: int) -> Answer[None]:
    """The same call again: the process `waiter` waits for this request from now on."""
    draft = Draft(state, now)
    settle(draft)
    if draft.request.status in WAITED_FOR:
        # Whoever came back by its id can come back again: from now on an interruption keeps the request.
        draft.move(waiter=waiter, ticket=ticket, call_given=True)
        draft.event("attached", draft.request.requester)
    return Answer(state=draft.state, effects=draft.effects())


def detach(state: State, ticket: str, now: int) -> Answer[None]:
    """A process stops waiting for a decision. Where there is one by now, it goes on to the start instead."""
    return _left(state, ticket, now, UNDECIDED)


def _left(state: State, ticket: str, now: int, where: frozenset[Status]) -> Answer[None]:
    draft = Draft(state, now)
    settle(draft)
    if draft.request.ticket == ticket and draft.request.status in where:
        draft.move(waiter=None, ticket=None)
        draft.event("suspended", draft.request.requester)
    return Answer(state=draft.state, effects=draft.effects())


def withdraw(state: State, ticket: str, now: int) -> Answer[None]:
    """A wait was interrupted: a call that nobody can make again is cancelled, any other is kept for its return."""
    request = state.request
    if request.call_given or request.ticket != ticket or request.status not in WAITED_FOR:
        return _left(state, ticket, now, WAITED_FOR)
    command = Decide(verb="cancel", by=request.requester, token=None, reason="the caller stopped waiting")
    answer = decide(state, command, now)
    return Answer(state=answer.state, effects=answer.effects)
