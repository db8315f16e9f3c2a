"""`E`: those whom a policy names next are asked now, and never two of its rungs by two keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gatekit import Policy, Stage
from tests.corpus_cases import pick
from tests.tui.asking import pay
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_hostile import assert_harmless

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]

LADDER = Policy(
    Stage("boss", ["alice", "bob"]), escalate_after={timedelta(hours=4): ["dora", "eve"], timedelta(hours=8): "carla"}
)


def rungs(queue: Queue, request_id: str) -> list[tuple[str, object]]:
    return [(event.by, event.data["to"]) for event in queue.gate.history(request_id) if event.kind == "escalated"]


async def ask_why(desk: Desk) -> None:
    await desk.until(lambda: desk.chosen() is not None and desk.drawn())
    await desk.press("E")
    await desk.until_shown("Escalate pay? From now on these may decide too: dora, eve")


async def test_it_asks_the_next_ones_with_a_reason_and_one_may_still_decide_oneself(queue: Queue) -> None:
    request_id = pay(queue, LADDER)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("next to be asked: dora, eve")
        await ask_why(desk)
        await desk.press("enter")
        await desk.settled()
        assert rungs(queue, request_id) == []
        await desk.type("above my limit")
        await desk.press("enter")
        await desk.until_shown("next to be asked: carla", "alice, bob, dora, eve")
        assert "dora, eve: asked about pay too" in desk.toasts()
        (event,) = [event for event in queue.gate.history(request_id) if event.kind == "escalated"]
        assert (event.by, event.data["reason"]) == ("human:alice", "above my limit")
        await desk.until(lambda: desk.detail.study and desk.detail.study.request.version == 2 and desk.drawn())
        await desk.settled()
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "approve")


async def test_the_key_is_there_only_where_somebody_is_left_to_be_asked(queue: Queue) -> None:
    one, two = pay(queue, LADDER), queue.add(risk="low")
    async with sit_down(queue.gate) as desk:
        for request_id, there in ((one, True), (two, False)):
            await desk.until(lambda request_id=request_id: desk.chosen() == request_id and desk.drawn())
            assert ("E" in desk.app.screen.active_bindings) is there
            await desk.press("j")


async def test_whoever_is_not_asked_is_told_so_before_anything_is_typed(queue: Queue) -> None:
    request_id = pay(queue, Policy(Stage("boss", "bob"), escalate_after={timedelta(hours=4): "alice"}))
    async with sit_down(queue.gate) as desk:
        await desk.until(lambda: desk.chosen() is not None and desk.drawn())
        await desk.press("E")
        await desk.until(lambda: "not allowed" in desk.toasts())
        assert len(desk.app.screen_stack) == 2
    assert rungs(queue, request_id) == []


async def test_who_is_second_climbs_nothing_and_what_they_typed_stays(queue: Queue) -> None:
    request_id = pay(queue, LADDER)
    async with sit_down(queue.gate) as desk:
        await ask_why(desk)
        await desk.type("not mine")
        with desk.unaware():
            queue.gate.reviewer("bob").escalate(request_id, reason="was first")
            await desk.press("enter")
            await desk.until(lambda: "it changed since you looked" in desk.toasts())
        assert rungs(queue, request_id) == [("human:bob", ["dora", "eve"])]
        await desk.until_shown("next to be asked: carla")
        await desk.settled()
        await desk.press("E")
        await desk.until_shown("may decide too: carla", "not mine")


@pytest.mark.parametrize("category", ["terminal", "markup", "unicode"])
async def test_foreign_names_on_a_ladder_are_harmless_and_cost_the_tools_name(queue: Queue, category: str) -> None:
    texts = [case.payload for case in pick(category) if case.py is None]
    name = " ".join(texts).replace(":", ".").replace("\0", "")[:150]
    pay(queue, Policy(Stage("boss", "alice"), escalate_after={timedelta(hours=4): name}), risk="low")
    async with sit_down(queue.gate, size=(120, 50)) as desk:
        await desk.until_shown("next to be asked: ")
        assert_harmless(desk)
        await desk.until(lambda: desk.chosen() is not None and desk.drawn())
        await desk.press("E")
        await desk.until_shown("From now on these may decide too")
        assert_harmless(desk)
        await desk.press("escape")
        if category != "markup":
            await desk.until_shown("hidden character")
            await desk.settled()
            await desk.press("a")
            await desk.until_shown("Type pay")
