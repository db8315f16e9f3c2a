"""One event in full, as lines to go through."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gatekit.models import Event
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.history_entries import BAR, EventEntry, LineEntry
from gatekit_tui.history.history_reading import data_of
from gatekit_tui.history.history_text import moment
from gatekit_tui.history.timeline import Timeline

if TYPE_CHECKING:
    from gatekit import Gate

_NAME: Final = 11
_MOST_LINES: Final = 5000
_BLANK: Final[Inked] = ((" ", "text"),)


class EventScreen(DeliberateModal[None]):
    """All that the queue keeps of one event. It decides nothing."""

    DEFAULT_CSS = "EventScreen { background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "back", "back", key_display="Esc")]

    def __init__(self, gate: Gate, entry: EventEntry) -> None:
        super().__init__()
        self._entry = entry
        self._list = Timeline(gate.now, id="event")

    def compose(self) -> ComposeResult:
        """A title, the lines, the keys."""
        yield Bar("bar", id="event-title")
        yield self._list
        yield KeyBar()

    def on_mount(self) -> None:
        """Say what it is."""
        event = self._entry.event
        title: Inked = ((" event ", "dim"), (one_line(event.kind), "title"))
        self.query_one("#event-title", Bar).write(title, ((f"{moment(event.at)} ", "dim"),))
        self._list.write(event_entries(self._entry))
        self._list.focus()

    def action_back(self) -> None:
        """Back to the history."""
        self.dismiss(None)


def event_entries(entry: EventEntry) -> list[LineEntry]:
    """The sentence, what belongs to it, and every field as it is stored."""
    event = entry.event
    fields = {
        "when": moment(event.at),
        "who": event.by,
        "what": event.kind,
        "request": event.request_id,
        "tool": event.tool,
        "call id": event.call_id,
        "run": event.run or "",
        "version": str(event.version),
        "arguments": event.digest,
        "number": str(event.cursor),
    }
    lines = [LineEntry(entry.sentence), *(LineEntry(line, lead) for lead, line in entry.under), LineEntry(_BLANK)]
    lines += [_field(name, one_line(value)) for name, value in fields.items() if value]
    lines += [LineEntry(_BLANK), *_data(event)]
    return [replace(line, key=str(place)) for place, line in enumerate(lines)]


def _field(name: str, value: str) -> LineEntry:
    margin: Inked = ((" " * _NAME, "text"),)
    return LineEntry(((value, "text"),), margin, ((name.ljust(_NAME), "label"),))


def _data(event: Event) -> list[LineEntry]:
    data = data_of(event)
    if not data:
        return [LineEntry((("It holds no more.", "dim"),))]
    drawn = json.dumps(data, ensure_ascii=False, indent=2).split("\n")
    lines = [LineEntry(((one_line(line), "text"),), BAR) for line in drawn[:_MOST_LINES]]
    if len(drawn) > _MOST_LINES:
        lines.append(LineEntry(((f"{len(drawn) - _MOST_LINES:,} more lines: gatekit history shows all", "warn"),)))
    return [LineEntry((("data", "label"),)), *lines]
