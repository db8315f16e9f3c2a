"""What the keys decide: exactly what was drawn, deliberately, and never by accident."""

from __future__ import annotations

import anyio
import pytest

from gatekit_tui.frame.reason_field import ReasonField
from gatekit_tui.queue.review import ReviewScreen
from tests.tui.calls import Queue
from tests.tui.desk import sit_down

pytestmark = pytest.mark.anyio


async def test_a_approves_the_call_that_is_drawn_and_leaves_it_in_its_place(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until(lambda: queue.verb(first) == "approve")
        await desk.until_shown("approved by alice")
        assert desk.chosen() == first
        await desk.press("a")
        await desk.settled()
        assert queue.verb(second) is None
        await desk.press("j")
        assert desk.chosen() == second
        await desk.press("a")
        await desk.until(lambda: queue.verb(second) == "approve")
    assert queue.by(first) == "human:alice"


async def test_high_risk_costs_the_word_yes(queue: Queue) -> None:
    request_id = queue.add(risk="high")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until_shown("Type yes")
        await desk.press("enter")
        await desk.type("no")
        await desk.press("enter")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press("backspace", "backspace")
        await desk.type("yes")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "approve")


async def test_critical_risk_costs_the_tools_name(queue: Queue) -> None:
    request_id = queue.add(tool="drop_table", risk="critical")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until_shown("Type drop_table")
        await desk.type("yes")
        await desk.press("enter")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press(*["backspace"] * 3)
        await desk.type("drop_table")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "approve")


async def test_a_hidden_character_anywhere_costs_the_tools_name(queue: Queue) -> None:
    request_id = queue.add(tool="send", path="invoice\u202egpj.exe", risk="low")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("1 hidden character")
        await desk.press("a")
        await desk.until_shown("Type send")
        await desk.type("send")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "approve")


async def test_arguments_that_were_not_read_to_their_end_cost_the_tools_name(queue: Queue) -> None:
    request_id = queue.add(tool="write", path="\n".join(f"line {n}" for n in range(60)), risk="low")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until_shown("You have not seen all of its arguments")
        await desk.press("escape", "o")
        await desk.until_shown("line 0", "line 12")
        assert not desk.has("line 59")
        await desk.press("pagedown", "pagedown", "pagedown")
        await desk.until_shown("line 59")
        await desk.press("escape", "a")
        await desk.until(lambda: queue.verb(request_id) == "approve")


async def test_a_name_that_no_keyboard_types_is_replaced_by_the_end_of_the_id(queue: Queue) -> None:
    request_id = queue.add(tool="se\u0301nd \u2603", risk="critical")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until_shown(f"Type {request_id[-4:]} ")
        await desk.type(request_id[-4:])
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "approve")


async def test_reject_takes_a_reason_and_hands_it_to_the_agent(queue: Queue) -> None:
    request_id = queue.add(risk="critical")
    async with sit_down(queue.gate) as desk:
        await desk.press("r")
        await desk.until_shown("Reject")
        await desk.press("enter")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.type("too much")
        await desk.press("escape")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press("r")
        await desk.until_shown("too much")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "reject")
    assert queue.reason(request_id) == "too much"


@pytest.mark.sweep
async def test_no_other_key_decides_anything(queue: Queue) -> None:
    request_id = queue.add(risk="low")
    async with sit_down(queue.gate) as desk:
        for key in (
            "enter", "escape", "space", "y", "tab", "o", "escape", "ctrl+s", "f1", "delete", "n", "V", "*", "f", "p",
            "p", "A", "enter", "escape", "R", "enter", "escape", "/", "enter", "1", "1", "h", "escape", "?", "escape",
            "q",
        ):  # fmt: skip
            await desk.press(key)
            await desk.settled()
            assert queue.verb(request_id) is None, key
        assert not desk.app.is_running


async def test_read_only_shows_all_and_decides_nothing(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate, read_only=True) as desk:
        assert desk.has("READ ONLY")
        assert not desk.has("a approve")
        await desk.press("a", "e", "r")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
    assert queue.verb(request_id) is None


async def test_a_click_on_a_key_in_the_footer_costs_what_the_key_costs(queue: Queue) -> None:
    request_id = queue.add(risk="high")
    async with sit_down(queue.gate) as desk:
        line = desk.lines()[-1]
        await desk.pilot.click(offset=(line.index("approve") + 1, 23))
        await desk.until_shown("Type yes")
    assert queue.verb(request_id) is None


@pytest.mark.sweep
async def test_reasons_that_were_given_come_back(queue: Queue) -> None:
    ids = [queue.add(path=str(number)) for number in range(3)]
    async with sit_down(queue.gate) as desk:
        for number, reason in enumerate(("too much", "wrong tag")):
            await desk.press("r")
            await desk.until_shown("why?")
            await desk.type(reason)
            await desk.press("enter")
            await desk.until_shown(f"{2 - number} waiting", "rejected by alice")
            await desk.press("j")
            await desk.settled()
        await desk.press("r")
        await desk.until_shown("↑ brings back")
        await desk.type("new")
        for key, shown in (("up", "wrong tag"), ("up", "too much"), ("up", "too much"), ("down", "wrong tag")):
            await desk.press(key)
            assert desk.app.screen.query_one(ReasonField).text == shown
        await desk.press("down")
        assert desk.app.screen.query_one(ReasonField).text == "new"
        await desk.press("up", "up", "enter")
        await desk.until_shown("0 waiting")
    assert sorted(str(queue.reason(one)) for one in ids) == ["too much", "too much", "wrong tag"]


async def test_a_question_does_not_open_over_what_was_opened_since_its_key(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.add()
    asked, answered = anyio.Event(), anyio.Event()

    async def may(*_: object) -> bool:
        asked.set()
        await answered.wait()
        return True

    async with sit_down(queue.gate) as desk:
        screen = desk.app.screen
        assert isinstance(screen, ReviewScreen)
        monkeypatch.setattr(screen._sender, "may", may)
        await desk.press("r")
        await asked.wait()
        await desk.press("S")
        await desk.until_shown("Stop the queue")
        answered.set()
        await desk.settled()
        assert desk.has("Stop the queue")
        assert len(desk.app.screen_stack) == 3
