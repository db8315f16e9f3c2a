"""The one-line bars: what is above the list, above the detail, and at the very top."""

from __future__ import annotations

from gatekit_tui.ink_view import InkView
from gatekit_tui.row_text import head_spans
from gatekit_tui.spans import Inked, spread
from gatekit_tui.theme import Base


class Bar(InkView, can_focus=False):
    """One line with something on the left and, if there is room, something on the right."""

    DEFAULT_CSS = "Bar { height: 1; overflow: hidden; scrollbar-gutter: auto; }"

    def __init__(self, base: Base, *, id: str, fill: str = " ") -> None:
        super().__init__(id=id)
        self._base: Base = base
        self._fill = fill
        self._left: Inked = ()
        self._right: Inked = ()

    def write(self, left: Inked, right: Inked = ()) -> None:
        """Put these on the line; nothing is redrawn if they are there already."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        """Both sides, spread over the line."""
        return spread(self._left, self._right, self.size.width, self._fill), self._base


class ListHead(Bar):
    """The names of the list's columns; as wide as its lines, which leave a cell to the scrollbar."""

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        """The names."""
        return head_spans(self.size.width - 1), "head"
