"""The requests of a conversation: of a `calling(run=…)` that is no durable run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekit.models import STATUSES
from gatekit_tui.frame.spans import Inked
from gatekit_tui.runs.runs_lines import Lines, request_line
from gatekit_tui.runs.runs_list import Fetch

if TYPE_CHECKING:
    from gatekit import Gate


def run_filter(run_id: str) -> str:
    r"""The filter that finds the requests of this run and no others.

    >>> run_filter('night*ly "7"')
    'run:"night*ly \\"7\\""'
    """
    quoted = run_id.replace("\\", "\\\\").replace('"', '\\"')
    return f'run:"{quoted}"'


def fetch_talk(gate: Gate, run_id: str) -> Fetch:
    """Reads the requests of a conversation: what has a deadline first, else in the order in which they came."""
    where = run_filter(run_id)

    async def fetch(after: str | None, limit: int) -> Lines:
        page = await gate.aio.requests(STATUSES, where=where, after=after, limit=limit)
        return Lines(tuple(map(request_line, page)), page.next)

    return fetch


def talk_heading(lines: Lines) -> list[Inked]:
    """What the list is."""
    if lines.rows:
        return [
            (("What was asked in one conversation. It is no durable run: its own program goes on with it.", "dim"),)
        ]
    if lines.next is not None:
        return [(("looking …", "dim"),)]
    return [(("The queue knows no run and no request of this name.", "warn"),)]
