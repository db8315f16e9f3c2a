"""The reviewer leaves while decisions of theirs can still be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from gatekit_tui.decide.held import HeldOne
from gatekit_tui.frame.ask import FOOT_CSS
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.row_text import one_line


class LeaveScreen(DeliberateModal[str]):
    """Asks what becomes of them. Gives `keep`, `undo`, or nothing: the reviewer stays."""

    DEFAULT_CSS = f"LeaveScreen {{ {FOOT_CSS} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "leave('keep')", "keep them and leave"),
        Binding("t", "leave('undo')", "take them back and leave"),
        Binding("escape", "leave('')", "stay"),
    ]

    def __init__(self, held: Sequence[HeldOne]) -> None:
        super().__init__()
        self._held = held

    def compose(self) -> ComposeResult:
        """The question."""
        tools = ", ".join(dict.fromkeys(one_line(one.tool) for one in self._held))
        count = len(self._held)
        told = f"{count} decision{'' if count == 1 else 's'} of yours can still be undone: {tools}."
        with Vertical(id="question"):
            yield Static(told, classes="title", markup=False)
            yield Static("They count by themselves in a moment, also when you have left.", markup=False)
            yield Static("k keeps them, t takes them back, Esc stays.", classes="hint", markup=False)

    def action_leave(self, choice: str) -> None:
        """Leave so, or stay."""
        if choice:
            self.deliberately(lambda: self.close_with(choice))
        else:
            self.close_with("")
