"""Everything that can be done, as a list that one finds things in by typing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.grounded import Grounded
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.menu import Menu
from gatekit_tui.frame.spans import Inked, fit


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be done: by its key in the list or, where it decides nothing, from here."""

    key: str
    """What is pressed for it; empty where it has no key."""
    told: str
    alive: bool = True
    """Whether its key does something now."""
    act: Callable[[], object] | None = None
    """What Enter does; None: it needs its own key, on its own screen."""


Runner = Callable[[str], Callable[[], object] | None]
"""What the list does for an action of the screen it tells of; None: nothing."""


def keys_of(screen: Screen[Any], runner: Runner = lambda action: None, *, but: str = "") -> list[Command]:
    """The keys that are there now, those of what has the focus last; several keys for one thing count once.

    The action `but` is left out, whatever its parameters.
    """
    active = screen.active_bindings
    by_meaning = {(one.binding.action, one.binding.description): one for one in reversed(active.values())}
    told: dict[tuple[str, str], Command] = {}
    for node in dict.fromkeys((screen, *(one.node for one in active.values()))):
        for binding in _own_bindings(node):
            one = by_meaning.get((binding.action, binding.description))
            if one is not None and binding.action.partition("(")[0] != but:
                key = screen.app.get_key_display(one.binding)
                command = Command(key, binding.description, one.enabled, runner(binding.action))
                told.setdefault((key, binding.description), command)
    return list(told.values())


def _own_bindings(node: DOMNode) -> Iterator[Binding]:
    """Those of the dashboard: what moves a cursor in any text field is told nowhere."""
    for kind in type(node).__mro__:
        if kind.__module__.startswith("gatekit_tui."):
            yield from (one for one in kind.__dict__.get("BINDINGS", ()) if isinstance(one, Binding))


def found(commands: Sequence[Command], typed: str) -> list[Command]:
    """Those in whose words, or key, all that was typed stands."""
    words = typed.lower().split()
    return [one for one in commands if all(word in one.told.lower() or typed.strip() == one.key for word in words)]


class CommandsScreen(Grounded[Command], ModalScreen[Command]):
    """The keys, what each does, and which are dead now. Gives the command that was picked; it decides nothing.

    `refusal` is said to who picks what needs its own key, `{key}`.
    """

    DEFAULT_CSS = """
    CommandsScreen {
        background: $background;
        #commands { height: 1fr; }
        Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1", "back", "back", key_display="Esc"),
        Binding("enter", "pick", "do it", priority=True),
        Binding("down", "move(1)", "down", show=False),
        Binding("up", "move(-1)", "up", show=False),
        Binding("pagedown", "move(10)", "page down", show=False),
        Binding("pageup", "move(-10)", "page up", show=False),
    ]

    def __init__(
        self,
        commands: Sequence[Command],
        *,
        title: str = "keys and commands",
        refusal: str = "It decides something: press {key} on the list.",
    ) -> None:
        super().__init__()
        self._title = title
        self._refusal = refusal
        self._all = tuple(commands)
        self._found = list(commands)
        self._menu = Menu([_line(one) for one in commands], id="commands")

    def compose(self) -> ComposeResult:
        """A title, what is typed, the commands."""
        yield Bar("bar", id="commands-title")
        yield Input(placeholder="type to find", id="find", max_length=60, select_on_focus=False)
        yield self._menu
        yield KeyBar()

    def on_mount(self) -> None:
        """Say what it is."""
        title: Inked = ((f" {self._title} ", "title"), ("what is dim does nothing here now", "dim"))
        self.query_one("#commands-title", Bar).write(title)
        self._menu.can_focus = False
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show those that fit."""
        event.stop()
        self._found = found(self._all, event.value)
        self._menu.write([_line(one) for one in self._found] or [(("nothing fits", "dim"),)], 0)

    def action_move(self, step: int) -> None:
        """Another command."""
        self._menu.go_to(self._menu.cursor + step)

    def action_pick(self) -> None:
        """Do it, unless it decides something."""
        if not self._found:
            return
        one = self._found[self._menu.cursor]
        if one.act is None:
            self.review.say(self._refusal.format(key=one.key))
        elif self.is_active:
            self.dismiss(one)

    def action_back(self) -> None:
        """Back to the list."""
        if self.is_active:
            self.dismiss(None)


def _line(one: Command) -> Inked:
    return ((fit(one.key, 9), "label" if one.alive else "dim"), (one.told, "text" if one.alive else "dim"))
