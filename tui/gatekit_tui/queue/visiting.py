"""From the queue to the other screens, and everything that can be done as a list of commands. Nothing here decides.

The other screens are imported when they are opened: the first picture does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gatekit.models import Order
from gatekit_tui.frame.commands import Command, CommandsScreen, keys_of
from gatekit_tui.frame.theme import THEMES
from gatekit_tui.queue.browsing import BrowsingScreen
from gatekit_tui.queue.lanes import LANES, ORDER_WORDS, Lane, Wish
from gatekit_tui.queue.review_keys import DECIDING
from gatekit_tui.queue.settings import Settings
from gatekit_tui.request.looking import Looker

if TYPE_CHECKING:
    from gatekit import Gate


class VisitingScreen(BrowsingScreen):
    """Opens what there is to see of a request, of a run, and of the queue."""

    def __init__(self, gate: Gate, reviewer: str, settings: Settings, *, read_only: bool) -> None:
        super().__init__(gate, reviewer, settings, read_only=read_only)
        self._looker = Looker(self, gate)

    def action_compare(self) -> None:
        """What differs from the last approved call of the same tool."""
        if seen := self._detail.study:
            self.latest(partial(self._looker.compare, seen.request), "look")

    def action_view(self) -> None:
        """Open the file that the agent shows, in a program of the reviewer's."""
        if seen := self._detail.study:
            self._looker.view(seen.request)

    def action_copy(self) -> None:
        """Copy the arguments as JSON."""
        if seen := self._detail.study:
            self._looker.copy(seen.request)

    def action_history(self) -> None:
        """All that happened to the drawn request."""
        from gatekit_tui.history.history import HistoryScreen

        if seen := self._detail.study:
            self.app.push_screen(HistoryScreen(self._gate, seen.request.id))

    def action_its_run(self) -> None:
        """The run, or the conversation, that the drawn request belongs to."""
        from gatekit_tui.runs.run_screen import RunScreen

        seen = self._detail.study
        if seen is not None and seen.request.run is not None:
            self.app.push_screen(RunScreen(self._gate, seen.request.run), self._go_to)

    def action_runs(self) -> None:
        """The durable runs."""
        from gatekit_tui.runs.runs import RunsScreen

        self.app.push_screen(RunsScreen(self._gate), self._go_to)

    def _go_to(self, request_id: str | None) -> None:
        if request_id:
            self.latest(partial(self.go_to, request_id), "go")

    def action_insight(self) -> None:
        """How fast and how often calls are approved."""
        from gatekit_tui.insight import InsightScreen

        self.app.push_screen(InsightScreen(self._gate))

    def action_grants(self) -> None:
        """What is allowed for a while."""
        from gatekit_tui.standing import GrantsScreen

        self.app.push_screen(GrantsScreen(self._gate, self._who, read_only=self._read_only))

    def action_reviewers(self) -> None:
        """Who may decide."""
        from gatekit_tui.standing import ReviewersScreen

        self.app.push_screen(ReviewersScreen(self._gate))

    def action_commands(self) -> None:
        """Everything that can be done, and by which key."""

        def picked(command: Command | None) -> None:
            if command is not None and command.act is not None:
                command.act()

        keys = keys_of(self, lambda action: None if _decides(action) else self._runner(action), but="saved")
        self.app.push_screen(CommandsScreen([*keys, *self._choices()]), picked)

    def _runner(self, action: str) -> Callable[[], object]:
        return lambda: self.run_worker(self.run_action(action), group="command")

    def _choices(self) -> list[Command]:
        """What has no key of its own."""
        listed = [Command("", f"list: {lane.counted}", act=self._lister(lane)) for lane in LANES]
        sorts = [
            Command("", f"order: {ORDER_WORDS[order]}", act=self._sorter(order))
            for order in self._feed.wish.lane.orders
        ]
        saved = [
            Command(digit, f"saved filter: {where}", act=self._runner(f"saved({digit})"))
            for digit, where in sorted(self._settings.filters.items())
        ]
        themes = [Command("", f"theme: {name}", act=self._themer(name)) for name in THEMES]
        return [*listed, *sorts, *saved, *(themes if self.review.own_colours else themes[2:])]

    def _lister(self, lane: Lane) -> Callable[[], object]:
        return lambda: self._show_wish(Wish(lane, "", lane.orders[0]))

    def _sorter(self, order: Order) -> Callable[[], object]:
        return lambda: self.sort_by(order)

    def _themer(self, name: str) -> Callable[[], object]:
        return lambda: setattr(self.app, "theme", name)


def _decides(action: str) -> bool:
    return action.partition("(")[0] in DECIDING
