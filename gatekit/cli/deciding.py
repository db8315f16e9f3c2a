"""The commands that decide. Approving is deliberate; rejecting is one command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from gatekit.cli import terminal
from gatekit.cli.drawing import PAST, Shown, draw_changes, draw_request
from gatekit.cli.edits import changes_from
from gatekit.cli.failing import NotConfirmed
from gatekit.cli.options import as_option, id_argument, open_gate, queue_option, reviewer_name, token_option
from gatekit.cli.paint import safe
from gatekit.errors import UsageError
from gatekit.gate import Gate
from gatekit.models import Change, Decision, Request

_DRAWN: Final = 20_000
"""Characters of arguments that a person is asked about at once; what is longer costs the tool's name."""


@click.command()
@id_argument
@token_option
@as_option
@queue_option
def approve(request_id: str, token: str | None, reviewer: str | None, queue: str | None) -> None:
    """Let a call run with exactly its arguments.

    In a terminal it shows the call and asks; Enter or the end of input approve nothing.
    """
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        if token is not None:
            _tell(gate, seat.approve(request_id, token=token))
            return
        _require_terminal(request_id)
        request = gate.get(request_id)
        if request.status == "pending":
            _confirm(request, _show(gate, request), "approve this call")
        _tell(gate, seat.approve(request))


@click.command()
@id_argument
@click.argument("changes", metavar="NAME=JSON...", nargs=-1, required=True)
@token_option
@as_option
@queue_option
def edit(request_id: str, changes: tuple[str, ...], token: str | None, reviewer: str | None, queue: str | None) -> None:
    """Change arguments of a call and let it run with them.

    The values are JSON, so a text needs its quotes: gatekit edit ID amount=40 note='"for June"'. Arguments that
    are not named stay. In a terminal it shows what changes and asks.
    """
    wanted = changes_from(changes)
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        if token is not None:
            _tell(gate, seat.edit(request_id, wanted, token=token))
            return
        _require_terminal(request_id)
        request = gate.get(request_id)
        if request.status == "pending":
            found = gate.check_edit(request, wanted)
            shown = _show(gate, request)
            _show_changes(found)
            _confirm(request, shown, "approve it with these changes" if found else "approve this call")
        _tell(gate, seat.edit(request, wanted))


@click.command()
@id_argument
@click.option("--reason", metavar="TEXT", required=True, help="Why; the agent is told.")
@as_option
@queue_option
def reject(request_id: str, reason: str, reviewer: str | None, queue: str | None) -> None:
    """Refuse a call: it does not run."""
    with open_gate(queue) as gate:
        _tell(gate, gate.reviewer(reviewer_name(reviewer)).reject(request_id, reason=reason))


@click.command()
@id_argument
@click.argument("text")
@as_option
@queue_option
def respond(request_id: str, text: str, reviewer: str | None, queue: str | None) -> None:
    """Answer a call instead of letting it run: the agent gets TEXT."""
    with open_gate(queue) as gate:
        _tell(gate, gate.reviewer(reviewer_name(reviewer)).respond(request_id, text))


@click.command()
@id_argument
@click.option("--reason", metavar="TEXT", help="Why; the agent is told.")
@as_option
@queue_option
def cancel(request_id: str, reason: str | None, reviewer: str | None, queue: str | None) -> None:
    """Withdraw a call that has not started, decided or not."""
    with open_gate(queue) as gate:
        _tell(gate, gate.reviewer(reviewer_name(reviewer)).cancel(request_id, reason=reason))


def _require_terminal(request_id: str) -> None:
    if not terminal.can_ask():
        shown = safe(request_id)
        raise UsageError(f"there is no terminal to ask in: read `gatekit show {shown}`, then give its --token")


def _show(gate: Gate, request: Request) -> Shown:
    shown = draw_request(request, gate.now(), terminal.width(), limit=_DRAWN)
    for line in [*shown.lines, ""]:
        click.echo(line)
    return shown


def _show_changes(changes: Sequence[Change]) -> None:
    if not changes:
        click.echo("Your edit changes nothing.")
        return
    for line in ["your changes:", *draw_changes(changes, terminal.width()), ""]:
        click.echo(line)


def _confirm(request: Request, shown: Shown, doing: str) -> None:
    """Ask for the word that the approval costs. Raises `NotConfirmed` for every other answer, and for none."""
    word = _word(request, shown)
    answer = terminal.ask(f"Type {word} to {doing}; anything else leaves it waiting: ")
    if answer != word and not (word == "y" and answer == "yes"):
        raise NotConfirmed(f"not approved: {request.id} still waits")


def _word(request: Request, shown: Shown) -> str:
    if shown.friction != "name":
        return "y" if shown.friction == "key" else "yes"
    tool = request.tool
    typeable = tool.isascii() and tool.isprintable() and tool == tool.strip() and len(tool) <= 40
    return tool if typeable else request.id[-4:]


def _tell(gate: Gate, decision: Decision) -> None:
    request = gate.get(decision.request_id)
    click.echo(f"{PAST[decision.verb]}: {safe(request.tool)} {request.id} by {safe(decision.by)}")
    if decision.standing != "counts":
        click.echo(f"It does not count any more: it was {decision.standing}.")
    if request.waiter == "gone" and request.status == "approved":
        click.echo("Nobody waits for it: it runs when the agent makes the call again.")
