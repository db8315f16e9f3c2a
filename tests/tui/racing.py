"""A hand at the dashboard and a rival in another process, at the same requests; and who judges between them."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from textual.widgets import TextArea

from gatekit import Gate
from gatekit_tui.decide.leaving import LeaveScreen
from gatekit_tui.edit.edit import EditScreen
from gatekit_tui.frame.ask import AskScreen
from gatekit_tui.frame.guard import DEAD
from gatekit_tui.frame.reason import ReasonScreen
from gatekit_tui.queue.batch_screen import BatchScreen
from tests.tui.desk import Desk
from tests.tui.terminal import environment

HEADING = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{26}) · v(\d+)\b")
SAID = {"approve": "approved", "edit": "edited", "reject": "rejected", "undo": "undone", "claim": "claimed"}
"""What the history calls it."""
ANY_VERSION = ("undo", "claim")
"""An undo speaks of what was held, maybe as the version that an edit made; a claim is of all versions."""


@dataclass(frozen=True)
class Press:
    """A key that decides, and the request and version that were drawn when it was pressed."""

    verb: str
    request_id: str
    version: int
    at: datetime


@dataclass
class Log:
    """All that the hand did. Whatever the history says of the hand must stand here, each thing once."""

    presses: list[Press] = field(default_factory=list)

    def faults(self, gate: Gate, request_ids: list[str], name: str = "human:alice") -> list[str]:
        left = list(self.presses)
        found: list[str] = []
        for request_id in request_ids:
            version = 0
            for event in gate.history(request_id):
                fits = [press for press in left if _fits(press, event.kind, request_id, version, event.at)]
                if event.by == name and event.kind in SAID.values():
                    if fits:
                        left.remove(fits[-1])
                    else:
                        before = [press for press in self.presses if press.verb != "undo" and press.at <= event.at][-4:]
                        found.append(f"{event.kind} {request_id} v{version} at {event.at}; pressed before: {before}")
                version = event.version
        return found


def _fits(press: Press, kind: str, request_id: str, version: int, at: datetime) -> bool:
    is_it = press.request_id == request_id and SAID[press.verb] == kind and press.at <= at
    return is_it and (press.version == version or press.verb in ANY_VERSION)


class Rival:
    """The other process. It has its own sense of time: an order says how long it waits first."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, seconds: float, what: str, *given: Any) -> list[str]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([seconds, what, *given]).encode() + b"\n")
        return await self._answer()

    async def ready(self) -> None:
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"ready\n"

    async def _answer(self) -> list[str]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 20)
        ids: list[str] = json.loads(line)
        return ids


@asynccontextmanager
async def a_rival(path: str) -> AsyncGenerator[Rival]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("rival.py")), path, stdin=pipe, stdout=pipe, env=environment()
    )
    rival = Rival(process)
    try:
        await rival.ready()
        yield rival
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class Race:
    """Rounds: in each the hand does one thing to what is drawn while the rival does another to it or beside it."""

    def __init__(self, desk: Desk, gate: Gate, rival: Rival, chance: random.Random) -> None:
        self.desk = desk
        self.gate = gate
        self.rival = rival
        self.chance = chance
        self.log = Log()
        self.ids: list[str] = []

    async def rounds(self, count: int) -> None:
        for _ in range(count):
            await self.round()

    async def round(self) -> None:
        await self._fill()
        await self._choose()
        if self.chance.random() < 0.85:
            await self._until_awake()
        hand = self.chance.choices(
            (self._approve, self._reject, self._edit, self._batch, self._reject_marked, self._claim, self._undo),
            (40, 10, 10, 8, 4, 8, 20),
        )[0]
        theirs = asyncio.create_task(self._theirs())
        await asyncio.sleep(self.chance.uniform(0, 0.08))
        await hand()
        self.ids += await theirs
        await self._come_back()

    async def approve_while(self, theirs: str, *, beside: bool) -> None:
        """One round of one kind: the rival is at the chosen request, or at the one above, right when the key comes."""
        self.ids += await self.rival.do(0, "add", 3, "low", None)
        await self.desk.until(lambda: self.desk.list.rows.total >= 3, "rows")
        for key in "gj" if beside else "jg":
            self.desk.hit(key)
            await self.desk.pilot.pause(0.03)
        await self.desk.until(lambda: self.drawn() is not None and self.desk.drawn(), "what is chosen")
        await self._until_awake()
        above = self.gate.requests("pending", limit=1)[0].id
        target = above if beside else self.desk.chosen()
        order = asyncio.create_task(self.rival.do(self.chance.uniform(0, 0.12), theirs, target))
        await asyncio.sleep(self.chance.uniform(0, 0.04))
        await self._approve()
        await order
        await self._come_back()

    async def _fill(self) -> None:
        """Enough that wait, and one now and then whose time is short."""
        if self.gate.count("pending") < 6:
            risk = self.chance.choices(("low", "medium", "high"), (4, 4, 1))[0]
            short = self.chance.uniform(0.6, 1.2) if self.chance.random() < 0.4 else None
            if short is not None:
                self.ids += await self.rival.do(0, "add", 1, risk, short)
            self.ids += await self.rival.do(0, "add", 3, risk, None)
        await self.desk.until(lambda: self.desk.list.rows.total, "rows")

    async def _choose(self) -> None:
        keys = self.chance.choices(("j", "k", "g", "G"), k=self.chance.randrange(3))
        if self.desk.list.chosen_is_gone:
            # It stays in its place until the hand moves on.
            keys = [self.chance.choice("jk"), *keys]
        for key in keys:
            self.desk.hit(key)
            await self.desk.pilot.pause(0.03)
        await self.desk.until(lambda: self.drawn() is not None and self.desk.drawn(), "what is chosen")

    async def _until_awake(self) -> None:
        """The hand has looked for long enough. It may look long enough for a deadline to come near."""
        guard = self.desk.app.guard
        await self.desk.until(lambda: not guard.too_soon(perf_counter()), "the end of the first moment")
        decide_by = None if (seen := self.desk.detail.study) is None else seen.request.decide_by
        if decide_by is not None:
            left = (decide_by - self.gate.now()).total_seconds()
            await asyncio.sleep(max(0.0, left + self.chance.uniform(-0.12, 0.03)))

    async def _theirs(self) -> list[str]:
        chosen, rows = self.desk.chosen(), [row.id for row in self.gate.requests("pending", limit=20)]
        others = [row for row in rows if row != chosen]
        target = chosen if chosen in rows and (self.chance.random() < 0.7 or not others) else None
        verb = self.chance.choices(("approve", "reject", "edit", "change", "withdraw", "add"), (4, 3, 3, 7, 3, 2))[0]
        wait = self.chance.uniform(0, 0.08 if self.chance.random() < 0.7 else 0.6)
        if verb == "add":
            return await self.rival.do(wait, "add", 2, "low", self.chance.choice((None, 5.0)))
        if target is None and not others:
            return []
        await self.rival.do(wait, verb, target or self.chance.choice(others))
        return []

    # -- what the hand does

    def drawn(self) -> tuple[str, int] | None:
        """The request, and its version, that stand on the screen: read off its text."""
        found = HEADING.search(self.desk.text())
        return None if found is None else (found[1], int(found[2]))

    def press(self, key: str, *verbs: str) -> None:
        """A key on the list, written down with what is drawn."""
        drawn = self.drawn()
        if drawn is not None:
            self.log.presses += [Press(verb, *drawn, self.gate.now()) for verb in verbs]
        self.desk.hit(key)

    async def _opened(self, screen: type) -> bool:
        """Whether it comes up, and is old enough for its keys."""
        for _ in range(15):
            await asyncio.sleep(0.02)
            if isinstance(self.desk.app.screen, screen):
                await asyncio.sleep(DEAD + self.chance.uniform(0, 0.1))
                return isinstance(self.desk.app.screen, screen)
        return False

    async def _type(self, text: str) -> None:
        for char in text:
            self.desk.hit(char)
            await asyncio.sleep(0.04)

    async def _confirm(self) -> None:
        if await self._opened(AskScreen):
            if self.desk.has("Type yes"):
                await self._type("yes")
                self.desk.hit("enter")
            else:
                self.desk.hit("a")

    async def _approve(self) -> None:
        seen = self.desk.detail.study
        self.press("a", "approve")
        if seen is not None and seen.request.risk == "high":
            await self._confirm()

    async def _claim(self) -> None:
        self.press("c", "claim")

    async def _undo(self) -> None:
        """What was decided last, or the chosen one: the history must hold a decision of the hand's for it."""
        now = self.gate.now()
        made = dict.fromkeys(press.request_id for press in self.log.presses)
        self.log.presses += [Press("undo", request_id, 0, now) for request_id in made]
        self.desk.hit("u")

    async def _reject(self) -> None:
        self.press("r", "reject")
        if await self._opened(ReasonScreen):
            await self._type("no")
            self.desk.hit("enter")

    async def _edit(self) -> None:
        self.press("e", "edit")
        if await self._opened(EditScreen) and (areas := self.desk.app.screen.query(TextArea)):
            areas.first().text = '{"path": "/mine"}'
            await asyncio.sleep(DEAD)
            self.desk.hit("ctrl+s")
            await self._confirm()

    async def _mark(self, verb: str) -> None:
        for _ in range(self.chance.randint(1, 3)):
            await self.desk.until(lambda: self.drawn() is not None and self.desk.drawn(), "what is chosen")
            self.press("space", verb)
            # It goes on to the next line by itself: the hand waits to see that.
            await self.desk.pilot.pause(0.04)

    async def _batch(self) -> None:
        await self._mark("approve")
        self.desk.hit("A")
        if await self._opened(BatchScreen) and (asked := re.search(r"Type (\d+)", self.desk.text())):
            await self._type(asked[1])
            self.desk.hit("enter")

    async def _reject_marked(self) -> None:
        await self._mark("reject")
        self.desk.hit("R")
        if await self._opened(ReasonScreen):
            await self._type("no")
            self.desk.hit("enter")

    async def _come_back(self) -> None:
        """To the list, with nothing on its way and nothing marked."""
        await self.desk.pilot.pause(0.1)
        screen = self.desk.app.screen_stack[1]
        groups = ("may", "batch", "decide")
        await self.desk.until(lambda: not [w for w in screen.workers if w.group in groups], "what is on its way")
        while len(self.desk.app.screen_stack) > 2:
            assert not isinstance(self.desk.app.screen, LeaveScreen)
            self.desk.hit("escape")
            await self.desk.pilot.pause(0.05)
        if self.desk.list.marked:
            self.desk.app.screen_stack[1]._marks.drop(list(self.desk.list.marked))  # type: ignore[attr-defined]
