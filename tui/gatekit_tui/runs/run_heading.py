"""One run in words: where it stands, and what comes next as far as that is known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gatekit.display import ago
from gatekit.models import RunRow, StepRow
from gatekit_tui.frame.row_text import one_line, person
from gatekit_tui.frame.spans import Inked
from gatekit_tui.runs.run_text import headed
from gatekit_tui.runs.runs_lines import run_state

_LONGEST_NAME: Final = 40
"""Characters of a step's name in a sentence."""


def heading(row: RunRow, steps: Sequence[StepRow], now: datetime) -> list[Inked]:
    """Where the run stands, and what comes next."""
    state, ink = run_state(row)
    times = "once" if row.executions == 1 else f"{row.executions} times"
    started = f"started {ago((now - row.created_at).total_seconds())} ago by {person(row.requester)}"
    changed = f"changed {ago((now - row.updated_at).total_seconds())} ago, taken up {times}"
    lines: list[Inked] = [((f"{state} ", ink), (f"· {started} · {changed}", "dim"))]
    if row.reason:
        kind = f"{one_line(row.error_type)}: " if row.error_type else ""
        lines.append((("why     ", "label"), (kind + one_line(headed(row.reason)), "text")))
    if row.status == "succeeded":
        result = "something that JSON cannot hold" if row.result_lost else headed(row.result_text or "null")
        lines.append((("result  ", "label"), (one_line(result), "text")))
    lines.append((("next    ", "label"), (next_of(row, steps), "text")))
    return lines


def next_of(row: RunRow, steps: Sequence[StepRow]) -> str:
    """What happens next, and who has to do something for that. Which steps follow only the program knows."""
    if row.ready:
        return f"a worker, or its program, takes it up and goes on behind {_last(steps)}"
    match row.status:
        case "waiting":
            return f"when {_waits(row, steps)} is decided, a worker, or its program, goes on; how, the program knows"
        case "running":
            return "a process executes it; which steps follow, its program knows"
        case "needs-review" if row.waiting_for:
            return f"it goes on when {_waits(row, steps)} is settled, or is allowed to run again"
        case "needs-review":
            return "when the cause is mended: gatekit resume lets it go on"
        case "failed":
            return "nothing by itself; when the cause is mended, gatekit resume makes the failed step again"
        case _:
            return "nothing: it is over"


def _waits(row: RunRow, steps: Sequence[StepRow]) -> str:
    names = {step.request_id: step.name for step in steps}
    found = [_name(names.get(request_id, request_id)) for request_id in row.waiting_for]
    return found[0] if len(found) == 1 else f"one of {', '.join(found)}" if found else "what it waits for"


def _last(steps: Sequence[StepRow]) -> str:
    return _name(steps[-1].name) if steps else "its beginning"


def _name(text: str) -> str:
    return one_line(text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…")
