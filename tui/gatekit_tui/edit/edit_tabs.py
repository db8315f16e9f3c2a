"""The two views of a draft, above it: the one that is shown, and the other."""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.message import Message

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.spans import Inked, length

View = Literal["form", "json"]
_NAMES: tuple[tuple[View, str], ...] = (("form", "Form"), ("json", "JSON"))


def tab_spans(shown: View) -> Inked:
    """Both names, the one that is shown in brackets: it can be told without colours."""
    return tuple((f"[{name}] ", "title") if view == shown else (f" {name}  ", "dim") for view, name in _NAMES)


class EditTabs(Bar):
    """A line with the names of the views; a click switches as the key does."""

    class Picked(Message):
        """The other view is wanted."""

    def __init__(self, *, id: str) -> None:
        super().__init__("base", id=id)
        self._shown: View = "json"

    def show(self, view: View, note: str = "") -> None:
        """Say which view is shown, and why the other one is not to be had."""
        self._shown = view
        self.write(((" ", "dim"), *tab_spans(view)), ((f"{note} ", "note"),) if note else ())

    def on_click(self, event: events.Click) -> None:
        first = 1 + length(tab_spans(self._shown)[:1])
        if event.x < 1 + length(tab_spans(self._shown)) and (event.x < first) != (self._shown == "form"):
            self.post_message(self.Picked())
