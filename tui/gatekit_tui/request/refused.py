"""What was asked before and turned down: asked again, it shall not look new. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekit.display import shorten, words_of
from gatekit.models import Request
from gatekit_tui.frame.row_text import by_the_minute, one_line, person
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.paragraphs import paragraph

_DONE: Final = {"reject": "rejected", "respond": "answered instead"}
_LONGEST_SAID: Final = 160
"""Characters of what was said then, which must not push the arguments out of sight; its history has all of it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was turned down, beside the one that is asked now."""

    id: str
    verb: str
    by: str
    at: datetime
    said: str
    """The reason, or the answer; empty where there is none."""
    same: bool
    """Whether its arguments were those that are asked now."""


def refused(now: Request, before: Request | None) -> Refused | None:
    """How a request stands to the one that was turned down before it."""
    decision = None if before is None else before.decision
    if before is None or decision is None:
        return None
    same = before.digest == now.digest
    return Refused(before.id, decision.verb, decision.by, decision.at, words_of(decision), same)


def refused_lines(found: Refused, width: int, now: datetime) -> list[Inked]:
    """`rejected before by bo 3m ago, with the same arguments: "wrong tag"`: by the minute, so that it rests."""
    age = by_the_minute((now - found.at).total_seconds())
    told = f"{_DONE.get(found.verb, 'turned down')} before by {person(found.by)} {age} ago"
    told += ", with the same arguments" if found.same else ""
    told += f': "{one_line(shorten(found.said, _LONGEST_SAID)[0])}"' if found.said else ""
    return paragraph(told, width, "warn")
