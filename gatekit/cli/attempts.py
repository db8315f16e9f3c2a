"""The last attempt of a call: who ran it, whether that process lives, and the ways out where its end is unknown."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Final

from gatekit.cli.paint import safe, since, under
from gatekit.models import Request, RunRow
from gatekit.owner import Owner, is_dead

PAUSED: Final = "A process that is only paused, or that cannot be seen from here, may still act."
_LIFE: Final = {
    True: "which has ended",
    False: "which still lives",
    None: "of which cannot be told from here whether it lives",
}
_STATES: Final = {"given_back": "never called the tool", "lost": "never said how it ended"}
_RESUMABLE: Final = ("failed", "needs-review")
_WAYS_OUT: Final = {
    "settle": (("--result JSON", "it did its work"), ("--error TEXT", "it failed")),
    "retry": (("", "let it start anew"),),
    "declare-lost": (("", "if it hangs"),),
}


def process_of(request: Request) -> str:
    """The process of the last attempt, in words, and whether it lives, as far as this machine can tell."""
    if request.attempt is None:
        return ""
    owner = request.attempt.owner
    try:
        named = Owner.parse(owner)
    except ValueError:
        return f"an unnamed process, {_LIFE[None]}"
    return f"process {named.pid} on {safe(named.host)}, {_LIFE[is_dead(owner)]}"


def draw_attempt(request: Request, process: str, now: datetime, width: int) -> list[str]:
    """The last attempt as lines; none where the tool was never started."""
    attempt = request.attempt
    if attempt is None:
        return []
    state = _STATES.get(attempt.state, attempt.state)
    told = f"{since(attempt.started_at, now)} ago, {state}"
    if attempt.finished_at is not None:
        told += f" {since(attempt.finished_at, now)} ago"
    lines = under("attempt", f"{attempt.no}, by {process}" if process else str(attempt.no), width)
    return [*lines, *under("started", told, width)]


def draw_ways_out(request: Request, run: RunRow | None, width: int) -> list[str]:
    """What a person can do about a call whose end is not known, that hangs, or that failed.

    `run` is the durable run that it is a step of.
    """
    if request.status == "failed" and run is not None:
        # Its run would not hear of a retry: it tries the step again itself.
        return under("resume its run:", resume_of(run), width, column=20) if run.status in _RESUMABLE else []
    ways = _ways_out(request)
    lines: list[str] = []
    if request.status == "unknown":
        lines += under("unknown", "how the call ended is not known: look at what it did, then say so", width)
    for verb in ways:
        for option, meaning in _WAYS_OUT[verb]:
            command = " ".join(filter(None, ("gatekit", verb, request.id, option)))
            lines += under(f"{meaning}:", command, width, column=20)
    return lines


def resume_of(run: RunRow) -> str:
    """The command that lets a run go on."""
    return f"gatekit resume {shlex.quote(safe(run.id))}"


def _ways_out(request: Request) -> list[str]:
    again = ["retry"] if request.attempt is not None and _can_come_again(request) else []
    match request.status:
        case "unknown":
            return ["settle", *again]
        case "failed":
            return again
        case "running":
            return ["declare-lost"]
        case _:
            return []


def _can_come_again(request: Request) -> bool:
    return request.call_id != request.id
