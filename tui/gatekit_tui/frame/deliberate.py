"""What every screen that can decide shares: keys that decide pass the guard, and one key lists them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from gatekit_tui.frame.commands import CommandsScreen, keys_of
from gatekit_tui.frame.grounded import Grounded
from gatekit_tui.frame.guard import SETTLE

T = TypeVar("T")

TOO_SOON = "Too soon after the picture changed. Look, then press it again."
_KEYS = "the keys of this screen"


class Deliberate(Grounded[T]):
    """A screen whose decisions go through `deliberately`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "commands", _KEYS, key_display="F1", show=False)]

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

    def action_commands(self) -> None:
        """What each key does here. It is only told: each is pressed on the screen itself."""
        refusal = "Esc goes back, and there {key} does it."
        self.app.push_screen(CommandsScreen(keys_of(self), title=_KEYS, refusal=refusal))


class DeliberateModal(Deliberate[T], ModalScreen[T]):
    """The same, over another screen."""

    # A text field takes it as what is typed; the other key works there too.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "commands", _KEYS, key_display="?", show=False, id="keys")
    ]

    def close_with(self, answer: T | None) -> None:
        """Give this, unless the screen is not on top any more: the key was late."""
        if self.is_active:
            self.dismiss(answer)
