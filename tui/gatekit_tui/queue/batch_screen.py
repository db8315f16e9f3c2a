"""Approve many calls at once: all of them to read, and a number to type."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.moves import page_of, scroll_by
from gatekit_tui.frame.read_view import ReadView
from gatekit_tui.frame.spans import Inked
from gatekit_tui.queue.batch import Sorted, alone_lines, item_lines, summary_lines


class BatchScreen(DeliberateModal[bool]):
    """True only if all of it was in sight, and the number of calls was typed and sent off by hand."""

    DEFAULT_CSS = """
    BatchScreen {
        background: $background;
        #calls { height: 1fr; padding: 0 1; }
        #hint { height: 1; padding: 0 1; background: $surface; color: $secondary; width: 1fr; }
        Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back, marks kept"),
        Binding("pagedown,down", "read_on(1)", "read on", key_display="PgDn", priority=True),
        Binding("pageup,up", "read_on(-1)", "read back", show=False, priority=True),
    ]

    def __init__(self, found: Sorted) -> None:
        super().__init__()
        self._count = len(found.together)
        self._view = ReadView(_lines(found), base="base", id="calls")

    def compose(self) -> ComposeResult:
        """A title, the calls, a place for the number, the keys."""
        yield Bar("bar", id="batch-title")
        yield self._view
        yield Static(f"Type {self._count} and press Enter to approve them all.", id="hint", markup=False)
        yield Input(id="count", select_on_focus=False, max_length=6)
        yield KeyBar()

    def on_mount(self) -> None:
        """Say how many there are."""
        title: Inked = ((" approve ", "dim"), (f"{self._count} call{'' if self._count == 1 else 's'}", "title"))
        self.query_one("#batch-title", Bar).write(title)
        self.query_one(Input).focus()

    def action_read_on(self, step: int) -> None:
        """Scroll the calls while the number keeps the focus."""
        scroll_by(self._view, step * page_of(self._view))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter approves nothing by itself: only behind the number, and behind all that was to be read."""
        event.stop()
        if event.value.strip() != str(self._count):
            self.review.say(f"That is not it: type {self._count}, or press Esc.", "warning")
        elif not self._view.read_all:
            self.review.say("You have not seen all of them: PgDn shows more.", "warning")
        else:
            self.deliberately(lambda: self.close_with(True))

    def action_back(self) -> None:
        """Nothing is decided."""
        self.close_with(False)


def _lines(found: Sorted) -> list[Inked]:
    lines = [*summary_lines(found.together), (), (("the calls", "label"),), *item_lines(found.together)]
    if found.alone:
        plural = "" if len(found.alone) == 1 else "s"
        lines += [(), ((f"left out: {len(found.alone)} request{plural}", "label"),), *alone_lines(found.alone)]
    return lines
