"""`gatekit show` and `gatekit history`: one request, and all that happened to it."""

from __future__ import annotations

import click

from gatekit.cli import terminal
from gatekit.cli.drawing import draw_request
from gatekit.cli.knowing import known_of
from gatekit.cli.options import id_argument, json_option, open_gate, queue_option
from gatekit.cli.paint import as_json, fit, moment, safe, wrap
from gatekit.cli.stopped import warn_if_stopped
from gatekit.cli.telling import told
from gatekit.models import Event, Request


@click.command()
@id_argument
@queue_option
@json_option
def show(request_id: str, queue: str | None, json_wanted: bool) -> None:
    """Show one call in full, with the token that approves it."""
    with open_gate(queue) as gate:
        request = gate.get(request_id)
        if json_wanted:
            click.echo(as_json(request.to_dict()))
            return
        warn_if_stopped(gate)
        shown = draw_request(request, gate.now(), terminal.width(), known=known_of(gate, request))
        for line in shown.lines:
            click.echo(line)


@click.command()
@id_argument
@queue_option
@json_option
def history(request_id: str, queue: str | None, json_wanted: bool) -> None:
    """Tell what happened to one call: who did what, and when."""
    with open_gate(queue) as gate:
        events, request = gate.history(request_id), gate.get(request_id)
    if json_wanted:
        click.echo(as_json([event.to_dict() for event in events]))
        return
    for event in events:
        for line in _lines(event, request, terminal.width()):
            click.echo(line)


def _lines(event: Event, request: Request, width: int) -> list[str]:
    data = told(event, request)
    head = f"{moment(event.at)}  {fit(event.kind, 12)}"
    text = f"v{event.version} by {safe(event.by)}" + (f" ({data})" if data else "")
    first, *others = wrap(text, width - len(head) - 1)
    return [f"{head} {first}", *(f"{' ' * len(head)} {piece}" for piece in others)]
