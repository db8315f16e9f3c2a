"""`gatekit stats`: how people decide, in few numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click

from gatekit.cli import terminal
from gatekit.cli.options import json_option, open_gate, queue_option
from gatekit.cli.paint import as_json
from gatekit.cli.scopes import duration_from
from gatekit.display import draw_stats
from gatekit.errors import UsageError

_LONGEST: Final = timedelta(days=366)


@click.command()
@click.option("--within", metavar="SPAN", default="7d", show_default=True, help="Decisions of this time: 12h, 30d.")
@queue_option
@json_option
def stats(within: str, queue: str | None, json_wanted: bool) -> None:
    """Say how requests were decided: how soon, how many approved, how many faster than one can read.

    Only decisions by people count. Below five of them no share is given. "Under 2 s" are those taken in under two
    seconds, after it was asked or after the decision before it; what one person decided together counts as one there.
    """
    span = duration_from("--within", within)
    if span > _LONGEST:
        raise UsageError(f"--within {within}: it looks back for at most a year, {_LONGEST.days}d")
    with open_gate(queue) as gate:
        found = gate.stats(span)
    if json_wanted:
        click.echo(as_json(found.to_dict()))
        return
    for line in draw_stats(found, within, terminal.width()):
        click.echo(line)
