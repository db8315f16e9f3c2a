"""The question at the foot of the screen that is answered in words: why?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from gatekit_tui.frame.ask import FOOT_CSS
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.reason_field import BREAKS, ReasonField
from gatekit_tui.frame.row_text import one_line

UNTOLD: Final = "a reviewer rejected it"
"""What an agent is told that is not told why."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a reviewer said, and whether the agent is told.

    >>> Said("its third try", told=False).reason
    'a reviewer rejected it'
    """

    text: str
    told: bool = True

    @property
    def reason(self) -> str:
        """What the agent is given as the reason."""
        return self.text if self.told else UNTOLD

    @property
    def note(self) -> str | None:
        """What only reviewers read."""
        return None if self.told else self.text


class ReasonScreen(DeliberateModal[Said]):
    """Asks why: a call is rejected, and the reason goes to the agent. An empty answer does nothing; None: left.

    `said` is what was said before, the newest first. Where `told` is given, whether the agent is told can be turned
    here, from that.
    """

    DEFAULT_CSS = f"""
    ReasonScreen {{
        {FOOT_CSS}
        #question {{ border-top: heavy $error; }}
        TextArea, TextArea:focus {{ border: none; height: auto; max-height: 6; padding: 0 1; background: $panel; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding(",".join(BREAKS), "break_line", "a line break", show=False),
        Binding("ctrl+n", "turn_told", "tell the agent why, or not", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        draft: str,
        *,
        placeholder: str = "why? the agent is told",
        hint: str = "Enter rejects; Esc goes back.",
        said: Sequence[str] = (),
        told: bool | None = None,
    ) -> None:
        super().__init__()
        self._texts = [draft, *said]
        self._place = 0
        self._title = one_line(title)
        self._field = ReasonField(draft, placeholder=placeholder, id="reason")
        self._placeholder = placeholder
        self._hint = hint
        self._can_turn = told is not None
        self.told = told is not False
        """Whether the agent is told."""

    @property
    def text(self) -> str:
        """What stands in the field: kept when the reviewer leaves without sending it."""
        return self._field.text

    def compose(self) -> ComposeResult:
        """The question and a place to type."""
        with Vertical(id="question"):
            yield Static(self._title, classes="title", markup=False)
            yield self._field
            yield Static(classes="hint", markup=False)

    def on_mount(self) -> None:
        """Say what its keys do."""
        self._field.focus()
        self._tell()

    def _tell(self) -> None:
        words = [self._hint, "Ctrl-O: new line."]
        if len(self._texts) > 1:
            words.append("↑ brings back what you said before.")
        if self._can_turn:
            words.append(
                "Ctrl-N: do not tell the agent." if self.told else "The agent is not told why: Ctrl-N tells it."
            )
        self.query_one(".hint", Static).update(" ".join(words))
        self._field.placeholder = self._placeholder if self.told else "why? the agent is not told, reviewers are"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Not everything that is said goes to an agent."""
        return self._can_turn if action == "turn_told" else True

    def action_turn_told(self) -> None:
        """The agent is told why, or only that."""
        self.told = not self.told
        self._tell()

    def action_break_line(self) -> None:
        """Go on below, also where the field lost the focus."""
        self._field.put("\n")

    def on_reason_field_passed(self, event: ReasonField.Passed) -> None:
        """Put what was said before into the field; what stood there is kept at its place."""
        event.stop()
        place = max(0, min(self._place + event.step, len(self._texts) - 1))
        if place != self._place:
            self._texts[self._place] = self.text
            self._place = place
            self._field.recall(self._texts[place], event.step)

    def on_reason_field_sent(self, event: ReasonField.Sent) -> None:
        """A reason sent off by hand rejects."""
        event.stop()
        said = Said(self.text.strip(), self.told)
        if not said.text:
            self.review.say("Say why, in a few words.", "warning")
            return
        self.deliberately(lambda: self.close_with(said))

    def action_back(self) -> None:
        """Nothing is decided."""
        self.close_with(None)
