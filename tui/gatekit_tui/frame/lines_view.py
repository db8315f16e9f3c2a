"""A view of lines that are handed to it whole."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Size

from gatekit_tui.frame.ink_view import InkView
from gatekit_tui.frame.spans import Inked, wrap_inked
from gatekit_tui.frame.theme import Base


class LinesView(InkView, can_focus=False):
    """Shows lines, broken where they are too long; as high as they are, up to its style's `max-height`."""

    def __init__(self, lines: Sequence[Inked] = (), *, base: Base = "bar", id: str | None = None) -> None:
        super().__init__(id=id)
        self._base: Base = base
        self._given = tuple(lines)
        self._lines: tuple[Inked, ...] = tuple(lines)
        self.virtual_size = Size(0, len(self._lines))

    def write(self, lines: Sequence[Inked]) -> None:
        """Show other lines, from the top."""
        self._given = tuple(lines)
        self._break()
        self.scroll_to(y=0, animate=False, force=True)

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        """The line as it was broken."""
        return (self._lines[line] if line < len(self._lines) else ()), self._base

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        self._break()

    def _break(self) -> None:
        width = self.inner_width or 1
        self._lines = tuple(piece for line in self._given for piece in wrap_inked(line, width))
        if self.virtual_size.height != len(self._lines):
            self.virtual_size = Size(0, len(self._lines))
            self.refresh(layout=True)
        else:
            self.refresh()
