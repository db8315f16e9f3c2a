"""One run: what can be done with what is shown of it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from gatekit_tui.history.history import HistoryScreen
from gatekit_tui.history.history_entries import EventEntry
from gatekit_tui.history.history_event import EventScreen
from gatekit_tui.runs.run_entries import StepEntry
from gatekit_tui.runs.run_text import OPEN
from gatekit_tui.runs.run_view import RunView


class RunScreen(RunView):
    """A run as it goes on. It decides nothing; it gives the id of a request that is to be looked at in the queue.

    Where the id is no run's, it is a conversation's: then its requests are listed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o,enter", "open", "open", key_display="o", id="open"),
        Binding("h", "history", "history", id="history"),
        Binding("l", "go", "look at it in the queue", id="go-to-request"),
        Binding("escape,q", "back", "back", key_display="Esc"),
    ]

    def _request_id(self) -> tuple[str, bool] | None:
        """The request under the cursor, and whether it is in one of the queue's lists."""
        if self.has_class("-talk"):
            line = self._talk.chosen
            return None if line is None else (line.id, line.state[0] in OPEN)
        entry = self._steps.chosen
        return (entry.step.request_id, entry.step.status in OPEN) if isinstance(entry, StepEntry) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What the cursor is on says what can be done."""
        chosen = self._request_id()
        match action:
            case "open":
                return True if chosen or isinstance(self._steps.chosen, EventEntry) else None
            case "history":
                return True if chosen else None
            case "go":
                return True if chosen and chosen[1] and not self._is_gone else None
            case _:
                return True

    def action_open(self) -> None:
        """The history of a step; of what happened to the run, all that is kept."""
        if isinstance(entry := self._steps.chosen, EventEntry) and not self.has_class("-talk"):
            self.app.push_screen(EventScreen(self._gate, entry))
        else:
            self.action_history()

    def action_history(self) -> None:
        """All that happened to the request under the cursor."""
        if chosen := self._request_id():
            self.app.push_screen(HistoryScreen(self._gate, chosen[0]))

    def action_go(self) -> None:
        """Back to the queue, to this very request."""
        if chosen := self._request_id():
            self.dismiss(chosen[0])

    def action_back(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)
