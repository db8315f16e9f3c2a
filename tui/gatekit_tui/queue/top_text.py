"""What stands at the very top: which list, how many, who one is, and whether the picture is fresh. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gatekit.display import ago
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked, Span, fit, length
from gatekit_tui.queue import panels
from gatekit_tui.queue.lanes import LANES, ORDER_WORDS, TO_SETTLE, WAITING, Wish, unknown_note

NARROW: Final = 60
"""Cells below which only what matters most is said."""
WIDE: Final = 110
"""Cells from which on list and detail stand side by side."""
ROOMY: Final = 124
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
    in_lane_exact: bool = True
    """Whether there are no more than these."""
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

    @property
    def counted_in_lane(self) -> str:
        """How many requests the list has without its filter, as far as they were counted."""
        return f"{self.in_lane:,}{'' if self.in_lane_exact else '+'}"

    def with_own(self, *, held: str, marked: int, stale: float | None, paused: bool) -> Top:
        """The same, with what the reviewer does."""
        return replace(self, held=held, marked=marked, stale=stale, paused=paused)


def top_spans(top: Top, width: int) -> tuple[Inked, Inked]:
    """The left side and the right side of the bar. Who one is and whether it is fresh is always said."""
    more = "" if top.exact else "+"
    counted: Span = (f"{top.total:,}{more} {_counted(top.wish)}", "text")
    right: Inked = (_live(top), (" ", "text"))
    if width >= NARROW:
        who: Span = ("READ ONLY", "warn") if top.read_only else (fit(one_line(top.who), _LONGEST_NAME).rstrip(), "text")
        right = (who, ("   ", "text"), *right)
    left: Inked = ((" ", "text"), counted)
    with_name: Inked = (*panels.NAME, ("   ", "text"), *(_lists(top, counted) if width >= ROOMY else (counted,)))
    if width >= NARROW and length((*with_name, *_held(top), *right)) + _GAP <= width:
        left = with_name
    for note in (_held(top), () if width >= ROOMY else unknown_note(top.wish.lane, top.unknown), _critical(top)):
        if length((*left, *note, *right)) + _GAP <= width:
            left = (*left, *note)
    return left, right


def chips(top: Top) -> Inked:
    """What makes the list another one than usual; empty where nothing does."""
    parts: list[Inked] = []
    if top.wish.where:
        parts.append((("filter ", "dim"), (one_line(top.wish.where), "label")))
    if top.wish.where or not top.exact:
        parts.append(((f"of {top.counted_in_lane}", "dim"),))
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


_LONGEST_NAME: Final = 20
_GAP: Final = 2
"""Cells between the two sides, at least."""
_MOST_CRITICAL: Final = 10


def _critical(top: Top) -> Inked:
    if not top.critical or top.wish.lane is not WAITING:
        return ()
    more = "+" if top.critical >= _MOST_CRITICAL else ""
    return ((f" · {top.critical}{more} critical", "warn"),)


def _counted(wish: Wish) -> str:
    return "found" if wish.where else wish.lane.counted


def _lists(top: Top, counted: Span) -> Inked:
    spans: list[Span] = []
    for number, lane in enumerate(LANES):
        if number:
            spans.append((" │ ", "rule"))
        if lane is top.wish.lane:
            spans.append((counted[0], "title"))
        elif lane is TO_SETTLE and top.unknown:
            spans.append((f"{top.unknown} {lane.counted}", "warn"))
        else:
            spans.append((lane.counted, "dim"))
    return tuple(spans)


def _held(top: Top) -> Inked:
    return ((f" · {top.held}", "good"),) if top.held else ()


def _live(top: Top) -> Span:
    if top.stale is not None:
        return f"○ stale {ago(top.stale)}", "warn"
    if top.trouble:
        return f"○ {top.trouble}", "warn"
    return ("‖ paused", "warn") if top.paused else ("● live", "good")
