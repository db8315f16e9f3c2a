"""Lines that are to be read to their end before something is done."""

from __future__ import annotations

from textual import events
from textual.message import Message

from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.reading import Reading


class ReadView(LinesView):
    """Lines that know how far they were read, whatever scrolled them."""

    _reading = Reading()

    class Seen(Message):
        """Other lines are in sight."""

    @property
    def read_all(self) -> bool:
        """Whether every line was on the screen since they were broken so."""
        self._note()
        return self._reading.to >= self.virtual_size.height > 0

    @property
    def place(self) -> str:
        """Which of how many lines are in sight: `1–10 of 30`."""
        top, count = self.scroll_offset.y, self.virtual_size.height
        return f"{top + 1:,}–{min(count, top + self.size.height):,} of {count:,}"

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._note(round(old_value))
        self._note()
        self.post_message(self.Seen())

    def on_resize(self, event: events.Resize) -> None:
        """The lines are broken anew: those that were read are others now."""
        super().on_resize(event)
        self._reading = Reading()
        self._note()
        self.post_message(self.Seen())

    def _note(self, top: int | None = None) -> None:
        self._reading = self._reading.seen(self.scroll_offset.y if top is None else top, self.size.height)
