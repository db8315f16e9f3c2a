"""Who must say yes to a request, how far that is, and what silence means, as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gatekit.cli.paint import fit, moment, safe, since, under
from gatekit.models import Claim, Request, StageRow

_SILENCE: Final = {
    "expire": "it expires: it does not run",
    "approve": "it is approved",
    "escalate": "it is escalated to more people, or expires where all were asked",
    "keep": "it stays open, marked overdue",
}
_LABEL: Final = 10
_STATUS: Final = 12


def draw_policy(request: Request, now: datetime, width: int) -> list[str]:
    """The lines; none for a request that one person decides, whoever it is, for as long as it takes."""
    lines = under("rule", safe(request.rule), width) if request.rule else []
    if request.status == "pending" and request.decide_by is not None:
        when = f"in {since(now, request.decide_by)}, at {moment(request.decide_by)}"
        lines += under("deadline", f"{when}: then {_silence(request)}", width)
    if _says_something(request.stages):
        for stage in request.stages:
            label = fit("stages" if stage is request.stages[0] else "", _LABEL) + stage.status
            text = f"{safe(stage.name)}: {_progress(stage)}"
            lines += under(label, text, width, column=_LABEL + _STATUS)
    if request.escalates_to:
        lines += under("escalates", f"to {', '.join(map(safe, request.escalates_to))} next", width)
    claim = current_claim(request, now)
    if claim is not None and request.status in ("pending", "held"):
        lines += under("claimed", _claimed(claim, now), width)
    for giver, taker in request.delegations:
        lines += under("handed on", f"{safe(taker)} decides in place of {safe(giver)}", width)
    return lines


def current_claim(request: Request, now: datetime) -> Claim | None:
    """Who has the request, unless the claim has lapsed."""
    return request.claim if request.claim is not None and request.claim.until > now else None


def still_asked(request: Request) -> str:
    """What a request that goes on waiting waits for, in one line."""
    asked = [f"{safe(stage.name)}: {_progress(stage)}" for stage in request.stages if stage.status == "current"]
    done = sum(stage.status == "done" for stage in request.stages)
    counted = f"{done} of {len(request.stages)} stages done; " if len(request.stages) > 1 else ""
    return f"{counted}{'; '.join(asked)}"


def texts_of(request: Request) -> str:
    """All names that the policy brought in."""
    people = [name for stage in request.stages for name in (stage.name, *stage.reviewers, *stage.by)]
    handed = [name for pair in request.delegations for name in pair]
    return "\n".join([*people, *handed, *request.escalates_to, request.rule or ""])


def _says_something(stages: Sequence[StageRow]) -> bool:
    return len(stages) > 1 or any(stage.quorum > 1 or stage.reviewers for stage in stages)


def _silence(request: Request) -> str:
    # Nobody's silence is an answer.
    means = "expire" if request.kind == "question" and request.on_expiry == "approve" else request.on_expiry
    return _SILENCE[means] if request.kind == "call" or means != "expire" else "it expires"


def _progress(stage: StageRow) -> str:
    said = ", ".join(map(safe, stage.by))
    if stage.status == "done":
        return f"{said} said yes"
    people = ", ".join(map(safe, stage.reviewers)) or "anybody"
    if stage.quorum == 1 and not stage.by:
        return f"{people} may decide"
    so_far = f"{len(stage.by)} of {stage.quorum} said yes" + (f" ({said})" if said else "")
    return f"{so_far}; {people} may decide"


def _claimed(claim: Claim, now: datetime) -> str:
    alone = "; nobody else may decide meanwhile" if claim.exclusive else ""
    return f"by {safe(claim.by)}, {since(claim.at, now)} ago; lapses in {since(now, claim.until)}{alone}"
