"""The reviewer leaves: what they began to write is not sent, and decisions of theirs can still be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from gatekit_tui.decide.held import HeldOne
from gatekit_tui.decide.sending import Sender
from gatekit_tui.decide.undoing import Undoer
from gatekit_tui.frame.ask import FOOT_CSS
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.row_text import one_line

UNSENT: Final = "What you began to write is not sent yet. Ctrl-Q again leaves without it."


class LeaveScreen(DeliberateModal[str]):
    """Asks what becomes of them. Gives `keep`, `undo`, or nothing: the reviewer stays."""

    DEFAULT_CSS = f"LeaveScreen {{ {FOOT_CSS} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "leave('keep')", "keep them and leave"),
        Binding("t", "leave('undo')", "take them back and leave"),
        Binding("escape", "leave('')", "stay"),
    ]

    def __init__(self, held: Sequence[HeldOne]) -> None:
        super().__init__()
        self._held = held

    def compose(self) -> ComposeResult:
        """The question."""
        tools = ", ".join(dict.fromkeys(one_line(one.tool) for one in self._held))
        count = len(self._held)
        told = f"{count} decision{'' if count == 1 else 's'} of yours can still be undone: {tools}."
        with Vertical(id="question"):
            yield Static(told, classes="title", markup=False)
            yield Static("They count by themselves in a moment, also when you have left.", markup=False)
            yield Static("k keeps them, t takes them back, Esc stays.", classes="hint", markup=False)

    def action_leave(self, choice: str) -> None:
        """Leave so, or stay."""
        if choice:
            self.deliberately(lambda: self.close_with(choice))
        else:
            self.close_with("")


class Leaver:
    """Ends the dashboard, unless something would be lost by it that the reviewer was not told of."""

    def __init__(self, sender: Sender, undoer: Undoer) -> None:
        self._sender = sender
        self._undoer = undoer
        self._screen = sender.screen
        self._told: list[object] = []

    async def leave(self) -> None:
        """Let arrive what is on its way, and warn of what is not sent; ask about what can still be undone."""
        workers = self._screen.workers
        if on_their_way := [work for work in workers if work.group == "decide"]:
            await workers.wait_for_complete(on_their_way)
        unsent = self._sender.unsent.all()
        app = self._screen.app
        if any(one not in self._told for one in unsent):
            self._told = unsent
            self._screen.review.say(UNSENT, "warning")
        elif not (held := self._all_held()):
            app.exit()
        elif not isinstance(app.screen, LeaveScreen):
            app.push_screen(LeaveScreen(held), self._answered)

    def _all_held(self) -> tuple[HeldOne, ...]:
        return self._sender.held.all(self._sender.gate.now())

    def _answered(self, choice: str | None) -> None:
        if choice == "keep":
            self._screen.app.exit()
        elif choice == "undo":
            self._screen.run_worker(self._undo_and_leave(), group="leave")

    async def _undo_and_leave(self) -> None:
        if not await self._undoer.undo([one.request_id for one in self._all_held()]):
            self._screen.app.exit()
