"""The commands that decide. Approving is deliberate; rejecting is one command."""

from __future__ import annotations

from typing import Final

import click

from gatekit.cli.confirming import confirm, require_terminal, show_changes, show_request, tell
from gatekit.cli.edits import changes_from, json_from
from gatekit.cli.options import (
    as_option,
    id_argument,
    note_option,
    open_gate,
    queue_option,
    reviewer_name,
    token_option,
)
from gatekit.models import Kind, Request

APPROVING: Final[dict[Kind, str]] = {
    "call": "approve this call",
    "confirm": "say yes to this",
    "question": "approve this answer",
}
"""What an approval is asked for as."""


@click.command()
@id_argument
@token_option
@as_option
@queue_option
def approve(request_id: str, token: str | None, reviewer: str | None, queue: str | None) -> None:
    """Let a call run with exactly its arguments, say yes to a confirmation, or approve a question's answer.

    In a terminal it shows all of it and asks; Enter or the end of input approve nothing.
    """
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        if token is not None:
            tell(gate, seat.approve(request_id, token=token))
            return
        require_terminal(request_id)
        request = gate.get(request_id)
        if _can_be_approved(request):
            confirm(request, show_request(gate, request), APPROVING[request.kind])
        tell(gate, seat.approve(request))


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
            tell(gate, seat.edit(request_id, wanted, token=token))
            return
        require_terminal(request_id)
        request = gate.get(request_id)
        if _waits(request, "call"):
            found = gate.check_edit(request, wanted)
            shown = show_changes(show_request(gate, request), found)
            confirm(request, shown, "approve it with these changes" if found else "approve this call")
        tell(gate, seat.edit(request, wanted))


@click.command()
@id_argument
@click.option("--payload", metavar="JSON", help="What the run goes on with, in place of all of the shown payload.")
@token_option
@note_option
@as_option
@queue_option
def release(
    request_id: str,
    payload: str | None,
    token: str | None,
    note: str | None,
    reviewer: str | None,
    queue: str | None,
) -> None:
    """Let a paused run go on, with its payload as it is or with another.

    The payload is JSON, so a text needs its quotes: --payload '"yes"'. In a terminal it shows the pause and asks;
    Enter or the end of input release nothing.
    """
    changes = {} if payload is None else {"payload": json_from("--payload", payload)}
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        if token is not None:
            tell(gate, seat.release(request_id, token=token, note=note, **changes))
            return
        require_terminal(request_id)
        request = gate.get(request_id)
        if _waits(request, "pause"):
            found = gate.check_edit(request, changes)
            shown = show_request(gate, request)
            if payload is not None:
                shown = show_changes(shown, found)
            confirm(request, shown, "release it with this payload" if found else "release this pause")
        tell(gate, seat.release(request, note=note, **changes))


@click.command()
@id_argument
@click.option("--reason", metavar="TEXT", required=True, help="Why; the agent is told.")
@as_option
@queue_option
def reject(request_id: str, reason: str, reviewer: str | None, queue: str | None) -> None:
    """Refuse a call, which does not run, a question or a confirmation, or a pause, which fails its run."""
    with open_gate(queue) as gate:
        tell(gate, gate.reviewer(reviewer_name(reviewer)).reject(request_id, reason=reason))


@click.command()
@id_argument
@click.argument("text")
@as_option
@queue_option
def respond(request_id: str, text: str, reviewer: str | None, queue: str | None) -> None:
    """Answer a call instead of letting it run: the agent gets TEXT."""
    with open_gate(queue) as gate:
        tell(gate, gate.reviewer(reviewer_name(reviewer)).respond(request_id, text))


@click.command()
@id_argument
@click.option("--reason", metavar="TEXT", help="Why; the agent is told.")
@as_option
@queue_option
def cancel(request_id: str, reason: str | None, reviewer: str | None, queue: str | None) -> None:
    """Withdraw a call that has not started, decided or not."""
    with open_gate(queue) as gate:
        tell(gate, gate.reviewer(reviewer_name(reviewer)).cancel(request_id, reason=reason))


def _can_be_approved(request: Request) -> bool:
    return any(_waits(request, kind) for kind in APPROVING) and (
        # The queue refuses to approve a question that nobody has answered.
        request.kind != "question" or request.original is not None
    )


def _waits(request: Request, kind: str) -> bool:
    """Whether a person is to be asked; what else it is, the queue refuses, or it was said before."""
    return request.status == "pending" and request.kind == kind
