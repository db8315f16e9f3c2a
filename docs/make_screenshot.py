"""Draw the dashboard's pictures again: `python docs/make_screenshot.py`, or `… FOLDER [NAME …]` for others than these.

It is the real app over a real queue with calls that really wait; only the clock is made up, so that the ages are.
Without a folder it draws those that some page shows, where the page looks for them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from unittest.mock import patch

import anyio
from hand import Hand
from one_world import one_world
from sample_queue import Day
from shots import SHOTS, Shot
from slim_svg import slim

from gatekit import Gate
from gatekit.errors import QueueNotFound
from gatekit_tui import ReviewApp

DOCS = Path(__file__).parent
NOWHERE = "/srv/agents/approvals.db"
ELSEWHERE = ("NO_COLOR", "TERM", "COLORTERM", "GATEKIT_OPENER", "EDITOR", "VISUAL")
"""What the environment could change in a picture."""


def shown() -> Iterator[Path]:
    """The pictures that the pages show."""
    for page in [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]:
        for target in re.findall(r"!\[[^]]*\]\(([^)]+\.svg)\)", page.read_text(encoding="utf-8")):
            yield (page.parent / target).resolve()


async def draw(shot: Shot) -> str:
    """One picture, as SVG."""
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "EDITOR": "vi", **shot.environment}
    with patch.dict(os.environ, environment, clear=True), one_world():
        if shot.queue == "missing":
            return await picture(shot, nowhere())
        day = Day()
        # It is in memory; what a reviewer sees has a name.
        with day.gate as gate, patch.object(gate, "path", NOWHERE):
            if shot.queue == "empty":
                return await picture(shot, gate)
            return await drawn_over(shot, day)


async def drawn_over(shot: Shot, day: Day) -> str:
    """The same, over a queue in which something waits."""
    svg = ""
    await anyio.to_thread.run_sync(day.before)
    async with anyio.create_task_group() as calls:
        for call, since in day.waiting():
            await calls.start(day.made, call)
            day.clock.advance(since)
        if shot.queue == "stopped":
            day.gate.stop("refunds went out twice; the shop is looked at")
        svg = await picture(shot, day.gate)
        calls.cancel_scope.cancel()
    return svg


def nowhere() -> QueueNotFound:
    """Why a queue that is not there cannot be reviewed."""
    try:
        Gate(NOWHERE, create=False)
    except QueueNotFound as error:
        return error
    raise FileExistsError(NOWHERE)


async def picture(shot: Shot, gate: Gate | QueueNotFound) -> str:
    """What the reviewer sees at the end of the shot's story."""
    # For the key guard every picture is an old one: a second passes at each look.
    app = ReviewApp(gate, "alice", settings=shot.settings, clock=count(1.0).__next__)
    async with app.run_test(size=shot.size) as pilot:
        hand = Hand(app, pilot)
        await hand.until("NO QUEUE" if shot.queue == "missing" else "live")
        await shot.story(hand)
        await hand.be_still()
        return slim(app.export_screenshot(title="gatekit review"))


def main(given: Sequence[str]) -> None:
    """Draw what is wanted."""
    by_path = {(DOCS / shot.path).resolve(): shot for shot in SHOTS}
    if given:
        names = given[1:] or [shot.name for shot in SHOTS]
        wanted = {Path(given[0]) / f"{shot.name}.svg": shot for shot in SHOTS if shot.name in names}
    else:
        wanted = {path: by_path[path] for path in dict.fromkeys(shown())}
    for path, shot in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(anyio.run(draw, shot), encoding="utf-8")
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
