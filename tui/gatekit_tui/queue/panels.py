"""What is shown instead of the list: nothing waits yet, nothing waits any more, there is no queue. Pure."""

from __future__ import annotations

from typing import Final

from gatekit.display import visible
from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, StoreBusy, StoreError
from gatekit_tui.frame.spans import Inked
from gatekit_tui.queue.lanes import TO_SETTLE, Lane

_COUNTED_TO: Final = 1000
NAME: Inked = ((" gatekit ", "title"), ("review", "dim"))
"""What stands at the very top."""


def connecting(queue: str) -> list[Inked]:
    """Before the first page is read."""
    return [(("connecting to ", "dim"), (visible(queue)[0], "text"), (" …", "dim"))]


def empty(queue: str, lane: Lane, unknown: int) -> list[Inked]:
    """Nothing is in the list."""
    elsewhere: list[Inked] = []
    if unknown and lane is not TO_SETTLE:
        plural = "" if unknown == 1 else "s"
        elsewhere = [((f"{unknown} call{plural} ended in a way that is not known:  ]  shows them.", "warn"),)]
    return [
        ((lane.empty, "title"),),
        ((lane.hint, "text"),),
        *elsewhere,
        (),
        (("queue  ", "dim"), (visible(queue)[0], "text")),
        (("try it ", "dim"), ("gatekit demo", "label")),
    ]


def nothing_found(where: str, in_lane: int, lane: Lane) -> list[Inked]:
    """No request fits the filter."""
    return [
        (("No request fits  ", "title"), (visible(where)[0], "label")),
        ((f"{in_lane:,}{'+' if in_lane >= _COUNTED_TO else ''} {lane.counted}. Esc takes the filter away.", "text"),),
    ]


def unusable(error: StoreError) -> list[Inked]:
    """The queue cannot be used: what is wrong, and what to do."""
    title, cure = _advice(error)
    return [
        ((title, "critical"),),
        (),
        ((visible(str(error))[0], "text"),),
        (),
        *(((line, "dim"),) for line in cure),
    ]


def _advice(error: StoreError) -> tuple[str, tuple[str, ...]]:
    match error:
        case QueueNotFound():
            return " NO QUEUE ", (
                "A queue is made by the program whose calls it holds, never by looking at it.",
                "Start that program, or name another queue:  gatekit review --queue PATH",
            )
        case NotAQueue():
            return " NOT A QUEUE ", ("It was not touched. Name another:  gatekit review --queue PATH",)
        case SchemaTooNew():
            return " NEWER QUEUE ", ("It was not touched. Look again with the newer gatekit.",)
        case StoreBusy():
            return " BUSY ", ("Another process holds it. It will be tried again.",)
        case _:
            return " QUEUE FAILED ", ("See what is wrong with it:  gatekit doctor --queue PATH",)
