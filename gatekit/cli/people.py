"""`gatekit reviewers`, `claim`, `delegate` and `escalate`: who decides in this queue, and who looks at a request."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gatekit.cli.drawing_policy import current_claim
from gatekit.cli.options import (
    as_option,
    id_argument,
    json_option,
    open_gate,
    principal,
    queue_option,
    refuse_options,
    reviewer_name,
)
from gatekit.cli.paint import as_json, cells, fit, moment, safe, since
from gatekit.errors import NotAllowed
from gatekit.machine.plan import ROLE
from gatekit.models import ReviewerRow
from gatekit.policy import people_of
from gatekit.reviewer import check_reviewer

_WIDEST_NAME = 32
name_argument = click.argument("name", metavar="NAME")


@click.group(invoke_without_command=True)
@queue_option
@json_option
@click.pass_context
def reviewers(context: click.Context, queue: str | None, json_wanted: bool) -> None:
    """List the reviewers whom the queue knows; or add one, remove one. While it knows none, anybody may decide."""
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return
    with open_gate(queue) as gate:
        found = gate.reviewers()
        if json_wanted:
            click.echo(as_json([row.to_dict() for row in found]))
            return
        for line in table(found):
            click.echo(line)
        if not found:
            click.echo(f"No reviewer is known in {safe(gate.path)}: anybody may decide.", err=True)


@reviewers.command()
@name_argument
@click.option("--role", "roles", metavar="ROLE", multiple=True, help="A role that a policy asks for; several times.")
@as_option
@queue_option
def add(name: str, roles: tuple[str, ...], reviewer: str | None, queue: str | None) -> None:
    """Let a person decide, with these roles and no others. From the first one on nobody else decides anything."""
    check_reviewer(name)
    people_of("--role", [f"{ROLE}{role}" for role in roles])
    with open_gate(queue) as gate:
        by, is_first = principal(gate, reviewer), not gate.reviewers()
        row = gate.backend.rules.put_reviewer(name, roles, by).wait()
        click.echo(f"reviewer: {safe(row.name)} {_roles(row)}, set by {safe(row.by)}")
        if is_first:
            click.echo("From now on nobody else decides in this queue.")


@reviewers.command()
@name_argument
@as_option
@queue_option
def remove(name: str, reviewer: str | None, queue: str | None) -> None:
    """Let a person decide no longer. Without the last one anybody may decide again."""
    with open_gate(queue) as gate:
        if not gate.backend.rules.drop_reviewer(name, by := principal(gate, reviewer)).wait():
            raise NotAllowed(f"{name!r} is no reviewer of this queue: `gatekit reviewers` shows them")
        click.echo(f"removed: {safe(name)} by {safe(by)}")
        if not gate.reviewers():
            click.echo("No reviewer is known any more: from now on anybody may decide.")


@click.command()
@id_argument
@as_option
@queue_option
def claim(request_id: str, reviewer: str | None, queue: str | None) -> None:
    """Take a request to look at it: others see that, and a policy may keep them out. It lapses after 15 minutes."""
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        before = current_claim(gate.get(request_id), gate.now())
        request = seat.claim(request_id)
        taken = request.claim
        if before is not None and taken is not None and before.by != taken.by:
            click.echo(f"{safe(before.by)} had claimed it {since(before.at, gate.now())} ago.")
        if taken is not None:
            until = f", until {moment(taken.until)}"
            click.echo(f"claimed: {safe(request.tool)} {request.id} by {safe(taken.by)}{until}")
            click.echo(
                "Nobody else may decide meanwhile." if taken.exclusive else "Others see it, and may still decide."
            )


@click.command()
@id_argument
@click.option("--to", "taker", metavar="NAME", required=True, help="Who decides in your place.")
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept with the request.")
@as_option
@queue_option
def delegate(request_id: str, taker: str, reason: str, reviewer: str | None, queue: str | None) -> None:
    """Hand your part of a request to another person, who then decides in your place."""
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        request = seat.delegate(request_id, to=taker, reason=reason)
        click.echo(f"handed on: {safe(request.tool)} {request.id} by human:{safe(seat.name)} to {safe(taker)}")


@click.command()
@id_argument
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept with the request.")
@as_option
@queue_option
def escalate(request_id: str, reason: str, reviewer: str | None, queue: str | None) -> None:
    """Let those decide too, now, whom the policy names to be asked next, later. Who was asked first still may."""
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        before = gate.get(request_id)
        request = seat.escalate(before, reason=reason)
        to = ", ".join(map(safe, before.escalates_to))
        click.echo(f"escalated: {safe(request.tool)} {request.id} to {to} by human:{safe(seat.name)}")


def table(rows: Sequence[ReviewerRow]) -> list[str]:
    """The reviewers as lines, the roles whole at the end."""
    if not rows:
        return []
    width = max(4, min(_WIDEST_NAME, max(cells(safe(row.name)) for row in rows)))
    lines = [f"{fit('NAME', width)} ROLES"]
    return [*lines, *(f"{_whole(row.name, width)} {', '.join(map(safe, row.roles))}".rstrip() for row in rows)]


def _whole(name: str, width: int) -> str:
    shown = safe(name)
    return shown if cells(shown) > width else fit(shown, width)


def _roles(row: ReviewerRow) -> str:
    if not row.roles:
        return "without a role"
    return f"with the role{'s' if len(row.roles) > 1 else ''} {', '.join(map(safe, row.roles))}"
