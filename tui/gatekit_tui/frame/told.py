"""A screen of lines to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.menu import Menu
from gatekit_tui.frame.spans import Inked


class ToldScreen(DeliberateModal[None]):
    """A title and lines. It decides nothing."""

    DEFAULT_CSS = "ToldScreen { background: $background; #told { height: 1fr; } }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "back", "back", key_display="Esc")]

    def __init__(self, title: Inked, lines: Sequence[Inked]) -> None:
        super().__init__()
        self._title = title
        self._lines = tuple(lines)

    def compose(self) -> ComposeResult:
        """The title, the lines, the keys."""
        yield Bar("bar", id="told-title")
        yield Menu(self._lines, id="told")
        yield KeyBar()

    def on_mount(self) -> None:
        """Say what it is."""
        self.query_one("#told-title", Bar).write(self._title)
        self.query_one(Menu).focus()

    def action_back(self) -> None:
        """Back to the list."""
        self.dismiss(None)
