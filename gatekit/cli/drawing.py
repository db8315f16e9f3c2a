"""One request in full, as lines for a terminal: what would run first, the agent's own words after it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gatekit.arguments.diff import diff
from gatekit.cli.answers import Wanted, draw_how
from gatekit.cli.attempts import draw_attempt, draw_ways_out
from gatekit.cli.drawing_policy import draw_policy, texts_of
from gatekit.cli.paint import cells, fit, safe, since, under, wrap
from gatekit.display import Drawing, Friction, draw_arguments, friction, visible, warnings_of, words_of
from gatekit.models import Change, Decision, Kind, Outcome, Request, Risk, RunRow

RISK_SHORT: Final[dict[Risk, str]] = {"low": "LOW", "medium": "MED", "high": "HIGH", "critical": "CRIT"}
PAST: Final = {
    "approve": "approved",
    "edit": "edited and approved",
    "reject": "rejected",
    "respond": "answered",
    "release": "released",
    "answer": "answered",
    "retry": "allowed to start anew",
    "settle": "settled",
    "declare_lost": "declared lost",
    "cancel": "withdrawn",
    "expire": "expired",
    "undo": "taken back",
}
_WIDEST_PATH: Final = 24
_KINDS: Final[dict[Kind, str]] = {"call": "", "pause": "pause ", "question": "question ", "confirm": "confirmation "}
_NOBODY: Final[dict[Kind, str]] = {
    "call": "nobody: once approved it runs when the agent makes the call again",
    "pause": "nobody: once released its run can go on, in a worker or in its own program",
    "question": "nobody: the answer is kept until the agent asks again",
    "confirm": "nobody: the yes is kept until the agent asks again",
}
_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A drawn request, and what its approval costs."""

    lines: tuple[str, ...]
    friction: Friction


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a request beside its record."""

    process: str = ""
    """The process of its last attempt, in words."""
    run: RunRow | None = None
    """The durable run that it is a step of."""
    wanted: Wanted | None = None
    """The answer that is open."""
    refused: Request | None = None
    """One like it that was turned down not long ago."""


_NOTHING_MORE: Final = Known()


def draw_request(
    request: Request, now: datetime, width: int, *, known: Known = _NOTHING_MORE, limit: int | None = None
) -> Shown:
    """Draw a request for lines of `width` cells.

    `limit` is how many characters of its arguments are drawn.
    """
    drawing = draw_arguments(_asked(request), limit=limit)
    hidden = max(request.hidden, drawing.hidden + sum(visible(text)[1] for text in _other_texts(request).values()))
    lines = [
        *_heading(request, now, width),
        "",
        _title(request),
        *draw_values(drawing, width),
        *_edited(request, width),
        *_description(request, width),
        *_warnings(request, drawing, hidden, width),
        *_ending(request, known, now, width),
    ]
    return Shown(tuple(lines), friction(request.risk, hidden=hidden, shown_all=drawing.shown_all))


def draw_changes(changes: Sequence[Change], width: int) -> list[str]:
    """What an edit changes, a line for each place."""
    return [line for change in changes for line in _change(change, width)]


def said(decision: Decision, now: datetime) -> str:
    """A decision in one line."""
    text = f"{PAST.get(decision.verb, decision.verb)} by {safe(decision.by)}, {since(decision.at, now)} ago"
    words = words_of(decision)
    standing = "" if decision.standing == "counts" else f" ({decision.standing} since)"
    return f"{text}{standing}" + (f": {safe(words)}" if words else "")


def _heading(request: Request, now: datetime, width: int) -> list[str]:
    asked = f"{safe(request.requester)}, {since(request.created_at, now)} ago"
    if request.run:
        asked += f", run {safe(request.run)}"
    if request.call_id != request.id:
        asked += f", call {safe(request.call_id)}"
    lines = wrap(f"{_KINDS[request.kind]}{safe(request.tool)}  {RISK_SHORT[request.risk]}  {request.status}", width)
    lines += [*under("id", request.id, width), *under("token", request.token, width)]
    lines += under("asked by", asked, width)
    if request.reasons:
        lines += under("why", "; ".join(map(safe, request.reasons)), width)
    if request.max_starts > 1:
        lines += under("starts", f"once approved it may start up to {request.max_starts} times", width)
    if request.waiter == "gone" and request.status in ("pending", "held", "approved"):
        lines += under("waiting", _nobody(request), width)
    return [*lines, *draw_policy(request, now, width)]


def _nobody(request: Request) -> str:
    later = " or when its run goes on" if request.run and request.kind != "pause" else ""
    return f"{_NOBODY[request.kind]}{later}"


def _title(request: Request) -> str:
    match request.kind:
        case "pause":
            return "payload: this is what the run goes on with"
        case "question":
            so_far = " so far" if request.status == "pending" else ""
            return "this is asked" + (f", and this is the answer{so_far}" if _is_answered(request) else "")
        case "confirm":
            return "this is asked: a yes lets the agent go on"
        case "call":
            due = ", once the agent has checked the edit" if request.check_due else ""
            return f"arguments: this is what runs{due}"


def _is_answered(request: Request) -> bool:
    return request.kind == "question" and request.original is not None


def _asked(request: Request) -> dict[str, Any]:
    """The arguments; of a question not the place where the answer will be, and no details where there are none."""
    args = request.args
    if request.kind in ("question", "confirm"):
        left_out: dict[str, Any] = {"details": {}} if _is_answered(request) else {"details": {}, "answer": None}
        args = {name: value for name, value in args.items() if name not in left_out or value != left_out[name]}
    return args


def draw_values(drawing: Drawing, width: int) -> list[str]:
    """Drawn arguments as lines, the values below each other."""
    column = 2 + max((cells(line.path) for line in drawing.lines if cells(line.path) <= _WIDEST_PATH), default=0)
    lines: list[str] = []
    for line in drawing.lines:
        label = line.path
        if cells(label) > column - 2:
            lines += [f"  {piece}" for piece in wrap(label, width - 2)]
            label = ""
        lines += under(label, line.text, width, column=column)
    return lines


def _edited(request: Request, width: int) -> list[str]:
    if request.original is None or request.kind == "question":
        return []
    changes = draw_changes(diff(request.original, request.args_text), width)
    return ["", "edited since the agent asked:", *changes] if changes else []


def _change(change: Change, width: int) -> list[str]:
    before, after = _value(change.before), _value(change.after)
    told = {"added": after, "removed": before, "changed": f"{before} → {after}"}[change.kind]
    name = safe(change.path.removeprefix("$."))
    first, *others = wrap(f"{_SIGNS[change.kind]} {name}  {told}", width - 4)
    return [f"  {first}", *(f"    {piece}" for piece in others)]


def _value(value: Any) -> str:
    if isinstance(value, dict) and "$gatekit" in value:
        return "[redacted]"
    return safe(json.dumps(value, ensure_ascii=False))


def _description(request: Request, width: int) -> list[str]:
    if request.kind in ("question", "confirm") and request.description == request.args.get("prompt"):
        return []
    return ["", "the agent says (its own words, not checked):", *_words(request.description, width)]


def _words(text: str, width: int) -> list[str]:
    parts = text.splitlines(keepends=True) or [""]
    return [f"  | {piece}" for part in parts for piece in wrap(safe(part), width - 4)]


def _warnings(request: Request, drawing: Drawing, hidden: int, width: int) -> list[str]:
    told = [*drawing.warnings]
    for name, text in _other_texts(request).items():
        told += [f"{name}: {warning}" for warning in warnings_of(text)]
    if hidden:
        told.insert(0, f"{hidden} hidden character{'' if hidden == 1 else 's'}, made visible here")
    if drawing.cut:
        told.append(f"{drawing.cut:,} characters of the arguments are not shown; all: gatekit show {request.id}")
    lines = [f"  {fit(mark, 2)}{piece}" for text in told for mark, piece in _marked(safe(text), width)]
    return ["", *lines] if lines else []


def _marked(text: str, width: int) -> list[tuple[str, str]]:
    first, *others = wrap(text, width - 4)
    return [("!", first), *(("", piece) for piece in others)]


def _ending(request: Request, known: Known, now: datetime, width: int) -> list[str]:
    decision, lines = request.decision, []
    if known.refused is not None:
        lines += _refused(request, known.refused, now, width)
    if decision is not None:
        lines += under("decision", said(decision, now), width)
    lines += draw_attempt(request, known.process, now, width)
    if request.outcome is not None:
        by = f", says {safe(decision.by)}" if decision is not None and decision.verb == "settle" else ""
        lines += under("outcome", _outcome(request.outcome) + by, width)
    lines += draw_ways_out(request, known.run, width)
    lines = ["", *lines] if lines else []
    return lines if known.wanted is None else [*lines, "", *draw_how(request.id, known.wanted, width)]


def _refused(request: Request, before: Request, now: datetime, width: int) -> list[str]:
    if before.decision is None:
        return []
    same = "with the same arguments, " if before.digest == request.digest else ""
    return under("before", f"one like it, {same}was {said(before.decision, now)}", width)


def _outcome(outcome: Outcome) -> str:
    if outcome.kind == "raised":
        return f"raised {safe(outcome.type_name or '')}: {safe(outcome.message or '')}"
    return "returned what JSON cannot hold" if outcome.lost else f"returned {_value(outcome.value)}"


def _other_texts(request: Request) -> dict[str, str]:
    return {
        "description": request.description,
        "tool": request.tool,
        "requester": request.requester,
        "run": request.run or "",
        "call id": request.call_id,
        "reasons": "\n".join(request.reasons),
        "policy": texts_of(request),
    }
