"""A list that is read as one goes through it: as long as it may be, only what was looked at is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from textual import events
from textual.geometry import Size
from textual.message import Message

from gatekit_tui.frame.by_the_second import tell_by_the_second
from gatekit_tui.frame.moves import CursorView
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.theme import Base
from gatekit_tui.runs.runs_lines import Line, Lines, line_spans

Fetch = Callable[[str | None, int], Awaitable[Lines]]
"""Reads so many lines of the list behind a key; None: from its beginning."""
PAGE: Final = 100
"""Lines that are read at once."""
_FORGET: Final = 20
"""Pages that are kept while the beginning of the list is looked at."""


class RunsList(CursorView):
    """Draws lines, moves a cursor that stays on its line, and reads on when the end comes into sight."""

    DEFAULT_CSS = "RunsList { height: 1fr; }"

    class Moved(Message):
        """The cursor is on another line, or other lines are known."""

    class Scrolled(Message):
        """Another part of the list is in sight."""

    def __init__(self, now: Callable[[], datetime], fetch: Fetch, *, id: str) -> None:
        super().__init__(id=id)
        self._now = now
        self._fetch = fetch
        self.lines = Lines()
        self._drawn: dict[int, Inked] = {}

    @property
    def chosen(self) -> Line | None:
        """What the cursor is on."""
        return self.lines.rows[self.cursor] if self.cursor < len(self.lines.rows) else None

    @property
    def count(self) -> int:
        """How many lines are read."""
        return len(self.lines.rows)

    def on_mount(self) -> None:
        tell_by_the_second(self, self.tick)

    async def read_again(self) -> None:
        """Read again what is in sight; at the beginning also what is new. Raises `GatekitError`."""
        before = self.lines
        start = min(self.scroll_offset.y, len(before.rows))
        behind = before.rows[start - 1].key if start else None
        read = await self._fetch(behind, max(PAGE, self.size.height + 1))
        if self.lines is before:
            known = before if start else Lines(before.rows[: _FORGET * PAGE], _next_of(before))
            self._show(known.spliced(start, read))

    async def read_on(self) -> None:
        """Read the next page, if its place is in sight and there is one. Raises `GatekitError`."""
        before = self.lines
        end = self.scroll_offset.y + self.size.height
        if before.next is not None and end >= len(before.rows):
            read = await self._fetch(before.next, PAGE)
            if self.lines is before:
                known = {row.id for row in before.rows}
                fresh = tuple(row for row in read.rows if row.id not in known)
                self._show(Lines((*before.rows, *fresh), read.next))

    def restart(self, fetch: Fetch) -> None:
        """Another list from now on: nothing of it is read yet."""
        self._fetch = fetch
        self.cursor = 0
        self.scroll_to(y=0, animate=False, force=True)
        self._show(Lines())

    def tick(self) -> None:
        """Redraw the lines whose words changed by the passing of time, and no others."""
        now = self._now()
        top = self.scroll_offset.y
        for place in range(top, min(top + self.size.height, len(self.lines.rows))):
            if place in self._drawn and self._drawn[place] != self._spans(place, now):
                self.refresh_line(place)

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        if line >= len(self.lines.rows):
            is_next = line == len(self.lines.rows) and self.lines.next is not None
            return ((("  … there are more", "dim"),) if is_next else ()), "base"
        self._drawn[line] = self._spans(line, self._now())
        return self._drawn[line], "chosen" if line == self.cursor else "base"

    def on_resize(self, event: events.Resize) -> None:
        self._show(self.lines)

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self.lines.rows):
            self.go_to(line)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Scrolled())

    def go_to(self, place: int) -> None:
        """Put the cursor on a line, and that line into sight; on the last one also what says that there are more."""
        before = self.cursor
        self.cursor = max(0, min(place, len(self.lines.rows) - 1))
        top, height = self.scroll_offset.y, max(1, self.size.height)
        is_last = self.cursor == len(self.lines.rows) - 1 and self.lines.next is not None
        wanted = self.cursor + is_last
        if not top <= self.cursor <= wanted < top + height:
            self.scroll_to(y=self.cursor if self.cursor < top else wanted - height + 1, animate=False, force=True)
        for line in {before, self.cursor}:
            self.refresh_line(line)
        self.post_message(self.Moved())

    def _show(self, lines: Lines) -> None:
        chosen, top, height = self.chosen, self.scroll_offset.y, max(1, self.size.height)
        was_in_sight = top <= self.cursor < top + height
        self.lines = lines
        places = (place for place, row in enumerate(lines.rows) if chosen is not None and row.id == chosen.id)
        self.cursor = next(places, max(0, min(self.cursor, len(lines.rows) - 1)))
        self._drawn.clear()
        self.virtual_size = Size(0, len(lines.rows) + (lines.next is not None))
        if was_in_sight and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved())

    def _spans(self, place: int, now: datetime) -> Inked:
        return line_spans(self.lines.rows[place], self.inner_width, now, chosen=place == self.cursor)


def _next_of(lines: Lines) -> str | None:
    """Where the list goes on behind the pages that are kept at its beginning."""
    kept = _FORGET * PAGE
    return lines.rows[kept - 1].key if len(lines.rows) > kept else lines.next
