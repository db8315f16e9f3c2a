"""The keys of a screen, as a list: at 80 cells the footer has no room for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from gatekit_tui.bars import Bar
from gatekit_tui.deliberate import DeliberateModal
from gatekit_tui.menu import Menu
from gatekit_tui.spans import Inked, fit


class KeysScreen(DeliberateModal[None]):
    """What each key does, and which are dead now. It decides nothing."""

    DEFAULT_CSS = "KeysScreen { background: $background; #keys { height: 1fr; } }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "back", "back", key_display="Esc"),
    ]

    def __init__(self, keys: Sequence[tuple[str, str, bool]]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """A title and the keys."""
        yield Bar("bar", id="keys-title")
        yield Menu([_line(*key) for key in self._keys], id="keys")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Say what it is."""
        self.query_one("#keys-title", Bar).write(((" the keys of this list", "title"),))
        self.query_one(Menu).focus()

    def action_back(self) -> None:
        """Back to the list."""
        self.dismiss(None)


def _line(key: str, told: str, is_alive: bool) -> Inked:
    return ((fit(key, 8), "label" if is_alive else "dim"), (told, "text" if is_alive else "dim"))
