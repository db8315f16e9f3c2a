"""One transition, as a queue makes it: the machine's effects are written to rows, and the promises are checked.

A `Core` is what the workers share: the request's rows, the notes of the onlooker, and the time. What follows from
one is computed once and remembered, since the workers' own places multiply the states but not what can happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from gatekit.machine import clockwork, entering
from gatekit.machine.commands import Answer
from gatekit.machine.effects import Draft, Effect
from gatekit.machine.records import State, Verdict
from tests.machine.case import new_request, new_revision
from tests.machine.rows import Rows, in_order
from tests.model import promises
from tests.model.bounds import TICK, Bounds
from tests.model.canon import canonical
from tests.model.moves import Move
from tests.model.notes import Notes, Vote, looked, tidy


class Core(NamedTuple):
    """The state of everything but the workers."""

    state: State
    notes: Notes
    instant: int
    past: tuple[State, ...] = ()
    """What was committed before and is not known to be on the disk: always empty under `synchronous=FULL`."""


class Followed(NamedTuple):
    core: Core
    value: object
    """What the machine answered."""


def first(bounds: Bounds) -> Core:
    """The call has just entered the queue."""
    ticks = {"expires_after": bounds.expires_after, "start_within": bounds.start_within}
    periods = {name: None if value is None else value * TICK for name, value in ticks.items()}
    request = new_request(max_starts=bounds.max_starts, call_given=bounds.call_given, kind=bounds.kind, **periods)
    revision, now = new_revision(), bounds.at(0)
    votes: tuple[Vote, ...] = ()
    if bounds.allowed:
        request = new_request(max_starts=bounds.max_starts, expires_after=None)
        revision = replace(revision, verdict=Verdict(gated=False))
        answer = entering.submit_allowed(request, revision, now)
        votes = (Vote(1, "approve", "policy:predicate", request.digest, request.digest, now, None, effective=True),)
    else:
        answer = entering.submit(request, revision, now)
    state = canonical(written(None, answer.effects), bounds)
    notes = Notes(decide_by=request.decide_by, shown=(request.token,), votes=votes)
    return Core(state, tidy(notes, state, bounds), 0)


def written(state: State | None, effects: tuple[Effect, ...]) -> State:
    """The rows after these effects."""
    rows = Rows()
    if state is not None:
        rows.request = state.request
        rows.revisions = {row.revision: row for row in state.revisions}
        rows.decisions = {row.no: row for row in state.decisions}
        rows.permits = {row.no: row for row in state.permits}
        rows.attempts = {row.no: row for row in state.attempts}
    rows.apply(effects)
    return rows.state()


def follow(core: Core, settled: State, move: Move, bounds: Bounds) -> Followed:
    """Make the move and check every promise. `settled`: the state as the clock alone leaves it."""
    state, notes, now = core.state, core.notes, bounds.at(core.instant)
    answer: Answer[object] = move.run(state, now)
    after = written(state, answer.effects) if answer.effects else state
    assert after is answer.state or after == in_order(answer.state), "the effects do not lead to what was answered"
    if settled is not state:
        notes = looked(notes, state.request.status, state.request.version, now)
        notes = promises.moved(notes, "clock", state, settled, bounds.deadline(now))
    notes = move.note(notes, promises.Step(state, settled, after, answer, now, bounds))
    if after is not state:
        notes = promises.moved(notes, move.cause, settled, after, bounds.deadline(now))
    elif notes is core.notes:
        return Followed(core, answer.value)
    return Followed(_rest(core, after, notes, bounds), answer.value)


def _rest(core: Core, after: State, notes: Notes, bounds: Bounds) -> Core:
    state = core.state if after is core.state else canonical(after, bounds)
    notes = tidy(notes, state, bounds)
    if state == core.state and notes == core.notes:
        return core
    promises.at_rest(notes, state, bounds)
    past = core.past
    if bounds.unsynced and state != core.state:
        past = (core.state, *past)[: bounds.unsynced]
    return Core(state, notes, 0 if bounds.timeless(state.request) else core.instant, past)


def power_loss(core: Core, bounds: Bounds) -> Iterator[Core]:
    """What a queue may find on its disk besides what was committed last: without `synchronous=FULL`, less of it."""
    for state in core.past:
        notes = looked(core.notes, state.request.status, state.request.version, bounds.at(core.instant))
        promises.at_rest(notes, state, bounds)
        yield Core(state, notes, core.instant)


def settled_at(core: Core, bounds: Bounds) -> State:
    """The state as it is once everything that is overdue was settled; the very same one where nothing is."""
    state, now = core.state, bounds.at(core.instant)
    if state.request.due > now:
        return state
    draft = Draft(state, now)
    clockwork.settle(draft)
    return in_order(draft.state)


def tool_called(core: Core, token: str, text_digest: str) -> Core:
    """The worker that was granted this start calls the tool: nothing is written anywhere."""
    return core._replace(notes=promises.called(core.notes, token, text_digest, core.state.request.max_starts))
