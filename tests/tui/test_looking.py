"""Keys that only look: what differs from the last approved call, the figures of the queue, the arguments to paste."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from gatekit import gated_step
from gatekit.models import Stats, ToolStats
from gatekit_tui.frame.spans import Inked
from gatekit_tui.insight import InsightScreen, has_blocks, insight_lines
from gatekit_tui.request.compare import CompareScreen
from gatekit_tui.request.draft import write_json
from tests.gate.helpers import until
from tests.tui.asking import ask
from tests.tui.calls import Queue
from tests.tui.desk import sit_down
from tests.tui.test_hostile import assert_harmless

EVIL = "x\x1b[>q\u202e[/]"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def run_and_approve(queue: Queue, path: str) -> str:
    """A call that was approved, and ran."""

    @gated_step(gate=queue.gate, name="write_file", wait=30)
    def step(path: str, more: Any = None) -> str:
        return "done"

    thread = threading.Thread(target=step, args=(path,))
    thread.start()
    await anyio.to_thread.run_sync(until, queue.gate, lambda: queue.gate.count("pending"))
    (made,) = [row.id for row in queue.gate.requests("pending")]
    queue.decide(made)
    await anyio.to_thread.run_sync(thread.join)
    return made


@pytest.mark.anyio
async def test_d_shows_what_differs_from_the_last_approved_call_and_what_hides_in_it(queue: Queue) -> None:
    before = await run_and_approve(queue, "/srv/a")
    assert queue.gate.get(before).status == "succeeded"
    queue.add(path="/srv/" + EVIL, more={EVIL: [1]})
    queue.add(tool="mail")
    ask(queue, "Go?", bool)
    async with sit_down(queue.gate, size=(110, 30)) as desk:
        await desk.press("d")
        await desk.until(lambda: isinstance(desk.app.screen, CompareScreen), "the comparison")
        await desk.until_shown("2 differences from the last approved call", f"before: {before}", "approved by ana")
        await desk.until_shown('~ path "/srv/a" → "/srv/x', "~ more null → {")
        assert_harmless(desk)
        await desk.press("a", "escape")
        assert len(desk.app.screen_stack) == 2
        await desk.press("j", "d")
        await desk.until(lambda: "Nobody has allowed a call of mail before" in desk.toasts())
        await desk.press("j", "d")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
    assert queue.gate.count("pending") == 3


@pytest.mark.anyio
async def test_y_copies_exact_json_in_ascii(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.add(path=EVIL, more=[1, 1.0, True, None, "\x7fé"])
    async with sit_down(queue.gate) as desk:
        written: list[str] = []
        driver = desk.app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", written.append)
        await desk.press("y")
        await desk.until(lambda: "characters of JSON" in desk.toasts())
        (copied,) = [text for text in written if text.startswith("\x1b]52;c;")]
    text = base64.b64decode(copied.removeprefix("\x1b]52;c;").removesuffix("\a")).decode()
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == {"path": EVIL, "more": [1, 1.0, True, None, "\x7fé"]}
    assert "[1, 1.0, true, null, " in text


def test_copied_json_keeps_a_backslash_before_a_delete_character() -> None:
    args = {"a": "\\\x7f", "b": "\\u007f"}
    assert json.loads(write_json(args)) == args


@pytest.mark.anyio
async def test_i_tells_how_people_decide(queue: Queue) -> None:
    for number in range(6):
        made = queue.add(path=str(number), tool="t" + EVIL)
        queue.advance(1 if number < 3 else 60)
        queue.decide(made)
    queue.add()
    queue.advance(600)
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("i")
        await desk.until(lambda: isinstance(desk.app.screen, InsightScreen), "the figures")
        await desk.until_shown("6 of 6, 100 %", "3 of 6, 50 %: a sign of rubber-stamping", "▲", "10m", "TOOL", "█")
        assert_harmless(desk)
        await desk.press("a", "r", "q")
        assert len(desk.app.screen_stack) == 2
    assert queue.gate.count("pending") == 1


def test_without_blocks_digits_stand_for_their_height() -> None:
    row = ToolStats(tool="", decided=9, approved=9, hasty=0, median=30.0, trend=(0, 1, 8))
    stats = Stats(since=NOW, at=NOW, waiting=0, oldest=None, cut=False, all=row, tools=())
    assert "·▁█" in words(insight_lines(stats, 80, blocks=True))
    assert ".18" in words(insight_lines(stats, 80, blocks=False))
    assert has_blocks({"TERM": "xterm-256color"})
    assert not has_blocks({"TERM": "linux"})


def words(lines: list[Inked]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)
