"""The events of a history as entries of a list: when, who, what, and under it what was said and changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekit.display import ago
from gatekit.models import Change, Event, Request
from gatekit_tui.frame.spans import Inked, Span, length, wrap_inked
from gatekit_tui.history.history_text import Told, told
from gatekit_tui.request.changes_text import change_lines

_TIME: Final = 10
"""Cells of the time of day."""
_AGO: Final = 11
"""Cells of how long ago it was."""
_ROOMY: Final = 60
"""Cells from which there is room for both."""
_MOST: Final = 1000
"""Events that are drawn of one history."""
_FIRST: Final = 100
"""How many of them are the oldest; the others are the newest."""


Under = tuple[Inked, Inked]
"""What every piece of a line begins with, and the line: foreign text never stands where ours could."""
BAR: Final[Inked] = (("│ ", "dim"),)


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One event."""

    event: Event
    told: Told
    under: tuple[Under, ...] = ()
    """What stands below the sentence."""
    day: str = ""
    """The day, where it is the first event of one."""

    @property
    def key(self) -> str:
        """The event's place in the queue."""
        return str(self.event.cursor)

    def draw(self, width: int, now: datetime) -> Sequence[Inked]:
        """The sentence behind the time, and what belongs to it below."""
        lead = _lead(self.event.at, now, width)
        margin: Span = (" " * sum(len(text) for text, _ in lead), "text")
        room = width - len(margin[0])
        first, *others = wrap_inked(self.sentence, room)
        lines = [(*lead, *first), *((margin, *piece) for piece in others)]
        for lead_in, line in self.under:
            lines += [(margin, *piece) for piece in hanging(lead_in, line, room)]
        day: list[Inked] = [((self.day, "label"),)] if self.day else []
        return [*day, *lines]

    @property
    def sentence(self) -> Inked:
        """Who did what."""
        return ((f"{self.told.who}  ", "title"), (self.told.words, self.told.ink))


@dataclass(frozen=True, slots=True)
class LineEntry:
    """A line that is no event."""

    line: Inked
    lead: Inked = ()
    """What all its pieces stand behind."""
    name: Inked = ()
    """What the first of them stands behind instead."""
    key: str = ""

    def draw(self, width: int, now: datetime) -> Sequence[Inked]:
        """The line."""
        first, *others = hanging(self.lead, self.line, width)
        return [(*self.name, *first[len(self.lead) :]) if self.name else first, *others]


def hanging(lead: Inked, line: Inked, width: int) -> list[Inked]:
    """The line in pieces, each behind the lead."""
    return [(*lead, *piece) for piece in wrap_inked(line, width - length(lead))]


Entries = Sequence[EventEntry | LineEntry]


def entries_of(
    events: Sequence[Event],
    request: Request | None = None,
    changes: Mapping[int, tuple[Change, ...] | None] | None = None,
) -> Entries:
    """A history as entries. `changes` has what each edit changed, by the event's cursor; None: that is not known."""
    entries: list[EventEntry | LineEntry] = []
    day = ""
    for place, event in enumerate(events):
        left_out = len(events) - _MOST
        if place >= _FIRST and 0 <= place - _FIRST < left_out:
            if place == _FIRST:
                entries.append(LineEntry(((f"⋮ {left_out:,} events are left out here", "warn"),)))
            continue
        today = f"{event.at:%d %b %Y}, UTC"
        say = told(event, request)
        under = [_quote(name, text) for name, text in say.quotes]
        if changes is not None and event.cursor in changes:
            under += [((), line) for line in changed_lines(changes[event.cursor])]
        entries.append(EventEntry(event, say, tuple(under), "" if today == day else today))
        day = today
    return entries


def changed_lines(changes: tuple[Change, ...] | None) -> list[Inked]:
    """What an edit changed, by path."""
    if changes is None:
        return [(("what it changed is not known here: only the first and the present arguments are", "dim"),)]
    return change_lines(changes) or [(("the arguments stayed the same", "dim"),)]


def _quote(name: str, text: str) -> Under:
    label = f"{name}: " if name else ""
    return BAR, ((label, "dim"), (text, "text"))


def _lead(at: datetime, now: datetime, width: int) -> Inked:
    time: Span = (f"{at:%H:%M:%S}".ljust(_TIME), "dim")
    if width < _ROOMY:
        return (time,)
    return (time, (f"{ago((now - at).total_seconds()):>5} ago".ljust(_AGO), "dim"))
