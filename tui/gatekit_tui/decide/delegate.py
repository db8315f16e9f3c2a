"""To whom, and why? The question that hands a reviewer's part of a request on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from gatekit_tui.frame.ask import FOOT_CSS
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.row_text import one_line


@dataclass(frozen=True, slots=True)
class Handover:
    """Who is to decide instead, and why."""

    to: str = ""
    reason: str = ""


class DelegateScreen(DeliberateModal[Handover]):
    """Two fields, both to be filled in; `handover` is kept when the reviewer leaves."""

    DEFAULT_CSS = f"DelegateScreen {{ {FOOT_CSS} }}"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back")]

    def __init__(self, tool: str, handover: Handover | None) -> None:
        super().__init__()
        self._tool = one_line(tool)
        self.handover = handover or Handover()

    @property
    def unsent(self) -> Handover | None:
        """What stands in the fields, if anything does."""
        return None if self.handover == Handover() else self.handover

    def compose(self) -> ComposeResult:
        """The question and two places to type."""
        with Vertical(id="question"):
            yield Static(f"Who decides in your place on {self._tool}?", classes="title", markup=False)
            yield Input(self.handover.to, placeholder="name", id="to", max_length=200, select_on_focus=False)
            yield Input(self.handover.reason, placeholder="why?", id="reason", max_length=2000, select_on_focus=False)
            yield Static("Tab goes between the two; Enter hands it on; Esc goes back.", classes="hint", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep what is typed."""
        event.stop()
        self.handover = Handover(self.query_one("#to", Input).value, self.query_one("#reason", Input).value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand it on, if it is said to whom and why."""
        event.stop()
        handover = Handover(self.handover.to.strip(), self.handover.reason.strip())
        if not handover.to or not handover.reason:
            self.review.say("Say to whom, and why: both stand in the history.", "warning")
        elif ":" in handover.to:
            self.review.say("A reviewer's name has no colon: it goes to a person, not to a role.", "warning")
        else:
            self.deliberately(lambda: self.close_with(handover))

    def action_back(self) -> None:
        """Nothing is handed on."""
        self.close_with(None)
