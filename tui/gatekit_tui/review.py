"""The reviewer's screen: the list, the chosen call in full, and the keys that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import anyio
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from gatekit.errors import ReviewError, StoreError
from gatekit.models import RequestRow
from gatekit_tui import panels
from gatekit_tui.bars import Bar, ListHead
from gatekit_tui.deciding import Decider
from gatekit_tui.deliberate import Deliberate
from gatekit_tui.detail import DetailView
from gatekit_tui.detail_text import Study, study
from gatekit_tui.feed import Feed, View
from gatekit_tui.following import Follower
from gatekit_tui.ink_view import InkView
from gatekit_tui.lanes import RUNNING, TO_SETTLE, WAITING, Lane, beside, unknown_note
from gatekit_tui.lines_view import LinesView
from gatekit_tui.queue_list import QueueList
from gatekit_tui.row_text import one_line
from gatekit_tui.rows import Rows
from gatekit_tui.spans import Inked, Span

if TYPE_CHECKING:
    from gatekit import Gate

_SLOW_STUDY = 50_000
_NARROW = 60
_LANE_OF = {"retry": TO_SETTLE, "settle": TO_SETTLE, "declare_lost": RUNNING}


class ReviewScreen(Deliberate[None]):
    """Shows what waits and sends what the reviewer decides. All store work is awaited: none blocks a key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "approve", id="approve"),
        Binding("e", "edit", "edit", id="edit"),
        Binding("r", "reject", "reject", id="reject"),
        Binding("o,enter", "open", "open", key_display="o", id="open"),
        Binding("t", "retry", "try again", id="retry"),
        Binding("s", "settle", "settle", id="settle"),
        Binding("x", "declare_lost", "give up", id="lost"),
        Binding("right_square_bracket", "lane(1)", "lists", key_display="[ ]", id="next-list"),
        Binding("left_square_bracket", "lane(-1)", "lists", show=False, id="previous-list"),
        Binding("tab", "other_pane", "pane", show=False, id="pane"),
        Binding("escape", "close", "back", show=False, id="back"),
        Binding("J", "read_on(1)", "Scroll detail", show=False),
        Binding("K", "read_on(-1)", "Scroll detail", show=False),
        Binding("q", "quit", "quit", id="quit"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (15, "-high")]  # noqa: RUF012
    DEFAULT_CSS = """
    ReviewScreen {
        #list { height: 36%; min-height: 3; max-height: 18; }
        #detail { height: 1fr; }
        #panel { display: none; height: 1fr; padding: 2 4; }
        &.-empty { #head, #list, #title, #detail { display: none; } #panel { display: block; } }
        &.-low { #list { height: 1fr; max-height: 100%; } #title, #detail { display: none; } }
        &.-open { #head, #list { display: none; } #title, #detail { display: block; } }
    }
    """

    def __init__(self, gate: Gate, reviewer: str, *, read_only: bool) -> None:
        super().__init__()
        self._gate = gate
        self._queue = gate.aio
        self._who = reviewer
        self._read_only = read_only
        self._decider = Decider(self, gate, reviewer, self._mark_saving)
        self._feed = Feed(gate)
        self._follower = Follower(gate, self._feed, self._refresh, self._set_trouble)
        self._top = Bar("bar", id="top")
        self._panel = LinesView(panels.connecting(str(gate.path)), base="base", id="panel")
        self._list = QueueList(gate.now, id="list")
        self._title = Bar("head", id="title", fill="─")
        self._detail = DetailView(gate.now, id="detail")
        self._trouble = "connecting"
        self._unknown = 0
        self._leaving = False

    # -- what is on the screen

    def compose(self) -> ComposeResult:
        """Top bar, list, detail, footer; and the panel that stands in for them."""
        yield self._top
        yield self._panel
        yield ListHead("head", id="head")
        yield self._list
        yield self._title
        yield self._detail
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to follow the queue."""
        self.add_class("-empty")
        self._list.focus()
        self._write_top()
        self._follower.start(self)
        self.set_interval(1, self._tick)

    def _write_top(self) -> None:
        rows = self._list.rows
        more = "" if self._feed.exact else "+"
        live: Span = ("● live", "good") if not self._trouble else (f"○ {self._trouble}", "warn")
        who: Span = ("READ ONLY", "warn") if self._read_only else (one_line(self._who), "text")
        lane = self._feed.lane
        waiting: Inked = ((f"{rows.total:,}{more} {lane.counted}", "text"), *unknown_note(lane, self._unknown))
        if self.size.width < _NARROW:
            self._top.write(((" ", "text"), *waiting), (live, (" ", "text")))
        else:
            self._top.write((*panels.NAME, ("      ", "text"), *waiting), (who, ("   ", "text"), live, (" ", "text")))

    def _write_title(self) -> None:
        place = self._detail.place
        end: Inked = ((f" {place} " if place else "", "dim"), ("─", "rule"))
        self._title.write((("─", "rule"),), end)

    def _tick(self) -> None:
        self._list.tick()
        self._detail.tick()

    # -- following the queue

    def _set_trouble(self, error: StoreError | None) -> None:
        words = "" if error is None else one_line(f"{type(error).__name__}")
        if words and words != self._trouble:
            self.review.say(str(error), "error")
        self._trouble = words
        self._write_top()
        if error is not None and not self._list.rows.size:
            self._panel.write(panels.unusable(error))

    def on_resize(self) -> None:
        """The top bar says less where there is less room."""
        self._write_top()

    async def _refresh(self) -> None:
        view = self._view()
        fresh = await self._feed.refresh(view)
        if self._view() != view:
            # The reviewer moved meanwhile: what was read is for where they stood before.
            self._follower.stir()
            return
        self._list.show(fresh.rows, cursor=fresh.cursor, top=fresh.top)
        self._unknown = fresh.unknown
        self._show_whether_empty()
        chosen = self._list.chosen
        if (chosen and chosen.id) != (view.chosen and view.chosen.id):
            self.review.guard.change()
        if fresh.gone or chosen != view.chosen or self._detail.study is None:
            await self._show_detail(chosen)

    def _show_whether_empty(self) -> None:
        empty = self._list.rows.size == 0
        self.set_class(empty, "-empty")
        if empty:
            self._panel.write(panels.empty(str(self._gate.path), self._feed.lane, self._unknown))
        self._write_top()

    def _view(self) -> View:
        queue = self._list
        first, last = queue.lines_in_sight
        return View(self._feed.lane, queue.rows, queue.chosen, queue.cursor, first, last)

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        """Another call: read it in full. Only the last of a quick run of moves is read."""
        self._show_whether_empty()
        self.run_worker(self._show_detail(event.row), group="detail", exclusive=True)

    def on_queue_list_wanted(self) -> None:
        """Lines came into sight that are not read."""
        self.run_worker(self._read_more(), group="pages", exclusive=True)

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
        if row is None:
            self._detail.show(None)
            self.refresh_bindings()
            return
        try:
            request = await self._queue.get(row.id)
        except (StoreError, ReviewError) as error:
            self.review.say(str(error), "error")
            return
        if len(request.args_text) > _SLOW_STUDY:
            seen = await anyio.to_thread.run_sync(study, request)
        else:
            seen = study(request)
        chosen = self._list.chosen
        if chosen is None or chosen.id != row.id:
            return
        gone = self._list.chosen_is_gone
        if gone:
            self._list.gone(request)
            self._list.refresh_line(self._list.cursor)
        shown = self._detail.study
        if shown is not None and shown.request.id == request.id and shown.request.token != request.token:
            # What is asked changed under the reviewer's eyes.
            self.review.guard.change()
        self._detail.show(seen, gone=gone)
        self.refresh_bindings()

    def on_detail_view_moved(self) -> None:
        """Say which lines are in sight."""
        self._write_title()

    # -- what the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that decide are absent where nobody may, and dead where nothing waits."""
        if action in ("approve", "edit", "reject"):
            if self._read_only or self._feed.lane is not WAITING:
                return False
            return True if self._decidable() is not None else None
        if action in ("retry", "settle", "declare_lost"):
            if self._read_only or self._feed.lane is not _LANE_OF[action]:
                return False
            return True if self._in_doubt() is not None else None
        if action in ("open", "other_pane"):
            return True if self._list.rows.size else None
        return True

    def _mark_saving(self, request_id: str | None) -> None:
        self._list.saving = request_id
        self._list.refresh_line(self._list.cursor)
        self.refresh_bindings()
        if request_id is None:
            self._follower.stir()

    def _decidable(self) -> Study | None:
        """The call that a key would decide: chosen, still waiting, and the very one that is drawn."""
        return self._drawn_in(WAITING)

    def _in_doubt(self) -> Study | None:
        """The call whose last attempt a key would be about."""
        return self._drawn_in(self._feed.lane)

    def _drawn_in(self, lane: Lane) -> Study | None:
        chosen, seen = self._list.chosen, self._detail.study
        if chosen is None or seen is None or self._list.chosen_is_gone or self._list.saving is not None:
            return None
        return seen if seen.request.id == chosen.id and seen.request.status == lane.status else None

    def action_approve(self) -> None:
        """Approve the drawn call, with the work that its risk asks for."""
        if seen := self._decidable():
            shown_all = self._detail.shown_all
            self.deliberately(lambda: self._decider.approve(seen, shown_all=shown_all))

    def action_edit(self) -> None:
        """Edit the arguments of the drawn call."""
        if seen := self._decidable():
            shown_all = self._detail.shown_all
            self.deliberately(lambda: self._decider.edit(seen, shown_all=shown_all))

    def action_reject(self) -> None:
        """Reject the drawn call, with a reason."""
        if seen := self._decidable():
            self.deliberately(lambda: self._decider.reject(seen))

    def action_retry(self) -> None:
        """Let the drawn call run again, though what it did is not known."""
        if seen := self._in_doubt():
            self.deliberately(lambda: self._decider.retry(seen))

    def action_settle(self) -> None:
        """Say how the drawn call ended."""
        if seen := self._in_doubt():
            self.deliberately(lambda: self._decider.settle(seen))

    def action_declare_lost(self) -> None:
        """Give up the drawn call, which hangs."""
        if seen := self._in_doubt():
            self.deliberately(lambda: self._decider.declare_lost(seen))

    def action_lane(self, step: int) -> None:
        """Another list: what waits, what is to settle, what runs. Never decides."""
        self._feed.go_to(beside(self._feed.lane, step))
        self.review.guard.change()
        self.remove_class("-open")
        self._detail.show(None)
        self._list.show(Rows(), cursor=0, top=0)
        self._show_whether_empty()
        self._follower.stir()

    def action_open(self) -> None:
        """Give the detail the whole screen; never decides."""
        self.toggle_class("-open")
        self._focus_at_once(self._detail if self.has_class("-open") else self._list)

    def action_close(self) -> None:
        """Back to the list."""
        self.remove_class("-open")
        self._focus_at_once(self._list)

    def _focus_at_once(self, pane: InkView) -> None:
        # `pane.focus()` takes effect later: the next key would still go to the other pane.
        self.set_focus(pane, scroll_visible=False)

    def action_other_pane(self) -> None:
        """Between list and detail."""
        if not self.has_class("-open"):
            self._focus_at_once(self._detail if self._list.has_focus else self._list)

    def action_read_on(self, lines: int) -> None:
        """Scroll the detail while the list keeps the focus."""
        self._detail.action_scroll_by(lines)

    async def action_quit(self) -> None:
        """Leave; a decision on its way is let arrive first."""
        if on_their_way := [work for work in self.workers if work.group == "decide"]:
            await self.workers.wait_for_complete(on_their_way)
        if self._decider.has_drafts and not self._leaving:
            self.review.say("An edit is not sent yet. q again leaves without it.", "warning")
            self._leaving = True
            return
        self.app.exit()
