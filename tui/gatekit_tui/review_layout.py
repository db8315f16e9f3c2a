"""What the reviewer's screen looks like: the bars, the list, the detail, and the panel that stands in for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.widgets import Footer

from gatekit_tui import panels
from gatekit_tui.bars import Bar, ListHead
from gatekit_tui.deliberate import Deliberate
from gatekit_tui.detail import DetailView
from gatekit_tui.feed import Feed
from gatekit_tui.ink_view import InkView
from gatekit_tui.lanes import unknown_note
from gatekit_tui.lines_view import LinesView
from gatekit_tui.queue_list import QueueList
from gatekit_tui.row_text import one_line
from gatekit_tui.spans import Inked, Span

if TYPE_CHECKING:
    from gatekit import Gate

_NARROW: Final = 60


class ReviewLayout(Deliberate[None]):
    """The list, the chosen call in full, and the ways between them. Nothing here reads the queue."""

    VERTICAL_BREAKPOINTS = [(0, "-low"), (15, "-high")]  # noqa: RUF012
    DEFAULT_CSS = """
    ReviewLayout {
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
        self._who = reviewer
        self._read_only = read_only
        self._feed = Feed(gate)
        self._top = Bar("bar", id="top")
        self._panel = LinesView(panels.connecting(str(gate.path)), base="base", id="panel")
        self._list = QueueList(gate.now, reviewer, id="list")
        self._title = Bar("head", id="title", fill="─")
        self._detail = DetailView(gate.now, id="detail")
        self._trouble = "connecting"
        self._unknown = 0

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
        """Show that nothing is read yet."""
        self.add_class("-empty")
        self._list.focus()
        self._write_top()
        self.set_interval(1, self._tick)

    def on_resize(self) -> None:
        """The top bar says less where there is less room."""
        self._write_top()

    def on_detail_view_moved(self) -> None:
        """Say which lines are in sight."""
        place = self._detail.place
        end: Inked = ((f" {place} " if place else "", "dim"), ("─", "rule"))
        self._title.write((("─", "rule"),), end)

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

    def _show_whether_empty(self) -> None:
        empty = self._list.rows.size == 0
        self.set_class(empty, "-empty")
        if empty:
            self._panel.write(panels.empty(str(self._gate.path), self._feed.lane, self._unknown))
        self._write_top()

    def _tick(self) -> None:
        self._list.tick()
        self._detail.tick()

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
