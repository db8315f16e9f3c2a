"""The commands for an attempt whose end is not known, or that hangs: a person says what is to become of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from gatekit.cli import terminal
from gatekit.cli.attempts import PAUSED, resume_of
from gatekit.cli.confirming import require_terminal, show_request, tell, word_of
from gatekit.cli.drawing import Shown
from gatekit.cli.edits import json_from
from gatekit.cli.failing import NotConfirmed
from gatekit.cli.knowing import durable_run
from gatekit.cli.options import (
    as_option,
    attempt_option,
    id_argument,
    note_option,
    open_gate,
    queue_option,
    reviewer_name,
)
from gatekit.cli.paint import safe, wrap
from gatekit.errors import AlreadyDecided, NotAllowed, UsageError
from gatekit.gate import Gate
from gatekit.models import Decision, Request, Status
from gatekit.reviewer import Reviewer

_OPEN_TO: Final[dict[str, tuple[Status, ...]]] = {
    "retry": ("unknown", "failed"),
    "settle": ("unknown",),
    "declare_lost": ("running",),
}
_NAMES: Final = {"retry": "retry", "settle": "settle", "declare_lost": "declare-lost"}
_WARNINGS: Final = {
    "retry": "The last attempt may have acted, then this acts again.",
    "settle": "What you say is recorded as how the call ended. What the attempt reports later changes nothing.",
    "declare_lost": "The process is not stopped: it may still act after this.",
}
_DOING: Final = {
    "retry": "let it start anew",
    "settle": "record this",
    "declare_lost": "give this attempt up",
}


@click.command()
@id_argument
@attempt_option
@note_option
@as_option
@queue_option
def retry(request_id: str, attempt: int | None, note: str | None, reviewer: str | None, queue: str | None) -> None:
    """Let a call start anew whose last attempt failed, or ended in a way that is not known.

    That attempt may have acted: look first. In a terminal it shows the call with its last attempt and asks; Enter
    or the end of input let nothing start.
    """
    _resolve("retry", request_id, attempt, reviewer, queue, note=note)


@click.command()
@id_argument
@click.option("--result", metavar="JSON", help="It did its work: what the tool returned.")
@click.option("--error", metavar="TEXT", help="It failed: what went wrong.")
@attempt_option
@note_option
@as_option
@queue_option
def settle(
    request_id: str,
    result: str | None,
    error: str | None,
    attempt: int | None,
    note: str | None,
    reviewer: str | None,
    queue: str | None,
) -> None:
    """Say how a call ended whose end is not known: with a result, or with an error.

    The result is JSON, so a text needs its quotes: --result '"sent"'. The agent gets it as if the tool had returned
    it. In a terminal it shows the call with its last attempt and asks.
    """
    if (result is None) == (error is None):
        raise UsageError("settle takes --result JSON for a call that did its work, or --error TEXT for one that failed")
    outcome: dict[str, Any] = {"error": error} if result is None else {"result": json_from("--result", result)}
    told = f"raised {safe(error)}" if error is not None else f"returned {safe(result or '')}"
    _resolve("settle", request_id, attempt, reviewer, queue, told, note=note, **outcome)


@click.command("declare-lost")
@id_argument
@attempt_option
@note_option
@as_option
@queue_option
def declare_lost(
    request_id: str, attempt: int | None, note: str | None, reviewer: str | None, queue: str | None
) -> None:
    """Give up an attempt that hangs in a process which still lives: its outcome is unknown from now on.

    The process is not stopped. In a terminal it shows the call with its last attempt and asks.
    """
    _resolve("declare_lost", request_id, attempt, reviewer, queue, note=note)


def _resolve(
    verb: str,
    request_id: str,
    attempt: int | None,
    reviewer: str | None,
    queue: str | None,
    told: str = "",
    **given: Any,
) -> None:
    with open_gate(queue) as gate:
        word = _word_of_seat(gate.reviewer(reviewer_name(reviewer)), verb)
        if attempt is not None:
            tell(gate, word(request_id, attempt=attempt, **given))
            return
        require_terminal(request_id, "--attempt")
        request = gate.get(request_id)
        _check_open(gate, request, verb)
        _confirm(request, show_request(gate, request), verb, told)
        tell(gate, word(request, **given))


def _check_open(gate: Gate, request: Request, verb: str) -> None:
    """Raise for a request that this verb is not for: sent on, it could be one by then, and nobody would have asked."""
    if request.status in _OPEN_TO[verb]:
        run = durable_run(gate, request.run) if request.run and request.status == "failed" else None
        if run is not None:
            raise NotAllowed(
                f"it is a step of the run {run.id}: resume the run, which tries it again: {resume_of(run)}"
            )
        return
    if request.decision is not None and request.decision.verb in ("retry", "settle"):
        raise AlreadyDecided(request.decision)
    cure = "; if it hangs, declare it lost first" if request.status == "running" else ""
    open_to = " or ".join(_OPEN_TO[verb])
    raise NotAllowed(f"the request is {request.status}: {_NAMES[verb]} is for one that is {open_to}{cure}")


def _word_of_seat(seat: Reviewer, verb: str) -> Callable[..., Decision]:
    return {"retry": seat.retry, "settle": seat.settle, "declare_lost": seat.declare_lost}[verb]


def _confirm(request: Request, shown: Shown, verb: str, told: str) -> None:
    for text in (f"you say it {told}" if told else "", f"! {_WARNINGS[verb]} {PAUSED}"):
        for line in wrap(text, terminal.width()) if text else ():
            click.echo(line.rstrip())
    # To let it start again costs what its approval cost, and never less than a word.
    word = word_of(request, shown) if verb == "retry" else "yes"
    word = "yes" if word == "y" else word
    if terminal.ask(f"Type {word} to {_DOING[verb]}; anything else leaves it as it is: ") != word:
        raise NotConfirmed(f"not confirmed: {request.id} is as it was")
