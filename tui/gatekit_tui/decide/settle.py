"""How did it end? The question that settles a call whose outcome is not known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from gatekit_tui.frame.ask import FOOT_CSS
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the reviewer says: exactly one of the two."""

    result: Any = None
    error: str | None = None

    def lines(self) -> list[Inked]:
        """What would be stored."""
        if self.error is not None:
            return [(("it failed: ", "label"), (one_line(self.error), "warn"))]
        return [(("it returned: ", "label"), (one_line(json.dumps(self.result, ensure_ascii=False)), "good"))]


def read_settlement(result: str, error: str) -> Settlement | str:
    """What the two fields say, or what is wrong with them."""
    if bool(result.strip()) == bool(error.strip()):
        return "Fill in one of the two: what it returned, as JSON, or why it failed."
    if error.strip():
        return Settlement(error=error.strip())
    try:
        return Settlement(result=json.loads(result))
    except (ValueError, RecursionError):
        return f"That is not JSON. A text takes quotes: {json.dumps(result.strip(), ensure_ascii=False)}"


class SettleScreen(DeliberateModal[Settlement]):
    """Two fields, of which one is filled in. Gives what they say; `fields` is kept when the reviewer leaves."""

    DEFAULT_CSS = f"SettleScreen {{ {FOOT_CSS} }}"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back")]

    def __init__(self, tool: str, fields: tuple[str, str]) -> None:
        super().__init__()
        self._tool = one_line(tool)
        self.fields = fields

    @property
    def unsent(self) -> tuple[str, str] | None:
        """What stands in the fields, if anything does."""
        return self.fields if any(self.fields) else None

    def compose(self) -> ComposeResult:
        """The question and two places to type."""
        result, error = self.fields
        with Vertical(id="question"):
            yield Static(f"How did {self._tool} end? Look at the other side first.", classes="title", markup=False)
            yield Input(
                result, placeholder='it worked, and returned (JSON): "done"', id="result", select_on_focus=False
            )
            yield Input(error, placeholder="it failed, because", id="error", max_length=2000, select_on_focus=False)
            yield Static("Tab goes between the two; Enter goes on; Esc goes back.", classes="hint", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep what is typed."""
        event.stop()
        self.fields = (self.query_one("#result", Input).value, self.query_one("#error", Input).value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the confirmation, if exactly one is filled in and can be read."""
        event.stop()
        said = read_settlement(*self.fields)
        if isinstance(said, str):
            self.review.say(said, "warning")
        else:
            self.deliberately(lambda: self.close_with(said))

    def action_back(self) -> None:
        """Nothing is settled."""
        self.close_with(None)
