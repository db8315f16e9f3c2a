"""The application: which screen is shown."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from textual.screen import Screen

from gatekit.errors import StoreError
from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.missing import MissingScreen
from gatekit_tui.queue.review import ReviewScreen
from gatekit_tui.queue.review_keys import keymap
from gatekit_tui.queue.settings import Settings
from gatekit_tui.queue.top_text import who_decides

if TYPE_CHECKING:
    from gatekit import Gate


class ReviewApp(GuardedApp):
    """The dashboard over one gate for one reviewer; or, given an error, the panel that says why there is none.

    `clock` gives seconds and only ever goes forward: the key guard measures with it. With `low_bandwidth` time alone
    draws nothing.
    """

    TITLE = "gatekit review"

    def __init__(
        self,
        gate: Gate | StoreError,
        reviewer: str = "",
        *,
        read_only: bool = False,
        low_bandwidth: bool = False,
        settings: Settings | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._settings = settings or Settings()
        keys = keymap(self._settings.keys)
        super().__init__(clock, theme=self._settings.theme, keys=keys, low_bandwidth=low_bandwidth)
        self._gate = gate
        self._reviewer = reviewer
        self.who = who_decides(reviewer, read_only=read_only)
        self._read_only = read_only

    async def action_quit(self) -> None:
        """Leave as the reviewer's screen does, which asks about what is not sent and not in force yet."""
        for screen in self.screen_stack:
            if isinstance(screen, ReviewScreen):
                await screen.action_quit()
                return
        self.exit()

    def on_mount(self) -> None:
        """Show the queue, or what is wrong with it."""
        if isinstance(self._gate, StoreError):
            first: Screen[None] = MissingScreen(self._gate)
        else:
            first = ReviewScreen(self._gate, self._reviewer, self._settings, read_only=self._read_only)
        # Not at once: until this event is over Textual throws away what a screen paints, and does not paint it again.
        self.call_later(self.push_screen, first)
