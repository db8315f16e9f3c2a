"""What every screen over a queue stands on: the banner at its top, the app by its own type, and the guard."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from textual.screen import Screen
from textual.worker import Worker

from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.frame.stop_banner import StopBanner

T = TypeVar("T")


class Grounded(Screen[T]):
    """A screen that decides nothing. While the queue is stopped it says so at the very top."""

    def on_mount(self) -> None:
        """Hang the banner up."""
        self.mount(StopBanner())

    @property
    def review(self) -> GuardedApp:
        """The app, by its own type."""
        app = self.app
        assert isinstance(app, GuardedApp)
        return app

    def on_screen_resume(self) -> None:
        """The screen got the focus: keys that were meant for another one must not decide here."""
        self.review.guard.open()

    def latest(self, make: Callable[[], Coroutine[Any, Any, object]], group: str) -> None:
        """Do this, and drop what of the same group is still under way."""
        # The work is made only when it begins: one that is dropped before that leaves nothing behind.
        _: Worker[object] = self.run_worker(make, group=group, exclusive=True)
