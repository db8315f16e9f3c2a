"""What happened to a run itself, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gatekit.models import Event, Request
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink
from gatekit_tui.history.history_reading import Reading, Words, plain


def _resumed(reading: Reading, event: Event, request: Request | None) -> str:
    times = reading.number("execution")
    return "a process took it up again" + ("" if times is None else f", execution {times}")


def _taken(reading: Reading, event: Event, request: Request | None) -> str:
    reading.number("execution")
    return "a process took it up for the first time"


def _waiting(reading: Reading, event: Event, request: Request | None) -> str:
    ids = reading.texts("waiting_for")
    return "suspended" + (f": it waits for {', '.join(map(one_line, ids))}" if ids else "")


def _review(reading: Reading, event: Event, request: Request | None) -> str:
    ids = reading.texts("waiting_for")
    return "stopped: somebody has to look" + (f" at {', '.join(map(one_line, ids))}" if ids else "")


def _failed(reading: Reading, event: Event, request: Request | None) -> str:
    name = reading.text("type_name")
    return "failed" + ("" if name is None else f": {one_line(name)}")


def _interrupted(reading: Reading, event: Event, request: Request | None) -> str:
    why = reading.text("why")
    return "the process left it: any other may take it up" + ("" if why is None else f"; {one_line(why)}")


def _reopened(reading: Reading, event: Event, request: Request | None) -> str:
    again = reading.texts("again")
    return "let it go on" + (f"; made anew: {', '.join(map(one_line, again))}" if again else "")


def _deleted(reading: Reading, event: Event, request: Request | None) -> str:
    status = reading.text("status")
    return "deleted it" + ("" if status is None else f"; it had {one_line(status)}")


RUN_WORDS: Final[Mapping[str, Words]] = {
    "run.started": plain("started the run"),
    "run.taken": _taken,
    "run.resumed": _resumed,
    "run.waiting": _waiting,
    "run.needs_review": _review,
    "run.succeeded": plain("the run succeeded"),
    "run.failed": _failed,
    "run.cancelled": plain("cancelled the run"),
    "run.interrupted": _interrupted,
    "run.reopened": _reopened,
    "run.deleted": _deleted,
}
RUN_INKS: Final[Mapping[str, Ink]] = {
    "run.succeeded": "good",
    "run.failed": "warn",
    "run.needs_review": "warn",
    "run.interrupted": "warn",
    "run.cancelled": "removed",
    "run.waiting": "label",
}
