"""The base of all that is drawn line by line: no markup, and only what is in sight costs anything."""

from __future__ import annotations

from rich.segment import Segment
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.theme import Base


class InkView(ScrollView):
    """A scrolling view of inked lines; a subclass says what stands on each."""

    DEFAULT_CSS = "InkView { scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }"

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        """What stands on a line of the whole content, and what lies under it."""
        raise NotImplementedError

    @property
    def inner_width(self) -> int:
        """The cells of a line, without the scrollbar."""
        return self.scrollable_content_region.width

    def render_line(self, y: int) -> Strip:
        """One line of the screen, as Textual wants it."""
        app = self.app
        assert isinstance(app, GuardedApp)
        spans, base = self.inked_line(y + self.scroll_offset.y)
        inks = app.inks
        strip = Strip([Segment(text, inks[base] + inks[ink]) for text, ink in spans if text])
        return strip.adjust_cell_length(self.size.width, inks[base])
