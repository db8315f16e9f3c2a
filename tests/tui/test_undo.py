"""A decision can be taken back for some seconds; then it counts, whether or not the dashboard still lives."""

from __future__ import annotations

import pytest

from gatekit_tui.queue.settings import Settings
from tests.tui.calls import Queue
from tests.tui.desk import sit_down

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]
HELD = Settings(hold=5)


async def test_u_takes_the_last_decision_back_and_the_same_call_waits_again(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate, settings=HELD) as desk:
        await desk.press("u")
        await desk.settled()
        await desk.press("a")
        await desk.until_shown("1 held · u: 5s", "approved by alice · 0s ago · counts in 5s")
        assert queue.gate.get(first).status == "held"
        await desk.press("j", "u")
        await desk.until(lambda: queue.gate.get(first).status == "pending")
        await desk.until_shown("2 waiting")
        assert desk.chosen() == second
        assert not desk.has("held")
        assert queue.gate.get(second).status == "pending"


async def test_after_the_window_the_decision_counts_and_u_says_what_became_of_it(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate, settings=HELD, size=(140, 30)) as desk:
        await desk.press("a")
        await desk.until_shown("1 held", "u undo")
        queue.advance(7)
        await desk.until(lambda: queue.gate.get(request_id).status == "approved")
        await desk.until(lambda: not desk.has("u undo"), "no undo at the foot")
        await desk.press("u")
        await desk.until(lambda: "write_file: approved by you · 7s ago: it cannot be undone." in desk.toasts())
        assert queue.gate.get(request_id).status == "approved"
        desk.app.clear_notifications()
        queue.advance(31)
        await desk.press("u")
        await desk.settled()
        assert desk.toasts() == ""
    assert queue.gate.get(request_id).status == "approved"


async def test_the_fate_of_what_was_decided_together_is_told_at_once(queue: Queue) -> None:
    queue.add(path="one")
    queue.add(path="two")
    async with sit_down(queue.gate, settings=HELD, size=(140, 30)) as desk:
        await desk.press("*", "A")
        await desk.until_shown("approve 2 calls")
        await desk.type("2")
        await desk.press("enter")
        await desk.until_shown("2 held")
        queue.advance(6)
        await desk.until(lambda: queue.gate.count("approved") == 2)
        await desk.until(lambda: not desk.has("u undo"), "no undo at the foot")
        await desk.press("u")
        await desk.until(lambda: "it cannot be undone, and 1 more." in desk.toasts())


async def test_a_rejection_is_held_too(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate, settings=HELD) as desk:
        await desk.press("r")
        await desk.until_shown("Reject")
        await desk.type("no")
        await desk.press("enter")
        await desk.until_shown("rejected by alice: no", "counts in")
        await desk.press("ctrl+z")
        await desk.until(lambda: queue.gate.get(request_id).status == "pending")


async def test_what_is_held_has_a_list_of_its_own_and_another_persons_is_theirs(queue: Queue) -> None:
    mine, theirs = queue.add(tool="mine"), queue.add(tool="theirs")
    ana = queue.gate.reviewer("ana", hold=60)
    ana.approve(queue.gate.get(theirs))
    async with sit_down(queue.gate, settings=HELD, size=(120, 30)) as desk:
        await desk.press("a")
        await desk.until_shown("1 held")
        await desk.press("]", "]", "]")
        await desk.until_shown("2 held", "theirs", "mine")
        await desk.press("G")
        await desk.until(lambda: desk.chosen() == theirs)
        await desk.until(lambda: desk.detail.study and desk.detail.study.request.id == theirs)
        await desk.press("u")
        await desk.until(lambda: queue.gate.get(mine).status == "pending")
        assert queue.gate.get(theirs).status == "held"
        await desk.press("u")
        await desk.settled()
    assert queue.gate.get(theirs).status == "held"


async def test_leaving_asks_what_becomes_of_what_is_held(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate, settings=HELD) as desk:
        await desk.press("a")
        await desk.until_shown("1 held")
        await desk.press("q")
        await desk.until_shown("1 decision of yours can still be undone", "write_file")
        await desk.press("escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        await desk.press("q", "t")
        await desk.until(lambda: not desk.app.is_running)
    assert queue.gate.get(first).status == "pending"
    async with sit_down(queue.gate, settings=HELD) as desk:
        await desk.press("a")
        await desk.until_shown("1 held")
        await desk.press("q", "k")
        await desk.until(lambda: not desk.app.is_running)
    assert queue.gate.get(first).status == "held"
    queue.advance(6)
    assert queue.gate.count("approved") == 1
    assert queue.gate.get(second).status == "pending"


async def test_m_answers_the_agent_instead_of_letting_the_call_run(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate) as desk:
        await desk.press("m")
        await desk.until_shown("Answer instead of letting write_file run?")
        await desk.type("ask the customer")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "respond")
    decision = queue.decision(request_id)
    assert decision is not None
    assert decision.text == "ask the customer"
