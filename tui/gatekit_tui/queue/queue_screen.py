"""The reviewer's screen follows the queue: the list, and the chosen call, are what the queue last said."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gatekit.errors import ReviewError, StoreBusy, StoreError
from gatekit.models import Request, RequestRow
from gatekit_tui.frame.ticking import SOONEST
from gatekit_tui.queue import panels
from gatekit_tui.queue.feed import Fresh, View
from gatekit_tui.queue.following import Follower
from gatekit_tui.queue.lanes import Lane, Wish
from gatekit_tui.queue.queue_list import QueueList
from gatekit_tui.queue.review_layout import ReviewLayout
from gatekit_tui.queue.rows import Rows
from gatekit_tui.queue.studying import Before, Reader
from gatekit_tui.request.study import Study

if TYPE_CHECKING:
    from gatekit import Gate


class QueueScreen(ReviewLayout):
    """Keeps list and detail fresh, and knows which request a key would be about. All store work is awaited."""

    def __init__(self, gate: Gate, reviewer: str, *, read_only: bool) -> None:
        super().__init__(gate, reviewer, read_only=read_only)
        self._queue = gate.aio
        self._reader = Reader(gate)
        self._follower = Follower(gate, self._feed, self._refresh, self._set_trouble)
        self._wishes_anew = False

    def on_mount(self) -> None:
        """Begin to follow the queue."""
        self._follower.start(self)

    def _set_trouble(self, error: StoreError | None) -> None:
        words = "" if error is None else "busy" if isinstance(error, StoreBusy) else "cannot be read"
        if words and words != self._trouble:
            self.review.say(str(error), "error")
        self._trouble = words
        self._write_top()
        if error is not None and not self._list.rows.size:
            self._panel.write(panels.unusable(error))

    async def _refresh(self) -> bool:
        view = self._view()
        read = await self._feed.refresh(view)
        now = self._view()
        fresh = read if now == view else _moved(read, view, now)
        if fresh is None:
            # What was read is for where the reviewer stood before.
            self._follower.stir()
            return False
        rows, cursor, top = fresh.rows, fresh.cursor, fresh.top
        if self._wishes_anew and rows.ghost is not None:
            # What was chosen before is not in the list that is wanted now.
            rows, cursor, top = replace(rows, ghost=None, ghost_at=0), 0, 0
        self._wishes_anew = False
        self._list.show(rows, cursor=cursor, top=top)
        self._fresh = fresh
        self.review.stopped = fresh.stopped
        self._show_whether_empty()
        chosen = self._list.chosen
        if (chosen and chosen.id) != (now.chosen and now.chosen.id):
            self._picture_changed()
        await self._read_detail(chosen)
        self._tick_in(self._due_in())
        return True

    def _due_in(self) -> float:
        return max(SOONEST, min(super()._due_in(), self._follower.fresh_for))

    def _view(self) -> View:
        queue = self._list
        first, last = queue.lines_in_sight
        return View(self._feed.wish, queue.rows, queue.chosen, queue.cursor, first, last)

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        """Another call: read it in full. Only the last of a quick run of moves is read."""
        self._show_whether_empty()
        self.latest(partial(self._show_detail, event.row), "detail")

    def on_queue_list_wanted(self) -> None:
        """Lines came into sight that are not read."""
        self.latest(self._read_more, "pages")

    async def _read_more(self) -> None:
        queue = self._list
        before = queue.rows
        try:
            rows = await self._feed.more(before, *queue.lines_in_sight)
        except StoreError as error:
            self._set_trouble(error)
            return
        if queue.rows is before:
            chosen = queue.chosen
            queue.show(rows, cursor=queue.cursor)
            if chosen is None and queue.chosen is not None:
                await self._show_detail(queue.chosen)

    async def _show_detail(self, row: RequestRow | None) -> None:
        try:
            await self._read_detail(row)
        except StoreError as error:
            self._set_trouble(error)
        self._tick_in(SOONEST)

    async def _read_detail(self, row: RequestRow | None) -> None:
        if row is None:
            self._detail.show(None)
            self.refresh_bindings()
            return
        try:
            request = await self._queue.get(row.id)
            before = await self._reader.before(request)
            if self._is_drawn(request, before):
                return
            picture = await self._detail.drawn(await self._reader.study(request, before))
        except ReviewError as error:
            # It was deleted with its run: what is drawn is what was.
            self.review.say(str(error), "warning")
            self._detail.outlive()
            return
        chosen = self._list.chosen
        if chosen is None or chosen.id != row.id:
            return
        gone = self._list.chosen_is_gone
        if gone:
            self._list.gone(request)
            self._list.refresh_line(self._list.cursor)
        shown, seen = self._detail.study, picture.study
        if shown is not None and shown.request.id == request.id and _what_a_yes_means(shown) != _what_a_yes_means(seen):
            self._picture_changed()
        self._detail.show(picture, gone=gone)
        self.refresh_bindings()

    def _picture_changed(self) -> None:
        """What a key would be about is another thing now: under another screen's keys nothing is."""
        if self.is_active:
            self.review.guard.change()

    def _is_drawn(self, request: Request, before: Before) -> bool:
        shown = self._detail.study
        if shown is None or shown.request != request or self._detail.gone != self._list.chosen_is_gone:
            return False
        return before.is_in(shown)

    def _drawn_in(self, lane: Lane) -> Study | None:
        """The request that a key would be about: chosen, still in this list, and the very one that is drawn."""
        chosen, seen = self._list.chosen, self._detail.study
        if chosen is None or seen is None or chosen.id in self._list.saving:
            return None
        if self._list.chosen_is_gone and not self._detail.gone:
            # It has left the list, and what became of it is not read yet.
            return None
        return seen if seen.request.id == chosen.id and seen.request.status in lane.statuses else None

    def _mark_saving(self, request_ids: frozenset[str]) -> None:
        changed = request_ids ^ self._list.saving
        self._list.saving = request_ids
        self._list.repaint(changed)
        self.refresh_bindings()
        if not request_ids:
            self._follower.stir()

    def _show_wish(self, wish: Wish) -> None:
        """Read something else from now on. The picture changes: keys that decide are dead for a moment."""
        self.review.guard.change()
        if self.has_class("-open"):
            self.remove_class("-open")
            self._focus_at_once(self._list)
        if wish.lane is not self._feed.wish.lane:
            self._detail.show(None)
            self._list.show(Rows(), cursor=0, top=0)
        self._feed.go_to(wish)
        self._wishes_anew = True
        self._show_whether_empty()
        self._follower.stir()


def _moved(fresh: Fresh, before: View, now: View) -> Fresh | None:
    """What was read while the reviewer went on, for where they are now; None where it does not hold that."""
    line = None if now.chosen is None else fresh.rows.line_of(now.chosen.id)
    if now.wish != before.wish or now.rows.ghost is not None or fresh.rows.ghost is not None or line is None:
        return None
    in_sight = now.first <= now.cursor <= now.last
    return replace(fresh, cursor=line, top=max(0, now.first + line - now.cursor) if in_sight else now.first)


def _what_a_yes_means(seen: Study) -> tuple[object, ...]:
    """The version that is asked, and for which stages: a yes counts for these. And what speaks against it."""
    request = seen.request
    against = None if seen.refused is None else seen.refused.id
    return request.token, tuple((stage.name, stage.status) for stage in request.stages), against
