"""`gatekit runs`: the durable runs of a queue."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gatekit.cli import terminal
from gatekit.cli.drawing_runs import draw_run, table
from gatekit.cli.options import as_option, json_option, open_gate, principal, queue_option, refuse_options
from gatekit.cli.paint import as_json, safe
from gatekit.gate import Gate
from gatekit.models import RUN_STATUSES, RunRow, RunStatus

run_argument = click.argument("run_id", metavar="RUN")


@click.group(invoke_without_command=True)
@queue_option
@click.option(
    "--status",
    "statuses",
    type=click.Choice(RUN_STATUSES),
    multiple=True,
    help="Only runs in this state; may be given several times. Not given: all.",
)
@click.option("--workflow", metavar="NAME", help="Only runs of this workflow.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
@click.pass_context
def runs(
    context: click.Context,
    queue: str | None,
    statuses: tuple[RunStatus, ...],
    workflow: str | None,
    limit: int,
    json_wanted: bool,
) -> None:
    """List the durable runs, the newest first; or see one, cancel it, delete it."""
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return
    with open_gate(queue) as gate:
        rows = gate.runs(statuses or RUN_STATUSES, workflow=workflow, limit=limit)
        more = len(rows) == limit and _has_more(gate, rows, statuses, workflow)
        if json_wanted:
            click.echo(as_json({"rows": [row.to_dict() for row in rows], "more": more}))
            return
        for line in table(rows, gate.now(), terminal.width()):
            click.echo(line)
        if not rows:
            click.echo(
                f"There is no {' or '.join(statuses) + ' ' if statuses else ''}run in {safe(gate.path)}.", err=True
            )
        if more:
            click.echo(f"There are more than these {len(rows)}: raise --limit.", err=True)


@runs.command("show")
@run_argument
@queue_option
@json_option
def show_run(run_id: str, queue: str | None, json_wanted: bool) -> None:
    """Show one run: where it stands and why, what it waits for, its arguments and its steps."""
    with open_gate(queue) as gate:
        handle = gate.run(run_id)
        row, steps = handle.row(), handle.steps()
        if json_wanted:
            click.echo(as_json({**row.to_dict(), "steps": [step.to_dict() for step in steps]}))
            return
        for line in draw_run(row, steps, gate.now(), terminal.width()):
            click.echo(line)


@runs.command("cancel")
@run_argument
@click.option("--reason", metavar="TEXT", help="Why; kept with the run.")
@as_option
@queue_option
def cancel_run(run_id: str, reason: str | None, reviewer: str | None, queue: str | None) -> None:
    """End a run, wherever it is executed, and withdraw what it waits for. A tool that runs is not stopped."""
    with open_gate(queue) as gate:
        by = principal(gate, reviewer)
        row = gate.backend.runs.cancel(run_id, by, reason).wait()
        click.echo(f"cancelled: run {safe(row.id)} of {safe(row.workflow)} by {safe(by)}")


@runs.command("delete")
@run_argument
@as_option
@queue_option
def delete_run(run_id: str, reviewer: str | None, queue: str | None) -> None:
    """Forget a run that is over, with its steps, their requests and their history."""
    with open_gate(queue) as gate:
        by = principal(gate, reviewer)
        gate.backend.runs.delete(run_id, by).wait()
        click.echo(f"deleted: run {safe(run_id)} by {safe(by)}")


def _has_more(gate: Gate, rows: Sequence[RunRow], statuses: Sequence[RunStatus], workflow: str | None) -> bool:
    return bool(gate.runs(statuses or RUN_STATUSES, workflow=workflow, after=rows[-1].key, limit=1))
