"""Whether a start is backed by what must stand behind it: rows that contradict each other were not written by gatekit.

What was forged so that everything agrees cannot be told from the rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from gatekit.arguments.canonical import digest_of
from gatekit.machine.clockwork import in_force_since, start_by_of
from gatekit.machine.plan import DEFAULT
from gatekit.machine.records import DecisionRecord, EventRecord, PermitRecord, State
from gatekit.machine.voting import progress

_NO_MOVE: Final = frozenset({"attached", "suspended", "late_report", "reported", "reconciled", "granted"})
"""Events that say nothing of the state."""
_IN_FORCE: Final = frozenset({"effective", "not_started", "again", "retried"})
"""Events after which a call may start."""
_RULES: Final = frozenset({"policy", "grant"})
"""Whose word counts without a human's."""
_EVENT_OF: Final = {"approve": "approved", "edit": "edited", "retry": "retried"}


def flaw_in_rows(state: State) -> str | None:
    """What contradicts a start of this approved request; None: its decision, permit and attempts agree."""
    request, permit, decision = state.request, state.permit, state.decision
    if decision is None:
        missing = "nobody decided" if request.decision is None else f"decision {request.decision} is missing"
        return f"request {request.id} is approved, and {missing}"
    if permit is None:
        return f"request {request.id} is approved, and permit {request.permit or decision.no} is missing"
    if not digest_of(request.tool, state.revision.text) == state.revision.digest == request.digest:
        return f"request {request.id}: the stored arguments do not match their digest"
    flaw = _of_permit(state, permit) or _of_decision(state, permit, decision)
    return None if flaw is None else f"request {request.id}: {flaw}"


def _of_permit(state: State, permit: PermitRecord) -> str | None:
    request = state.request
    if (permit.version, permit.revision, permit.digest) != (request.version, request.revision, request.digest):
        return "the permit is for other arguments"
    if permit.max_starts != request.max_starts or permit.left < 1:
        return f"permit {permit.no} has no start left"
    starts = sum(row.permit == permit.no and row.state != "given_back" for row in state.attempts)
    return None if starts == permit.starts else f"its permit counts {permit.starts} starts, its attempts are {starts}"


def _of_decision(state: State, permit: PermitRecord, decision: DecisionRecord) -> str | None:
    request = state.request
    asked = (request.version, request.revision, request.digest)
    allows = decision.no == permit.decision and decision.verb in _EVENT_OF
    if not allows or (decision.version, decision.revision, decision.digest) != asked:
        return "no decision stands behind its permit"
    if decision.by.partition(":")[0] in _RULES:
        return None
    return None if progress(state).done else "its decisions do not meet its policy"


def flaw_in_history(state: State, history: Sequence[EventRecord]) -> str | None:
    """What the events of this request, oldest first, say against a start of it; None: they bear it out."""
    request = state.request
    flaws = (_of_submission(state, history), _of_approval(state, history), _of_time(state), _of_starts(state, history))
    return next((f"request {request.id}{flaw}" for flaw in flaws if flaw is not None), None)


def _of_submission(state: State, history: Sequence[EventRecord]) -> str | None:
    request = state.request
    first = next((row for row in state.revisions if row.revision == 1), None)
    if not history or first is None:
        return " was not submitted as it stands"
    was, seen = history[0], (request.requester, request.call_id, request.tool, request.run, first.digest)
    is_so = was.kind == "submitted" and (was.by, was.call_id, was.tool, was.run, was.digest) == seen
    return None if is_so and _asks_at_least(state, was) else " was not submitted as it stands"


def _asks_at_least(state: State, submitted: EventRecord) -> bool:
    """Whether the policy still has the stages with which the call came; it may have got more since."""
    asked = _data(submitted).get("stages") or [stage.name for stage in DEFAULT.stages]
    names = [stage.name for stage in state.plan.stages]
    return isinstance(asked, list) and names[: len(asked)] == asked


def _of_approval(state: State, history: Sequence[EventRecord]) -> str | None:
    decision = state.decision
    assert decision is not None, "the rows were looked at before"
    said = (_EVENT_OF.get(decision.verb), decision.by, decision.at, decision.version, decision.digest)
    if not any((row.kind, row.by, row.at, row.version, row.digest) == said for row in history):
        return f": decision {decision.no} is without its event"
    last = next(row for row in reversed(history) if row.kind not in _NO_MOVE)
    if last.kind in ("approved", "edited"):
        in_force = state.request.status == "held" or decision.effective_at is None
    else:
        in_force = last.kind in _IN_FORCE or (last.kind == "failed" and _data(last).get("again") is True)
    return None if in_force else f" is called {state.request.status}, and the last that happened to it is {last.kind!r}"


def _of_time(state: State) -> str | None:
    request, decision = state.request, state.decision
    assert decision is not None, "the rows were looked at before"
    start_by = start_by_of(request, in_force_since(decision))
    right = request.start_by == start_by or request.status == "held"
    return None if right else ": its time to start is not what follows from its approval"


def _of_starts(state: State, history: Sequence[EventRecord]) -> str | None:
    started = [_data(row).get("attempt") for row in history if row.kind == "started"]
    taken_back = {_data(row).get("attempt") for row in history if row.kind == "not_started"}
    attempts = [row.no for row in state.attempts]
    given_back = {row.no for row in state.attempts if row.state == "given_back"}
    same = sorted(attempts) == started and given_back == taken_back
    return None if same else f" was started {len(started)} times, and its attempts are not those"


def _data(event: EventRecord) -> dict[str, object]:
    try:
        data = json.loads(event.data)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
