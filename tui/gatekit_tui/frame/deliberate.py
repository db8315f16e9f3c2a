"""What every screen that can decide shares: keys that decide pass the guard."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from textual.screen import ModalScreen, Screen
from textual.worker import Worker

from gatekit_tui.frame.guard import SETTLE
from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.frame.stop_banner import StopBanner

T = TypeVar("T")

TOO_SOON = "Too soon after the picture changed. Look, then press it again."


class Deliberate(Screen[T]):
    """A screen whose decisions go through `deliberately`. While the queue is stopped it says so at the very top."""

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

    def deliberately(self, act: Callable[[], None]) -> None:
        """Do it, unless the picture just changed or the key came in a burst; a burst shows a moment later."""
        guard = self.review.guard

        def settled() -> None:
            if guard.dead:
                guard.refuse()
            else:
                act()

        if guard.dead:
            if not guard.astray:
                self.review.say(TOO_SOON, "warning")
            guard.refuse()
        else:
            self.set_timer(SETTLE, settled)

    def latest(self, make: Callable[[], Coroutine[Any, Any, object]], group: str) -> None:
        """Do this, and drop what of the same group is still under way."""
        # The work is made only when it begins: one that is dropped before that leaves nothing behind.
        _: Worker[object] = self.run_worker(make, group=group, exclusive=True)


class DeliberateModal(Deliberate[T], ModalScreen[T]):
    """The same, over another screen."""

    def close_with(self, answer: T | None) -> None:
        """Give this, unless the screen is not on top any more: the key was late."""
        if self.is_active:
            self.dismiss(answer)
