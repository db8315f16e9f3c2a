"""`gatekit review`: the dashboard."""

from __future__ import annotations

import click

from gatekit.cli import terminal
from gatekit.cli.options import as_option, open_gate, queue_option, reviewer_name
from gatekit.cli.stopped import warn_if_stopped
from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, UsageError


@click.command()
@as_option
@click.option("--read-only", is_flag=True, help="Look, and decide nothing.")
@queue_option
def review(reviewer: str | None, read_only: bool, queue: str | None) -> None:
    """Open the dashboard: what waits, and the keys that decide."""
    name = reviewer_name(reviewer)
    if not terminal.can_draw():
        raise UsageError("the dashboard needs a terminal; without one use gatekit list, show, approve --token, reject")
    import gatekit_tui

    try:
        with open_gate(queue) as gate:
            # Refused here, a name or a file that is no queue cannot tear the picture.
            gate.reviewer(name).pending(limit=1)
            warn_if_stopped(gate)
            gatekit_tui.run(gate, name, read_only=read_only)
    except (QueueNotFound, NotAQueue, SchemaTooNew) as error:
        gatekit_tui.run_missing(error)
        raise
