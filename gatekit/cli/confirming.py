"""What a person sees before a deciding command asks, what it asks, and what it says when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import click

from gatekit.cli import terminal
from gatekit.cli.drawing import PAST, Shown, draw_changes, draw_request
from gatekit.cli.drawing_policy import still_asked
from gatekit.cli.drawing_runs import next_of
from gatekit.cli.failing import NotConfirmed
from gatekit.cli.knowing import durable_run, known_of
from gatekit.cli.paint import safe
from gatekit.cli.stopped import said_of
from gatekit.display import draw_arguments
from gatekit.errors import UsageError
from gatekit.gate import Gate
from gatekit.models import Change, Decision, Request

_DRAWN: Final = 20_000
"""Characters of arguments that a person is asked about at once; what is longer costs the tool's name."""


def require_terminal(request_id: str, option: str = "--token") -> None:
    """Raises `UsageError` where nobody can be asked."""
    if not terminal.can_ask():
        shown = safe(request_id)
        raise UsageError(f"there is no terminal to ask in: read `gatekit show {shown}`, then give its {option}")


def show_request(gate: Gate, request: Request) -> Shown:
    """Print the whole request."""
    shown = draw_request(request, gate.now(), terminal.width(), known=known_of(gate, request), limit=_DRAWN)
    for line in [*shown.lines, ""]:
        click.echo(line)
    return shown


def show_changes(shown: Shown, changes: Sequence[Change]) -> Shown:
    """Print what an edit changes. Gives what the request costs with it: what it hides costs the tool's name, too."""
    if not changes:
        click.echo("Your edit changes nothing.")
        return shown
    for line in ["your changes:", *draw_changes(changes, terminal.width()), ""]:
        click.echo(line)
    hidden = draw_arguments({change.path: change.after for change in changes}).hidden
    if not hidden:
        return shown
    click.echo(f"! {hidden} hidden character{'' if hidden == 1 else 's'} in what is new")
    return replace(shown, friction="name")


def confirm(request: Request, shown: Shown, doing: str, *, at_least: str = "y", undone: str = "approved") -> None:
    """Ask for the word that the approval costs. Raises `NotConfirmed` for every other answer, and for none.

    `at_least="yes"` asks for a whole word where the approval costs one key.
    """
    word = word_of(request, shown)
    word = at_least if word == "y" else word
    answer = terminal.ask(f"Type {word} to {doing}; anything else leaves it waiting: ")
    if answer != word and not (word == "y" and answer == "yes"):
        raise NotConfirmed(f"not {undone}: {request.id} still waits")


def word_of(request: Request, shown: Shown) -> str:
    """What a person types to let this call run."""
    if shown.friction != "name":
        return "y" if shown.friction == "key" else "yes"
    tool = request.tool
    typeable = tool.isascii() and tool.isprintable() and tool == tool.strip() and len(tool) <= 40
    return tool if typeable else request.id[-4:]


def tell(gate: Gate, decision: Decision) -> None:
    """Print what was recorded, and what happens next where that needs somebody."""
    request = gate.get(decision.request_id)
    click.echo(f"{PAST[decision.verb]}: {safe(request.tool)} {request.id} by {safe(decision.by)}")
    if decision.standing != "counts":
        click.echo(f"It does not count any more: it was {decision.standing}.")
    if request.status == "pending" and decision.standing == "counts":
        click.echo(f"It still waits: {still_asked(request)}.")
    if request.status == "approved" and (stop := gate.stopped()) is not None:
        click.echo(f"The queue is stopped {said_of(stop, gate.now())}. It starts when that is lifted.")
    if request.waiter == "gone" and request.status not in ("pending", "held", "running", "unknown"):
        _tell_who_goes_on(gate, request)


def _tell_who_goes_on(gate: Gate, request: Request) -> None:
    run = None if request.run is None else durable_run(gate, request.run)
    if run is not None:
        if run.ready:
            click.echo(f"Its run {safe(run.id)}: {next_of(run)}.")
    elif request.status == "approved":
        click.echo("Nobody waits for it: it runs when the agent makes the call again.")
    elif request.status == "answered":
        click.echo("Nobody waits for it: the agent gets it when it asks again.")
