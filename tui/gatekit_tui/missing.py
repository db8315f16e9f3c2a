"""The screen for a queue that cannot be used."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from gatekit.errors import StoreError
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.queue import panels


class MissingScreen(Screen[None]):
    """Says what is wrong with the queue and what to do. It creates nothing and decides nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "quit")]
    DEFAULT_CSS = "MissingScreen { #panel { height: 1fr; padding: 2 4; } }"

    def __init__(self, error: StoreError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        """The bar, the reason, the keys."""
        yield Bar("bar", id="top")
        yield LinesView(panels.unusable(self._error), base="base", id="panel")
        yield KeyBar()

    def on_mount(self) -> None:
        """Name the program."""
        self.query_one("#top", Bar).write(panels.NAME)
