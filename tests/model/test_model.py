"""Everything that can happen to one request, to its end: no promise breaks, and an end can always be reached."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest

from gatekit.machine.commands import Answer
from gatekit.machine.effects import InsertDecision, PutAttempt
from gatekit.models import FINAL, STATUSES
from tests.machine.rows import in_order
from tests.model import moves
from tests.model.bounds import Bounds
from tests.model.canon import canonical
from tests.model.configurations import HUMANS, LONG, SHORT
from tests.model.core import Core, first, follow, settled_at, tool_called, written
from tests.model.moves import Move
from tests.model.search import Found, Search

pytestmark = pytest.mark.sweep

ENDS: Final = {"call": {"succeeded", "failed", "cancelled"}, "pause": {"answered", "rejected", "cancelled"}}


def search(bounds: Bounds, capsys: pytest.CaptureFixture[str]) -> Found:
    found = Search(bounds).run()
    with capsys.disabled():
        print(f"\n  {bounds.name}: {found}", end="")  # noqa: T201
    return found


@pytest.mark.parametrize("bounds", SHORT, ids=[bounds.name for bounds in SHORT])
def test_every_state_that_can_be_reached_keeps_the_promises(bounds: Bounds) -> None:
    assert Search(bounds).run().statuses >= ENDS[bounds.kind]


def test_the_short_searches_go_through_every_state_a_request_can_be_in() -> None:
    seen: set[str] = set()
    for kind in ("call", "pause"):
        seen |= Search(Bounds(name="", kind=kind, hold=1, reviewers=1, votes=1)).run().statuses
    assert seen == set(STATUSES)


@pytest.mark.long
@pytest.mark.parametrize("bounds", LONG, ids=[bounds.name for bounds in LONG])
def test_wide_bounds_searched_to_their_end_keep_the_promises(
    bounds: Bounds, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(bounds, capsys).statuses >= ENDS[bounds.kind]


WALKED = (
    Bounds(name="", hold=1, start_within=1, revisions=3, misfits=True, stale=True, resolves=HUMANS, max_starts=2),
    Bounds(name="", resolves=HUMANS, findings=("again", "never", "raised"), start_within=1, max_starts=2),
    Bounds(name="", max_starts=2, resolves=HUMANS, call_given=False, revisions=2),
)


def test_what_the_search_leaves_out_of_a_state_does_not_matter() -> None:
    """The same commands on the state with all its times and reasons lead to the same, and are answered the same."""
    started = 0
    for seed in range(45):
        chance = Random(seed)
        bounds = WALKED[seed % len(WALKED)]
        core, instant = first(bounds), 0
        raw = core.state
        for _ in range(20):
            instant = chance.choice((instant, instant, chance.randrange(bounds.instants)))
            if not bounds.timeless(core.state.request):
                core = core._replace(instant=instant)
            move = _one_of(core, bounds, chance)
            plain = move.run(raw, bounds.at(instant))
            answer = move.run(core.state, bounds.at(core.instant))
            core, _ = follow(core, settled_at(core, bounds), move, bounds)
            raw = written(raw, plain.effects)
            assert in_order(canonical(raw, bounds)) == core.state, f"seed {seed}: {move.label}, clock {instant}"
            assert (plain.value is None) == (answer.value is None)
            assert type(plain.refusal) is type(answer.refusal)
            core = _called(core, chance)
            started += move.cause == "start" and answer.value is not None
    assert started > 40


def _one_of(core: Core, bounds: Bounds, chance: Random) -> Move:
    """Most often one that does not end it: behind an end nothing new comes."""
    offered = chance.sample(list(_moves(core, bounds)), 12)
    return next((move for move in offered if _goes_on(move.run(core.state, bounds.at(core.instant)))), offered[0])


def _goes_on(answer: Answer[Any]) -> bool:
    moved = any(isinstance(effect, InsertDecision | PutAttempt) for effect in answer.effects)
    return moved and answer.state.request.status not in FINAL


def _moves(core: Core, bounds: Bounds) -> Iterator[Move]:
    yield from moves.around(core.state, core.notes, bounds)
    for row in core.notes.tokens:
        if row.called:
            yield moves.finish(moves.report("returned", row.name))
            yield moves.finish(moves.report("raised", row.name, retries=True))
        elif row.state == "open":
            yield moves.give_back(row.name)
    # What starts is rare among all that can be said: it is offered several times.
    yield from (move for move in list(moves.starts(core.state, core.notes, bounds)) for _ in range(8))


def _called(core: Core, chance: Random) -> Core:
    for row in core.notes.tokens:
        if row.state == "open" and not row.called and chance.random() < 0.5:
            core = tool_called(core, row.name, core.notes.votes[row.vote].digest)
    return core
