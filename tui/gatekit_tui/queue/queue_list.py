"""The list of waiting calls: virtual, so that a hundred thousand rows cost no more than a screenful."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message

from gatekit.models import Decision, Request, RequestRow
from gatekit_tui.frame.ink_view import InkView
from gatekit_tui.frame.moves import MOVE_KEYS, page_of
from gatekit_tui.frame.row_text import TIMES, fate, head_spans, row_spans, wait_of
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.theme import Base
from gatekit_tui.queue.rows import Rows
from gatekit_tui.request.stages_text import left_of


class ListHead(InkView, can_focus=False):
    """The names of the list's columns; as wide as its lines, which leave a cell to the scrollbar."""

    DEFAULT_CSS = "ListHead { height: 1; overflow: hidden; scrollbar-gutter: auto; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._age = "WAIT"

    def call_age(self, word: str) -> None:
        """Call the seconds of each request so."""
        if word != self._age:
            self._age = word
            self.refresh()

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        """The names."""
        return head_spans(self.size.width - 1, self._age), "head"


class QueueList(InkView, can_focus=True):
    """Draws `Rows`, moves a cursor that is pinned to a call's id, and asks for pages that it lacks."""

    BINDINGS: ClassVar[list[BindingType]] = [*MOVE_KEYS]

    class Chosen(Message):
        """The cursor is on another call; `row` is None while that row is not read yet."""

        def __init__(self, row: RequestRow | None) -> None:
            super().__init__()
            self.row = row

    class Wanted(Message):
        """Lines came into sight that are not read yet."""

    def __init__(self, now: Callable[[], datetime], reader: str, *, id: str) -> None:
        super().__init__(id=id)
        self._now = now
        self._reader = reader
        self.rows = Rows()
        self.cursor = 0
        self.chosen: RequestRow | None = None
        self.saving: frozenset[str] = frozenset()
        self.marked: Collection[str] = ()
        """The ids of the requests that are marked for a decision on all of them."""
        self.skipped: Collection[str] = ()
        """The ids of those that the reviewer leaves for later."""
        self._fates: dict[str, tuple[str, Decision | None]] = {}
        self._drawn: dict[int, str] = {}

    @property
    def chosen_is_gone(self) -> bool:
        """Whether the chosen call no longer waits for a decision."""
        return self.chosen is not None and self.rows.ghost is not None and self.rows.ghost.id == self.chosen.id

    @property
    def lines_in_sight(self) -> tuple[int, int]:
        """The first and the last line on the screen."""
        return self.scroll_offset.y, self.scroll_offset.y + max(1, self.size.height) - 1

    def show(self, rows: Rows, *, cursor: int, top: int | None = None) -> None:
        """Take over what was read. The chosen call stays chosen; `top` is the line to scroll to."""
        before = self._in_sight()
        self.rows = rows
        self.virtual_size = Size(self.inner_width, rows.size)
        self.cursor = max(0, min(cursor, rows.size - 1))
        if top is not None:
            self._scroll(top)
        self.chosen = rows.row(self.cursor)
        if self._in_sight() != before:
            self.refresh()

    def gone(self, request: Request) -> None:
        """Remember what became of a call, for the row that stays in its place."""
        self._fates = {request.id: (request.status, request.decision)}

    def tick(self) -> None:
        """Redraw the lines whose words changed by the passing of time, and no others."""
        for line, told in self.told_at(self._now()).items():
            if self._drawn.get(line) != told:
                # Every cell that is written goes over the line to the reviewer: only those of the times change.
                self.refresh(Region(self.inner_width - TIMES, line - self.scroll_offset.y, TIMES, 1))

    def told_at(self, now: datetime) -> dict[int, str]:
        """By the lines in sight, what each then tells of times."""
        first, last = self.lines_in_sight
        rows = ((line, self.rows.row(line)) for line in range(first, last + 1))
        return {line: self._told(row, now) for line, row in rows if row is not None}

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        row = self.rows.row(line)
        chosen = line == self.cursor and line < self.rows.size
        base: Base = "chosen" if chosen else "base"
        if row is None:
            return ((("  …", "dim"),) if line < self.rows.size else ()), base
        now = self._now()
        self._drawn[line] = self._told(row, now)
        is_ghost = self.rows.ghost is not None and row.id == self.rows.ghost.id
        return row_spans(
            row,
            self.inner_width,
            wait=wait_of(row, now),
            chosen=chosen,
            marked=row.id in self.marked,
            skipped=row.id in self.skipped,
            saving=row.id in self.saving,
            gone=self._told(row, now) if is_ghost else "",
            reader=self._reader,
            left=left_of(row, now),
        ), base

    def action_move(self, step: int) -> None:
        ghost_is_last = self.rows.ghost is not None and self.rows.ghost_at == self.cursor == self.rows.size - 1
        self._choose(self.cursor + (-1 if ghost_is_last else step))

    def action_leap(self, step: int) -> None:
        self._choose(self.cursor + step * page_of(self))

    def action_jump(self, line: int) -> None:
        self._choose(line if line >= 0 else self.rows.size - 1)

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < self.rows.size:
            self._choose(line)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        first, last = self.lines_in_sight
        self._drawn = {line: text for line, text in self._drawn.items() if first <= line <= last}
        if any(self.rows.row(line) is None for line in (first, min(last, self.rows.size - 1))):
            self.post_message(self.Wanted())

    def repaint(self, request_ids: Collection[str]) -> None:
        """Draw the lines of these requests anew, where they are in sight."""
        first, last = self.lines_in_sight
        for line in range(first, last + 1):
            row = self.rows.row(line)
            if row is not None and row.id in request_ids:
                self.refresh_line(line)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.inner_width, self.rows.size)
        self._keep_in_sight()
        self.post_message(self.Wanted())

    def _choose(self, line: int) -> None:
        line = max(0, min(line, self.rows.size - 1))
        if line == self.cursor and self.rows.total:
            return
        if self.rows.ghost is not None:
            # The reviewer moves on: only now may the decided call leave its place.
            line -= line > self.rows.ghost_at
            self.rows = replace(self.rows, ghost=None, ghost_at=0)
            self.virtual_size = Size(self.inner_width, self.rows.size)
            self._fates = {}
            self.refresh()
        self.refresh_line(self.cursor)
        self.refresh_line(line)
        self.cursor = line
        self._keep_in_sight()
        self.chosen = self.rows.row(line)
        self.post_message(self.Chosen(self.chosen))

    def _in_sight(self) -> tuple[object, ...]:
        first, last = self.lines_in_sight
        return (first, self.cursor, self.rows.size, self.rows.ghost, *map(self.rows.row, range(first, last + 1)))

    def _keep_in_sight(self) -> None:
        first, last = self.lines_in_sight
        if self.cursor < first:
            self._scroll(self.cursor)
        elif self.cursor > last:
            self._scroll(self.cursor - max(1, self.size.height) + 1)

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, top), animate=False, force=True)

    def _told(self, row: RequestRow, now: datetime) -> str:
        if row.id in self._fates:
            return fate(*self._fates[row.id], now)
        left = left_of(row, now)
        return wait_of(row, now) if left is None else f"{wait_of(row, now)} {left[0]} {left[1]}"
