"""`gatekit list`: the queue as a table of 80 cells or more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import click

from gatekit.cli import terminal
from gatekit.cli.drawing import RISK_SHORT
from gatekit.cli.options import json_option, open_gate, queue_option
from gatekit.cli.paint import as_json, cells, fit, safe
from gatekit.display import ago
from gatekit.models import STATUSES, Page, RequestRow, Status

_RISK, _WAIT, _ID, _GAPS = 4, 6, 26, 4
_WIDEST_TOOL: Final = 24


@click.command("list")
@queue_option
@click.option(
    "--status",
    "statuses",
    type=click.Choice(STATUSES),
    multiple=True,
    default=("pending",),
    show_default=True,
    help="Only calls in this state; may be given several times.",
)
@click.option("--tool", metavar="NAME", help="Only calls of this tool.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
def list_requests(
    queue: str | None, statuses: tuple[Status, ...], tool: str | None, limit: int, json_wanted: bool
) -> None:
    """List the calls that wait, or those in other states."""
    with open_gate(queue) as gate:
        page = gate.requests(statuses, tool=tool, limit=limit)
        if json_wanted:
            click.echo(as_json(page.to_dict()))
            return
        for line in table(page, gate.now(), terminal.width(), with_status=statuses != ("pending",)):
            click.echo(line)
        if any(map(_is_unattended, page)):
            click.echo("* nobody waits: it goes on when the agent makes the call again, or when its run does", err=True)
        if not page:
            click.echo(f"No call is {' or '.join(statuses)} in {safe(gate.path)}.", err=True)
        if page.more:
            click.echo(f"There are more than these {len(page)}: raise --limit.", err=True)


def table(page: Page, now: datetime, width: int, *, with_status: bool) -> list[str]:
    """The lines of the list, each of `width` cells at most, with the id whole at its end."""
    if not page:
        return []
    status = max(map(len, STATUSES)) + 1 if with_status else 0
    tool = _tool_width(page.rows, width)
    what = max(0, width - _RISK - status - tool - _WAIT - _ID - _GAPS)
    head = ["RISK", *(["STATUS"] if status else []), "TOOL", "WHAT", "WAIT", "ID"]
    widths = [_RISK, *([status - 1] if status else []), tool, what, _WAIT, _ID]
    rows = [
        [
            RISK_SHORT[row.risk],
            *([row.status] if status else []),
            safe(row.tool),
            _what(row),
            _wait(row, now),
            row.id,
        ]
        for row in page
    ]
    return [" ".join(map(fit, cut, widths)).rstrip() for cut in [head, *rows]]


def _tool_width(rows: Sequence[RequestRow], width: int) -> int:
    longest = max(cells(safe(row.tool)) for row in rows)
    return max(4, min(longest, _WIDEST_TOOL, width // 5))


def _what(row: RequestRow) -> str:
    flag = f"!{row.hidden} " if row.hidden else ""
    kind = "pause: " if row.kind == "pause" else ""
    return flag + kind + safe(row.description) + ("…" if row.cut else "")


def _wait(row: RequestRow, now: datetime) -> str:
    return ago((now - row.created_at).total_seconds()) + ("*" if _is_unattended(row) else "")


def _is_unattended(row: RequestRow) -> bool:
    return row.waiter == "gone" and row.status in ("pending", "held", "approved")
