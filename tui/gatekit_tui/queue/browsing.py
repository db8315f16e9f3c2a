"""The reviewer goes about in the queue: other lists, filters, orders; what is left for later, and what is marked."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from gatekit.errors import GatekitError, UsageError
from gatekit.models import Order, RequestRow
from gatekit_tui.queue.filter_bar import FilterBar
from gatekit_tui.queue.lanes import LANES, ORDER_WORDS, WAITING, Wish, beside
from gatekit_tui.queue.marks import Marks
from gatekit_tui.queue.queue_screen import QueueScreen
from gatekit_tui.queue.settings import Settings

if TYPE_CHECKING:
    from gatekit import Gate


class BrowsingScreen(QueueScreen):
    """What is seen, and what is marked. Nothing here decides."""

    def __init__(self, gate: Gate, reviewer: str, settings: Settings, *, read_only: bool) -> None:
        super().__init__(gate, reviewer, read_only=read_only)
        self._settings = settings
        self._marks = Marks()
        self._skipped: set[str] = set()
        self._list.marked, self._list.skipped = self._marks, self._skipped

    def action_lane(self, step: int) -> None:
        """Another list."""
        lane = beside(self._feed.wish.lane, step)
        self._show_wish(Wish(lane, "", lane.orders[0]))

    def action_sort(self) -> None:
        """Another order."""
        wish = self._feed.wish
        if len(wish.lane.orders) == 1:
            self.review.say(f"What is {wish.lane.counted} has one order: {ORDER_WORDS[wish.order]}.")
        else:
            self.sort_by(wish.next_order())

    def sort_by(self, order: Order) -> None:
        """This order."""
        self._show_wish(Wish(self._feed.wish.lane, self._feed.wish.where, order))

    async def action_filter(self) -> None:
        """Type a filter."""
        await self._filter.open(self._feed.wish.where)

    def action_saved(self, number: int) -> None:
        """A saved filter; the same again takes it away."""
        where = self._settings.filters.get(str(number))
        if where is None:
            self.review.say(f"No filter is saved as {number}: see the reviewers' page of the documentation.")
        else:
            self._want("" if where == self._feed.wish.where else where)

    def on_filter_bar_typed(self, event: FilterBar.Typed) -> None:
        """Show what it finds while it is typed."""
        event.stop()
        self._want(event.text)

    def on_filter_bar_left(self, event: FilterBar.Left) -> None:
        """It is as the reviewer wants it."""
        event.stop()
        self._focus_at_once(self._list)
        self.review.guard.change()
        self._want(event.text)

    def _want(self, where: str) -> None:
        self.latest(partial(self._try, where.strip()), "filter")

    async def _try(self, where: str) -> None:
        wish = self._feed.wish
        if where == wish.where:
            self._filter.tell("")
            return
        try:
            await self._feed.check(where)
        except UsageError as error:
            if self._filter.has_class("-open"):
                self._filter.tell(str(error))
            else:
                self.review.say(f"The filter was left as it was: {error}", "warning")
            return
        except GatekitError as error:
            self.review.say(str(error), "error")
            return
        self._filter.tell("")
        if self._feed.wish.lane is wish.lane:
            self._show_wish(Wish(wish.lane, where, self._feed.wish.order))

    def action_close(self) -> None:
        """Back to the list; there, the whole list."""
        was_in_list = self.focused in (self._list, None) and not self.has_class("-open")
        super().action_close()
        wish = self._feed.wish
        if was_in_list and not wish.is_plain:
            self._show_wish(Wish(wish.lane, "", wish.lane.orders[0]))

    def action_pause(self) -> None:
        """Stop following the queue, or follow it again."""
        self._follower.paused = not self._follower.paused
        if not self._follower.paused:
            self._follower.stir()
        self._write_top()

    def action_skip(self) -> None:
        """Leave the chosen request for later and go on to the next that is not left."""
        row = self._list.chosen
        if row is None:
            return
        self._skipped.add(row.id)
        self._list.repaint({row.id})
        line = self._list.cursor + 1
        while (below := self._list.rows.row(line)) is not None and below.id in self._skipped:
            line += 1
        if below is None:
            self.review.say("Below here everything is left for later.")
        else:
            self._list.action_jump(line)

    def action_mark(self) -> None:
        """Mark the chosen request, or unmark it, and go on to the next."""
        row = self._list.chosen
        if row is None or row.status != "pending" or self._list.chosen_is_gone:
            return
        self._marks.turn(row)
        self._list.repaint({row.id})
        self._list.action_move(1)
        self._write_top()

    def action_mark_range(self) -> None:
        """Mark all from the last mark to here."""
        anchor, here = self._marks.anchor, self._list.cursor
        start = here if anchor is None else self._list.rows.line_of(anchor)
        if start is None:
            self.review.say("What was marked last is not in this list: mark where the range begins.", "warning")
        else:
            self._mark(map(self._list.rows.row, range(min(start, here), max(start, here) + 1)))

    def action_mark_all(self) -> None:
        """Mark all that is in sight; where all of that is marked, unmark it."""
        first, last = self._list.lines_in_sight
        rows = [row for row in map(self._list.rows.row, range(first, last + 1)) if row is not None]
        if any(row.id in self._marks for row in rows) and all(row.id in self._marks for row in self._markable(rows)):
            self._marks.drop([row.id for row in rows])
            self._marks_changed()
        else:
            self._mark(rows)

    def _mark(self, rows: Iterable[RequestRow | None]) -> None:
        self._marks.add(self._markable(rows))
        self._marks_changed()

    def _markable(self, rows: Iterable[RequestRow | None]) -> list[RequestRow]:
        """Those that are read and still wait."""
        gone = self._list.rows.ghost
        return [row for row in rows if row is not None and (gone is None or row.id != gone.id)]

    def _marks_changed(self) -> None:
        self._list.refresh()
        self._write_top()
        self._follower.stir()

    async def go_to(self, request_id: str) -> None:
        """Show the list that holds this request, with it chosen."""
        try:
            request = await self._queue.get(request_id)
            lane = next((lane for lane in LANES if request.status in lane.statuses), WAITING)
            wish = Wish(lane, "", lane.orders[0])
            row = await self._feed.row_of(wish, request_id)
        except GatekitError as error:
            self.review.say(str(error), "error")
            return
        self._show_wish(wish)
        if row is None:
            self.review.say(f"{request.tool} is not in the list any more.", "warning")
            return
        self._list.chosen = row
        self._follower.stir()
