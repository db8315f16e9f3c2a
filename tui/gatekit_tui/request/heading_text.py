"""Above a request's arguments: who asks for what since when, who decides until when; or what became of it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gatekit.display import ago, shorten
from gatekit.models import FINAL, Request
from gatekit_tui.frame.row_text import RISK_INK, fate, one_line, person
from gatekit_tui.frame.spans import Inked, Span, wrap_inked
from gatekit_tui.request.paragraphs import beside, indented, inner_width, paragraph
from gatekit_tui.request.refused import Refused, refused_lines
from gatekit_tui.request.stages_text import deadline_line, policy_lines
from gatekit_tui.request.study import asks

_LONGEST_WHO: Final = 60
"""Characters of foreign names in the heading, which must not push the arguments out of sight; the history has all."""
_OVER: Final = FINAL | {"held", "approved"}


def draw_heading(request: Request, width: int, now: datetime, refused: Refused | None = None) -> tuple[Inked, ...]:
    """Who asks for what since when; or what became of it. `refused` is what was turned down before it."""
    return indented(_heading(request, inner_width(width), now, refused))


def _heading(request: Request, width: int, now: datetime, refused: Refused | None) -> list[Inked]:
    run = f"run {shorten(one_line(request.run), _LONGEST_WHO)[0]} · " if request.run else ""
    title: Inked = ((one_line(request.tool), "title"),)
    lines = beside(title, ((f"{run}{request.id} · v{request.version}", "dim"),), width)
    badge: Span = (f" {request.risk.upper()} ", RISK_INK[request.risk])
    if request.status in _OVER:
        became = fate(request.status, request.decision, now)
        lines += wrap_inked((badge, (" " + became, "gone")), width)
        asked = _calm((now - request.created_at).total_seconds())
        return [*lines, *paragraph(f"asked by {person(request.requester)} {asked} ago", width, "dim")]
    if request.status in ("running", "unknown"):
        return [*lines, *_last_attempt(request, badge, width, now)]
    waiting = f" waiting {_calm((now - request.created_at).total_seconds())}"
    state: Inked = (badge, (waiting, "dim"))
    if deadline := deadline_line(request, now):
        state = (*state, (" · ", "dim"), *deadline)
    lines += beside(state, ((f"asked by {shorten(person(request.requester), _LONGEST_WHO)[0]}", "dim"),), width)
    lines += policy_lines(request, width, now)
    lines += [] if refused is None else refused_lines(refused, width, now)
    if request.max_starts > 1:
        lines += paragraph(f"once approved it may start up to {request.max_starts} times", width, "note")
    if request.waiter == "gone":
        lines += paragraph(_nobody_waits(request), width, "note")
    if request.reasons:
        lines += paragraph("why: " + "; ".join(one_line(reason) for reason in request.reasons), width, "dim")
    return lines


def _nobody_waits(request: Request) -> str:
    if request.kind == "pause":
        return "the run holds nothing while it waits: a worker, or its program, goes on with it"
    if asks(request):
        goes_on = "its run goes on, or the program asks again" if request.run else "the program asks again"
        return f"nobody waits for the answer: it is read when {goes_on}"
    goes_on = "its run goes on, or the agent makes the call again" if request.run else "the agent makes the call again"
    return f"nobody waits: once approved it runs when {goes_on}"


def _last_attempt(request: Request, badge: Span, width: int, now: datetime) -> list[Inked]:
    """Who started it, when, allowed by whom; and what that leaves open."""
    attempt, decision = request.attempt, request.decision
    state = " runs now" if request.status == "running" else " started, and how it ended is not known"
    lines = wrap_inked((badge, (state, "warn")), width)
    if attempt is not None:
        since = ago((now - attempt.started_at).total_seconds())
        lines += paragraph(f"attempt {attempt.no}, started {since} ago by {_process(attempt.owner)}", width, "dim")
    if decision is not None:
        lines += paragraph(f"allowed by {person(decision.by)} · asked by {person(request.requester)}", width, "dim")
    if request.status == "unknown":
        told = "it may have done its work; a process that only sleeps may still do it: look at the other side first"
        lines += paragraph(told, width, "note")
    return lines


def _process(owner: str) -> str:
    """`host/boot/namespace/pid/start` in words."""
    parts = one_line(owner).rsplit("/", 4)
    return f"process {parts[3]} on {parts[0]}" if len(parts) == 5 else one_line(owner)


def _calm(seconds: float) -> str:
    """An age that is not written anew every second."""
    return ago(seconds if seconds >= 60 else seconds // 10 * 10)
