"""Who has to say yes and who did, until when, and what silence then means. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gatekit.display import ago
from gatekit.models import Claim, Request, RequestRow, StageRow
from gatekit_tui.frame.row_text import one_line, person
from gatekit_tui.frame.spans import Ink, Inked, length, wrap_inked

_SILENCE: Final = {
    "expire": "expires",
    "approve": "is approved",
    "escalate": "escalates",
    "keep": "stays open",
}
_SIGN: Final[dict[str, tuple[str, Ink]]] = {
    "done": ("✓", "good"),
    "current": ("▶", "label"),
    "not reached": ("·", "dim"),
}
_LONGEST_STAGE: Final = 20
_SOON: Final = 0.25
"""The share of its time after which a request is said to be due soon."""
_AT_ONCE: Final = 0.05
"""The share of its time after which a request is due at once."""
_VERY_SOON: Final = 120
"""Seconds before its end in which a request is due at once, whatever its time."""


def silence(request: Request) -> str:
    """What becomes of the request if nobody decides in time."""
    return _SILENCE[request.on_expiry]


def left_of(request: Request | RequestRow, now: datetime) -> tuple[str, Ink] | None:
    """How long a decision still counts, and how that is to look; None where it has all the time.

    Of a decision that is held: how long it can still be undone.
    """
    if request.status == "held" and request.effective_at is not None:
        return ago(max(0.0, (request.effective_at - now).total_seconds())), "label"
    if request.decide_by is None or request.status != "pending":
        return None
    left = (request.decide_by - now).total_seconds()
    whole = (request.decide_by - request.created_at).total_seconds()
    if left <= 0:
        return "exp", "due"
    ink: Ink = "dim"
    if left < max(_VERY_SOON, whole * _AT_ONCE):
        ink = "due"
    elif left < whole * _SOON:
        ink = "warn"
    return ago(left), ink


def is_due(request: Request | RequestRow, now: datetime) -> bool:
    """Whether it is due at once, or over."""
    left = left_of(request, now)
    return left is not None and left[1] == "due"


def deadline_line(request: Request, now: datetime) -> Inked:
    """`LEFT 12m, then: expires`."""
    left = left_of(request, now)
    if left is None:
        return ()
    told, ink = left
    sign = " ▲" if ink == "due" else ""
    then_ink: Ink = "warn" if request.on_expiry == "approve" else "dim"
    return ((f"LEFT {told}{sign}", ink), (", then: ", "dim"), (silence(request), then_ink))


def policy_lines(request: Request, width: int, now: datetime) -> list[Inked]:
    """The stages, the rule, the claim and what was handed on; nothing where any one person may decide."""
    lines: list[Inked] = []
    if request.rule:
        lines += wrap_inked((("rule: ", "dim"), (one_line(request.rule), "text")), width)
    lines += _stages(request.stages, width)
    if request.escalates_to:
        people = ", ".join(one_line(name) for name in request.escalates_to)
        lines += wrap_inked((("next to be asked: ", "dim"), (people, "text")), width)
    for giver, taker in request.delegations:
        lines += wrap_inked(((f"{one_line(taker)} decides in place of {one_line(giver)}", "note"),), width)
    if request.claim is not None and request.claim.until > now:
        lines += wrap_inked(_claimed(request.claim, now), width)
    return lines


def _claimed(claim: Claim, now: datetime) -> Inked:
    told = f"claimed by {person(claim.by)} for another {ago((claim.until - now).total_seconds())}"
    return ((told, "warn"), ("; nobody else may decide meanwhile", "warn")) if claim.exclusive else ((told, "warn"),)


def _stages(stages: tuple[StageRow, ...], width: int) -> list[Inked]:
    if not any(stage.reviewers or stage.quorum > 1 or stage.by for stage in stages) and len(stages) < 2:
        return []
    names = [one_line(stage.name) for stage in stages]
    column = min(_LONGEST_STAGE, max(length(((name, "text"),)) for name in names))
    lines: list[Inked] = []
    for stage, name in zip(stages, names, strict=True):
        lines += _stage(stage, name, column, width)
    return lines


def _stage(stage: StageRow, name: str, column: int, width: int) -> list[Inked]:
    sign, ink = _SIGN[stage.status]
    name_ink: Ink = "title" if stage.status == "current" else "dim" if stage.status == "not reached" else "text"
    blanks = " " * max(0, column - length(((name, "text"),)))
    told = _told(stage)
    line: Inked = ((f"{sign} ", ink), (name, name_ink), (blanks + "  ", "text"), (told, "dim"))
    if length(line) <= width:
        return [line]
    return [*wrap_inked(line[:2], width), *(((("  ", "text"), *rest)) for rest in wrap_inked(line[3:], width - 2))]


def _told(stage: StageRow) -> str:
    """Who said yes, how many are missing, and who may."""
    yes = ", ".join(map(person, stage.by))
    if stage.status == "done":
        return f"yes from {yes}" if yes else "done"
    asked = ", ".join(map(one_line, stage.reviewers)) or "any reviewer"
    may = f"{stage.quorum} of: {asked} may decide" if stage.quorum > 1 else f"{asked} may decide"
    parts = ["not reached"] if stage.status == "not reached" else []
    if yes:
        parts.append(f"yes from {yes} ({len(stage.by)} of {stage.quorum})")
    return " · ".join([*parts, may])
