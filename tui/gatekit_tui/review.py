"""The reviewer's screen: the list, the chosen call in full, and the keys that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import anyio
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from gatekit.errors import ReviewError, StoreError
from gatekit.models import Kind, Request, RequestRow
from gatekit_tui import panels
from gatekit_tui.bars import Bar, ListHead
from gatekit_tui.deciding import Decider
from gatekit_tui.deliberate import Deliberate
from gatekit_tui.detail import DetailView
from gatekit_tui.detail_text import Study, study
from gatekit_tui.feed import Feed, View
from gatekit_tui.following import Follower
from gatekit_tui.ink_view import InkView
from gatekit_tui.keys import KeysScreen
from gatekit_tui.lanes import RUNNING, TO_SETTLE, WAITING, Lane, beside, unknown_note
from gatekit_tui.lines_view import LinesView
from gatekit_tui.queue_list import QueueList
from gatekit_tui.row_text import one_line
from gatekit_tui.rows import Rows
from gatekit_tui.sending import Sender
from gatekit_tui.sharing import Sharer
from gatekit_tui.spans import Inked, Span
from gatekit_tui.standing import GrantsScreen, ReviewersScreen
from gatekit_tui.stopping import Stopper

if TYPE_CHECKING:
    from gatekit import Gate

_SLOW_STUDY = 50_000
_NARROW = 60
_KINDS_OF: Final[dict[str, tuple[Kind, ...]]] = {
    "approve": ("call", "confirm"),
    "release": ("pause",),
    "answer": ("question",),
    "edit": ("call", "pause"),
    "allow": ("call",),
}
"""To which kinds of requests a key speaks, where not to all."""
_IN_WAITING: Final = (*_KINDS_OF, "reject", "claim", "delegate")
_LANE_OF: Final = {"retry": TO_SETTLE, "settle": TO_SETTLE, "declare_lost": RUNNING}


class ReviewScreen(Deliberate[None]):
    """Shows what waits and sends what the reviewer decides. All store work is awaited: none blocks a key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "approve", id="approve"),
        Binding("a", "release", "release", id="release"),
        Binding("a", "answer", "answer", id="answer"),
        Binding("e", "edit", "edit", id="edit"),
        Binding("r", "reject", "reject", id="reject"),
        Binding("w", "allow", "allow", id="allow", tooltip="approve, and allow calls like it for a while"),
        Binding("c", "claim", "claim", id="claim"),
        Binding("D", "delegate", "hand on to somebody else", show=False, id="delegate"),
        Binding("o,enter", "open", "open", key_display="o", id="open"),
        Binding("t", "retry", "try again", id="retry"),
        Binding("s", "settle", "settle", id="settle"),
        Binding("x", "declare_lost", "give up", id="lost"),
        Binding("question_mark", "keys", "keys", key_display="?", id="keys"),
        Binding("right_square_bracket", "lane(1)", "list", key_display="[ ]", id="next-list"),
        Binding("left_square_bracket", "lane(-1)", "list", key_display="[ ]", show=False, id="previous-list"),
        Binding("P", "grants", "what is allowed for a while", show=False, id="grants"),
        Binding("W", "reviewers", "who may decide", show=False, id="reviewers"),
        Binding("S", "stop", "stop the queue, or let it go on", show=False, id="stop"),
        Binding("tab", "other_pane", "between list and detail", show=False, id="pane"),
        Binding("escape", "close", "back", show=False, id="back"),
        Binding("J", "read_on(1)", "scroll the detail down", show=False),
        Binding("K", "read_on(-1)", "scroll the detail up", show=False),
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
        sender = Sender(self, gate, reviewer, self._mark_saving)
        self._decider = Decider(sender)
        self._sharer = Sharer(sender)
        self._stopper = Stopper(sender)
        self._feed = Feed(gate)
        self._follower = Follower(gate, self._feed, self._refresh, self._set_trouble)
        self._top = Bar("bar", id="top")
        self._panel = LinesView(panels.connecting(str(gate.path)), base="base", id="panel")
        self._list = QueueList(gate.now, reviewer, id="list")
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
        self.review.stopped = fresh.stopped
        self._show_whether_empty()
        chosen = self._list.chosen
        if (chosen and chosen.id) != (view.chosen and view.chosen.id):
            self.review.guard.change()
        await self._read_detail(chosen)

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
        try:
            await self._read_detail(row)
        except StoreError as error:
            self._set_trouble(error)

    async def _read_detail(self, row: RequestRow | None) -> None:
        if row is None:
            self._detail.show(None)
            self.refresh_bindings()
            return
        try:
            request = await self._queue.get(row.id)
        except ReviewError as error:
            self.review.say(str(error), "error")
            return
        if self._is_drawn(request):
            return
        seen = await self._study(request)
        chosen = self._list.chosen
        if chosen is None or chosen.id != row.id:
            return
        gone = self._list.chosen_is_gone
        if gone:
            self._list.gone(request)
            self._list.refresh_line(self._list.cursor)
        shown = self._detail.study
        if shown is not None and shown.request.id == request.id and _what_a_yes_means(shown) != _what_a_yes_means(seen):
            # What is asked changed under the reviewer's eyes.
            self.review.guard.change()
        self._detail.show(seen, gone=gone)
        self.refresh_bindings()

    def _is_drawn(self, request: Request) -> bool:
        shown = self._detail.study
        return shown is not None and shown.request == request and self._detail.gone == self._list.chosen_is_gone

    async def _study(self, request: Request) -> Study:
        schema = await self._queue.schema(request) if request.kind == "question" else None
        if len(request.args_text) > _SLOW_STUDY:
            return await anyio.to_thread.run_sync(study, request, schema)
        return study(request, schema)

    def on_detail_view_moved(self) -> None:
        """Say which lines are in sight."""
        self._write_title()

    # -- what the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that decide are absent where nobody may, and dead where nothing waits."""
        if action in _IN_WAITING:
            if self._read_only or self._feed.lane is not WAITING or self._speaks_to_others(action):
                return False
            return True if self._decidable() is not None else None
        if action == "stop":
            return not self._read_only
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

    def _speaks_to_others(self, action: str) -> bool:
        """Whether the drawn request is of a kind that has other keys."""
        kinds, seen = _KINDS_OF.get(action), self._detail.study
        kind: Kind = "call" if seen is None else seen.request.kind
        return kinds is not None and kind not in kinds

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

    def action_release(self) -> None:
        """Let the drawn run go on."""
        self.action_approve()

    def action_answer(self) -> None:
        """Answer the drawn question."""
        if seen := self._decidable():
            shown_all = self._detail.shown_all
            self.deliberately(lambda: self._decider.answer(seen, shown_all=shown_all))

    def action_allow(self) -> None:
        """Approve the drawn call, and its like for a while."""
        if seen := self._decidable():
            shown_all = self._detail.shown_all
            self.deliberately(lambda: self._sharer.allow(seen, shown_all=shown_all))

    def action_claim(self) -> None:
        """Take the drawn request to look at it."""
        if seen := self._decidable():
            self.deliberately(lambda: self._sharer.claim(seen))

    def action_delegate(self) -> None:
        """Hand one's part of the drawn request on."""
        if seen := self._decidable():
            self.deliberately(lambda: self._sharer.delegate(seen))

    def action_stop(self) -> None:
        """Stop the queue, or let it go on."""
        self.deliberately(lambda: self._stopper.turn(self.review.stopped))

    def action_grants(self) -> None:
        """What is allowed for a while."""
        self.app.push_screen(GrantsScreen(self._gate, self._who, read_only=self._read_only))

    def action_reviewers(self) -> None:
        """Who may decide."""
        self.app.push_screen(ReviewersScreen(self._gate))

    def action_keys(self) -> None:
        """What each key does."""
        own = {binding.action for binding in (*self._list.BINDINGS, *self.BINDINGS) if isinstance(binding, Binding)}
        active = [one for one in self.active_bindings.values() if one.binding.action in own]
        told = [(self.app.get_key_display(one.binding), one.binding.description, one.enabled) for one in active]
        told = list(dict.fromkeys(told))
        self.app.push_screen(KeysScreen(told))

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
            self.review.say("What you began to write is not sent yet. q again leaves without it.", "warning")
            self._leaving = True
            return
        self.app.exit()


def _what_a_yes_means(seen: Study) -> tuple[object, ...]:
    """The version that is asked, and for which stages: a yes counts for these."""
    request = seen.request
    return request.token, tuple((stage.name, stage.status) for stage in request.stages)
