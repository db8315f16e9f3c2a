"""The keys that do something now, on the line at the foot of a screen; a click on one is that key."""

from __future__ import annotations

from textual import events
from textual.screen import Screen

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Span, length


class KeyBar(Bar):
    """What Textual's own footer shows. That one makes a widget of every key anew whenever one of them changes, and
    meanwhile the loop answers nothing for a tenth of a second.
    """

    DEFAULT_CSS = "KeyBar { dock: bottom; }"

    def __init__(self) -> None:
        super().__init__("bar", id="foot")
        self._ends: list[tuple[int, str]] = []
        """Where the words of each key end, and the key."""

    def on_mount(self) -> None:
        """Show the keys, and every change of them."""
        self.screen.bindings_updated_signal.subscribe(self, self._draw)
        self._draw(self.screen)

    def on_resize(self) -> None:
        """There is room for others, or for the first of them."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """The key under the mouse, as if it was pressed: it costs the same."""
        key = next((key for end, key in self._ends if event.x < end), None)
        if key is not None:
            self.app.simulate_key(key)

    def _draw(self, screen: Screen[object]) -> None:
        spans: list[Span] = []
        self._ends = []
        drawn: set[str] = set()
        for _, binding, alive, _ in screen.active_bindings.values():
            if binding.show and binding.action not in drawn:
                drawn.add(binding.action)
                spans.append((f" {self.app.get_key_display(binding)} ", "label" if alive else "dim"))
                spans.append((f"{one_line(binding.description)} ", "text" if alive else "dim"))
                self._ends.append((length(tuple(spans)), binding.key))
        self.write(tuple(spans))
        # Painted anew with every change of the keys: a paint that was lost heals with the next key.
        self.refresh()
