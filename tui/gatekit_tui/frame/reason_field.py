"""A small field for what is said in words: a few lines, in which Enter sends and nothing that is pasted does."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from gatekit.display import visible
from gatekit_tui.frame.guarded import GuardedApp

MOST: Final = 2000
"""Characters that can be said."""
BREAKS: Final = ("ctrl+o", "ctrl+enter", "ctrl+j")
"""Keys that go on below; the last is the line break of a paste that a terminal types."""
_LOOKED_AT: Final = 10 * MOST
"""Characters of a paste that are looked at: what is behind them has no room anyway."""


def plain(text: str) -> tuple[str, int]:
    r"""The text with nothing in it that could not be seen in the field, and how many characters that cost.

    Line breaks stay, every other blank is a space.

    >>> plain("too\tmuch\r\nfor\u202e one")
    ('too much\nfor one', 1)
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = [_shown(char) for char in lines]
    return "".join(kept), kept.count("")


def _shown(char: str) -> str:
    if char == "\n" or (char.isascii() and char.isprintable()):
        return char
    if char == "\t":
        return " "
    # Behind a letter, as a mark that stands alone counts as hidden. What is printable and counts too is a blank.
    if visible(f"x{char}") == (f"x{char}", 0):
        return char
    return " " if char.isspace() and char >= "\u00a0" and char not in "\u2028\u2029" else ""


class ReasonField(TextArea):
    """Soft-wrapped lines of at most `MOST` characters."""

    class Sent(Message):
        """Enter was pressed."""

    class Passed(Message):
        """↑ was pressed on the first line, step 1, or ↓ on the last, step -1."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, text: str, *, placeholder: str, id: str) -> None:
        super().__init__(text, soft_wrap=True, highlight_cursor_line=False, placeholder=placeholder, id=id)
        self.move_cursor(self.document.end)

    def on_key(self, event: events.Key) -> None:
        """Enter is no line break here, and a letter needs room."""
        is_full = event.is_printable and not self.selected_text and len(self.text) >= MOST
        if event.key != "enter" and event.key not in BREAKS and not is_full:
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            self.post_message(self.Sent())
        elif is_full:
            self._say(f"No more than {MOST:,} characters can be said.")
        else:
            # Here and not by a binding: what was typed before it may still be on its way to the field.
            self.put("\n")

    def on_paste(self, event: events.Paste) -> None:
        """A paste is text, with its line breaks; it sends nothing."""
        event.stop()
        event.prevent_default()
        self.put(event.text)

    def action_paste(self) -> None:
        """The same for what was copied here."""
        self.put(self.app.clipboard)

    def put(self, text: str) -> None:
        """Put this where the cursor is, as far as there is room; says what was left out of it."""
        found, hidden = plain(text[:_LOOKED_AT])
        room = max(0, MOST - len(self.text) + len(self.selected_text))
        beyond = max(0, len(found) - room) + max(0, len(text) - _LOOKED_AT)
        done = self.replace(found[:room], *self.selection, maintain_selection_offset=False)
        self.move_cursor(done.end_location)
        if hidden:
            self._say(f"{hidden:,} hidden character{' was' if hidden == 1 else 's were'} left out.")
        if beyond:
            self._say(f"{beyond:,} characters had no room: no more than {MOST:,} can be said.")

    def recall(self, text: str, step: int) -> None:
        """Show another text, with the cursor where the same key goes on to the one behind it."""
        self.text = text
        self.move_cursor(self.document.end)
        if step > 0 and not self.navigator.is_first_wrapped_line(self.cursor_location):
            self.move_cursor((0, 0))

    def action_cursor_up(self, select: bool = False) -> None:
        """Up; from the first line to what was said before."""
        if not select and self.navigator.is_first_wrapped_line(self.cursor_location):
            self.post_message(self.Passed(1))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down; from the last line to what was said after."""
        if not select and self.navigator.is_last_wrapped_line(self.cursor_location):
            self.post_message(self.Passed(-1))
        else:
            super().action_cursor_down(select)

    def _say(self, told: str) -> None:
        app = self.app
        assert isinstance(app, GuardedApp)
        app.say(told, "warning")
