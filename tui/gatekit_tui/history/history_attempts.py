"""What an event tells of the starts of a tool, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gatekit.models import Event, Request
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.history.history_reading import Reading, Words

_END: Final = {"returned": "succeeded", "raised": "failed"}


def _started(reading: Reading, event: Event, request: Request | None) -> str:
    no = reading.number("attempt")
    reading.number("permit")
    attempt = None if request is None else request.attempt
    words = "started" if no is None else f"started, attempt {no}"
    if attempt is None or attempt.no != no:
        return words
    return f"{words}, by {process(attempt.owner)}"


def process(owner: str) -> str:
    """Which process made a start: `host/boot/namespace/pid/start` in words."""
    parts = one_line(owner).rsplit("/", 4)
    return f"process {parts[3]} on {parts[0]}" if len(parts) == 5 else one_line(owner)


def _ended(reading: Reading, event: Event, request: Request | None) -> str:
    no, again, type_name = reading.number("attempt"), reading.flag("again"), reading.text("type_name")
    words = "it ran to its end" if event.kind == "succeeded" else "the tool failed"
    error = _error(no, type_name, request)
    return words + _numbered(no) + (f": {error}" if error else "") + ("; it may start again" if again else "")


def _error(no: int | None, type_name: str | None, request: Request | None) -> str:
    """What was raised; its message is known of the last attempt alone."""
    if type_name is None:
        return ""
    attempt, outcome = (None, None) if request is None else (request.attempt, request.outcome)
    if attempt is None or outcome is None or attempt.no != no or outcome.type_name != type_name:
        return one_line(type_name)
    return one_line(type_name) + (f": {one_line(outcome.message)}" if outcome.message else "")


def _unknown(reading: Reading, event: Event, request: Request | None) -> str:
    no, why = reading.number("attempt"), reading.text("why")
    words = f"lost{_numbered(no)}: it was started, and how it ended is not known"
    return words if why is None else f"{words}; {one_line(why)}"


def _not_started(reading: Reading, event: Event, request: Request | None) -> str:
    no, why = reading.number("attempt"), reading.text("why")
    words = f"the start was taken back{_numbered(no)}: nothing had run"
    return words if why is None else f"{words}; {'that was found out' if why == 'reconciled' else one_line(why)}"


def _of_attempt(words: str) -> Words:
    """The words, in which `{end}` stands for how the attempt ended."""

    def say(reading: Reading, event: Event, request: Request | None) -> str:
        no, kind = reading.number("attempt"), reading.text("kind")
        return words.format(end=_END.get(kind or "", one_line(kind or "ended"))) + _numbered(no)

    return say


def _numbered(no: int | None) -> str:
    """The number of the attempt, where it is not the only one so far."""
    return "" if no is None or no == 1 else f" (attempt {no})"


ATTEMPT_WORDS: Final[Mapping[str, Words]] = {
    "started": _started,
    "not_started": _not_started,
    "succeeded": _ended,
    "failed": _ended,
    "reported": _of_attempt("an earlier start told that it failed, while it was asked again"),
    "late_report": _of_attempt("an earlier start told too late that it {end}: that changes nothing"),
    "unknown": _unknown,
    "settled": _of_attempt("settled how it ended: it {end}"),
    "retried": _of_attempt("let it run again"),
    "again": _of_attempt("it may start again under the same approval"),
    "reconciled": _of_attempt("found out how it ended: it {end}"),
}
