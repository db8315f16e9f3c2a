"""What the edits in a history changed. Of a request only the first and the present arguments are known. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from gatekit.errors import UsageError
from gatekit.models import Change, Event, Request
from gatekit_tui.history.history_reading import data_of

Compare = Callable[[str, str], tuple[Change, ...]]


def changes_in(events: Sequence[Event], request: Request, compare: Compare) -> dict[int, tuple[Change, ...] | None]:
    """What each edit changed, by its event's cursor; None where the arguments before or after it are not known.

    `compare` gives the differences of two texts of arguments.
    """
    texts = {events[0].digest: request.original or request.args_text} if events else {}
    texts[request.digest] = request.args_text
    found: dict[int, tuple[Change, ...] | None] = {}
    for before, event in pairwise(events):
        if is_edit(event):
            found[event.cursor] = _between(texts.get(before.digest), texts.get(event.digest), compare)
    return found


def is_edit(event: Event) -> bool:
    """Whether the arguments were edited."""
    return event.kind == "edited" or (event.kind == "voted" and data_of(event).get("verb") == "edit")


def _between(before: str | None, after: str | None, compare: Compare) -> tuple[Change, ...] | None:
    if before is None or after is None:
        return None
    try:
        return compare(before, after)
    except UsageError:
        # No text that gatekit wrote: there is nothing to compare by.
        return None
