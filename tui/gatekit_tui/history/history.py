"""All that happened to one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

import anyio
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gatekit.errors import RequestNotFound, StoreError
from gatekit.models import Change, Event, Request
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.by_the_second import tell_by_the_second
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.row_text import fate, one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.history_edits import Compare, changes_in, is_edit
from gatekit_tui.history.history_entries import EventEntry, LineEntry, entries_of
from gatekit_tui.history.history_event import EventScreen
from gatekit_tui.history.timeline import Timeline
from gatekit_tui.history.timeline_live import Live

if TYPE_CHECKING:
    from gatekit import Gate

_SLOW: Final = 50_000
"""Characters of arguments that take too long to compare between two keys."""


class HistoryScreen(DeliberateModal[None]):
    """What happened to one request, the oldest first, and what happens to it now. It decides nothing."""

    DEFAULT_CSS = "HistoryScreen { background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o,enter", "open", "open", key_display="o", id="open"),
        Binding("escape,q,h", "back", "back", key_display="Esc"),
    ]

    def __init__(self, gate: Gate, request_id: str) -> None:
        super().__init__()
        self._gate = gate
        self._request_id = request_id
        self._known: tuple[Sequence[Event], Request] | None = None
        self._is_gone = False
        self._is_stale = True
        self._title = Bar("bar", id="history-title")
        self._now = Bar("head", id="history-now")
        self._list = Timeline(gate.now, follow=True, id="history")
        self._live = Live(gate, self._refresh, self._concerns, lambda words: self.review.say(words, "error"))

    def compose(self) -> ComposeResult:
        """A title, what became of it, the events, the keys."""
        yield self._title
        yield self._now
        yield self._list
        yield KeyBar()

    def on_mount(self) -> None:
        """Read it, and follow it."""
        self._write_title("reading …")
        self._list.focus()
        tell_by_the_second(self, self._tell)
        self._live.start(self)

    def _concerns(self, event: Event) -> bool:
        # What happens to a run or to the whole queue names no request: a deleted run takes its requests along.
        is_its_own = event.request_id in (self._request_id, "")
        self._is_stale |= is_its_own
        return is_its_own

    async def _refresh(self) -> None:
        # Before it is read: what happens meanwhile is read the next time.
        is_stale, self._is_stale = self._is_stale, False
        queue = self._gate.aio
        try:
            request = await queue.get(self._request_id)
            if is_stale or self._known is None or self._known[1] != request:
                await self._show(await queue.history(self._request_id), request)
        except RequestNotFound:
            self._gone()
        except StoreError:
            self._is_stale = True
            raise

    async def _show(self, events: Sequence[Event], request: Request) -> None:
        if self._known == (events, request):
            return
        changes = await _changes(events, request, self._gate.compare)
        self._known = events, request
        nothing = LineEntry((("Nothing is told of it.", "dim"),))
        self._list.write(entries_of(events, request, changes) or [nothing])
        count = f"{len(events):,} event{'' if len(events) == 1 else 's'}"
        self._write_title(f"{request.id} · v{request.version} · {count}", request.tool)
        self._tell()
        self.refresh_bindings()

    def _gone(self) -> None:
        """The request is not in the queue: it never was, or it was deleted with its run."""
        if self._known is None:
            self._list.write([LineEntry((("There is no such request in this queue.", "warn"),))])
            self._write_title(one_line(self._request_id))
            return
        self._is_gone = True
        self._now.write(((" deleted: the queue holds it no longer; this is what was read before", "warn"),))

    def _tell(self) -> None:
        """What became of it so far."""
        if self._known is None or self._is_gone:
            return
        _, request = self._known
        words = "waits for a decision" if request.status == "pending" else None
        said = words or fate(request.status, request.decision, self._gate.now())
        self._now.write(((f" {said}", "dim"),))

    def _write_title(self, right: str, tool: str = "") -> None:
        left: Inked = ((" history ", "title"), (one_line(tool), "text"))
        self._title.write(left, ((f"{right} ", "dim"),))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only an event can be opened."""
        return True if action != "open" or isinstance(self._list.chosen, EventEntry) else None

    def on_timeline_moved(self, event: Timeline.Moved) -> None:
        """The footer says whether there is something to open."""
        event.stop()
        self.refresh_bindings()

    def action_open(self) -> None:
        """The event in full."""
        if isinstance(entry := self._list.chosen, EventEntry):
            self.app.push_screen(EventScreen(self._gate, entry))

    def action_back(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)


async def _changes(
    events: Sequence[Event], request: Request, compare: Compare
) -> Mapping[int, tuple[Change, ...] | None]:
    if len(request.args_text) > _SLOW and any(map(is_edit, events)):
        return await anyio.to_thread.run_sync(changes_in, events, request, compare)
    return changes_in(events, request, compare)
