"""A long day at a queue, for the power cuts: with the promised syncs, and, to compare, with fewer."""

from __future__ import annotations

from typing import Final

from gatekit import Gate
from gatekit.store import opening
from tests.crash.durable import walk_at
from tests.crash.stage import EDITED, UNLUCKY, Role, Stage, asked, call, decide, force, make_tool, with_small_log

CALLS: Final = 12
"""Calls of a long day."""


def long_day(stage: Stage) -> None:
    """Many calls, decided in every way, and a run, while the log is copied again and again."""
    with_small_log()
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0)
        for number in range(CALLS):
            label, amount = f"{number}", UNLUCKY if number % 6 == 4 else number
            request = asked(stage, gate, tool, label, amount)
            if number % 6 == 1:
                decide(stage, gate, "edit", request, {"amount": EDITED + number})
            elif number % 6 == 2:
                decide(stage, gate, "reject", request, reason="no")
            elif number % 6 == 3:
                decide(stage, gate, "approve", request, hold=600)
                decide(stage, gate, "undo", gate.get(request.id), hold=600)
                decide(stage, gate, "respond", gate.get(request.id), "ask first")
            else:
                decide(stage, gate, "approve", request)
            call(stage, tool, label, amount)
        walk_at(stage, gate)


def careless(stage: Stage) -> None:
    """The same day with a queue that syncs its log only when it copies it."""
    with_synchronous("NORMAL")
    long_day(stage)


def reckless(stage: Stage) -> None:
    """The same day with a queue that never syncs."""
    with_synchronous("OFF")
    long_day(stage)


def with_synchronous(level: str) -> None:
    """From now on a queue is opened with another level than the one that it promises."""
    promised = "PRAGMA synchronous = FULL"
    assert opening._PRAGMAS.count(promised) == 1
    changed = tuple(pragma.replace(promised, f"PRAGMA synchronous = {level}") for pragma in opening._PRAGMAS)
    force(opening, "_PRAGMAS", changed)


DAYS: Final[dict[str, Role]] = {"FULL": long_day, "NORMAL": careless, "OFF": reckless}
"""The same day by how the queue syncs."""
