"""What happened to a request, in words for people who do not program. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekit.models import Event, Request
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink
from gatekit_tui.history.history_attempts import ATTEMPT_WORDS
from gatekit_tui.history.history_reading import Reading, Words, data_of, plain
from gatekit_tui.history.run_events import RUN_INKS, RUN_WORDS

_KINDS: Final = {"human": "person", "grant": "permission"}
_LONGEST_NAME: Final = 40
"""Characters of a name in a sentence; the event in full has all of it."""
_QUOTED: Final = ("reason", "note", "text")
"""What somebody wrote, or a program said; it stands under the sentence, never in it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event in words. All texts are safe to draw."""

    who: str
    """Who did it, with the kind of actor."""
    words: str
    """What they did; of an unknown kind its name."""
    ink: Ink
    """How it is to look."""
    quotes: tuple[tuple[str, str], ...]
    """What was said, and by its name whatever else the event holds."""


def told(event: Event, request: Request | None = None) -> Told:
    """An event in words. `request` is the one that it happened to, as it is now; None: an event of a run."""
    reading = Reading(data_of(event))
    words = _WORDS.get(event.kind)
    said = one_line(event.kind) if words is None else words(reading, event, request)
    quotes = [(name, text) for name in _QUOTED if (text := reading.text(name)) is not None]
    safe = tuple((one_line(name), one_line(text)) for name, text in (*quotes, *reading.rest))
    return Told(actor(event.by), said, _INKS.get(event.kind, "text" if words else "note"), safe)


def actor(by: str) -> str:
    """Who did something, their kind first, so that no name can claim another: `person ana`, `agent payer`."""
    if by == "system:clock":
        return "the clock"
    kind, colon, name = by.partition(":")
    kind, name = (kind, name) if colon else ("", by)
    shown = one_line(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…")
    return f"{one_line(_KINDS.get(kind, kind)) or 'somebody'} {shown}".rstrip()


def moment(at: datetime) -> str:
    """A moment in full."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _submitted(reading: Reading, event: Event, request: Request | None) -> str:
    kind = "call" if request is None else request.kind
    parts = [_ASKED.get(kind, _ASKED["call"])]
    if stages := reading.texts("stages"):
        parts.append(f"it is for {', then '.join(map(one_line, stages))}")
    if (rule := reading.text("rule")) is not None:
        parts.append(f"by the rule {one_line(rule)}")
    if reading.flag("separate") is False:
        parts.append("whoever asks may also approve, and one person may do so for several stages")
    return "; ".join(parts)


def _voted(reading: Reading, event: Event, request: Request | None) -> str:
    verb = reading.text("verb") or "approve"
    said = _SAID.get(verb, f"voted: {one_line(verb)}")
    names = () if request is None else tuple(one_line(stage.name) for stage in request.stages)
    numbers = reading.numbers("stages") or ()
    stages = [names[number] if 0 <= number < len(names) else f"stage {number + 1}" for number in numbers]
    return f"{said}, for {' and '.join(stages)}" if stages else said


def _stage(reading: Reading, event: Event, request: Request | None) -> str:
    number, name = reading.number("number"), reading.text("stage")
    place = "the next stage" if number is None else f"stage {number}"
    return f"now asks {place}" + (f", {one_line(name)}" if name is not None else "")


def _escalated(reading: Reading, event: Event, request: Request | None) -> str:
    to, rung = reading.texts("to"), reading.number("rung")
    people = ", ".join(map(one_line, to)) if to else "more people"
    step = f" (step {rung} of the escalation)" if rung is not None else ""
    return f"escalated: {people} may decide too{step}"


def _reminder(reading: Reading, event: Event, request: Request | None) -> str:
    no = reading.number("no")
    return "reminded: still undecided" if no is None else f"reminded, no. {no}: still undecided"


def _overdue(reading: Reading, event: Event, request: Request | None) -> str:
    by = reading.moment("decide_by")
    return f"nobody decided{'' if by is None else f' by {moment(by)}'}; it stays open"


def _expired(reading: Reading, event: Event, request: Request | None) -> str:
    by = reading.moment("decide_by")
    return "expired" + ("" if by is None else f": the deadline was {moment(by)}")


def _delegated(reading: Reading, event: Event, request: Request | None) -> str:
    to = reading.text("to")
    return f"handed their part on to {'somebody' if to is None else one_line(to)}"


def _granted(reading: Reading, event: Event, request: Request | None) -> str:
    uses, ends, grant = reading.number("uses"), reading.moment("expires_at"), reading.text("grant")
    terms = "" if uses is None else f", {uses} time{'' if uses == 1 else 's'}"
    terms += "" if ends is None else f", until {moment(ends)}"
    return f"allowed calls like it for a while{terms}" + ("" if grant is None else f" ({one_line(grant)})")


_ASKED: Final = {
    "call": "submitted it, to be approved",
    "confirm": "submitted it, to be confirmed",
    "pause": "submitted it: the run pauses here until it is released",
    "question": "submitted a question",
}
_SAID: Final = {"approve": "voted yes", "edit": "edited it and voted yes", "retry": "voted to run it again"}
_WORDS: Final[Mapping[str, Words]] = {
    "submitted": _submitted,
    "attached": plain("came back: a process waits for it again"),
    "suspended": plain("stopped waiting; the request stays open"),
    "approved": plain("approved it"),
    "edited": plain("edited it and approved it so"),
    "rejected": plain("rejected it"),
    "responded": plain("answered instead of letting it run"),
    "released": plain("released it: the run may go on"),
    "answered": plain("answered the question"),
    "effective": plain("the decision counts from now on, and cannot be undone any more"),
    "voted": _voted,
    "stage": _stage,
    "escalated": _escalated,
    "reminder": _reminder,
    "overdue": _overdue,
    "expired": _expired,
    "returned": plain("it came back to the reviewers: it is asked again"),
    "undone": plain("took the decision back"),
    "cancelled": plain("withdrew it"),
    "claimed": plain("took it to look at it"),
    "delegated": _delegated,
    "granted": _granted,
    **ATTEMPT_WORDS,
    **RUN_WORDS,
}
_INKS: Final[Mapping[str, Ink]] = {
    **dict.fromkeys(("approved", "edited", "released", "answered", "voted", "retried"), "good"),
    **dict.fromkeys(("rejected", "cancelled", "responded"), "removed"),
    **dict.fromkeys(("expired", "failed", "unknown", "overdue", "escalated", "returned", "undone"), "warn"),
    **dict.fromkeys(("attached", "suspended", "stage", "effective", "reminder", "claimed"), "dim"),
    **RUN_INKS,
}
