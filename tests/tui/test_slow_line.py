"""For a slow line: time alone draws nothing, but what the top bar counts aloud; news draw everything anew."""

from __future__ import annotations

import pytest

from gatekit_tui.queue.review import ReviewScreen
from gatekit_tui.queue.settings import Settings
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = pytest.mark.anyio


def spare(desk: Desk) -> ReviewScreen:
    screen = desk.app.screen_stack[1]
    assert isinstance(screen, ReviewScreen)
    screen.low_bandwidth = True
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
