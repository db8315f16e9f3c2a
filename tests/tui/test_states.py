"""States beside the usual one: no queue, a busy one, calls too large for a screen."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import anyio
import pytest
from rich.console import RenderableType
from textual.screen import Screen

from gatekit import Gate
from gatekit.errors import QueueNotFound
from gatekit.models import Stop
from gatekit_tui import ReviewApp
from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.queue import following
from gatekit_tui.queue.settings import Settings
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = pytest.mark.anyio


async def test_a_missing_queue_is_told_with_path_and_cure_and_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(QueueNotFound) as caught:
        Gate(path, create=False)
    app = ReviewApp(caught.value)
    async with app.run_test(size=(120, 24)) as pilot:
        desk = Desk(app, pilot)
        await desk.until_shown("NO QUEUE", "none.db", "gatekit review --queue PATH")
        await pilot.press("a", "q")
        await pilot.pause()
        assert not app.is_running
    assert os.listdir(tmp_path) == []


async def test_nothing_that_is_painted_at_the_start_is_thrown_away(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual paints nothing while an application is set up, and what was to be painted then never comes."""
    thrown_away: list[object] = []
    display = GuardedApp._display

    def painted(self: GuardedApp, screen: Screen[None], update: RenderableType | None) -> None:
        if update is not None and self._batch_count:
            thrown_away.append(update)
        display(self, screen, update)

    monkeypatch.setattr(GuardedApp, "_display", painted)
    queue.add()
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("q quit")
    assert thrown_away == []


async def test_a_queue_that_another_process_holds_leaves_the_keys_alive(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    release = threading.Event()
    held = threading.Event()

    def hold() -> None:
        other = sqlite3.connect(queue.gate.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        held.set()
        release.wait(10)
        other.execute("ROLLBACK")
        other.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until_shown("saving…")
        with anyio.fail_after(2):
            await desk.press("j")
            await desk.until(lambda: desk.chosen() == second)
            await desk.press("k")
        assert queue.verb(first) is None
        release.set()
        await desk.until(lambda: queue.verb(first) == "approve")
    thread.join()
    assert queue.verb(second) is None


async def test_a_megabyte_of_arguments_is_all_there_to_its_last_line(queue: Queue) -> None:
    queue.add(path="word " * 190_000 + "the end")
    async with sit_down(queue.gate) as desk:
        await desk.press("o", "G")
        await desk.until_shown('the end"')
        assert not desk.detail.shown_all, "a leap shows where it ends, not what it passes over"
        await desk.press("escape", "e")
        await desk.until_shown("$EDITOR")


async def test_five_thousand_arguments_are_shown_to_the_last(queue: Queue) -> None:
    queue.add(more={**{f"k{number}": 0 for number in range(5000)}, "zz_force": True})
    async with sit_down(queue.gate) as desk:
        await desk.press("o", "end")
        await desk.until_shown("more.zz_force", "true")


async def test_the_dashboard_keeps_the_gates_of_its_process_quiet(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gatekit_tui
    from gatekit.display import dashboard_is_running

    seen: list[bool] = []
    monkeypatch.setattr(ReviewApp, "run", lambda self: seen.append(dashboard_is_running()))
    gatekit_tui.run(queue.gate, "alice")
    gatekit_tui.run_missing(QueueNotFound("x.db"))
    assert seen == [True, True]
    assert not dashboard_is_running()


def foot(desk: Desk) -> list[tuple[str, object]]:
    """The line of keys, with its inks."""
    return [(segment.text, segment.style) for segment in desk.strips()[-1]]


@pytest.mark.sweep
async def test_while_the_picture_is_old_no_key_of_the_list_decides_and_undo_takes_back(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, waits = queue.add(path="one", risk="low"), queue.add(path="two", risk="low")
    monkeypatch.setattr(following, "STALE", 1.0)
    async with sit_down(queue.gate, settings=Settings(hold=60), size=(120, 30)) as desk:
        await desk.press("a", "j", "space")
        await desk.until(lambda: queue.gate.get(held).status == "held" and desk.chosen() == waits)
        await desk.until_shown("1 marked", "1 held")
        alive = foot(desk)
        with desk.unaware():
            await desk.until_shown("○ stale")
            await desk.until(lambda: foot(desk) != alive, "dead keys at the foot")
            for key in ("a", "e", "r", "m", "w", "c", "D", "A", "R"):
                desk.app.clear_notifications()
                await desk.press(key)
                await desk.until(lambda: "The picture is old" in desk.toasts(), key)
                await desk.settled()
                assert len(desk.app.screen_stack) == 2, key
            desk.app.clear_notifications()
            await desk.press("u")
            await desk.until(lambda: queue.gate.get(held).status == "pending")
            # To stop everything is right whatever is on the screen; to let it go on is not.
            await desk.press("S")
            await desk.until_shown("Stop the queue?")
            await desk.press("escape")
            await desk.until(lambda: len(desk.app.screen_stack) == 2)
            assert "The picture is old" not in desk.toasts()
            desk.app.stopped = Stop(reason="look", by="human:bo", at=queue.gate.now())
            await desk.press("S")
            await desk.until(lambda: "The picture is old" in desk.toasts())
    assert queue.verb(waits) is None
