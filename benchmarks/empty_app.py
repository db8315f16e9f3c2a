"""The least that a program of Textual can be: one line of text, and a screen that `?` opens.

`python -m benchmarks.empty_app [beat] SOCKET`
"""

from __future__ import annotations

import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from benchmarks.inside import Inside, inside

SHOWN = "an empty app"


class EmptyApp(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "quit"), ("question_mark", "other", "other")]

    def __init__(self, line: Inside, *, beats: bool) -> None:
        super().__init__()
        self._line = line
        self._beats = beats

    def compose(self) -> ComposeResult:
        yield Static(SHOWN, markup=False)

    def on_mount(self) -> None:
        if self._beats:
            self.run_worker(self._line.beat())

    def action_other(self) -> None:
        self.push_screen(_Other())


class _Other(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "back")]

    def compose(self) -> ComposeResult:
        yield Static(SHOWN, markup=False)


if __name__ == "__main__":
    EmptyApp(inside(), beats="beat" in sys.argv).run()
