"""`gatekit review`: the dashboard."""

from __future__ import annotations

import gc
import os

import click

from gatekit.cli import terminal
from gatekit.cli.importing import uncollected
from gatekit.cli.options import as_option, open_gate, queue_option, reviewer_name
from gatekit.cli.stopped import warn_if_stopped
from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, UsageError


@click.command()
@as_option
@click.option("--read-only", is_flag=True, help="Look, and decide nothing.")
@click.option(
    "--plain",
    is_flag=True,
    envvar="GATEKIT_PLAIN",
    help="One request after the other as text, for screen readers; also by GATEKIT_PLAIN=1.",
)
@click.option(
    "--low-bandwidth",
    is_flag=True,
    help="For a slow line: no animation, ten pictures a second at most, and times drawn anew only with other news.",
)
@queue_option
def review(reviewer: str | None, read_only: bool, plain: bool, low_bandwidth: bool, queue: str | None) -> None:
    """Open the dashboard: what waits, and the keys that decide.

    With --plain, and in a terminal that cannot draw, it shows one request at a time as lines of text and asks for a
    word. Enter and the end of input decide nothing.
    """
    name = reviewer_name(reviewer)
    if not terminal.can_ask():
        raise UsageError("review needs a terminal; without one use gatekit list, show, approve --token, reject")
    if plain or not terminal.can_draw():
        from gatekit.cli.plain import PlainReview

        with open_gate(queue) as gate:
            PlainReview(gate, gate.reviewer(name), read_only=read_only).run()
        return
    if low_bandwidth:
        # Textual reads these when it is imported.
        os.environ.update(TEXTUAL_FPS="10", TEXTUAL_ANIMATIONS="none")
    with uncollected():
        import gatekit_tui
    # What is there now stays to the end: looking through it again and again would stop the keys for a moment each time.
    gc.freeze()

    try:
        with open_gate(queue) as gate:
            # Refused here, a name or a file that is no queue cannot tear the picture.
            gate.reviewer(name).pending(limit=1)
            warn_if_stopped(gate)
            gatekit_tui.run(gate, name, read_only=read_only, low_bandwidth=low_bandwidth)
    except (QueueNotFound, NotAQueue, SchemaTooNew) as error:
        gatekit_tui.run_missing(error)
        raise
