"""One run as it goes on: its steps, what it waits for, what happened to it; or the requests of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from gatekit.errors import RunNotFound, StoreError, UsageError
from gatekit.models import Event, RunRow, StepRow
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.by_the_second import tell_by_the_second
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.timeline import Timeline
from gatekit_tui.history.timeline_live import Live
from gatekit_tui.runs.run_entries import StepEntry, run_entries
from gatekit_tui.runs.run_facts import FactsReader
from gatekit_tui.runs.run_heading import heading
from gatekit_tui.runs.run_talk import fetch_talk, talk_heading
from gatekit_tui.runs.run_text import OPEN
from gatekit_tui.runs.runs_list import RunsList

if TYPE_CHECKING:
    from gatekit import Gate


class RunView(DeliberateModal[str]):
    """A run as it goes on; where the id is no run's, the requests of the conversation of this name."""

    DEFAULT_CSS = """
    RunView {
        background: $background;
        #run-heading { height: auto; max-height: 40%; padding: 0 1; }
        #talk { display: none; }
        &.-talk #steps { display: none; }
        &.-talk #talk { display: block; }
    }
    """

    def __init__(self, gate: Gate, run_id: str) -> None:
        super().__init__()
        self._gate = gate
        self._run_id = run_id
        self._run: tuple[RunRow, Sequence[StepRow]] | None = None
        self._told: list[Inked] = []
        self._is_gone = False
        self._is_stale = True
        self._title = Bar("bar", id="run-title")
        self._heading = LinesView(base="base", id="run-heading")
        self._steps = Timeline(gate.now, id="steps")
        self._facts = FactsReader(gate, self._steps.redraw)
        self._talk = RunsList(gate.now, fetch_talk(gate, run_id), id="talk")
        self._live = Live(gate, self._refresh, self._concerns, lambda words: self.review.say(words, "error"))

    def compose(self) -> ComposeResult:
        """A title, where it stands, the steps or the requests, the keys."""
        yield self._title
        yield self._heading
        yield self._steps
        yield self._talk
        yield KeyBar()

    def on_mount(self) -> None:
        """Read it, and follow it."""
        self._steps.focus()
        self._write_title("run", "reading …")
        tell_by_the_second(self, self._tell)
        self._live.start(self)

    def _concerns(self, event: Event) -> bool:
        is_its_own = event.run == self._run_id
        self._is_stale |= is_its_own
        return is_its_own

    async def _refresh(self) -> None:
        # Before it is read: what happens meanwhile is read the next time.
        is_stale, self._is_stale = self._is_stale, False
        try:
            await self._look(is_stale)
        except StoreError:
            self._is_stale = True
            raise

    async def _look(self, is_stale: bool) -> None:
        handle = self._gate.aio.run(self._run_id)
        try:
            row = await handle.row()
            if is_stale or self._run is None:
                await self._show(row, await handle.steps(), await handle.history())
            else:
                self._run = row, self._run[1]
        except RunNotFound:
            await self._without_run(is_stale)
        self._tell()
        self.refresh_bindings()

    async def _show(self, row: RunRow, steps: Sequence[StepRow], events: Sequence[Event]) -> None:
        is_first, self._run = self._run is None, (row, steps)
        self.remove_class("-talk")
        self._facts.heard(events)
        self._steps.write(run_entries(steps, events, self._facts.known))
        self._write_title("run", f"{one_line(row.workflow)} · {len(steps):,} step{'' if len(steps) == 1 else 's'}")
        if is_first:
            self._steps.focus()
            self._go_to_what_waits(steps)
        await self._read_facts()

    async def _without_run(self, is_stale: bool) -> None:
        """The run was deleted; or there never was one, and the id is a conversation's."""
        if self._run is not None:
            self._is_gone = True
            self._heading.write([(("deleted: the queue holds it no longer; this is what was read before", "warn"),)])
            return
        if not self.has_class("-talk"):
            self.add_class("-talk")
            self._talk.focus()
        try:
            if is_stale:
                await self._talk.read_again()
        except UsageError as error:
            # A name that no filter can hold.
            self._heading.write([((one_line(str(error)), "warn"),)])
            return
        lines = self._talk.lines
        self._heading.write(talk_heading(lines))
        self._write_title("conversation", f"{len(lines.rows):,} request{'' if len(lines.rows) == 1 else 's'}")

    def _go_to_what_waits(self, steps: Sequence[StepRow]) -> None:
        waits = next((place for place, step in enumerate(steps) if step.status in OPEN), 0)
        # The name of the section stands first.
        self._steps.go_to(waits + 1)

    async def _read_facts(self) -> None:
        """Read what there is to know of the steps in sight."""
        entries = [self._steps.entries[place] for place in self._steps.in_sight]
        await self._facts.read([entry.step.request_id for entry in entries if isinstance(entry, StepEntry)])

    async def _read_more(self) -> None:
        try:
            await self._read_facts()
            await self._talk.read_on()
        except StoreError as error:
            self._live.failed(error)

    def _tell(self) -> None:
        """Where it stands; nothing is redrawn while the words are the same."""
        if self._run is None or self._is_gone:
            return
        told = heading(*self._run, self._gate.now())
        if told != self._told:
            self._told = told
            self._heading.write(told)

    def _write_title(self, what: str, right: str) -> None:
        self._title.write(((f" {what} ", "title"), (one_line(self._run_id), "text")), ((f"{right} ", "dim"),))

    def on_timeline_moved(self, event: Timeline.Moved) -> None:
        """Other steps may be in sight."""
        event.stop()
        self._look_further()

    def on_runs_list_moved(self, event: RunsList.Moved) -> None:
        """More of the conversation may be wanted."""
        event.stop()
        self._look_further()

    def on_runs_list_scrolled(self, event: RunsList.Scrolled) -> None:
        """What came into sight may have changed since it was read."""
        event.stop()
        self._is_stale = True
        self._live.stir()
        self._look_further()

    def _look_further(self) -> None:
        self.refresh_bindings()
        # No coroutine: the next one may take its place before it began.
        self.latest(self._read_more, "pages")
