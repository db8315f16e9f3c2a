"""The questions at the foot of the screen: are you sure, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from gatekit.display import Friction
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked

FOOT_CSS = """
    align: left bottom;
    background: $background 20%;
    #question { height: auto; max-height: 70%; padding: 0 1; background: $surface; border-top: heavy $warning; }
    .title { text-style: bold; width: 1fr; max-height: 4; }
    .hint { color: $secondary; width: 1fr; }
    LinesView { height: auto; max-height: 10; }
    Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
"""


def word_for(cost: Friction, tool: str, request_id: str) -> str | None:
    """What has to be typed to approve; None where a key is enough.

    A tool's name that cannot be typed on a keyboard is replaced by the last four characters of the request's
    id.
    """
    if cost == "key":
        return None
    if cost == "yes":
        return "yes"
    typeable = tool.isascii() and tool.isprintable() and tool == tool.strip() and 0 < len(tool) <= 40
    return tool if typeable else request_id[-4:]


class AskScreen(DeliberateModal[bool]):
    """Asks for the word that an approval costs. True only if exactly that was typed and sent off by hand."""

    DEFAULT_CSS = f"AskScreen {{ {FOOT_CSS} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "key_approve", "Approve", show=False, id="approve"),
        Binding("escape", "back", "Back"),
    ]

    def __init__(
        self,
        title: str,
        *,
        why: Sequence[str] = (),
        lines: Sequence[Inked] = (),
        word: str | None,
        act: str = "approve",
    ) -> None:
        super().__init__()
        self._act = act
        self._title = one_line(title)
        self._why = [one_line(reason) for reason in why]
        self._lines = tuple(lines)
        self._word = word

    def compose(self) -> ComposeResult:
        """The question, what it is about, and a place to type."""
        with Vertical(id="question"):
            yield Static(self._title, classes="title", markup=False)
            for reason in self._why:
                yield Static(reason, markup=False)
            if self._lines:
                yield LinesView(self._lines)
            if self._word is None:
                key = self.review.key_for("approve", "a")
                yield Static(f"Press {key} to {self._act}, Esc to go back.", classes="hint", markup=False)
            else:
                yield Static(
                    f"Type {self._word} and press Enter to {self._act}; Esc goes back.",
                    classes="hint",
                    markup=False,
                )
                yield Input(id="word", select_on_focus=False)

    def on_mount(self) -> None:
        """Typing goes to the field; without one, keys go to the screen."""
        self.set_focus(self.query_one(Input) if self._word is not None else None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter approves nothing by itself: only behind the right word."""
        event.stop()
        if event.value.strip() != self._word:
            self.review.say(f"That is not it: type {self._word}, or press Esc.", "warning")
            return
        self.deliberately(lambda: self.close_with(True))

    def action_key_approve(self) -> None:
        """The second press, where no word is asked for."""
        if self._word is None:
            self.deliberately(lambda: self.close_with(True))

    def action_back(self) -> None:
        """Nothing is decided."""
        self.close_with(False)


class ReasonScreen(DeliberateModal[str]):
    """Asks why: a call is rejected, and the reason goes to the agent. An empty answer does nothing.

    `said` is what was said before, the newest first.
    """

    DEFAULT_CSS = f"ReasonScreen {{ {FOOT_CSS} #question {{ border-top: heavy $error; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("up", "recall(1)", "an earlier reason", show=False),
        Binding("down", "recall(-1)", "a later reason", show=False),
    ]

    def __init__(
        self,
        title: str,
        draft: str,
        *,
        placeholder: str = "why? the agent is told",
        hint: str = "Enter rejects; Esc goes back.",
        said: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._texts = [draft, *said]
        self._place = 0
        self._title = one_line(title)
        self._draft = draft
        self._placeholder = placeholder
        self._hint = hint
        self.text = draft
        """What stands in the field: kept when the reviewer leaves without rejecting."""

    def compose(self) -> ComposeResult:
        """The question and a place to type."""
        with Vertical(id="question"):
            yield Static(self._title, classes="title", markup=False)
            yield Input(self._draft, placeholder=self._placeholder, id="reason", max_length=2000, select_on_focus=False)
            recall = " ↑ brings back what you said before." if len(self._texts) > 1 else ""
            yield Static(self._hint + recall, classes="hint", markup=False)

    def action_recall(self, step: int) -> None:
        """Put what was said before into the field; what stood there is kept at its place."""
        field = self.query_one(Input)
        self._texts[self._place] = field.value
        self._place = max(0, min(self._place + step, len(self._texts) - 1))
        field.value = self._texts[self._place]
        field.cursor_position = len(field.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep what is typed."""
        self.text = event.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A reason sent off by hand rejects."""
        event.stop()
        reason = event.value.strip()
        if not reason:
            self.review.say("Say why, in a few words.", "warning")
            return
        self.deliberately(lambda: self.close_with(reason))

    def action_back(self) -> None:
        """Nothing is decided."""
        self.close_with("")
