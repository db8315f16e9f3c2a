"""The steps of a run in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekit.display import ago, words_of
from gatekit.models import FINAL, Request, Status, StepRow
from gatekit_tui.frame.row_text import one_line, person
from gatekit_tui.frame.spans import Ink, Inked, Span, fit, length, wrap_inked
from gatekit_tui.history.history_reading import as_json
from gatekit_tui.runs.runs_lines import STATUS_INK

_LONGEST: Final = 2000
"""Characters that are kept of a result or a message; the list shows one line of it."""
_SIGN: Final[dict[Status, str]] = {
    "succeeded": "✓",
    "answered": "✓",
    "pending": "▶",
    "held": "▶",
    "approved": "▶",
    "running": "▶",
    "unknown": "?",
}
_REFUSED: Final = "✗"
_LEAST_NAME: Final = 8
"""Cells that a step's name has at least."""
OPEN: Final[frozenset[Status]] = frozenset({"pending", "held", "approved", "running", "unknown"})
"""The states in which the queue's own lists show a request."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a step beyond its state. All texts are safe to draw."""

    status: Status
    said: str
    """What became of it, without when."""
    detail: str
    """Its result, its error, or who is asked."""
    ink: Ink
    since: datetime
    """When what is said began, or was over."""
    took: float | None
    """Seconds that the tool ran."""


def facts_of(request: Request, now: datetime) -> Facts:
    """What a list of steps says of a request."""
    status, attempt = request.status, request.attempt
    since, took = request.created_at, None
    if attempt is not None:
        since = attempt.finished_at or attempt.started_at
        took = None if attempt.finished_at is None else (attempt.finished_at - attempt.started_at).total_seconds()
    if request.decision is not None and (attempt is None or request.decision.at > since):
        since = request.decision.at
    said, detail, ink = _said(request, now)
    return Facts(status, said, detail, ink, since, took if status in FINAL else None)


def _said(request: Request, now: datetime) -> tuple[str, str, Ink]:
    decision = request.decision
    by = "" if decision is None else f" by {person(decision.by)}"
    match request.status:
        case "pending":
            return "waits for a human", _asked(request, now), "medium"
        case "held":
            return f"decided{by}, and not in force yet", "", "note"
        case "approved":
            return f"approved{by}; it starts when the run goes on", "", "label"
        case "running":
            return "runs", "", "label"
        case "unknown":
            return "started, and how it ended is not known", "it waits for somebody who settles it", "warn"
        case "succeeded" | "answered" | "failed":
            return _outcome(request, by)
        case refused:
            said = "" if decision is None else one_line(headed(words_of(decision)))
            return f"{_REFUSALS.get(refused, refused)}{by}", said, STATUS_INK[refused]


def _outcome(request: Request, by: str) -> tuple[str, str, Ink]:
    outcome = request.outcome
    if outcome is None:
        # An answer, a release, a confirmation: there is no tool behind it.
        answer = request.args.get("answer") if request.kind == "question" else None
        words = {"question": "answered", "pause": "released", "confirm": "confirmed"}.get(request.kind, request.status)
        return f"{words}{by}", "" if answer is None else f"→ {_brief(answer)}", "good"
    if outcome.kind == "raised":
        said = one_line(headed(outcome.message or ""))
        return "failed", f"{one_line(outcome.type_name or 'it failed')}{': ' if said else ''}{said}", "removed"
    if outcome.lost:
        return "done", "→ something that JSON cannot hold", "good"
    return "done", f"→ {one_line(headed(outcome.value_text or 'null'))}", "good"


def _asked(request: Request, now: datetime) -> str:
    """Who is asked, as far as the policy says."""
    parts: list[str] = []
    for stage in request.stages:
        if stage.status == "current":
            who = ", ".join(map(one_line, stage.reviewers)) or "any reviewer"
            name = f"{one_line(stage.name)}: " if len(request.stages) > 1 else ""
            more = f", {len(stage.by)} of {stage.quorum} said yes" if stage.quorum > 1 else ""
            parts.append(f"{name}{who} may decide{more}")
    if request.claim is not None and request.claim.until > now:
        parts.append(f"{person(request.claim.by)} looks at it")
    return " · ".join(parts or ["any reviewer may decide"])


def step_lines(step: StepRow, facts: Facts | None, width: int, now: datetime) -> tuple[Inked, Inked]:
    """A step in two lines. The name is cut where it would leave no room for what became of the step."""
    sign: Span = (f"{_SIGN.get(step.status, _REFUSED)} ", STATUS_INK[step.status])
    name = one_line(step.name) + ("" if step.tool == step.name else f" ({one_line(step.tool)})")
    told, detail = _told(step, facts, now), "…" if facts is None else facts.detail
    room = max(_LEAST_NAME, width - length((sign, told)))
    name = name if length(((name, "title"),)) <= room else fit(name, room)
    return fit_inked((sign, (name, "title"), told), width), fit_inked((("  ", "text"), (detail, "dim")), width)


def _told(step: StepRow, facts: Facts | None, now: datetime) -> Span:
    if facts is None:
        return f"  {step.status}", STATUS_INK[step.status]
    when = ago((now - facts.since).total_seconds())
    took = "" if facts.took is None else f" in {_seconds(facts.took)}"
    told = f"  {facts.said} since {when}" if facts.status in OPEN else f"  {facts.said}{took} · {when} ago"
    return told, facts.ink


def fit_inked(line: Inked, width: int) -> Inked:
    """As much of the line as has room, with a sign where something is left out."""
    pieces = wrap_inked(line, width)
    return pieces[0] if len(pieces) == 1 else (*wrap_inked(line, width - 1)[0], ("…", "dim"))


def headed(text: str) -> str:
    """The beginning of a text that may be of any length."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _brief(value: object) -> str:
    return one_line(headed(value if isinstance(value, str) else as_json(value)))


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 60 else ago(seconds)


_REFUSALS: Final = {
    "rejected": "rejected",
    "responded": "answered instead of run",
    "expired": "expired",
    "cancelled": "withdrawn",
}
