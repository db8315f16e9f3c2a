"""Runs, and the requests of a conversation, as lines of a list; and the part of a list that is read so far. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekit.display import ago
from gatekit.models import RequestRow, RunRow, RunStatus, Status
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink, Inked, Span, fit

_STATE, _AGE = 13, 6
_ROOMY: Final = 60
"""Cells from which there is room for more than the state, the name and the age."""
_LONGEST: Final = 300
"""Characters that are kept of a text that may be of any length."""

RUN_WORDS: Final[dict[RunStatus, Span]] = {
    "waiting": ("waiting", "medium"),
    "running": ("running", "label"),
    "needs-review": ("needs review", "warn"),
    "failed": ("failed", "removed"),
    "succeeded": ("done", "good"),
    "cancelled": ("cancelled", "gone"),
}
"""The states of a run, those first in which somebody has something to do."""
_READY: Final[Span] = ("ready", "label")
STATUS_INK: Final[dict[Status, Ink]] = {
    "pending": "medium",
    "held": "note",
    "approved": "label",
    "running": "label",
    "unknown": "warn",
    "succeeded": "good",
    "answered": "good",
    "failed": "removed",
    "rejected": "removed",
    "responded": "removed",
    "expired": "gone",
    "cancelled": "gone",
}
"""How the states of a request look."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, safe to draw; texts that may be of any length are cut."""

    id: str
    """Of what it is about."""
    key: str
    """Where the list goes on behind it."""
    at: datetime
    """When that began."""
    state: Span
    """Where it stands."""
    name: str
    """The run's id, or the tool."""
    kind: str
    """The workflow, or the request's risk."""
    what: str
    """Why, or what for."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A list from its beginning as far as it was read."""

    rows: tuple[Line, ...] = ()
    next: str | None = None
    """Where it goes on; None: it is all here."""

    def spliced(self, start: int, read: Lines) -> Lines:
        """The list with these lines, which were just read, from the place `start` on.

        What was known behind them stays if it follows them; else it is forgotten, and read again when it is wanted.
        """
        if self.rows and not read.rows and read.next is not None:
            # A filter that looked at as many as it may at once, and found none.
            return self
        fresh = {row.id for row in read.rows}
        head = tuple(row for row in self.rows[:start] if row.id not in fresh)
        if read.next is None:
            return Lines((*head, *read.rows), None)
        places = {row.id: place for place, row in enumerate(self.rows[start:], start)}
        last = places.get(read.rows[-1].id) if read.rows else None
        if last is None:
            return Lines((*head, *read.rows), read.next)
        tail = tuple(row for row in self.rows[last + 1 :] if row.id not in fresh)
        return Lines((*head, *read.rows, *tail), self.next if tail or last + 1 == len(self.rows) else read.next)


def run_line(row: RunRow) -> Line:
    """A run as a line."""
    return Line(
        id=row.id,
        key=row.key,
        at=row.created_at,
        state=run_state(row),
        name=_cut(row.id),
        kind=_cut(row.workflow),
        what=_what(row),
    )


def run_state(row: RunRow) -> Span:
    """Where a run stands, in words."""
    return _READY if row.ready else RUN_WORDS[row.status]


def request_line(row: RequestRow) -> Line:
    """A request of a conversation as a line."""
    return Line(
        id=row.id,
        key=row.key,
        at=row.created_at,
        state=(row.status, STATUS_INK[row.status]),
        name=_cut(row.tool),
        kind=row.risk,
        what=_cut(row.description) + ("…" if row.cut else ""),
    )


def line_spans(line: Line, width: int, now: datetime, *, chosen: bool) -> Inked:
    """The line in exactly `width` cells."""
    age = ago((now - line.at).total_seconds())
    mark: Span = ("▌ " if chosen else "  ", "label")
    state: Span = (fit(line.state[0], _STATE), line.state[1])
    name_ink: Ink = "title" if chosen else "text"
    if width < _ROOMY:
        return mark, state, (fit(line.name, width - 2 - _STATE - _AGE), name_ink), (f"{age:>{_AGE}}", "dim")
    name, kind, what = _widths(width)
    return (
        mark,
        state,
        (fit(line.name, name - 1) + " ", name_ink),
        (fit(line.kind, kind - 1) + " ", "text"),
        (fit(line.what, what), "dim"),
        (f"{age:>{_AGE}}", "dim"),
    )


def head_line(names: Sequence[str], width: int) -> Inked:
    """The names of the columns: of the state, the name, the kind and what for."""
    if width < _ROOMY:
        return ((fit(f"  {names[0]:<{_STATE}}{names[1]}", width - _AGE) + "   AGE", "dim"),)
    name, kind, what = _widths(width)
    told = f"  {names[0]:<{_STATE}}{names[1]:<{name}}{names[2]:<{kind}}{names[3]:<{what}}   AGE"
    return ((told, "dim"),)


def _widths(width: int) -> tuple[int, int, int]:
    room = width - 2 - _STATE - _AGE
    name = min(36, max(20, room * 2 // 5))
    kind = min(28, room // 4)
    return name, kind, room - name - kind


def _what(row: RunRow) -> str:
    if row.reason:
        return _cut(row.reason)
    if row.ready:
        return "a worker, or its program, can go on with it"
    if row.status == "waiting":
        count = len(row.waiting_for)
        return f"for a human: {one_line(row.waiting_for[0])}" if count == 1 else f"for a human, on {count} requests"
    return ""


def _cut(text: str) -> str:
    shown = one_line(text[:_LONGEST])
    return shown + "…" if len(text) > _LONGEST else shown
