"""The end of a request's history, in a few lines under its arguments. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gatekit.models import Event, Request
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.history_text import told

_MOST: Final = 5


def strip_lines(events: Sequence[Event], request: Request) -> tuple[Inked, ...]:
    """What happened last, the newest at the end; first how much is left out."""
    lines: list[Inked] = []
    if (earlier := len(events) - _MOST) > 0:
        lines.append(((f"⋮ {earlier:,} earlier", "dim"),))
    for event in events[-_MOST:]:
        say = told(event, request)
        quote = next((text for name, text in say.quotes if name == "reason"), "")
        lines.append(
            (
                (f"{event.at:%d %b %H:%M:%S}  ", "dim"),
                (f"{say.who}  ", "title"),
                (say.words, say.ink),
                *(((f": {quote}", "dim"),) if quote else ()),
            )
        )
    return tuple(lines)
