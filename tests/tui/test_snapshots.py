"""The main screens, letter by letter: what stands where, and in which ink.

A picture that is meant to be another one now is written anew, and then looked at with `git diff`:

    GATEKIT_SNAPSHOTS=write python -m pytest -m sweep tests/tui/test_snapshots.py

Each file holds the screen's text, then a letter for the ink of each cell: see `LETTERS`.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from rich.style import Style
from textual.strip import Strip
from textual.widgets import Input, TextArea

from gatekit import Policy, Run, Stage, Suspended, calling, gated_step
from gatekit_tui.queue import following, top_text
from gatekit_tui.queue.review import ReviewScreen
from gatekit_tui.queue.settings import Settings
from tests.tui.asking import made_by
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = [pytest.mark.anyio, pytest.mark.sweep, pytest.mark.checkout]

FOLDER: Final = Path(__file__).parent / "snapshots"
NAMES: Final = (
    "list", "list-wide", "list-narrow", "detail", "edit-error", "confirm", "batch", "paused", "stale", "filter-empty",
    "decided", "history", "empty", "runs",
)  # fmt: skip
ID: Final = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
LETTERS: Final = {
    "foreground": "t", "secondary": "d", "primary": "p", "success": "g", "warning": "w", "error": "e", "border": "-",
    "footer-description-foreground": "f",
}  # fmt: skip
"""By the colour of the theme; `?` is any other, as of dead keys. Large where it is bold, `#` where it is inverse."""


def picture(desk: Desk) -> str:
    """The screen as the file holds it."""
    letters = {desk.app.theme_variables[name].lower(): letter for name, letter in reversed(LETTERS.items())}
    inks = ["".join(_inked(strip, letters)).rstrip() for strip in desk.strips()]
    return "\n".join([_masked(desk.text(), desk), "", "ink", *inks, ""])


def _inked(strip: Strip, letters: dict[str, str]) -> Iterator[str]:
    for segment in strip:
        for char in segment.text:
            yield " " if char == " " and not _is_inverse(segment.style) else _letter(segment.style, letters)


def _letter(style: Style | None, letters: dict[str, str]) -> str:
    if _is_inverse(style):
        return "#"
    colour = style.color.triplet if style is not None and style.color is not None else None
    letter = letters.get(colour.hex if colour is not None else "", "?")
    return letter.upper() if style is not None and style.bold else letter


def _is_inverse(style: Style | None) -> bool:
    return style is not None and bool(style.reverse)


def _masked(text: str, desk: Desk) -> str:
    """Ids, the queue's path, and how old a picture is by the machine's clock are other ones each time."""
    order = list(dict.fromkeys(ID.findall(text)))
    text = ID.sub(lambda found: f"ID{order.index(found[0]) + 1:0>24}", text)
    text = re.sub(r"(?<= )[0-9A-HJKMNP-TV-Z]{6}(?=: )", "IDTAIL", text)
    text = re.sub(r"(?<=stale )\d", "N", text)
    screen = desk.app.screen_stack[1]
    assert isinstance(screen, ReviewScreen)
    return text.replace(str(screen._gate.path), "QUEUE")


class Album:
    """Compares pictures with those that were kept, or keeps them."""

    def __init__(self) -> None:
        self._wrong: list[str] = []

    async def take(self, desk: Desk, name: str) -> None:
        """One more. What is wrong is told at the end, so that all of it is."""
        assert name in NAMES
        desk.app.clear_notifications()
        for field in (*desk.app.screen.query(Input), *desk.app.screen.query(TextArea)):
            field.cursor_blink = False
        await desk.settled()
        drawn, path = picture(desk), FOLDER / f"{name}.txt"
        if os.environ.get("GATEKIT_SNAPSHOTS") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(drawn, encoding="utf-8")
        elif drawn != (kept := path.read_text(encoding="utf-8")):
            self._wrong.append(
                f"{name} is another picture now: see the module's words\n{_first_difference(kept, drawn)}"
            )

    def close(self) -> None:
        assert not self._wrong, "\n\n".join(self._wrong)


def _first_difference(kept: str, drawn: str) -> str:
    for number, (one, other) in enumerate(zip(kept.splitlines(), drawn.splitlines(), strict=False), 1):
        if one != other:
            return f"line {number}\n- {one}\n+ {other}"
    return f"{kept.count(chr(10))} lines, now {drawn.count(chr(10))}"


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much room the queue's name takes at the top is the same wherever its folder for the moment is."""
    monkeypatch.setattr(top_text, "_queue_names", lambda path: ("/srv/agents/queue.db", "agents/queue.db", "queue.db"))


@pytest.fixture
def album() -> Iterator[Album]:
    album = Album()
    yield album
    album.close()


def staged(queue: Queue) -> str:
    """A call that two people are asked for, with a deadline."""
    policy = Policy(Stage("team", ["alice", "bob"]), Stage("lead", "role:lead"))

    @gated_step(gate=queue.gate, name="deploy", risk="high", policy=policy, expires_after=timedelta(hours=4), wait=0)
    def deploy(service: str, replicas: int) -> str:
        return "rolled out"

    def call() -> None:
        with calling(run="r1", agent="releases"), pytest.raises(Suspended):
            deploy("api", 6)

    return made_by(queue, call)


def fill(queue: Queue) -> None:
    """What a busy hour leaves: one request of each sort."""
    add = partial(queue.add, agent="billing")
    done = add(tool="send_email", path="bob@example.com", risk="low", description="Send a receipt")
    queue.advance(75)
    queue.decide(done)
    refused = add(tool="refund", path="order 7", description="Refund order 7")
    queue.advance(40)
    queue.decide(refused, "reject", reason="it was paid back before")
    queue.advance(600)
    add(tool="delete_rows", path="customers", risk="critical", description="Delete 1204 rows of customers")
    queue.advance(300)
    staged(queue)
    add(tool="send_email", path="see invoice\u202egpj.exe", description="Send 'Your password'", run="nightly-42")
    queue.advance(90)
    for number in (1, 2):
        add(tool="refund", path=f"order {number}", risk="low", description=f"Refund order {number}")
        queue.advance(5)


async def go_to(desk: Desk, tool: str) -> None:
    await desk.press("g")
    while desk.list.chosen is None or desk.list.chosen.tool != tool:
        await desk.press("j")


async def test_the_lists_in_three_sizes(queue: Queue, album: Album) -> None:
    fill(queue)
    async with sit_down(queue.gate, settings=Settings(hold=5)) as desk:
        await album.take(desk, "list")
        await go_to(desk, "send_email")
        await desk.press("o")
        await album.take(desk, "detail")
        await desk.press("escape")
        await desk.pilot.resize_terminal(160, 48)
        await desk.until_shown("running", "expired")
        await album.take(desk, "list-wide")
        await desk.pilot.resize_terminal(50, 20)
        await album.take(desk, "list-narrow")


async def test_what_is_asked_before_something_is_let_happen(queue: Queue, album: Album) -> None:
    fill(queue)
    async with sit_down(queue.gate) as desk:
        await go_to(desk, "delete_rows")
        await desk.press("a")
        await desk.until_shown("Approve delete_rows?")
        await album.take(desk, "confirm")
        await desk.press("escape", "e")
        await desk.until_shown("nothing changed")
        await desk.press("ctrl+t")
        desk.app.screen.query_one("#draft", TextArea).text = '{"path": 5, "force": true, "more": null}'
        await desk.until_shown("✗")
        await album.take(desk, "edit-error")
        await desk.press("escape", "g", *["space"] * 5, "A")
        await desk.until_shown("approve 2 calls", "left out")
        await album.take(desk, "batch")


async def test_what_is_shown_beside_the_usual(queue: Queue, album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(queue)
    async with sit_down(queue.gate) as desk:
        await desk.press("p")
        await desk.until_shown("paused")
        await album.take(desk, "paused")
        await desk.press("p", "slash", *"tool:none", "enter")
        await desk.until_shown("No request fits")
        await album.take(desk, "filter-empty")
        await desk.press("escape", "[", "[")
        await desk.until_shown("2 decided")
        await album.take(desk, "decided")
        await desk.press("h")
        await desk.until_shown("history", "events")
        await album.take(desk, "history")
        await desk.press("escape", "]", "]")
        await desk.until_shown("waiting")
        monkeypatch.setattr(following, "STALE", -1.0)
        await desk.until_shown("stale")
        await album.take(desk, "stale")


async def test_nothing_waits(queue: Queue, album: Album) -> None:
    async with sit_down(queue.gate) as desk:
        await album.take(desk, "empty")


async def test_the_runs(queue: Queue, album: Album) -> None:
    def quote(order: str) -> int:
        queue.advance(2.5)
        if order == "bad":
            raise ValueError("no price")
        return 40

    def refund(run: Run, order: str) -> object:
        return run.pause("before-send", {"amount": run.step("quote", quote, order)})

    start = queue.gate.workflow(name="refund")(refund).start

    def begin() -> None:
        for order in ("7", "bad"):
            with calling(agent="billing"), suppress(Suspended, ValueError):
                start(f"refund:{order}", order=order)

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    async with sit_down(queue.gate) as desk:
        await desk.press("U")
        await desk.until_shown("refund:7", "refund:bad", "2 runs")
        await album.take(desk, "runs")


def test_every_picture_that_is_kept_is_taken() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES)
