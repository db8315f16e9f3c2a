"""What the reviewer's screen looks like: the bars, the list, the detail, and the panel that stands in for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.timer import Timer

from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import Deliberate
from gatekit_tui.frame.ink_view import InkView
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.ticking import LATEST, SOONEST, until_change
from gatekit_tui.queue import panels
from gatekit_tui.queue.feed import Feed, Fresh
from gatekit_tui.queue.filter_bar import FilterBar
from gatekit_tui.queue.queue_list import ListHead, QueueList
from gatekit_tui.queue.review_keys import MORE
from gatekit_tui.queue.rows import Rows
from gatekit_tui.queue.top_text import NARROW, WIDE, Top, chips, top_spans
from gatekit_tui.request.detail import DetailView

if TYPE_CHECKING:
    from gatekit import Gate


class ReviewLayout(Deliberate[None]):
    """The list, the chosen request in full, and the ways between them. Nothing here reads the queue."""

    # Not the first that could have it, which is the line of the filter: the list gets it once it is shown.
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-low"), (15, "-high")]  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-middle"), (WIDE, "-wide")]  # noqa: RUF012
    DEFAULT_CSS = """
    ReviewLayout {
        #chips { display: none; }
        &.-chips #chips { display: block; }
        #panes { display: none; height: 1fr; layout: vertical; }
        #left { height: 36%; min-height: 4; max-height: 19; }
        #right { height: 1fr; }
        #list, #detail { height: 1fr; }
        #panel { height: 1fr; padding: 2 4; }
        &.-wide #panes { layout: horizontal; }
        &.-wide #left { width: 48%; height: 100%; max-height: 100%; }
        &.-wide #right { width: 1fr; height: 100%; border-left: vkey $border; }
        &.-low, &.-narrow { #left { height: 100%; width: 100%; max-height: 100%; } #right { display: none; } }
        &.-open { #left { display: none; } #right { display: block; width: 100%; height: 100%; border-left: none; } }
    }
    """

    def __init__(self, gate: Gate, reviewer: str, *, read_only: bool) -> None:
        super().__init__()
        self._gate = gate
        self._who = reviewer
        self._read_only = read_only
        self._feed = Feed(gate)
        self._top = Bar("bar", id="top")
        self._chips = Bar("head", id="chips")
        self._filter = FilterBar(id="filter")
        self._panel = LinesView(panels.connecting(str(gate.path)), base="base", id="panel")
        self._panes = Container(id="panes")
        self._head = ListHead(id="head")
        self._list = QueueList(gate.now, reviewer, id="list")
        self._title = Bar("head", id="title", fill="─")
        self._detail = DetailView(gate.now, id="detail")
        self._trouble = "connecting"
        self._fresh = Fresh(Rows(), 0, 0)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Top bar, list, detail, footer; and the panel that stands in for them."""
        yield self._top
        yield self._chips
        yield self._filter
        yield self._panel
        with self._panes:
            with Vertical(id="left"):
                yield self._head
                yield self._list
            with Vertical(id="right"):
                yield self._title
                yield self._detail
        yield KeyBar(MORE)

    def on_mount(self) -> None:
        """Say who looks at which queue, and begin to tell the time."""
        self._write_top()
        self._tick_in(SOONEST)

    def on_resize(self) -> None:
        """The top bar says less where there is less room; a pane that found none loses the focus."""
        self._write_top()
        self.call_after_refresh(self._focus_the_list)

    def on_detail_view_moved(self) -> None:
        """Say which lines are in sight."""
        place = self._detail.place
        end: Inked = ((f" {place} " if place else "", "dim"), ("─", "rule"))
        self._title.write((("─", "rule"),), end)

    def _told_at_the_top(self) -> Top:
        rows, wish = self._list.rows, self._feed.wish
        return Top(
            wish,
            total=rows.total,
            exact=self._feed.exact if wish.is_whole else not rows.cut,
            in_lane=self._fresh.in_lane,
            in_lane_exact=self._feed.exact,
            unknown=self._fresh.unknown,
            critical=self._fresh.critical,
            due=self._fresh.due,
            queue=str(self._gate.path),
            who=self._who,
            read_only=self._read_only,
            trouble=self._trouble,
        )

    def _write_top(self) -> None:
        top = self._told_at_the_top()
        self._top.write(*top_spans(top, self.size.width))
        self._head.call_age("ASKED" if top.wish.lane.orders[0] == "decided" else "WAIT")
        line = chips(top)
        self.set_class(bool(line), "-chips")
        self._chips.write(line, ((("Esc clears ", "dim"),) if top.wish.where else ()))

    def _show_whether_empty(self) -> None:
        empty = self._list.rows.size == 0
        if self._panel.display and not empty:
            # A list that is not shown cannot have the focus; it gets it back once it is.
            self.call_after_refresh(self._focus_the_list)
        # Not by a class of the screen: with that everything on it would get its styles anew.
        self._panes.display, self._panel.display = not empty, empty
        if empty:
            wish = self._feed.wish
            if wish.where:
                self._panel.write(panels.nothing_found(wish.where, self._told_at_the_top().counted_in_lane, wish.lane))
            else:
                last = panels.last_decision(self._fresh.last, self._gate.now())
                self._panel.write(panels.empty(str(self._gate.path), wish.lane, self._fresh.unknown, last))
        self._write_top()

    def _tick_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(seconds, self._tick)

    def _tick(self) -> None:
        # What is held, and that the picture is stale, is told all the same.
        if not self.review.low_bandwidth:
            self._list.tick()
            self._detail.tick()
        self._write_top()
        self._tick_in(self._due_in())

    def _due_in(self) -> float:
        """Seconds until something here is due to be drawn again: a program that rests costs nothing."""
        if self.review.low_bandwidth:
            return LATEST
        return until_change(lambda now: (self._list.told_at(now), self._detail.told_at(now)), self._gate.now())

    def action_open(self) -> None:
        """Give the detail the whole screen; never decides."""
        self.toggle_class("-open")
        self._focus_at_once(self._detail if self.has_class("-open") else self._list)

    def action_close(self) -> None:
        """Back to the list."""
        self.remove_class("-open")
        self._focus_at_once(self._list)

    def _focus_the_list(self) -> None:
        if self.focused is None:
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
        self._detail.action_move(lines)
