"""The warning that the queue is stopped."""

from __future__ import annotations

from datetime import datetime

import click

from gatekit.cli import terminal
from gatekit.cli.paint import safe, since, wrap
from gatekit.gate import Gate
from gatekit.models import Stop


def warn_if_stopped(gate: Gate) -> None:
    """Say first, on standard error, that nothing starts; nothing where calls start."""
    stop = gate.stopped()
    if stop is not None:
        text = f"STOPPED {said_of(stop, gate.now())}; nothing starts until: gatekit stop --lift"
        for line in wrap(text, terminal.width()):
            click.echo(line, err=True)


def said_of(stop: Stop, now: datetime) -> str:
    """Who stopped the queue, when and why."""
    return f"by {safe(stop.by)}, {since(stop.at, now)} ago: {safe(stop.reason)}"
