"""`gatekit resume`: a run that failed, or that needs a review, goes on."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from gatekit.cli.application import gate_of
from gatekit.cli.drawing_runs import next_of
from gatekit.cli.failing import REFUSED
from gatekit.cli.options import as_option, open_gate, principal, queue_option
from gatekit.cli.paint import safe
from gatekit.cli.runs import run_argument
from gatekit.errors import NotAllowed, UsageError
from gatekit.gate import Gate
from gatekit.models import RunRow, RunStatus

_OVER: Final[dict[RunStatus, str]] = {"succeeded": "has succeeded", "cancelled": "was cancelled"}


@click.command()
@run_argument
@click.option(
    "--app", metavar="MODULE:GATE", help="The program that has the workflow: go on with the run here and now."
)
@as_option
@queue_option
def resume(run_id: str, app: str | None, reviewer: str | None, queue: str | None) -> None:
    """Let a run go on that failed, or that needs a review; a failed step is made again.

    A worker or the run's own program takes it up then; with --app this command does, in the foreground.
    """
    with open_gate(queue) if app is None else _gate_on(app, queue) as gate:
        row = gate.run(run_id).row()
        if app is not None:
            gate.workflow_named(row.workflow)
        row = _reopened(gate, row, principal(gate, reviewer))
        if app is None:
            click.echo(f"run {safe(row.id)} is {row.status}: {next_of(row)}")
            return
        _go_on(gate, row)


def _gate_on(app: str, queue: str | None) -> Gate:
    gate = gate_of(app)
    if not gate.exists():
        # The queue that the program would make now holds no run.
        return open_gate(gate.path)
    if queue is not None and not os.path.samefile(gate.path, open_gate(queue).path):
        raise UsageError(f"{safe(app)} has its queue at {safe(gate.path)}: leave --queue out, or name that one")
    return gate


def _reopened(gate: Gate, row: RunRow, by: str) -> RunRow:
    if row.status in _OVER:
        raise NotAllowed(f"run {row.id} {_OVER[row.status]}: there is nothing to resume")
    if row.status not in ("failed", "needs-review"):
        return row
    for step in gate.run(row.id).steps():
        if step.status == "unknown":
            click.echo(f"How its step {safe(step.name)} ended is not known: gatekit show {step.request_id}", err=True)
    reopened = gate.backend.runs.reopen(row.id, by).wait()
    click.echo(f"reopened: run {safe(row.id)} of {safe(row.workflow)} by {safe(by)}")
    return reopened


def _go_on(gate: Gate, row: RunRow) -> None:
    gate.run(row.id).resume()
    row = gate.run(row.id).row()
    why = f" ({safe(row.reason)})" if row.reason else ""
    click.echo(f"run {safe(row.id)} is {row.status}{why}: {next_of(row)}")
    if row.status in ("failed", "needs-review", "cancelled"):
        sys.exit(REFUSED)
