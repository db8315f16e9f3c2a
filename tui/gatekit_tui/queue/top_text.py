"""What stands at the very top: which list, how many, who one is, and whether the picture is fresh. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gatekit.display import ago
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import GAP, Inked, Span, fit, length
from gatekit_tui.queue import panels
from gatekit_tui.queue.lanes import LANES, ORDER_WORDS, TO_SETTLE, WAITING, Wish, unknown_note

NARROW: Final = 60
"""Cells below which only what matters most is said."""
WIDE: Final = 110
"""Cells from which on list and detail stand side by side."""
ROOMY: Final = 124
"""Cells from which on all lists are named."""

LONGEST_NAME: Final = 20
"""Cells of a reviewer's name."""


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
    """Requests of critical risk among those that wait, up to `_MOST_COUNTED`."""
    held: str = ""
    """What of the reviewer's own can still be undone."""
    marked: int = 0
    due: int = 0
    """Those that wait and are due at once, up to `_MOST_COUNTED`."""
    queue: str = ""
    """The queue's file."""
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
    right = _right(top, width)
    room = width - length(right) - GAP
    head: Inked = (*panels.NAME, ("   ", "text"))
    if width < NARROW or length((*head, *_lists(top, _held(top), width))) > room:
        head = ((" ", "text"),)
    notes: Inked = ()
    for note in (
        _held(top),
        () if width >= ROOMY else unknown_note(top.wish.lane, top.unknown),
        _of_those_that_wait(top, top.critical, "critical"),
        _of_those_that_wait(top, top.due, "due ▲"),
    ):
        if length((*head, *_lists(top, (*notes, *note), width))) <= room:
            notes = (*notes, *note)
    lists = _lists(top, notes, width)
    if len(head) > 1:
        named = (_named(name) for name in _queue_names(top.queue))
        head = next((one for one in named if length((*one, *lists)) <= room), head)
    return (*head, *lists), right


def who_decides(name: str, *, read_only: bool, longest: int = LONGEST_NAME) -> Inked:
    """In whose name is decided, in at most so many cells; or that nobody may."""
    if not name:
        return ()
    return (("READ ONLY", "warn") if read_only else (fit(one_line(name), longest).rstrip(), "text"),)


def _right(top: Top, width: int) -> Inked:
    """Who one is, and whether the picture is fresh."""
    longest = LONGEST_NAME if width >= NARROW else LONGEST_NAME // 2
    who = who_decides(top.who, read_only=top.read_only, longest=longest)
    live = _live(top)
    if width < NARROW and live[1] == "good":
        return (*who, (f" {live[0][0]} ", live[1]))
    return (*who, ("   " if width >= NARROW else " ", "text"), live, (" ", "text"))


def _named(queue: str) -> Inked:
    return (*panels.NAME, (f"  {queue}   ", "dim"))


def _queue_names(path: str) -> tuple[str, ...]:
    """What the queue may be called, the fullest first: two of them often have files of one name."""
    if not path:
        return ()
    parts = one_line(path).rsplit("/", 2)
    return tuple(name for name in (one_line(path), "/".join(parts[-2:]), parts[-1]) if len(name) <= _LONGEST_QUEUE)


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


_LONGEST_QUEUE: Final = 50
_MOST_COUNTED: Final = 10


def _of_those_that_wait(top: Top, count: int, word: str) -> Inked:
    if not count or top.wish.lane is not WAITING:
        return ()
    return ((f" · {count}{'+' if count >= _MOST_COUNTED else ''} {word}", "warn"),)


def _counted(wish: Wish) -> str:
    return "found" if wish.where else wish.lane.counted


def _lists(top: Top, notes: Inked, width: int) -> Inked:
    """The list with what is to be said of it, among the names of the others where there is room for them."""
    counted = f"{top.total:,}{'' if top.exact else '+'} {_counted(top.wish)}"
    if width < ROOMY:
        return ((counted, "text"), *notes)
    spans: list[Span] = []
    for number, lane in enumerate(LANES):
        if number:
            spans.append((" │ ", "rule"))
        if lane is top.wish.lane:
            spans.append((counted, "title"))
            spans += notes
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
