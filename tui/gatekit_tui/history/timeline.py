"""A list of things that happened, each as many lines as it takes. Only what is in sight is drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from textual import events
from textual.geometry import Size
from textual.message import Message

from gatekit_tui.frame.by_the_second import tell_by_the_second
from gatekit_tui.frame.moves import CursorView
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.theme import Base


class Entry(Protocol):
    """One thing in the list."""

    @property
    def key(self) -> str:
        """What the cursor stays on while the list changes."""
        ...

    def draw(self, width: int, now: datetime) -> Sequence[Inked]:
        """Its lines; how many there are depends on the width alone."""
        ...


class Timeline(CursorView):
    """Draws entries, moves a cursor that stays on its entry, and follows the end while that is in sight."""

    DEFAULT_CSS = "Timeline { height: 1fr; }"

    class Moved(Message):
        """The cursor is on another entry, or other lines are in sight."""

    def __init__(self, now: Callable[[], datetime], *, follow: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._now = now
        self._follow = follow
        self.entries: tuple[Entry, ...] = ()
        self._starts: list[int] = []
        self._width = 10
        self._drawn: dict[int, tuple[Inked, ...]] = {}

    @property
    def chosen(self) -> Entry | None:
        """What the cursor is on."""
        return self.entries[self.cursor] if self.cursor < len(self.entries) else None

    @property
    def in_sight(self) -> range:
        """The places of the entries on the screen."""
        if not self._starts:
            return range(0)
        top = self.scroll_offset.y
        return range(self._at(top), self._at(top + max(1, self.size.height) - 1) + 1)

    @property
    def count(self) -> int:
        return len(self.entries)

    @property
    def page(self) -> int:
        return max(1, len(self.in_sight) - 1)

    def on_mount(self) -> None:
        tell_by_the_second(self, self.tick)

    def write(self, entries: Sequence[Entry]) -> None:
        """Show these. The cursor stays on its entry, and near it where that is gone."""
        chosen = self.chosen
        at_end = bool(self._starts) and self.scroll_offset.y + self.size.height >= self.virtual_size.height
        self.entries = tuple(entries)
        keys = (place for place, entry in enumerate(self.entries) if chosen is not None and entry.key == chosen.key)
        self.cursor = next(keys, max(0, min(self.cursor, len(self.entries) - 1)))
        self._lay()
        if self._follow and at_end:
            self.scroll_to(y=self.virtual_size.height, animate=False, force=True)

    def redraw(self) -> None:
        """What some of the entries say has changed; their lines are as many as before."""
        self._drawn.clear()
        self.refresh()

    def tick(self) -> None:
        """Redraw the lines whose words changed by the passing of time, and no others."""
        now = self._now()
        for place in self.in_sight:
            before, after = self._drawn.get(place), tuple(self.entries[place].draw(self._width, now))
            if before is not None and before != after:
                self._drawn[place] = after
                for offset, (old, new) in enumerate(zip(before, after, strict=True)):
                    if old != new:
                        self.refresh_line(self._starts[place] + offset)

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        if not self._starts or line >= self.virtual_size.height:
            return (), "base"
        place = self._at(line)
        drawn = self._drawn.get(place)
        if drawn is None:
            drawn = self._drawn[place] = tuple(self.entries[place].draw(self._width, self._now()))
        here = place == self.cursor and self.has_focus
        return (("▌" if here else " ", "label"), *drawn[line - self._starts[place]]), "chosen" if here else "base"

    def on_resize(self, event: events.Resize) -> None:
        self._lay()

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if self._starts and line < self.virtual_size.height:
            self.go_to(self._at(line))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def go_to(self, place: int) -> None:
        """Put the cursor on an entry, and that entry into sight."""
        if not self.entries:
            return
        self.cursor = max(0, min(place, len(self.entries) - 1))
        first, end = self._starts[self.cursor], self._end(self.cursor)
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if first < top or end - first >= height:
            self.scroll_to(y=first, animate=False, force=True)
        elif end > top + height:
            self.scroll_to(y=end - height, animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved())

    def _at(self, line: int) -> int:
        return max(0, bisect_right(self._starts, line) - 1)

    def _end(self, place: int) -> int:
        return self._starts[place + 1] if place + 1 < len(self._starts) else self.virtual_size.height

    def _lay(self) -> None:
        now, line = self._now(), 0
        # A view may be drawn before it is told of its new size: its lines are those that were counted.
        self._width = max(10, self.inner_width - 1)
        self._starts = []
        for entry in self.entries:
            self._starts.append(line)
            line += len(entry.draw(self._width, now))
        self._drawn.clear()
        self.virtual_size = Size(0, line)
        self.refresh()
        self.post_message(self.Moved())
