"""The demo with nobody at the keyboard: a script reviews, and afterwards the files are compared with its decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import anyio
import anyio.to_thread

from gatekit import Gate, Request
from gatekit.demo.agent import Agent, call_text
from gatekit.demo.place import Place, contents
from gatekit.demo.record import allowed, differences, expected, requests_of
from gatekit.demo.tools import tools_of

REVIEWER: Final = "script"
SCRIPT: Final = Counter({"approve": 1, "edit": 1, "reject": 1, "respond": 1})
"""What the script decides on the sample."""
_WAIT: Final = 20.0
"""Seconds after which a call that the script overlooked stops waiting, so that no fault can hang the demo."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a demo without a person went."""

    requests: list[Request]
    wrong: list[str]
    """Where the files are not as the decisions say; empty if they are."""


def run(place: Place, say: Callable[[str], None], *, script: Counter[str] | None = None) -> Result:
    """Let the agent work and the script review, say every step, and check the files.

    `script`: how often each verb must have been used.
    """
    before = contents(place)
    with Gate(place.queue, record="all") as gate:
        agent = Agent(
            tools_of(place.folder, gate, wait=_WAIT), place.folder.name, say=lambda line: say(f"agent     {line}")
        )
        _run_both(gate, agent, say)
        requests = requests_of(gate)
    wrong = differences(expected(before, place.folder.name, allowed(requests)), contents(place))
    verbs = _verbs(requests)
    if script is not None and verbs != script:
        wrong.append(f"the script decided {dict(verbs)} and not {dict(script)}")
    return Result(requests, wrong)


def _run_both(gate: Gate, agent: Agent, say: Callable[[str], None]) -> None:
    try:
        anyio.run(_both, gate, agent, say)
    except ExceptionGroup as group:
        # Of the two at work one failed and took the other along: what it says is the message.
        raise group.exceptions[0] from group


async def _both(gate: Gate, agent: Agent, say: Callable[[str], None]) -> None:
    steps = await anyio.to_thread.run_sync(agent.look, gate.now().year)
    async with anyio.create_task_group() as group:
        group.start_soon(_review, gate, say)
        await anyio.to_thread.run_sync(agent.work, steps)
        group.cancel_scope.cancel()


async def _review(gate: Gate, say: Callable[[str], None]) -> None:
    async for event in gate.aio.watch(since=0):
        if event.kind == "submitted":
            request = await gate.aio.get(event.request_id)
            if request.status == "pending":
                await _decide(gate, request, say)


async def _decide(gate: Gate, request: Request, say: Callable[[str], None]) -> None:
    """One of each: what is double may go, what is unfinished stays, nothing leaves, nothing is overwritten."""
    seat = gate.aio.reviewer(REVIEWER)
    call = call_text(request.tool, request.args)
    match request.tool, request.args:
        case "delete_file", {"path": str(path)} if not path.endswith(".tmp"):
            say(f"reviewer  approves {call}")
            await seat.approve(request)
        case "move_file", {"to": str(to)} if to.startswith("../"):
            inside = f"archive/{PurePosixPath(to).name}"
            say(f"reviewer  edits {call}: to={inside!r}")
            await seat.edit(request, {"to": inside}, note="it stays in the folder")
        case "write_file", _:
            text = "INDEX.md was written by hand: write to CONTENTS.md instead"
            say(f"reviewer  answers {call}: {text}")
            await seat.respond(request, text)
        case _:
            reason = "it is not finished, and there is no other copy"
            say(f"reviewer  rejects {call}: {reason}")
            await seat.reject(request, reason=reason)


def _verbs(requests: list[Request]) -> Counter[str]:
    decisions = [request.decision for request in requests]
    return Counter(decision.verb for decision in decisions if decision and decision.by == f"human:{REVIEWER}")
