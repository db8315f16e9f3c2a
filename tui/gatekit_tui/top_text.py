"""What stands at the very top: which list, how many, who one is, and whether the picture is fresh. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gatekit.display import ago
from gatekit_tui import panels
from gatekit_tui.lanes import LANES, ORDER_WORDS, WAITING, Wish, unknown_note
from gatekit_tui.row_text import one_line
from gatekit_tui.spans import Inked, Span

NARROW: Final = 60
"""Cells below which only what matters most is said."""
WIDE: Final = 110
"""Cells from which on all lists are named."""


@dataclass(frozen=True, slots=True)
class Top:
    """What is to be said."""

    wish: Wish
    total: int = 0
    """Lines of the list as it is shown."""
    exact: bool = True
    """Whether there are no more than these."""
    in_lane: int = 0
    """Requests of the list without its filter."""
    unknown: int = 0
    critical: int = 0
    """Requests of critical risk among those that wait, up to `_MOST_CRITICAL`."""
    held: str = ""
    """What of the reviewer's own can still be undone."""
    marked: int = 0
    who: str = ""
    read_only: bool = False
    trouble: str = ""
    stale: float | None = None
    """Seconds since the queue was read, where that is too long ago."""
    paused: bool = False

    def with_own(self, *, held: str, marked: int, stale: float | None, paused: bool) -> Top:
        """The same, with what the reviewer does."""
        return replace(self, held=held, marked=marked, stale=stale, paused=paused)


def top_spans(top: Top, width: int) -> tuple[Inked, Inked]:
    """The left side and the right side of the bar."""
    more = "" if top.exact else "+"
    counted: Span = (f"{top.total:,}{more} {_counted(top.wish)}", "text")
    held: Inked = ((f" · {top.held}", "good"),) if top.held else ()
    notes: Inked = (*_critical(top), *unknown_note(top.wish.lane, top.unknown), *held)
    live: Inked = (_live(top), (" ", "text"))
    if width < NARROW:
        return ((" ", "text"), counted, *notes), live
    who: Span = ("READ ONLY", "warn") if top.read_only else (one_line(top.who), "text")
    lists = _lists(top.wish, counted) if width >= WIDE else (counted,)
    return (*panels.NAME, ("   ", "text"), *lists, *notes), (who, ("   ", "text"), *live)


def chips(top: Top) -> Inked:
    """What makes the list another one than usual; empty where nothing does."""
    parts: list[Inked] = []
    if top.wish.where:
        parts.append((("filter ", "dim"), (one_line(top.wish.where), "label")))
    if top.wish.where or not top.exact:
        parts.append(((f"of {top.in_lane:,}{'' if top.in_lane < _COUNTED_TO else '+'}", "dim"),))
    if top.wish.order != top.wish.lane.orders[0]:
        parts.append(((ORDER_WORDS[top.wish.order], "label"),))
    if top.marked:
        parts.append(((f"{top.marked} marked: A approves, R rejects", "good"),))
    if top.paused:
        parts.append((("‖ paused: p follows the queue again", "warn"),))
    if not (top.wish.where or top.marked or top.paused or top.wish.order != top.wish.lane.orders[0]):
        return ()
    line: list[Span] = [(" ", "text")]
    for number, part in enumerate(parts):
        line += [(" · ", "dim"), *part] if number else part
    return tuple(line)


_COUNTED_TO: Final = 1000
_MOST_CRITICAL: Final = 10


def _critical(top: Top) -> Inked:
    if not top.critical or top.wish.lane is not WAITING:
        return ()
    more = "+" if top.critical >= _MOST_CRITICAL else ""
    return ((f" · {top.critical}{more} critical", "warn"),)


def _counted(wish: Wish) -> str:
    return "found" if wish.where else wish.lane.counted


def _lists(wish: Wish, counted: Span) -> Inked:
    spans: list[Span] = []
    for number, lane in enumerate(LANES):
        if number:
            spans.append((" │ ", "rule"))
        spans.append((counted[0], "title") if lane is wish.lane else (lane.counted, "dim"))
    return tuple(spans)


def _live(top: Top) -> Span:
    if top.stale is not None:
        return f"○ stale {ago(top.stale)}", "warn"
    if top.trouble:
        return f"○ {top.trouble}", "warn"
    return ("‖ paused", "warn") if top.paused else ("● live", "good")
