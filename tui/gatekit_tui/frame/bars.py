"""The one-line bars: what is at the very top, above the detail, and above the lines of other screens."""

from __future__ import annotations

from gatekit_tui.frame.ink_view import InkView
from gatekit_tui.frame.spans import Inked, spread
from gatekit_tui.frame.theme import Base


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
