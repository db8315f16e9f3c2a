"""`gatekit stop` and `gatekit sweep`: nothing starts any more; and what is overdue is settled."""

from __future__ import annotations

import sys

import click

from gatekit.backend.local import LocalBackend
from gatekit.cli.failing import REFUSED
from gatekit.cli.options import as_option, json_option, open_gate, principal, queue_option
from gatekit.cli.paint import as_json, safe
from gatekit.cli.stopped import said_of
from gatekit.errors import UsageError
from gatekit.gate import Gate


@click.command()
@click.option("--reason", metavar="TEXT", help="Stop the queue, and say why.")
@click.option("--lift", is_flag=True, help="Let calls start again.")
@as_option
@queue_option
@json_option
def stop(reason: str | None, lift: bool, reviewer: str | None, queue: str | None, json_wanted: bool) -> None:
    """Let no call of the queue start any more, in any process; or lift that; or say whether it is so.

    What runs goes on, and reviewers go on deciding; what they approve waits. Without --reason and --lift it changes
    nothing: the exit code is 1 while the queue is stopped, else 0.
    """
    if lift and reason is not None:
        raise UsageError("stop takes --reason TEXT to stop, or --lift to let calls start again, not both")
    if json_wanted and (lift or reason is not None):
        raise UsageError("--json says whether the queue is stopped: leave --reason and --lift out")
    with open_gate(queue) as gate:
        if reason is not None:
            _stop(gate, reason, principal(gate, reviewer))
        elif lift:
            _lift(gate, principal(gate, reviewer))
        else:
            _say(gate, json_wanted)


def _stop(gate: Gate, reason: str, by: str) -> None:
    if not reason.strip():
        raise UsageError("--reason takes some words")
    stopped = gate.backend.rules.stop(reason, by).wait()
    if (stopped.by, stopped.reason) != (by, reason):
        click.echo(f"It was stopped before, {said_of(stopped, gate.now())}. That stands.")
        return
    click.echo(f"stopped: nothing in {safe(gate.path)} starts any more. Lift it with: gatekit stop --lift")


def _lift(gate: Gate, by: str) -> None:
    before = gate.stopped()
    if not gate.backend.rules.lift(by).wait():
        click.echo("Nothing was stopped: calls start.")
        return
    click.echo(f"lifted by {safe(by)}: calls start again.")
    if before is not None:
        click.echo(f"It was stopped {said_of(before, gate.now())}.")


def _say(gate: Gate, json_wanted: bool) -> None:
    stopped = gate.stopped()
    if json_wanted:
        click.echo(as_json(None if stopped is None else stopped.to_dict()))
    else:
        click.echo("Calls start." if stopped is None else f"STOPPED {said_of(stopped, gate.now())}.")
    if stopped is not None:
        sys.exit(REFUSED)


@click.command()
@queue_option
@json_option
def sweep(queue: str | None, json_wanted: bool) -> None:
    """Settle what is overdue, and what dead processes left: for cron, where no process has the queue open.

    Each deadline, escalation and reminder takes effect once, whoever settles it.
    """
    from gatekit.store import SqliteStore

    gate = open_gate(queue)
    # Not the gate's own: that one sweeps as it opens, and does not say how many it moved.
    backend = LocalBackend(SqliteStore.at(gate.path, create=False, clock=gate.clock), gate.clock)
    try:
        moved = backend.sweep().wait()
    finally:
        backend.close()
    if json_wanted:
        click.echo(as_json({"moved": moved}))
        return
    click.echo("nothing was overdue" if not moved else f"settled: {moved}")
