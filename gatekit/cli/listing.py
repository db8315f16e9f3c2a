"""`gatekit list`: the queue as a table of 80 cells or more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import click

from gatekit.cli import terminal
from gatekit.cli.drawing import RISK_SHORT
from gatekit.cli.options import json_option, open_gate, queue_option
from gatekit.cli.paint import as_json, cells, fit, safe, since
from gatekit.cli.stopped import warn_if_stopped
from gatekit.gate import Gate
from gatekit.machine.records import name_of
from gatekit.models import ORDERS, STATUSES, Order, Page, RequestRow, Status

_WAIT, _ID = 6, 26
_WIDEST_TOOL: Final = 24
_WIDEST_NAME: Final = 10


@click.command("list")
@queue_option
@click.option(
    "--status",
    "statuses",
    type=click.Choice(STATUSES),
    multiple=True,
    help="Only calls in this state; may be given several times. Not given: pending, and in the order of decision all "
    "that were decided.",
)
@click.option("--tool", metavar="NAME", help="Only calls of this tool.")
@click.option(
    "--where",
    metavar="FILTER",
    help="Only calls that fit: risk>=high tool:deploy* by:agent-7 run:thread-7 kind:question older:10m newer:1d "
    "expires:5m claimed:no stage:2, and words to find in the tool, the description and the arguments; all must hold.",
)
@click.option(
    "--order",
    type=click.Choice(ORDERS),
    default="due",
    show_default=True,
    help="What comes first: what is due, the oldest, the highest risk, or what was decided last.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
def list_requests(
    queue: str | None,
    statuses: tuple[Status, ...],
    tool: str | None,
    where: str | None,
    order: Order,
    limit: int,
    json_wanted: bool,
) -> None:
    """List the calls that wait, or those in other states."""
    statuses = statuses or _usual(order)
    with open_gate(queue) as gate:
        page = _found(gate, statuses, tool, where, order, limit)
        if json_wanted:
            click.echo(as_json(page.to_dict()))
            return
        warn_if_stopped(gate)
        with_status = statuses != ("pending",)
        for line in table(page, gate.now(), terminal.width(), with_status=with_status):
            click.echo(line)
        if any(map(_is_unattended, page)):
            click.echo("* nobody waits: it goes on when the agent makes the call again, or when its run does", err=True)
        if not page:
            fits = "" if where is None else " and fits the filter"
            click.echo(f"No call is {' or '.join(statuses)}{fits} in {safe(gate.path)}.", err=True)
        if page.more:
            are = "are" if where is None and order == "due" else "may be"
            click.echo(f"There {are} more than these {len(page)}: raise --limit.", err=True)


def _usual(order: Order) -> tuple[Status, ...]:
    """The states that somebody means who names none."""
    return tuple(status for status in STATUSES if (status == "pending") != (order == "decided"))


def _found(
    gate: Gate, statuses: tuple[Status, ...], tool: str | None, where: str | None, order: Order, limit: int
) -> Page:
    """One page, as many lines as asked for where there are so many: the queue looks at some lines at a time."""
    page = gate.requests(statuses, tool=tool, where=where, order=order, limit=limit)
    while page.next is not None and len(page) < limit:
        left = limit - len(page)
        more = gate.requests(statuses, tool=tool, where=where, order=order, after=page.next, limit=left)
        page = replace(more, rows=(*page.rows, *more.rows))
    return page


def table(page: Page, now: datetime, width: int, *, with_status: bool) -> list[str]:
    """The lines of the list, each of `width` cells at most, with the id whole at its end.

    Stages and claims have columns where some request has them.
    """
    if not page:
        return []
    fixed = [_Column("RISK", 4, lambda row: RISK_SHORT[row.risk])]
    if with_status:
        fixed.append(_Column("STATUS", max(map(len, STATUSES)), lambda row: row.status))
    if any(row.stage for row in page):
        fixed.append(_Column("STAGE", 5, lambda row: row.stage))
    if any(map(_claimed, page)):
        longest = max(cells(_claimed(row)) for row in page)
        taken = max(7, min(longest, _WIDEST_NAME, width // 10))
        fixed.append(_Column("CLAIMED", taken, _claimed))
    left = width - sum(column.width + 1 for column in fixed) - _WAIT - _ID - 3
    tool = _tool_width(page.rows, width, left)
    columns = [
        *fixed,
        _Column("TOOL", tool, lambda row: safe(row.tool)),
        _Column("WHAT", max(0, left - tool), _what),
        _Column("WAIT", _WAIT, lambda row: _wait(row, now)),
        _Column("ID", _ID, lambda row: row.id),
    ]
    head = [fit(column.head, column.width) for column in columns]
    lines = [[fit(column.text(row), column.width) for column in columns] for row in page]
    return [" ".join(line).rstrip() for line in [head, *lines]]


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    width: int
    text: Callable[[RequestRow], str]


def _claimed(row: RequestRow) -> str:
    return "" if row.claimed_by is None else safe(name_of(row.claimed_by))


def _tool_width(rows: Sequence[RequestRow], width: int, left: int) -> int:
    longest = max(cells(safe(row.tool)) for row in rows)
    return max(4, min(longest, _WIDEST_TOOL, width // 5, left))


def _what(row: RequestRow) -> str:
    flag = f"!{row.hidden} " if row.hidden else ""
    kind = "" if row.kind == "call" else f"{row.kind}: "
    return flag + kind + safe(row.description) + ("…" if row.cut else "")


def _wait(row: RequestRow, now: datetime) -> str:
    return since(row.created_at, now) + ("*" if _is_unattended(row) else "")


def _is_unattended(row: RequestRow) -> bool:
    return row.waiter == "gone" and row.status in ("pending", "held", "approved")
