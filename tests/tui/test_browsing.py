"""Going about in the queue: lists, filters, orders, what is left for later. Nothing of it decides."""

from __future__ import annotations

import pytest

from gatekit_tui.queue import feed, following
from gatekit_tui.queue.settings import Settings
from gatekit_tui.request import study
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]


def tools(desk: Desk) -> list[str]:
    rows = desk.list.rows
    return [row.tool for row in map(rows.row, range(rows.size)) if row is not None]


async def test_a_filter_finds_while_it_is_typed_and_escape_takes_it_away(queue: Queue) -> None:
    queue.add(tool="deploy", risk="high")
    queue.add(tool="mail", risk="low")
    deploy_web = queue.add(tool="deploy_web", risk="critical")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("/")
        await desk.type("risk>=nonsense")
        await desk.until_shown("it is one of low, medium, high, critical", "mail")
        await desk.press(*["backspace"] * 8)
        await desk.type("high tool:deploy*")
        await desk.until(lambda: tools(desk) == ["deploy", "deploy_web"])
        await desk.press("enter")
        await desk.until_shown("2 found", "filter risk>=high tool:deploy*", "of 3")
        assert desk.list.has_focus
        await desk.press("j")
        assert desk.chosen() == deploy_web
        queue.add(tool="deploy_db", risk="high")
        await desk.until(lambda: tools(desk) == ["deploy", "deploy_web", "deploy_db"])
        assert desk.chosen() == deploy_web
        await desk.press("escape")
        await desk.until_shown("4 waiting")
        assert desk.chosen() == deploy_web
        assert not desk.has("filter risk")


async def test_a_filter_that_finds_nothing_says_how_much_there_is(queue: Queue) -> None:
    queue.add()
    async with sit_down(queue.gate) as desk:
        await desk.press("/")
        await desk.type("tool:none")
        await desk.press("enter")
        await desk.until_shown("No request fits", "tool:none", "1 waiting")
        await desk.press("escape")
        await desk.until_shown("write_file")
        await desk.press("/")
        await desk.type("x")
        await desk.press("escape")
        await desk.until(lambda: desk.list.has_focus)
        assert tools(desk) == ["write_file"]


async def test_letters_typed_into_the_filter_decide_nothing(queue: Queue) -> None:
    request_id = queue.add(risk="low")
    async with sit_down(queue.gate) as desk:
        await desk.press("/")
        await desk.type("aAau")
        await desk.press("escape")
        await desk.settled()
    assert queue.verb(request_id) is None


async def test_saved_filters_are_under_the_digits(queue: Queue) -> None:
    queue.add(tool="deploy", risk="high")
    queue.add(tool="mail", risk="low")
    settings = Settings(hold=0, filters={"1": "risk>=high", "2": "tool:mail"})
    async with sit_down(queue.gate, settings=settings) as desk:
        await desk.press("1")
        await desk.until(lambda: tools(desk) == ["deploy"])
        await desk.press("2")
        await desk.until(lambda: tools(desk) == ["mail"])
        await desk.press("2")
        await desk.until(lambda: tools(desk) == ["deploy", "mail"])
        await desk.press("7")
        await desk.until(lambda: "No filter is saved as 7" in desk.toasts())


async def test_f_goes_through_the_orders_and_keeps_what_is_chosen(queue: Queue) -> None:
    queue.add(tool="first", risk="low")
    second = queue.add(tool="second", risk="critical")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("j")
        await desk.press("f")
        await desk.until_shown("oldest first")
        await desk.press("f")
        await desk.until_shown("riskiest first")
        await desk.until(lambda: tools(desk) == ["second", "first"])
        assert desk.chosen() == second
        await desk.press("f")
        await desk.until(lambda: tools(desk) == ["first", "second"])
        assert not desk.has("riskiest first")


async def test_the_lists_of_what_was_decided_and_expired(queue: Queue) -> None:
    approved, rejected = queue.add(tool="yes"), queue.add(tool="no")
    queue.decide(approved)
    queue.decide(rejected, "reject", reason="never")
    async with sit_down(queue.gate, size=(120, 30)) as desk:
        await desk.press("[", "[")
        await desk.until(lambda: tools(desk) == ["no", "yes"])
        await desk.until_shown("rejected by ana: never", "approved, not started")
        await desk.press("a", "r", "e", "space", "A")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
        await desk.press("]")
        await desk.until_shown("Nothing has expired.")


async def test_a_list_that_is_longer_than_what_is_found_says_so(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_FOUND", 20)
    queue.add_many(30)
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("/")
        await desk.type("tool:write_file")
        await desk.press("enter")
        await desk.until_shown("20+ found", "of 30")


async def test_n_leaves_a_call_for_later_and_goes_on(queue: Queue) -> None:
    ids = [queue.add(path=str(number)) for number in range(3)]
    async with sit_down(queue.gate) as desk:
        await desk.press("n")
        assert desk.chosen() == ids[1]
        await desk.press("n", "k", "k", "n")
        assert desk.chosen() == ids[2]
        await desk.press("n")
        await desk.until(lambda: "everything is left for later" in desk.toasts())
    assert [queue.verb(one) for one in ids] == [None] * 3


async def test_a_paused_picture_stands_still_and_shows_ones_own_decisions(queue: Queue) -> None:
    first = queue.add(tool="first")
    async with sit_down(queue.gate) as desk:
        await desk.press("p")
        await desk.until_shown("paused")
        queue.add(tool="newcomer")
        await desk.settled()
        assert not desk.has("newcomer")
        await desk.press("a")
        await desk.until(lambda: queue.verb(first) == "approve")
        await desk.until_shown("approved by alice", "newcomer")
        await desk.press("p")
        await desk.until_shown("● live")


async def test_nothing_is_approved_by_an_old_picture(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = queue.add(risk="low")
    monkeypatch.setattr(following, "STALE", 0.3)
    async with sit_down(queue.gate) as desk:
        with desk.unaware():
            await desk.until_shown("○ stale")
            await desk.press("a")
            await desk.until(lambda: "The picture is old" in desk.toasts())
        assert queue.verb(request_id) is None


async def test_a_request_that_cannot_be_drawn_leaves_the_others_alone(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.add(tool="odd", path="\x1b[2J boom")
    fine = queue.add(tool="fine", path="two")
    drawn = study.draw_arguments

    def fails(args: dict[str, object]) -> object:
        if args.get("path") != "two":
            raise RuntimeError("\x1b[2J no")
        return drawn(args)

    monkeypatch.setattr(study, "draw_arguments", fails)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("✗ cannot display: RuntimeError: ␛[2J no", "\\\\u001b[2J boom")
        await desk.press("a")
        await desk.until(lambda: "cannot be displayed" in desk.toasts())
        await desk.press("j")
        await desk.until_shown('"two"')
        await desk.press("a")
        await desk.until(lambda: queue.verb(fine) == "approve")
