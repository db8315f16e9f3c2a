"""What is shown instead of the list: nothing waits yet, nothing waits any more, there is no queue. Pure."""

from __future__ import annotations

from datetime import datetime

from gatekit.display import visible
from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, StoreBusy, StoreError
from gatekit.models import Request
from gatekit_tui.frame.row_text import fate, one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.queue.lanes import TO_SETTLE, Lane

NAME: Inked = ((" gatekit ", "title"), ("review", "dim"))
"""What stands at the very top."""


def connecting(queue: str) -> list[Inked]:
    """Before the first page is read."""
    return [(("connecting to ", "dim"), (visible(queue)[0], "text"), (" …", "dim"))]


def empty(queue: str, lane: Lane, unknown: int, last: Inked = ()) -> list[Inked]:
    """Nothing is in the list; `last` is what was decided last."""
    elsewhere: list[Inked] = []
    if unknown and lane is not TO_SETTLE:
        plural = "" if unknown == 1 else "s"
        elsewhere = [((f"{unknown} call{plural} ended in a way that is not known:  ]  shows them.", "warn"),)]
    return [
        ((lane.empty, "title"),),
        ((lane.hint, "text"),),
        *elsewhere,
        *([(), last] if last else []),
        (),
        (("queue  ", "dim"), (visible(queue)[0], "text")),
        (("try it ", "dim"), ("gatekit demo", "label")),
    ]


def last_decision(last: Request | None, now: datetime) -> Inked:
    """What was decided last, and what became of it."""
    if last is None or last.decision is None:
        return ()
    return (
        ("last decision  ", "dim"),
        (f"{one_line(last.tool)}  ", "text"),
        (fate(last.status, last.decision, now), "dim"),
    )


def nothing_found(where: str, in_lane: str, lane: Lane) -> list[Inked]:
    """No request fits the filter; `in_lane` says how many there are without it."""
    return [
        (("No request fits  ", "title"), (visible(where)[0], "label")),
        ((f"{in_lane} {lane.counted}. Esc takes the filter away.", "text"),),
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
