"""The keys that move through what is longer than its room, and a view with a cursor that they move."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from gatekit_tui.frame.ink_view import InkView

MOVE_KEYS: Final[tuple[Binding, ...]] = (
    Binding("j,down", "move(1)", "Down", show=False),
    Binding("k,up", "move(-1)", "Up", show=False),
    Binding("pagedown", "leap(1)", "Page down", show=False),
    Binding("pageup", "leap(-1)", "Page up", show=False),
    Binding("g,home", "jump(0)", "First", show=False),
    Binding("G,end", "jump(-1)", "Last", show=False),
)
"""The same wherever one moves; what takes them has `action_move`, `action_leap` and `action_jump`."""


def page_of(view: InkView) -> int:
    """The lines that PageDown goes on by: one of those that were in sight stays there."""
    return max(1, view.size.height - 1)


def scroll_by(view: InkView, lines: int) -> None:
    """Scroll so far down, at once, also where the view itself takes no keys."""
    view.scroll_relative(y=lines, animate=False, force=True)


class CursorView(InkView, can_focus=True):
    """Things in their order, and a cursor on one of them."""

    BINDINGS: ClassVar[list[BindingType]] = [*MOVE_KEYS]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0

    @property
    def count(self) -> int:
        """How many things there are."""
        raise NotImplementedError

    @property
    def page(self) -> int:
        """How many of them PageDown goes on by."""
        return page_of(self)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def go_to(self, place: int) -> None:
        """Put the cursor on the thing at this place, or the nearest there is, and that thing into sight."""
        raise NotImplementedError

    def action_move(self, step: int) -> None:
        self.go_to(self.cursor + step)

    def action_leap(self, step: int) -> None:
        self.go_to(self.cursor + step * self.page)

    def action_jump(self, place: int) -> None:
        self.go_to(place if place >= 0 else self.count + place)
