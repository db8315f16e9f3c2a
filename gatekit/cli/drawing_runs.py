"""Durable runs as lines for a terminal: a table of them, and one in full. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gatekit.cli.drawing import draw_values
from gatekit.cli.paint import cells, fit, safe, since, under, wrap
from gatekit.display import draw_arguments
from gatekit.models import RUN_STATUSES, STATUSES, RunRow, StepRow

_STATUS: Final = max(map(len, RUN_STATUSES))
_STEP_STATUS: Final = max(map(len, STATUSES))
_AGE: Final = 5
_WIDEST_WORKFLOW: Final = 24
_WIDEST_ID: Final = 32


def table(rows: Sequence[RunRow], now: datetime, width: int) -> list[str]:
    """The lines of the list. The id stands whole at the end; only a very long one makes its line too long."""
    if not rows:
        return []
    longest = max(cells(safe(row.workflow)) for row in rows)
    workflow = max(8, min(longest, _WIDEST_WORKFLOW, width // 5))
    last = min(_WIDEST_ID, max(cells(safe(row.id)) for row in rows))
    what = max(4, width - _STATUS - workflow - _AGE - last - 4)
    lines = [["STATUS", "WORKFLOW", "WHAT", "AGE", "ID"]]
    lines += [[row.status, safe(row.workflow), _what(row), since(row.created_at, now), safe(row.id)] for row in rows]
    widths = (_STATUS, workflow, what, _AGE)
    return [" ".join([*map(fit, line, widths), line[-1]]).rstrip() for line in lines]


def draw_run(row: RunRow, steps: Sequence[StepRow], now: datetime, width: int) -> list[str]:
    """One run with its journal."""
    lines = wrap(f"run of {safe(row.workflow)}  {row.status}", width)
    lines += under("id", safe(row.id), width)
    lines += under("started", f"{since(row.created_at, now)} ago by {safe(row.requester)}", width)
    lines += under("changed", f"{since(row.updated_at, now)} ago, taken up {_times(row.executions)}", width)
    if row.reason:
        kind = f"{safe(row.error_type)}: " if row.error_type else ""
        lines += under("why", kind + safe(row.reason), width)
    lines += _waits(row, steps, width)
    lines += under("next", next_of(row), width)
    lines += ["", "arguments", *draw_values(draw_arguments(row.args), width)]
    if row.status == "succeeded":
        lines += ["", "result", *under("", _result(row), width, column=0)]
    return [*lines, "", "steps", *_steps(steps, width)]


def next_of(row: RunRow) -> str:
    """What happens to the run next, and who has to do something for that."""
    run = _word(row)
    if row.ready:
        return f"a worker takes it up, or gatekit resume {run} --app MODULE:GATE"
    match row.status:
        case "waiting":
            return "it goes on when what it waits for is decided"
        case "running":
            return "a process executes it"
        case "needs-review" if row.waiting_for:
            return "it goes on when what it waits for is settled, or allowed to start anew"
        case "needs-review":
            return f"mend the cause, then gatekit resume {run} lets it go on"
        case "failed":
            return f"mend the cause, then gatekit resume {run} lets it go on; the failed step is made again"
        case _:
            return f"it is over; gatekit runs delete {run} forgets it"


def _what(row: RunRow) -> str:
    if row.reason:
        return safe(row.reason)
    if row.status == "waiting":
        waits = row.waiting_for[0] if len(row.waiting_for) == 1 else f"{len(row.waiting_for)} requests"
        return "can go on" if row.ready else f"for {waits}"
    return ""


def _waits(row: RunRow, steps: Sequence[StepRow], width: int) -> list[str]:
    if row.status not in ("waiting", "needs-review") or row.ready:
        return []
    known = {step.request_id: step for step in steps}
    lines: list[str] = []
    for request_id in row.waiting_for:
        step = known.get(request_id)
        told = "" if step is None else f" {safe(step.name)}, {step.status}"
        lines += under("" if lines else "waits for", f"{request_id}{told}", width)
    return lines


def _result(row: RunRow) -> str:
    return "something that JSON cannot hold" if row.result_lost else safe(json.dumps(row.result, ensure_ascii=False))


def _steps(steps: Sequence[StepRow], width: int) -> list[str]:
    if not steps:
        return ["  none"]
    lines: list[str] = []
    for step in steps:
        tool = "" if step.tool == step.name else f" ({safe(step.tool)})"
        lines += under(step.status, f"{step.request_id} {safe(step.name)}{tool}", width, column=_STEP_STATUS + 1)
    return lines


def _word(row: RunRow) -> str:
    return shlex.quote(safe(row.id))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
