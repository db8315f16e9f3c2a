"""One row of the list, and the words for what became of a call. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gatekit.display import ago, visible, words_of
from gatekit.models import Decision, RequestRow, Risk
from gatekit_tui.frame.spans import Ink, Inked, Span, fit, length

RISK_INK: Final[dict[Risk, Ink]] = {"low": "low", "medium": "medium", "high": "high", "critical": "critical"}
RISK_SHORT: Final[dict[Risk, str]] = {"low": "LOW", "medium": "MED", "high": "HIGH", "critical": "CRIT"}
_DONE: Final = {
    "approve": "approved",
    "edit": "edited and approved",
    "reject": "rejected",
    "respond": "answered",
    "answer": "answered",
    "cancel": "withdrawn",
    "expire": "expired",
    "undo": "taken back",
    "release": "released",
    "retry": "allowed to run again",
    "settle": "settled",
}
_STATE_WORDS: Final = {
    "running": "running now",
    "unknown": "started, outcome unknown",
    "succeeded": "done",
    "failed": "the tool failed",
}
_MARK, _RISK, _WAIT, _LEFT, _RUN = 2, 5, 6, 7, 14
_WITH_LEFT: Final = 60
"""Cells from which on the time that is left has a column of its own."""
_WITH_RUN: Final = 100
"""Cells from which on the run has one."""
TIMES: Final = _WAIT + _LEFT
"""Cells at the end of a row in which time changes something."""
_MINUTE: Final = 60
_ENDED: Final[dict[str, str]] = {
    "approved": "approved, not started",
    "succeeded": "done",
    "failed": "failed",
    "rejected": "rejected",
    "responded": "answered instead",
    "answered": "answered",
    "cancelled": "withdrawn",
}
_LEAST_WHAT: Final = 8
"""Cells that flags leave to the words of a row."""
_LONGEST_CLAIM: Final = 10
"""Cells of the name of whoever claimed a request."""


def one_line(text: str) -> str:
    """Foreign text for a place where it has one line."""
    return visible(text)[0]


def person(by: str) -> str:
    """A principal as it is shown: people by their name alone, others with their kind."""
    return one_line(by.removeprefix("human:"))


def fate(status: str, decision: Decision | None, now: datetime) -> str:
    """What became of a call, in one line: `approved by ana · 3s ago · running now`."""
    if decision is None:
        return "waits, but not in this list any more" if status == "pending" else status
    parts = [f"{_DONE.get(decision.verb, decision.verb)} by {person(decision.by)}"]
    if words := words_of(decision):
        parts[0] += f": {one_line(words)}"
    parts.append(f"{ago((now - decision.at).total_seconds())} ago")
    if status == "held" and decision.effective_at is not None:
        parts.append(f"counts in {ago(max(0.0, (decision.effective_at - now).total_seconds()))}")
    elif status in _STATE_WORDS:
        parts.append(_STATE_WORDS[status])
    return " · ".join(parts)


def wait_of(row: RequestRow, now: datetime) -> str:
    """How long the call has waited, as it stands in the list."""
    return by_the_minute((now - row.created_at).total_seconds())


def by_the_minute(age: float) -> str:
    """A time gone by, in seconds, for a place that is not written anew every second."""
    return ago(age) if age >= _MINUTE else "<1m"


def head_spans(width: int, age: str) -> Inked:
    """The line above the list; `age` is what the seconds of each request are called."""
    run = fit("RUN", _RUN) if width >= _WITH_RUN else ""
    left = f"{'LEFT':>{_LEFT - 1}} " if width >= _WITH_LEFT else ""
    told = " " * _MARK + fit("RISK", _RISK) + fit("TOOL", _tool_width(width)) + fit("WHAT", _what_width(width))
    return ((f"{told}{run}{age:>{_WAIT - 1}} {left}", "dim"),)


def row_spans(
    row: RequestRow,
    width: int,
    *,
    wait: str,
    chosen: bool,
    marked: bool = False,
    skipped: bool = False,
    saving: bool = False,
    gone: str = "",
    reader: str = "",
    left: Span | None = None,
) -> Inked:
    """One request as a line of exactly `width` cells, for the reviewer `reader`.

    `gone` says what became of it, if it no longer is in the list; `left` how long a decision still counts.
    """
    tool, what = _tool_width(width), _what_width(width)
    mark = ("▌" if chosen else " ") + ("●" if marked else " ")
    # A row that something else wrote into the file may hold any word: it is as good as critical.
    badge, badge_ink = RISK_SHORT.get(row.risk, "?"), RISK_INK.get(row.risk, "critical")
    if gone:
        told = fit(f"{badge:<{_RISK}}{fit(one_line(row.tool), tool - 1)} {gone}", width - _MARK)
        return ((mark, "dim"), (told, "gone"))
    flags = _flags(row, saving, reader, None if width >= _WITH_LEFT else left, what - _LEAST_WHAT)
    text = fit(one_line(row.description) + ("…" if row.cut else ""), what - length(flags) - 1)
    words: Ink = "dim" if skipped else "text"
    return (
        (mark, "label"),
        (badge, badge_ink),
        (" " * (_RISK - len(badge)), "text"),
        (fit(one_line(row.tool), tool - 1) + " ", "title" if chosen else words),
        (text, words),
        *flags,
        (" ", "text"),
        *(((fit(one_line(row.run or ""), _RUN - 1) + " ", "dim"),) if width >= _WITH_RUN else ()),
        (f"{wait:>{_WAIT - 1}} ", "dim"),
        *_left_spans(left, width),
    )


def _left_spans(left: Span | None, width: int) -> Inked:
    if width < _WITH_LEFT:
        return ()
    if left is None:
        return ((" " * _LEFT, "dim"),)
    told, ink = left
    # Said without colour too.
    sign = "▲" if ink == "due" else " "
    return ((f"{told:>{_LEFT - 2}}{sign} ", ink),)


def _flags(row: RequestRow, saving: bool, reader: str, left: Span | None, room: int) -> Inked:
    """What is to be known of a row at a glance, in at most `room` cells: what matters least is left out first."""
    is_pending = row.status == "pending"
    flags: list[Span] = []
    if row.hidden:
        flags.append((f" !{row.hidden}", "warn"))
    if saving:
        flags.append((" saving…", "note"))
    if row.status in _ENDED:
        ended = "released" if row.status == "answered" and row.kind == "pause" else _ENDED[row.status]
        flags.append((f" {ended}", "good" if row.status == "succeeded" else "note"))
    if row.stage and is_pending:
        flags.append((f" {row.stage}", "label"))
    if left is not None and is_pending:
        flags.append((f" {left[0]} left", left[1]))
    if row.claimed_by not in (None, f"human:{reader}") and is_pending:
        flags.append((f" @{fit(person(row.claimed_by or ''), _LONGEST_CLAIM).rstrip()}", "note"))
    if row.waiter == "gone" and row.kind == "call" and is_pending:
        flags.append((" nobody waits", "dim"))
    while len(flags) > 1 and length(tuple(flags)) > room:
        flags.pop()
    return tuple(flags)


def _tool_width(width: int) -> int:
    return min(24, max(10, width // 5))


def _what_width(width: int) -> int:
    """The cells of the description, the flags behind it, and a blank."""
    others = _MARK + _RISK + _tool_width(width) + _WAIT
    others += (_LEFT if width >= _WITH_LEFT else 0) + (_RUN if width >= _WITH_RUN else 0)
    return width - others
