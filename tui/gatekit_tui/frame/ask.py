"""The question at the foot of the screen: are you sure?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from gatekit.display import Friction
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.moves import page_of, scroll_by
from gatekit_tui.frame.read_view import ReadView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked

FOOT_CSS = """
    align: left bottom;
    background: $background 20%;
    #question { height: auto; max-height: 70%; padding: 0 1; background: $surface; border-top: heavy $warning; }
    .title { text-style: bold; width: 1fr; max-height: 4; }
    .hint { color: $secondary; width: 1fr; }
    Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
"""

_LONGEST_TITLE: Final = 100
"""Characters beyond which the question itself is among what is scrolled, so that none of it is cut."""


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
    """Asks for the word, or the key, that an approval costs. True only if that was sent off by hand, and all was read.

    `why` and `lines` say what is about to happen; where there is no room for all of it, it is scrolled.
    """

    DEFAULT_CSS = f"""
    AskScreen {{
        {FOOT_CSS}
        #question {{ max-height: 100%; }}
        #about {{ height: auto; max-height: 40vh; scrollbar-size-horizontal: 0; }}
        #place {{ color: $warning; width: 1fr; height: 1; display: none; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "key_approve", "Approve", show=False, id="approve"),
        Binding("escape", "back", "Back"),
        Binding("pagedown,ctrl+pagedown", "read_on(1)", "read on", show=False, key_display="PgDn", priority=True),
        Binding("pageup,ctrl+pageup", "read_on(-1)", "read back", show=False, key_display="PgUp", priority=True),
        Binding("down", "read_line(1)", "a line on", show=False, priority=True),
        Binding("up", "read_line(-1)", "a line back", show=False, priority=True),
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
        title = one_line(title)
        self._title = title if len(title) <= _LONGEST_TITLE else ""
        about: list[Inked] = [*(((one_line(reason), "text"),) for reason in why), *lines]
        if not self._title:
            about.insert(0, ((title, "title"),))
        self._about = ReadView(about, id="about") if about else None
        self._place = Static(id="place", markup=False)
        self._word = word

    def compose(self) -> ComposeResult:
        """The question, what it is about, and a place to type."""
        with Vertical(id="question"):
            if self._title:
                yield Static(self._title, classes="title", markup=False)
            if self._about is not None:
                yield self._about
                yield self._place
            if self._word is None:
                key = self.review.key_for("approve", "a")
                yield Static(f"Press {key} to {self._act}, Esc to go back.", classes="hint", markup=False)
            else:
                told = f"Type {self._word} and press Enter to {self._act}; Esc goes back."
                yield Static(told, classes="hint", markup=False)
                yield Input(id="word", select_on_focus=False)

    def on_mount(self) -> None:
        """Typing goes to the field; without one, keys go to the screen."""
        self.set_focus(self.query_one(Input) if self._word is not None else None)

    def on_resize(self) -> None:
        """There is room for more lines, or for fewer."""
        self.call_after_refresh(self._make_room)

    def on_read_view_seen(self, event: ReadView.Seen) -> None:
        """Say which lines are in sight, where these are not all."""
        event.stop()
        self.call_after_refresh(self._make_room)

    def _make_room(self) -> None:
        """What is asked, and the place to type, always stay in sight: what is read gets what they leave."""
        if self._about is None or not self.is_attached:
            return
        question = self.query_one("#question")
        others = sum(one.outer_size.height for one in question.children if one not in (self._about, self._place))
        room = self.size.height - others - question.gutter.height - (self.review.stopped is not None)
        is_longer = self._about.virtual_size.height > room
        self._about.styles.max_height = max(1, room - 1 if is_longer else room)
        self._place.display = is_longer
        self._place.update(f"{self._about.place} · PgDn and PgUp show the rest")

    def action_read_on(self, step: int) -> None:
        """Scroll what it is about while the word keeps the focus."""
        if self._about is not None:
            scroll_by(self._about, step * page_of(self._about))

    def action_read_line(self, step: int) -> None:
        """The same by a line."""
        if self._about is not None:
            scroll_by(self._about, step)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter approves nothing by itself: only behind the right word."""
        event.stop()
        if event.value.strip() != self._word:
            self.review.say(f"That is not it: type {self._word}, or press Esc.", "warning")
        else:
            self._say_yes()

    def action_key_approve(self) -> None:
        """The second press, where no word is asked for."""
        if self._word is None:
            self._say_yes()

    def _say_yes(self) -> None:
        # As it is when the key comes: what is read behind it does not count.
        if self._about is not None and not self._about.read_all:
            self.review.say("Read to the end first: PgDn shows more.", "warning")
        else:
            self.deliberately(lambda: self.close_with(True))

    def action_back(self) -> None:
        """Nothing is decided."""
        self.close_with(False)
