"""The application without its screens: the choke point under all widgets, the key guard over all keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Literal

from rich.style import Style
from textual import events
from textual.app import App
from textual.filter import LineFilter
from textual.reactive import reactive

from gatekit.display import visible
from gatekit.models import Stop
from gatekit_tui.frame.filters import VisibleFilter
from gatekit_tui.frame.guard import KeyGuard
from gatekit_tui.frame.spans import Ink, Inked
from gatekit_tui.frame.theme import GATEKIT, GATEKIT_LIGHT, Base, inks, theme_for


class GuardedApp(App[None]):
    """What every screen may rely on: a `guard`, a harmless way to `say` something, and a terminal that is safe.

    `clock` gives seconds and only ever goes forward: the key guard measures with it. `theme` is the one that is wished
    for, `keys` has by the id of a binding what is pressed for it instead of the usual key. With `low_bandwidth` time
    alone draws nothing.
    """

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    stopped: reactive[Stop | None] = reactive(None)
    """Why nothing starts in the queue, as it was last read."""
    who: Inked = ()
    """In whose name is decided; or that nobody may."""
    # At the top: at the foot stand the questions that a message is about.
    CSS = "ToastRack { dock: top; align: right top; margin-top: 1; } Toast { max-width: 60%; }"

    def __init__(
        self,
        clock: Callable[[], float] = perf_counter,
        *,
        theme: str | None = None,
        keys: Mapping[str, str] | None = None,
        low_bandwidth: bool = False,
    ) -> None:
        # Both before Textual is set up: it takes NO_COLOR out of the environment, and fixes its filters for good.
        fitting = theme_for(wanted=theme)
        self.own_colours = not fitting.startswith("ansi-")
        super().__init__(ansi_color=None if self.own_colours else True)
        self.register_theme(GATEKIT)
        self.register_theme(GATEKIT_LIGHT)
        self.theme = fitting
        self.low_bandwidth = low_bandwidth
        self._keys = dict(keys or {})
        self.set_keymap(self._keys)
        self.guard = KeyGuard(clock)
        self._visible = VisibleFilter()
        self._inks: dict[str, dict[Ink | Base, Style]] = {}

    @property
    def inks(self) -> Mapping[Ink | Base, Style]:
        """The styles of everything that is drawn by lines, in the theme of the moment."""
        if self.theme not in self._inks:
            self._inks[self.theme] = inks(self.theme_variables)
        return self._inks[self.theme]

    def key_for(self, binding_id: str, usual: str) -> str:
        """The key that does it, as a reviewer reads it."""
        return self._keys.get(binding_id, usual)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The choke point goes first, so that no later filter sees what it takes out."""
        return [self._visible, *super().get_line_filters()]

    async def on_event(self, event: events.Event) -> None:
        """Every key passes the guard before any widget sees it."""
        if not event.is_forwarded:
            # A new event has the time of now on the clock of the old one.
            late = events.Event().time - event.time
            if isinstance(event, events.Key):
                self.guard.key(event.time, late)
            elif isinstance(event, events.MouseDown):
                self.guard.press(late)
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """A letter that does nothing here was meant for somewhere else, and with it what is typed behind it."""
        binding = self.screen.active_bindings.get(event.key)
        if event.is_printable and (binding is None or not binding.enabled):
            self.guard.refuse()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Over a slow line the cursor of a field does not blink."""
        if not self.low_bandwidth:
            return
        # Here, because the first picture does not wait for what forms are made of.
        from textual.widgets import Input, TextArea

        if isinstance(event.widget, Input | TextArea):
            event.widget.cursor_blink = False

    def on_app_focus(self) -> None:
        """The terminal got the focus: a key may still have been meant for another window."""
        self.guard.change()

    def say(self, text: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        """Tell the reviewer something in a corner of the screen."""
        self.notify(visible(text)[0], severity=severity, markup=False)
