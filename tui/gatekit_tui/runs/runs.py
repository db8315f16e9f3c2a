"""The durable runs of the queue, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gatekit.errors import StoreError
from gatekit.models import RUN_STATUSES, Event, RunStatus
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.timeline_live import Live
from gatekit_tui.runs.run_screen import RunScreen
from gatekit_tui.runs.runs_lines import RUN_WORDS, Lines, head_line, run_line
from gatekit_tui.runs.runs_list import Fetch, RunsList

if TYPE_CHECKING:
    from gatekit import Gate

_STATES: Final[tuple[RunStatus | None, ...]] = (None, *RUN_WORDS)
"""What the list is narrowed to by one key after the other; None: to nothing."""
_COLUMNS: Final = ("STATE", "RUN", "WORKFLOW", "WHAT")


class RunsScreen(DeliberateModal[str]):
    """Every run and where it stands. It decides nothing; it gives the id of a request that is to be looked at."""

    DEFAULT_CSS = """
    RunsScreen {
        background: $background;
        #no-runs { display: none; height: 1fr; padding: 2 4; }
        &.-empty { #runs-head, #runs { display: none; } #no-runs { display: block; } }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o,enter", "open", "open", key_display="o", id="open"),
        Binding("f", "narrow(1)", "state", id="next-state"),
        Binding("F", "narrow(-1)", "state before", show=False, id="previous-state"),
        Binding("escape,q,U", "back", "back", key_display="Esc"),
    ]

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate
        self._state: RunStatus | None = None
        self._title = Bar("bar", id="runs-title")
        self._list = RunsList(gate.now, self._fetch(), id="runs")
        self._live = Live(gate, self._refresh, self._concerns, lambda words: self.review.say(words, "error"))

    def compose(self) -> ComposeResult:
        """A title, the list, what stands in for it, the keys."""
        yield self._title
        yield Bar("head", id="runs-head")
        yield self._list
        yield LinesView(base="base", id="no-runs")
        yield KeyBar()

    def on_mount(self) -> None:
        """Read them, and follow them."""
        self._list.focus()
        self._write_title()
        self._live.start(self)

    def on_resize(self) -> None:
        """The columns are as wide as the list allows."""
        self.query_one("#runs-head", Bar).write(head_line(_COLUMNS, max(10, self.size.width - 1)))

    def _concerns(self, event: Event) -> bool:
        # A step that is decided makes its run ready, without an event of the run's own.
        return event.run is not None

    def _fetch(self) -> Fetch:
        queue = self._gate.aio
        statuses = RUN_STATUSES if self._state is None else (self._state,)

        async def fetch(after: str | None, limit: int) -> Lines:
            # One more than wanted says whether there are more.
            rows = await queue.runs(statuses, after=after, limit=limit + 1)
            lines = tuple(map(run_line, rows[:limit]))
            return Lines(lines, lines[-1].key if len(rows) > limit else None)

        return fetch

    async def _refresh(self) -> None:
        await self._list.read_again()
        self._show_whether_empty()

    def _show_whether_empty(self) -> None:
        rows = self._list.lines.rows
        if not rows:
            self.query_one("#no-runs", LinesView).write(_nothing(self._state))
        self.set_class(not rows, "-empty")
        if rows and self.app.focused is None and self.is_active:
            # What is hidden loses the focus.
            self._list.focus()
        self._write_title()

    def _write_title(self) -> None:
        state = "of every state" if self._state is None else RUN_WORDS[self._state][0]
        lines = self._list.lines
        more = "" if lines.next is None else " read, there are more"
        count = f"{len(lines.rows):,} run{'' if len(lines.rows) == 1 else 's'}{more}"
        left: Inked = ((" runs ", "title"), (state, "dim" if self._state is None else "label"))
        self._title.write(left, ((f"{count} ", "dim"),))

    def on_runs_list_moved(self, event: RunsList.Moved) -> None:
        """More of it may be wanted."""
        event.stop()
        self.refresh_bindings()
        self._write_title()
        self._read_further()

    def on_runs_list_scrolled(self, event: RunsList.Scrolled) -> None:
        """What came into sight may have changed since it was read."""
        event.stop()
        self._live.stir()
        self._read_further()

    def _read_further(self) -> None:
        # No coroutine: the next one may take its place before it began.
        self.latest(self._read_on, "pages")

    async def _read_on(self) -> None:
        try:
            await self._list.read_on()
        except StoreError as error:
            self._live.failed(error)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A run can be opened where there is one."""
        return True if action != "open" or self._list.chosen is not None else None

    def action_open(self) -> None:
        """The run in full."""
        if (line := self._list.chosen) is not None:
            self.app.push_screen(RunScreen(self._gate, line.id), self._leave_with)

    def _leave_with(self, request_id: str | None) -> None:
        if request_id is not None:
            self.dismiss(request_id)

    def action_narrow(self, step: int) -> None:
        """Only runs of the next state."""
        self._state = _STATES[(_STATES.index(self._state) + step) % len(_STATES)]
        self._list.restart(self._fetch())
        self._write_title()
        self._live.stir()

    def action_back(self) -> None:
        """Back to the queue."""
        self.dismiss(None)


def _nothing(state: RunStatus | None) -> list[Inked]:
    if state is None:
        return [
            (("No run was started in this queue.", "title"),),
            (("A run is a program whose steps outlive its process: @gate.workflow makes one.", "text"),),
        ]
    return [((f"No run is {one_line(RUN_WORDS[state][0])}.", "title"),), (("f shows those of another state.", "text"),)]
