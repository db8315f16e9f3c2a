"""How a call stands to the last approved one of its tool: which of its drawn lines say something else. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatekit.display import Drawing, draw_arguments
from gatekit.models import Change, Request


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing a call with the last approved one of its tool."""

    before: str
    """The id of that one; empty: none was approved before."""
    count: int = 0
    """Differences, those of values that are gone among them."""
    paths: frozenset[str] = frozenset()
    """Where the drawn arguments say something else, as they are drawn."""

    @property
    def note(self) -> str:
        """The same in a few words."""
        if not self.before:
            return "no call of it was approved before"
        if not self.count:
            return "as in the last approved call"
        return f"≠ {self.count:,} differ{'s' if self.count == 1 else ''} from the last approved: d"


FIRST = Compared("")
"""Nothing was approved before."""


def compared(now: Drawing, before: Request, changes: Sequence[Change]) -> Compared:
    """Where a call differs, given all that does. What is drawn alike and differs all the same is counted too."""
    told, then = _by_path(now), _by_path(draw_arguments(before.args))
    return Compared(before.id, len(changes), frozenset(path for path in told if told[path] != then.get(path)))


def _by_path(drawing: Drawing) -> dict[str, list[str]]:
    """What is drawn of each value. A path may be there twice: two names that are drawn alike."""
    drawn: dict[str, list[str]] = {}
    path = ""
    for line in drawing.lines:
        path = line.path or path
        drawn.setdefault(path, []).append(line.text)
    return drawn
