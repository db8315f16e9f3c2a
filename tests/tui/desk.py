"""A dashboard over a queue, at a desk: what is on its screen, and a hand that presses keys."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.strip import Strip

from gatekit_tui import ReviewApp
from gatekit_tui.queue.queue_list import QueueList
from gatekit_tui.queue.review import ReviewScreen
from gatekit_tui.queue.settings import Settings
from gatekit_tui.request.detail import DetailView


class Ticking:
    """A clock on which a minute passes at every look: for the key guard, every picture is an old one."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 60
        return self.seconds


class Desk:
    def __init__(self, app: ReviewApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def list(self) -> QueueList:
        return self.app.screen_stack[1].query_one(QueueList)

    @property
    def detail(self) -> DetailView:
        return self.app.screen_stack[1].query_one(DetailView)

    def strips(self) -> list[Strip]:
        return list(self.app.screen._compositor.render_strips())

    def lines(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.strips()]

    def text(self) -> str:
        return "\n".join(self.lines())

    def has(self, *parts: str) -> bool:
        return all(part in self.text() for part in parts)

    async def press(self, *keys: str) -> None:
        """One key after the other, as slowly as a hand."""
        for key in keys:
            self.hit(key)
            await self.pilot.pause(0.02)
            await self.until(self.drawn, "the chosen call")

    def drawn(self) -> bool:
        """Whether the detail shows the chosen call: until then the keys that decide are dead."""
        study, chosen = self.detail.study, self.chosen()
        return not self.app.is_running or chosen is None or (study is not None and study.request.id == chosen)

    def hit(self, key: str) -> None:
        """One key, or one character, as a terminal sends it."""
        char = key if len(key) == 1 else None
        name = key if char is None or char.isalnum() else _character_to_key(char)
        self.app.post_message(events.Key(name, char))

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Wait until it is so; fails with the picture if it never is."""
        for _ in range(200):
            if condition():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"never came: {what or condition}\n{self.text()}")

    async def until_shown(self, *parts: str) -> None:
        await self.until(lambda: self.has(*parts), f"{parts} on the screen")
        # What comes with that picture, and makes keys dead for a moment, is over too.
        await self.pilot.pause()

    async def settled(self) -> None:
        """Long enough for a refresh, a decision and its drawing."""
        await self.pilot.pause(0.2)

    def chosen(self) -> str | None:
        return None if self.list.chosen is None else self.list.chosen.id

    def toasts(self) -> str:
        return " ".join(note.message for note in self.app._notifications)

    @contextmanager
    def unaware(self) -> Generator[None]:
        """The screen does not follow the queue: what is drawn is what was, as in the moment before a refresh."""
        screen = self.app.screen_stack[1]
        assert isinstance(screen, ReviewScreen)
        screen.workers.cancel_group(screen, "fresh")
        yield
        screen.run_worker(screen._follower.keep_fresh(), group="fresh")

    def row(self, part: str) -> str:
        """The line of the list that holds this."""
        (line,) = [line for line in self.lines()[: self.list.region.bottom] if re.search(part, line)]
        return line


@asynccontextmanager
async def sit_down(
    gate: Any,
    *,
    size: tuple[int, int] = (80, 24),
    clock: Callable[[], float] | None = None,
    read_only: bool = False,
    settings: Settings | None = None,
) -> AsyncGenerator[Desk]:
    """Decisions count at once here, unless the settings say otherwise."""
    settings = settings or Settings(hold=0)
    app = ReviewApp(gate, "alice", read_only=read_only, clock=clock or Ticking(), settings=settings)
    async with app.run_test(size=size, notifications=True) as pilot:
        desk = Desk(app, pilot)
        await desk.until(lambda: desk.list.rows.size or desk.has("Nothing is waiting"), "the first page")
        await desk.until(lambda: desk.list.chosen is None or desk.detail.study is not None, "the detail")
        await pilot.pause()
        yield desk
