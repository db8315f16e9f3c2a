"""`gatekit allow`, `grants` and `revoke`: standing permissions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import click

from gatekit.cli import terminal
from gatekit.cli.confirming import confirm, require_terminal, show_request, tell
from gatekit.cli.drawing_grants import draw_grant, draw_offer
from gatekit.cli.options import (
    as_option,
    id_argument,
    json_option,
    note_option,
    open_gate,
    queue_option,
    reviewer_name,
    token_option,
)
from gatekit.cli.paint import as_json, safe
from gatekit.cli.scopes import duration_from, scope_from
from gatekit.errors import AlreadyDecided, StaleToken, UsageError
from gatekit.gate import Gate
from gatekit.machine.grants import scope_of
from gatekit.models import Grant, Request
from gatekit.reviewer import Within

_MOST: Final = 1000
_LONGEST: Final = timedelta(days=366)


@click.command()
@id_argument
@click.option("--for", "lasts", metavar="SPAN", help="How long it holds: 30m, 4h, 2d.")
@click.option("--uses", metavar="N", type=click.IntRange(min=1), help="How many further calls it covers.")
@click.option(
    "--scope",
    "typed",
    metavar="RULE",
    multiple=True,
    help="What an argument may be: path='/srv/*', 'amount<=100', force=true; several times. Every argument that is "
    "not named must be as in this call.",
)
@click.option(
    "--within",
    type=click.Choice(["run", "agent", "all"]),
    default="agent",
    show_default=True,
    help="Only calls of this run, only of this agent, or of anybody.",
)
@token_option
@note_option
@as_option
@queue_option
def allow(
    request_id: str,
    lasts: str | None,
    uses: int | None,
    typed: tuple[str, ...],
    within: Within,
    token: str | None,
    note: str | None,
    reviewer: str | None,
    queue: str | None,
) -> None:
    """Approve a call, and calls like it for a while, without asking again.

    A pattern's * stays within one part of a path, ** does not; a rule in JSON is {"at_most": 100},
    {"at_least": 1} or {"any": true}. In a terminal it shows the call and what would be allowed, and asks.
    """
    length = None if lasts is None else duration_from("--for", lasts)
    if length is not None and length > _LONGEST:
        raise UsageError(f"--for {safe(lasts or '')}: a permission holds for at most a year, {_LONGEST.days}d")
    if length is None and uses is None:
        raise UsageError("say for how long, --for 1h, or for how many calls, --uses 10")
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        if token is None:
            require_terminal(request_id)
        request = gate.get(request_id)
        scope = scope_from(typed, request.args)
        if token is not None:
            _check_token(request, token)
        elif _can_be_allowed(request, f"human:{seat.name}"):
            _ask(gate, request, scope, within, length, uses)
        _tell(gate, seat.allow(request, for_=length, uses=uses, scope=scope, within=within, note=note))


@click.command()
@click.option("--all", "with_ended", is_flag=True, help="Also those that have ended, were used up or revoked.")
@queue_option
@json_option
def grants(with_ended: bool, queue: str | None, json_wanted: bool) -> None:
    """List the standing permissions, the newest first: which calls need nobody, and who said so."""
    with open_gate(queue) as gate:
        found = gate.grants(limit=_MOST)
        rows, more = [grant for grant in found if with_ended or grant.active], len(found) == _MOST
        if json_wanted:
            click.echo(as_json({"rows": [grant.to_dict() for grant in rows], "more": more}))
            return
        for number, grant in enumerate(rows):
            for line in ["", *_drawn(gate, grant)][not number :]:
                click.echo(line)
        if not rows:
            click.echo(f"No permission {'was ever given' if with_ended else 'holds'} in {safe(gate.path)}.", err=True)
        if more:
            click.echo(f"There may be more than the newest {_MOST:,}.", err=True)


@click.command()
@click.argument("grant_id", metavar="GRANT")
@as_option
@queue_option
def revoke(grant_id: str, reviewer: str | None, queue: str | None) -> None:
    """Take a standing permission back, also another's: from now on it covers no call, in any process."""
    with open_gate(queue) as gate:
        grant = gate.reviewer(reviewer_name(reviewer)).revoke(grant_id)
        by, used = safe(grant.revoked_by or ""), "once" if grant.used == 1 else f"{grant.used} times"
        click.echo(f"revoked: {safe(grant.tool)} {safe(grant.id)} by {by}; it was used {used}")


def _check_token(request: Request, token: str) -> None:
    """The scope is made of the arguments that were read: those must be what the token names."""
    if token != request.token:
        raise StaleToken(token, request.token) if request.decision is None else AlreadyDecided(request.decision)


def _can_be_allowed(request: Request, by: str) -> bool:
    """Whether a person is to be asked; whatever else it is, the queue refuses."""
    one_decides = len(request.stages) == 1 and request.stages[0].quorum == 1
    own = request.decision is not None and request.decision.by == by
    is_open = request.status == "pending" or own
    return is_open and one_decides and request.kind == "call" and request.risk != "critical"


def _ask(
    gate: Gate,
    request: Request,
    scope: Mapping[str, object],
    within: Within,
    lasts: timedelta | None,
    uses: int | None,
) -> None:
    meant = _meant(request, scope)
    if within == "run" and request.run is None:
        raise UsageError("--within run: this call belongs to no run")
    shown = show_request(gate, request)
    for line in [*draw_offer(request, meant, within, lasts, uses, terminal.width()), ""]:
        click.echo(line)
    confirm(request, shown, "approve it and allow these calls", at_least="yes")


def _meant(request: Request, scope: Mapping[str, object]) -> dict[str, Any]:
    try:
        return scope_of(scope, request.args)
    except ValueError as error:
        raise UsageError(f"--scope: {error}") from None


def _tell(gate: Gate, grant: Grant) -> None:
    decision = gate.get(grant.request_id).decision
    if decision is not None:
        tell(gate, decision)
    click.echo("allowed without asking from now on:")
    for line in [*_drawn(gate, grant), f"Take it back with: gatekit revoke {safe(grant.id)}"]:
        click.echo(line)


def _drawn(gate: Gate, grant: Grant) -> list[str]:
    return draw_grant(grant, gate.now(), terminal.width())
