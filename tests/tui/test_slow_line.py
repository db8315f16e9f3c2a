"""For a slow line: time alone draws nothing, but what the top bar counts aloud; news draw everything anew."""

from __future__ import annotations

import pytest
from textual.widgets import Input, TextArea

from gatekit_tui.queue.review import ReviewScreen
from gatekit_tui.queue.settings import Settings
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = pytest.mark.anyio


def spare(desk: Desk) -> ReviewScreen:
    screen = desk.app.screen_stack[1]
    assert isinstance(screen, ReviewScreen)
    desk.app.low_bandwidth = True
    return screen


async def test_times_are_drawn_with_other_news_only(queue: Queue) -> None:
    queue.add("deploy")
    async with sit_down(queue.gate) as desk:
        screen = spare(desk)
        queue.advance(300)
        before = desk.text()
        screen._tick()
        await desk.settled()
        assert desk.text() == before
        assert "<1m" in desk.row("deploy")

        queue.add("refund")
        await desk.until_shown("refund")
        assert " 5m" in desk.row("deploy")


@pytest.mark.sweep
async def test_no_cursor_of_a_field_blinks(queue: Queue) -> None:
    queue.add("deploy")
    async with sit_down(queue.gate) as desk:
        spare(desk)
        for key, kind in (("slash", Input), ("r", TextArea)):
            await desk.press(key)
            await desk.until(lambda kind=kind: isinstance(desk.app.focused, kind))
            field = desk.app.focused
            assert isinstance(field, Input | TextArea)
            await desk.until(lambda field=field: not field.cursor_blink)
            await desk.press("escape")
            await desk.until(lambda: desk.app.focused is desk.list)


@pytest.mark.sweep
@pytest.mark.parametrize(("sparing", "told"), [(True, "1s ago"), (False, "9s ago")])
async def test_a_history_is_no_clock(queue: Queue, *, sparing: bool, told: str) -> None:
    request_id = queue.add("deploy")
    async with sit_down(queue.gate, size=(120, 30)) as desk:
        desk.app.low_bandwidth = sparing
        queue.advance(1)
        await desk.press("h")
        await desk.until_shown("submitted it", "1s ago")
        queue.advance(8)
        await desk.pilot.pause(1.2)
        assert told in desk.text()
        queue.gate.reviewer("bo").claim(request_id)
        await desk.until_shown("9s ago")


@pytest.mark.sweep
async def test_the_seconds_that_are_left_to_undo_are_counted_all_the_same(queue: Queue) -> None:
    queue.add("deploy")
    queue.add("refund")
    async with sit_down(queue.gate, settings=Settings(hold=30)) as desk:
        spare(desk)
        await desk.press("a")
        await desk.until_shown("u: 30s")
        queue.advance(7)
        await desk.until_shown("u: 23s")


@pytest.mark.sweep
async def test_that_the_picture_is_old_is_said_all_the_same(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.add("deploy")
    monkeypatch.setattr("gatekit_tui.queue.following.STALE", 1.0)
    async with sit_down(queue.gate) as desk:
        spare(desk)
        with desk.unaware():
            await desk.until_shown("stale")
