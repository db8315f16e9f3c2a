"""`gatekit doctor`: how the queue is, what is wrong, and the cure."""

from __future__ import annotations

import sys

import click

from gatekit.cli import terminal
from gatekit.cli.failing import REFUSED
from gatekit.cli.health import Health, examine
from gatekit.cli.options import json_option, queue_option
from gatekit.cli.paint import as_json, safe, under


@click.command()
@queue_option
@json_option
def doctor(queue: str | None, json_wanted: bool) -> None:
    """Say how the queue is, what is wrong with it, and the cure.

    It makes no queue and mends nothing. Exit code 1: something is wrong.
    """
    health = examine(queue)
    if json_wanted:
        click.echo(as_json(health.to_dict()))
    else:
        for line in report(health, terminal.width()):
            click.echo(line)
    if health.problems:
        sys.exit(REFUSED)


def report(health: Health, width: int) -> list[str]:
    """The findings as lines."""
    lines = [line for label, text in _facts(health) for line in under(label, safe(text), width, column=14)]
    lines += [line for note in health.notes for line in under("note", safe(note), width, column=14)]
    for problem in health.problems:
        lines += ["", *under("WRONG", safe(problem.what), width, column=14)]
        lines += under("cure", safe(problem.cure), width, column=14)
    return [*lines, "", "  nothing is wrong"] if not health.problems else lines


def _facts(health: Health) -> list[tuple[str, str]]:
    facts = [("queue", health.queue)]
    if health.size is not None:
        facts += [("size", f"{health.size:,} bytes"), ("mode", str(health.mode))]
    schema = "unknown" if health.schema is None else str(health.schema)
    facts += [
        ("gatekit", health.gatekit),
        ("schema", f"{schema}; this gatekit knows {health.schema_known}"),
        ("SQLite", health.sqlite),
        ("Python", health.python),
    ]
    if health.schema == health.schema_known:
        counts = ", ".join(f"{count:,} {status}" for status, count in health.counts.items() if count)
        facts.append(("requests", counts or "none"))
    if health.oldest_pending is not None:
        facts.append(("waiting since", f"{health.oldest_pending:%Y-%m-%d %H:%M:%S} UTC"))
    return facts
