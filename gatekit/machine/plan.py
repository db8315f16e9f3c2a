"""What a policy demands of one request, as data: its stages, whom they ask, and what silence means.

The agent's process makes it of the program's `Policy`; every other process reads it here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal, get_args

OnExpiry = Literal["expire", "keep", "escalate", "approve"]
ON_EXPIRY: Final[tuple[OnExpiry, ...]] = get_args(OnExpiry)
"""What silence can mean, the strictest first."""
ROLE: Final = "role:"
"""What a reviewer's entry begins with where it names a role instead of a person."""


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage: so many of these people."""

    name: str
    reviewers: tuple[str, ...] = ()
    """Names, and roles as `role:finance`; none: anybody."""
    quorum: int = 1
    also: tuple[str, ...] = ()
    """Who may decide it too since it was escalated."""
    since: int = 0
    """Decisions up to this number were made when more people were asked, and do not count for it."""
    still: tuple[str, ...] = ()
    """Whose decisions of before count all the same: they are among those who are asked now."""

    @property
    def everybody(self) -> tuple[str, ...]:
        """All who may decide it; none: anybody."""
        return (*self.reviewers, *self.also) if self.reviewers else ()


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder of an escalation."""

    after: int
    """Microseconds since the stage was asked."""
    to: tuple[str, ...]
    """Who may decide too from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is demanded of one request."""

    stages: tuple[StagePlan, ...] = (StagePlan("approval"),)
    parallel: bool = False
    """Whether all stages are asked at once."""
    keeps_votes: bool = False
    """Whether approvals of other arguments go on counting after an edit."""
    exclusive_claims: bool = False
    separate: bool = True
    """Whether the requester may not decide, and nobody counts twice."""
    on_expiry: OnExpiry = "expire"
    rungs: tuple[Rung, ...] = ()
    remind_every: int | None = None
    """Microseconds."""
    rule: str = ""
    """Which rule gated the call, where one did."""

    @property
    def only_stage(self) -> StagePlan | None:
        """The stage of a plan for which one person's yes is enough."""
        first = self.stages[0] if len(self.stages) == 1 else None
        return first if first is not None and first.quorum == 1 else None

    @property
    def text(self) -> str:
        """The plan as the queue keeps it; the plan of a step without a policy is empty text."""
        return "" if self == DEFAULT else json.dumps(_tree(self), sort_keys=True, separators=(",", ":"))


DEFAULT: Final = Plan()
"""One person, whoever it is, for as long as it takes."""


@lru_cache(maxsize=4096)
def plan_of(text: str) -> Plan:
    """The plan that the queue keeps as `text`. Raises `ValueError` for what gatekit never writes."""
    if not text:
        return DEFAULT
    try:
        return _plan(json.loads(text))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no plan: {text!r:.60}") from error


def strictest(plans: Sequence[Plan]) -> Plan:
    """One plan that demands what each of these demands."""
    if len(plans) == 1:
        return plans[0]
    reminders = [plan.remind_every for plan in plans if plan.remind_every is not None]
    return Plan(
        stages=_united([stage for plan in plans for stage in plan.stages]),
        parallel=all(plan.parallel for plan in plans),
        keeps_votes=all(plan.keeps_votes for plan in plans),
        exclusive_claims=any(plan.exclusive_claims for plan in plans),
        separate=any(plan.separate for plan in plans),
        on_expiry=next(word for word in ON_EXPIRY if any(plan.on_expiry == word for plan in plans)),
        rungs=tuple(sorted({rung for plan in plans for rung in plan.rungs}, key=lambda rung: (rung.after, rung.to))),
        remind_every=min(reminders, default=None),
        rule=", ".join(dict.fromkeys(plan.rule for plan in plans if plan.rule)),
    )


def covers(own: StagePlan, asked: StagePlan) -> bool:
    """Whether whoever meets the one has met the other."""
    if asked == DEFAULT.stages[0]:
        return True
    return own.name == asked.name and own.quorum >= asked.quorum and _is_within(own, asked)


def narrowed(own: StagePlan, asked: StagePlan, since: int, still: tuple[str, ...]) -> StagePlan | None:
    """The stage as it asks only those whom the other asks too; None where these are not fewer of the same.

    Who was asked because of an escalation is asked no more: nobody has been silent on the new arguments yet.
    """
    if own.name != asked.name or not _is_within(asked, own):
        return None
    quorum = max(own.quorum, asked.quorum)
    return replace(own, reviewers=asked.reviewers, quorum=quorum, also=(), since=since, still=still)


def _is_within(few: StagePlan, many: StagePlan) -> bool:
    return not many.reviewers or (bool(few.reviewers) and set(few.reviewers) <= set(many.reviewers))


def _united(stages: Sequence[StagePlan]) -> tuple[StagePlan, ...]:
    """Each stage once: of those that ask the same people under the same name the one that asks the most."""
    found: dict[tuple[str, frozenset[str]], StagePlan] = {}
    for stage in stages:
        key = (stage.name, frozenset(stage.reviewers))
        if key not in found or found[key].quorum < stage.quorum:
            found[key] = stage
    return tuple(found.values())


def _tree(plan: Plan) -> dict[str, Any]:
    return {
        "stages": [_row(stage) for stage in plan.stages],
        "parallel": plan.parallel,
        "keeps_votes": plan.keeps_votes,
        "exclusive_claims": plan.exclusive_claims,
        "separate": plan.separate,
        "on_expiry": plan.on_expiry,
        "rungs": [[rung.after, rung.to] for rung in plan.rungs],
        "remind_every": plan.remind_every,
        "rule": plan.rule,
    }


def _row(stage: StagePlan) -> list[Any]:
    return [stage.name, stage.reviewers, stage.quorum, stage.also, stage.since, stage.still]


def _plan(tree: dict[str, Any]) -> Plan:
    plan = Plan(
        stages=tuple(
            StagePlan(_text(name), _texts(people), _number(quorum), _texts(also), _number(since + 1) - 1, _texts(still))
            for name, people, quorum, also, since, still in tree["stages"]
        ),
        parallel=_truth(tree["parallel"]),
        keeps_votes=_truth(tree["keeps_votes"]),
        exclusive_claims=_truth(tree["exclusive_claims"]),
        separate=_truth(tree["separate"]),
        on_expiry=_on_expiry(tree["on_expiry"]),
        rungs=tuple(Rung(_number(after), _texts(to)) for after, to in tree["rungs"]),
        remind_every=None if tree["remind_every"] is None else _number(tree["remind_every"]),
        rule=_text(tree["rule"]),
    )
    if not plan.stages:
        raise TypeError(plan)
    return plan


def _on_expiry(value: object) -> OnExpiry:
    for known in ON_EXPIRY:
        if value == known:
            return known
    raise TypeError(value)


def _truth(value: object) -> bool:
    if type(value) is not bool:
        raise TypeError(value)
    return value


def _number(value: object) -> int:
    if type(value) is not int or value < 1:
        raise TypeError(value)
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError(value)
    return value


def _texts(value: object) -> tuple[str, ...]:
    if type(value) is not list:
        raise TypeError(value)
    return tuple(map(_text, value))
