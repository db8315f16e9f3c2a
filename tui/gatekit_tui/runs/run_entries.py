"""A run's steps, and what happened to the run itself, as entries of one list. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gatekit.models import Event, StepRow
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.history_entries import EventEntry, LineEntry, entries_of
from gatekit_tui.history.timeline import Entry
from gatekit_tui.runs.run_text import Facts, step_lines


@dataclass(frozen=True, slots=True, eq=False)
class StepEntry:
    """One step, in two lines; what is known of it comes when it is in sight."""

    step: StepRow
    facts: Mapping[str, Facts]

    @property
    def key(self) -> str:
        """The request behind the step."""
        return f"step {self.step.request_id}"

    def draw(self, width: int, now: datetime) -> Sequence[Inked]:
        """The step, and its result, its error or who is asked."""
        return step_lines(self.step, self.facts.get(self.step.request_id), width, now)


def run_entries(steps: Sequence[StepRow], events: Sequence[Event], facts: Mapping[str, Facts]) -> list[Entry]:
    """The steps in the order in which they were made, then the run's own events."""
    own = entries_of([event for event in events if not event.request_id])
    none = [LineEntry((("  none yet", "dim"),), key="no steps")]
    return [
        _section("steps"),
        *([StepEntry(step, facts) for step in steps] or none),
        LineEntry(((" ", "text"),), key="blank"),
        _section("what happened to the run"),
        *(entry if isinstance(entry, EventEntry) else replace(entry, key=f"note {n}") for n, entry in enumerate(own)),
    ]


def _section(name: str) -> LineEntry:
    return LineEntry(((name, "label"),), key=name)
