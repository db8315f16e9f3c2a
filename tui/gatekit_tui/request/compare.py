"""What differs between a call and the last approved one of its tool, by path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gatekit.models import Change, Request
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.menu import Menu
from gatekit_tui.frame.row_text import fate, one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.changes_text import change_lines


class CompareScreen(DeliberateModal[None]):
    """The changes as the editor shows them: what was there before, and what is asked now. It decides nothing."""

    DEFAULT_CSS = """
    CompareScreen { background: $background; #then { height: auto; padding: 0 1; } #changes { height: 1fr; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,d", "back", "back", key_display="Esc")]

    def __init__(self, request: Request, before: Request, changes: Sequence[Change], now: datetime) -> None:
        super().__init__()
        self._tool = one_line(request.tool)
        self._then = f"before: {before.id} · {fate(before.status, before.decision, now)}"
        self._count = len(changes)
        self._lines = change_lines(tuple(changes)) or [(("The arguments are the same.", "good"),)]

    def compose(self) -> ComposeResult:
        """A title, the call before, the changes, the keys."""
        yield Bar("bar", id="compare-title")
        yield LinesView([((self._then, "dim"),)], base="base", id="then")
        yield Menu(self._lines, id="changes")
        yield KeyBar()

    def on_mount(self) -> None:
        """Say what it is."""
        count = f"{self._count} difference{'' if self._count == 1 else 's'} from the last approved call "
        title: Inked = ((" compare ", "dim"), (self._tool, "title"))
        self.query_one("#compare-title", Bar).write(title, ((count, "dim"),))
        self.query_one(Menu).focus()

    def action_back(self) -> None:
        """Back to the queue."""
        self.dismiss(None)
