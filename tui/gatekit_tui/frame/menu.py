"""Lines to go through with a cursor, and lists to pick from. Drawn by lines: nothing foreign is ever markup."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from gatekit_tui.frame.ink_view import InkView
from gatekit_tui.frame.moves import CursorView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink, Inked, Span, length, wrap_inked
from gatekit_tui.frame.theme import Base


class Menu(CursorView):
    """Items, each as many lines as it takes, and a cursor on one of them."""

    DEFAULT_CSS = "Menu { height: auto; }"

    class Moved(Message):
        """The cursor is on another item."""

        def __init__(self, menu: Menu) -> None:
            super().__init__()
            self.menu = menu

    def __init__(self, items: Sequence[Inked] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items = tuple(items)
        self._lines: tuple[tuple[int, Inked], ...] = ()

    @property
    def count(self) -> int:
        return len(self._items)

    @property
    def page(self) -> int:
        """A menu may be as high as all of its items: its own height is no page."""
        return 10

    def write(self, items: Sequence[Inked], cursor: int) -> None:
        """Show other items."""
        self._items = tuple(items)
        self.cursor = max(0, min(cursor, len(self._items) - 1))
        self._lay()

    def item(self, index: int) -> Inked:
        """What stands there for one item."""
        return self._items[index]

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        if line >= len(self._lines):
            return (), "base"
        index, spans = self._lines[line]
        here = index == self.cursor and self.has_focus
        bar: Span = ("▌" if here else " ", "label")
        return (bar, *spans), "chosen" if here else "base"

    def on_resize(self, event: events.Resize) -> None:
        self._lay()

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self._lines):
            self.go_to(self._lines[line][0])

    def go_to(self, place: int) -> None:
        """Put the cursor on an item, and that item into sight."""
        self.cursor = max(0, min(place, len(self._items) - 1))
        first = next((line for line, (at, _) in enumerate(self._lines) if at == self.cursor), 0)
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= first < top + height:
            self.scroll_to(y=first if first < top else first - height + 1, animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved(self))

    def _lay(self) -> None:
        width = max(4, self.inner_width - 1)
        self._lines = tuple(
            (index, piece) for index in range(len(self._items)) for piece in wrap_inked(self.item(index), width)
        )
        self.virtual_size = Size(0, len(self._lines))
        self.refresh(layout=True)


class PickList(Menu):
    """Choices of which one, or with `many` some, are picked. None is picked to begin with; moving picks nothing."""

    DEFAULT_CSS = "PickList { height: auto; max-height: 12; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "pick", "pick", key_display="space")]

    class Picked(Message):
        """Another choice is picked."""

    def __init__(
        self, choices: Sequence[str], *, many: bool = False, picked: Collection[int] = (), id: str | None = None
    ) -> None:
        super().__init__([((one_line(choice) or "(empty)", "text"),) for choice in choices], id=id)
        self._many = many
        self.picked: tuple[int, ...] = tuple(sorted(place for place in picked if place < len(choices)))
        """The places of the choices that are picked, in their order."""

    def item(self, index: int) -> Inked:
        is_picked = index in self.picked
        mark = ("[x] " if is_picked else "[ ] ") if self._many else ("(•) " if is_picked else "( ) ")
        ink: Ink = "good" if is_picked else "dim"
        return ((mark, ink), *super().item(index))

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self._lines):
            self.go_to(self._lines[line][0])
            self.action_pick()

    def action_pick(self) -> None:
        """Pick what the cursor is on; of many, or take it back."""
        if self._many:
            self.picked = tuple(sorted(set(self.picked) ^ {self.cursor}))
        else:
            self.picked = (self.cursor,)
        self._lay()
        self.post_message(self.Picked())


class PickRow(InkView, can_focus=True):
    """A few choices on one line, one of which is always picked."""

    DEFAULT_CSS = "PickRow { height: 1; scrollbar-gutter: auto; overflow: hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "step(1)", "next", show=False),
        Binding("left,h", "step(-1)", "previous", show=False),
    ]

    class Picked(Message):
        """Another choice is picked."""

        def __init__(self, row: PickRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, choices: Sequence[str], *, picked: int = 0, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices = tuple(choices)
        self.picked = picked

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        spans: list[Span] = [("▌" if self.has_focus else " ", "label")]
        for place, choice in enumerate(self._choices):
            is_picked = place == self.picked
            spans.append(("(•) " if is_picked else "( ) ", "good" if is_picked else "dim"))
            spans.append((f"{choice}  ", "text" if is_picked else "dim"))
        return tuple(spans), "chosen" if self.has_focus else "base"

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        end = 1
        for place, choice in enumerate(self._choices):
            end += 4 + length(((f"{choice}  ", "text"),))
            if event.x < end:
                self._pick(place)
                return

    def action_step(self, step: int) -> None:
        self._pick((self.picked + step) % len(self._choices))

    def _pick(self, place: int) -> None:
        if place != self.picked:
            self.picked = place
            self.refresh()
            self.post_message(self.Picked(self))
