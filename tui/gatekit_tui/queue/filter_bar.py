"""The line in which a filter is typed, and what is wrong with it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.row_text import one_line

_REST = 0.2
"""Seconds without a key after which what is typed is tried."""
_HINT = "risk>=high  tool:deploy*  by:agent-7  run:r1  older:10m  expires:5m  kind:question  claimed:no  stage:2  words"


class FilterBar(Vertical):
    """Hidden until it is opened. It tells what is typed while it is typed; Esc tells what was there before."""

    DEFAULT_CSS = """
    FilterBar {
        height: auto; display: none;
        Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
    }
    FilterBar.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "as before", priority=True)]

    class Typed(Message):
        """This filter is wanted now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The reviewer is done with it; this filter is wanted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._before = ""
        self._timer: Timer | None = None

    async def open(self, text: str) -> None:
        """Let the reviewer change this filter, in a field over a line for what is wrong: made when first wanted."""
        if not self.children:
            field = Input(placeholder="which requests?", id="filter-text", max_length=1000, select_on_focus=False)
            await self.mount(field, Bar("bar", id="filter-note"))
        self._before = text
        self.add_class("-open")
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.tell("")
        self.screen.set_focus(field)

    def tell(self, wrong: str) -> None:
        """Say what is wrong with it; nothing: what there is."""
        for note in self.query(Bar):
            note.write(((f" ✗ {one_line(wrong)}", "warn"),) if wrong else ((f" {_HINT}", "dim"),))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Try it once the hand rests."""
        event.stop()
        self._stop_timer()
        self._timer = self.set_timer(_REST, lambda: self.post_message(self.Typed(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it."""
        event.stop()
        self._close(event.value)

    def action_leave(self) -> None:
        """As it was before."""
        self._close(self._before)

    def _close(self, text: str) -> None:
        self._stop_timer()
        self.remove_class("-open")
        self.post_message(self.Left(text))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
