"""The ladder of an escalation: who may decide too once a rung is climbed, by the clock or by a reviewer."""

from __future__ import annotations

from dataclasses import replace

from gatekit.machine.effects import Draft
from gatekit.machine.plan import StagePlan
from gatekit.machine.records import State
from gatekit.machine.voting import progress


def climb(draft: Draft, rung: int, by: str, reason: str | None = None) -> None:
    """More people may decide on the stages that are open: those of this rung, counted from 0.

    What is asked changes, so the version does. The time to decide stays as it is.
    """
    plan, to = draft.state.plan, draft.state.plan.rungs[rung].to
    asked = progress(draft.state).open
    stages = tuple(_widened(stage, to) if no in asked else stage for no, stage in enumerate(plan.stages))
    draft.move(plan=replace(plan, stages=stages).text, version=draft.request.version + 1, rung=rung + 1)
    draft.event("escalated", by, rung=rung + 1, to=list(to), reason=reason)


def people_of_next(state: State) -> tuple[str, ...]:
    """Whom the next rung names; nobody where all were asked, or the request does not wait for a decision."""
    rungs, climbed = state.plan.rungs, state.request.rung
    return rungs[climbed].to if state.request.status == "pending" and climbed < len(rungs) else ()


def no_rung_left(state: State) -> str | None:
    """Why there is nobody to escalate to; None: there is somebody."""
    rungs = state.plan.rungs
    if not rungs:
        return "its policy names nobody to escalate to: that is Policy(escalate_after=…)"
    if state.request.rung < len(rungs):
        return None
    return "there is nobody left to escalate to: all whom its policy names were asked already"


def _widened(stage: StagePlan, to: tuple[str, ...]) -> StagePlan:
    # Where anybody may decide already, naming some would let fewer.
    new = [entry for entry in dict.fromkeys(to) if entry not in stage.everybody]
    return replace(stage, also=(*stage.also, *new)) if stage.reviewers else stage
