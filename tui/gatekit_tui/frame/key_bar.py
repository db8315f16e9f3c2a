"""The keys that do something now, on the line at the foot of a screen; a click on one is that key."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.binding import ActiveBinding
from textual.screen import Screen

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import GAP, Inked, Span, length


class KeyBar(Bar):
    """What Textual's own footer shows. That one makes a widget of every key anew whenever one of them changes, and
    meanwhile the loop answers nothing for a tenth of a second.
    """

    DEFAULT_CSS = "KeyBar { dock: bottom; }"

    def __init__(self, more: Mapping[str, str] | None = None) -> None:
        """`more` has, by their actions, the words of keys that are named where there is room and they do something.

        Not given: the one that lists all keys. Then who decides stands there too, which else the top bar says.
        """
        super().__init__("bar", id="foot")
        self._more = {"commands": "keys"} if more is None else more
        self._says_who = more is None
        self._ends: list[tuple[int, str]] = []
        """Where the words of each key end, and the key."""

    def on_mount(self) -> None:
        """Show the keys, and every change of them."""
        self.screen.bindings_updated_signal.subscribe(self, self._draw)
        self._draw(self.screen)

    def on_resize(self) -> None:
        """There is room for others, or for the first of them."""
        self._draw(self.screen)

    def on_click(self, event: events.Click) -> None:
        """The key under the mouse, as if it was pressed: it costs the same."""
        key = next((key for end, key in self._ends if event.x < end), None)
        if key is not None:
            self.app.simulate_key(key)

    def _draw(self, screen: Screen[object]) -> None:
        spans: list[Span] = []
        self._ends = []
        active = list(screen.active_bindings.values())
        # Several keys may do one thing: the first is named.
        shown = {one.binding.action: one for one in reversed(active) if one.binding.show}
        for action in dict.fromkeys(one.binding.action for one in active if one.binding.show):
            self._add(shown[action], shown[action].binding.description, spans)
        who = self._who()
        alive = {one.binding.action: one for one in reversed(active) if one.enabled}
        for one, word in ((alive[action], word) for action, word in self._more.items() if action in alive):
            if length((*spans, *self._words(one, word), *who)) + GAP <= self.size.width:
                self._add(one, word, spans)
        self.write(tuple(spans), who)
        # Painted anew with every change of the keys: a paint that was lost heals with the next key.
        self.refresh()

    def _who(self) -> Inked:
        app = self.app
        assert isinstance(app, GuardedApp)
        return (*app.who, (" ", "text")) if self._says_who and app.who else ()

    def _add(self, one: ActiveBinding, word: str, spans: list[Span]) -> None:
        spans += self._words(one, word)
        self._ends.append((length(tuple(spans)), one.binding.key))

    def _words(self, one: ActiveBinding, word: str) -> Inked:
        key = f" {self.app.get_key_display(one.binding)} "
        return (key, "label" if one.enabled else "dim"), (f"{one_line(word)} ", "text" if one.enabled else "dim")
