"""Who must say yes to a call, until when, and what silence means: written by the agent's author, computed per call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, cast

from gatekit.clock import seconds_of, span
from gatekit.errors import UsageError
from gatekit.machine.amounts import amount_of
from gatekit.machine.plan import ON_EXPIRY, ROLE, OnExpiry, Plan, Rung, StagePlan
from gatekit.models import RISKS, Risk

_MOST: Final = 50
"""Stages of a policy, and people that one may ask for: more is a mistake."""


@dataclass(frozen=True, slots=True, init=False)
class Stage:
    """One stage of a policy: so many of these people.

    Args:
        name: what reviewers read: `"manager"`, `"finance"`.
        reviewers: who may decide it: a name, a role as `"role:finance"`, or several of either; not given: anybody.
        quorum: how many of them must say yes.
        when: a function of the arguments: only where it answers True is the stage asked. One that raises, or
            answers anything but True or False, is asked, and the reviewer sees why.

    >>> Stage("finance", "role:finance", quorum=2, when=lambda args: args.amount > 500).name
    'finance'
    """

    name: str
    reviewers: tuple[str, ...]
    quorum: int
    when: Callable[[Any], object] | None

    def __init__(
        self,
        name: str,
        reviewers: str | Sequence[str] = (),
        *,
        quorum: int = 1,
        when: Callable[[Any], object] | None = None,
    ) -> None:
        if type(name) is not str or not name.strip():
            raise UsageError(f"Stage(name={name!r}): it takes some words")
        if type(quorum) is not int or not 1 <= quorum <= _MOST:
            raise UsageError(f"Stage({name!r}, quorum={quorum!r}): it takes a whole number from 1 to {_MOST}")
        if when is not None and not callable(when):
            raise UsageError(f"Stage({name!r}, when={when!r}): it takes a function of the arguments")
        people = people_of(f"Stage({name!r}, reviewers=…)", reviewers)
        if people and len(people) < quorum and not any(entry.startswith(ROLE) for entry in people):
            raise UsageError(f"Stage({name!r}): {len(people)} reviewers cannot be a quorum of {quorum}")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "reviewers", people)
        object.__setattr__(self, "quorum", quorum)
        object.__setattr__(self, "when", when)


@dataclass(frozen=True, slots=True, init=False)
class Policy:
    """Who must say yes, in which order, until when, and what silence means.

    Args:
        stages: one after the other; the first rejection ends the request. Without any, one person decides.
        parallel: True asks all stages at once.
        edits: `"void"`: an edit asks everybody anew; `"keep"`: approvals given before an edit go on counting.
        on_expiry: what it means that nobody has decided within the step's `expires_after`: `"expire"` (the call is
            not run), `"approve"`, `"escalate"` (the next rung of `escalate_after` is climbed and the time starts
            anew), `"keep"` (it stays open). A mapping says it by risk: `{"low": "approve"}`; what it does not name
            expires. A call of critical risk is never approved by silence.
        escalate_after: who may decide too after how long: `{timedelta(hours=4): "role:director"}`, counted from the
            moment when the open stage was asked. Each rung is climbed once.
        remind_every: after how long the queue notes a reminder, again and again.
        exclusive_claims: True: while somebody has claimed the request, nobody else may decide it.
        separation_of_duties: False lets the requester decide its own call, and one person decide several stages.
            The history says so.

    A policy's decisions are those of different people: nobody counts twice, and the requester not at all.

    >>> policy = Policy(Stage("manager", "role:manager"), Stage("finance", "role:finance", quorum=2))
    >>> [stage.name for stage in policy.stages]
    ['manager', 'finance']
    """

    stages: tuple[Stage, ...]
    parallel: bool
    edits: str
    on_expiry: OnExpiry | Mapping[Risk, OnExpiry]
    rungs: tuple[Rung, ...]
    remind_every: int | None
    exclusive_claims: bool
    separation_of_duties: bool

    def __init__(
        self,
        *stages: Stage,
        parallel: bool = False,
        edits: str = "void",
        on_expiry: OnExpiry | Mapping[Risk, OnExpiry] = "expire",
        escalate_after: Mapping[timedelta, str | Sequence[str]] | None = None,
        remind_every: timedelta | float | None = None,
        exclusive_claims: bool = False,
        separation_of_duties: bool = True,
    ) -> None:
        _check_stages(stages)
        for name, value in (
            ("parallel", parallel),
            ("exclusive_claims", exclusive_claims),
            ("separation_of_duties", separation_of_duties),
        ):
            if type(value) is not bool:
                raise UsageError(f"Policy({name}={value!r}): it is True or False")
        if edits not in ("void", "keep"):
            raise UsageError(f'Policy(edits={edits!r}): it is "void" or "keep"')
        rungs = _ladder(escalate_after or {})
        _check_silence(on_expiry, rungs)
        object.__setattr__(self, "stages", stages)
        object.__setattr__(self, "parallel", parallel)
        object.__setattr__(self, "edits", edits)
        object.__setattr__(self, "on_expiry", dict(on_expiry) if isinstance(on_expiry, Mapping) else on_expiry)
        object.__setattr__(self, "rungs", rungs)
        object.__setattr__(self, "remind_every", None if remind_every is None else _span("remind_every", remind_every))
        object.__setattr__(self, "exclusive_claims", exclusive_claims)
        object.__setattr__(self, "separation_of_duties", separation_of_duties)


@dataclass(frozen=True, slots=True, init=False)
class Budget:
    """How much a step may do without a human, within a span of time.

    Args:
        limit: the sum that the calls may reach; a call that would pass it waits for a human. An int, a Decimal, or
            a number as text: a float is not exact.
        per: within which time: what was allowed longer ago no longer counts.
        field: the parameter whose value is added up; not given: the calls are counted.

    >>> Budget(500, per=timedelta(days=1), field="amount").limit
    Decimal('500')
    """

    limit: Decimal
    per: int
    field: str | None

    def __init__(self, limit: int | str | Decimal, *, per: timedelta | float, field: str | None = None) -> None:
        number = amount_of(limit) if type(limit) in (int, str, Decimal) else None
        if number is None or number < 0:
            raise UsageError(f"Budget({limit!r}): the limit is a number from 0, as an int, a Decimal or text")
        if field is not None and (type(field) is not str or not field):
            raise UsageError(f"Budget(field={field!r}): it names a parameter")
        object.__setattr__(self, "limit", number)
        object.__setattr__(self, "per", _span("per", per))
        object.__setattr__(self, "field", field)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the policies demand of one call, and what went wrong when they were asked."""

    plan: Plan
    flaws: tuple[str, ...] = ()


def plan_for(
    policy: Policy, view: object, risk: Risk, *, rule: str = "", tell: Callable[[BaseException], str]
) -> Asked:
    """The plan that a policy makes of these arguments; no stage at all where each has a `when` that said no.

    `tell` puts an exception into words.
    """
    asked = [(stage, _is_asked(stage, view, tell)) for stage in policy.stages]
    flaws = tuple(flaw for _, flaw in asked if isinstance(flaw, str))
    stages = tuple(StagePlan(stage.name, stage.reviewers, stage.quorum) for stage, said in asked if said is not False)
    plan = Plan(
        stages=stages if policy.stages else Plan().stages,
        parallel=policy.parallel,
        keeps_votes=policy.edits == "keep",
        exclusive_claims=policy.exclusive_claims,
        separate=policy.separation_of_duties,
        on_expiry=_silence_for(policy, risk),
        rungs=policy.rungs,
        remind_every=policy.remind_every,
        rule=rule,
    )
    return Asked(plan, flaws)


def spent_by(budget: Budget, values: Mapping[str, object]) -> Decimal | None:
    """What a call with these JSON values takes of the budget; None where that is no number."""
    return Decimal(1) if budget.field is None else amount_of(values.get(budget.field))


def people_of(what: str, reviewers: str | Sequence[str]) -> tuple[str, ...]:
    """Names and roles, checked."""
    if not isinstance(reviewers, (str, Sequence)):
        raise UsageError(f"{what} takes a name, a role like 'role:finance', or several, not {reviewers!r}")
    given = (reviewers,) if isinstance(reviewers, str) else tuple(reviewers)
    for entry in given:
        name = entry.removeprefix(ROLE) if type(entry) is str else ""
        if not name.strip() or ":" in name:
            raise UsageError(f"{what}: {entry!r} is neither a reviewer's name nor a role like 'role:finance'")
    return tuple(dict.fromkeys(given))


def _check_stages(stages: Sequence[object]) -> None:
    for stage in stages:
        if not isinstance(stage, Stage):
            raise UsageError(f"Policy takes stages, Stage('manager', 'role:manager'), not {stage!r}")
    names = [cast(Stage, stage).name for stage in stages]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"Policy: two stages are called {twice!r}: give each a name of its own")
    if len(stages) > _MOST:
        raise UsageError(f"Policy: {len(stages)} stages are more than {_MOST}")


def _ladder(ladder: Mapping[timedelta, str | Sequence[str]]) -> tuple[Rung, ...]:
    if not isinstance(ladder, Mapping):
        raise UsageError(f"escalate_after={ladder!r}: it is like {{timedelta(hours=4): 'role:director'}}")
    rungs = [Rung(_span("escalate_after", after), people_of("escalate_after", to)) for after, to in ladder.items()]
    if any(not rung.to for rung in rungs):
        raise UsageError("escalate_after: each rung names somebody")
    return tuple(sorted(rungs, key=lambda rung: rung.after))


def _check_silence(on_expiry: object, rungs: Sequence[Rung]) -> None:
    said = list(on_expiry.values()) if isinstance(on_expiry, Mapping) else [on_expiry]
    if isinstance(on_expiry, Mapping) and not set(on_expiry) <= set(RISKS):
        raise UsageError(f"on_expiry={on_expiry!r}: it is by risk: {', '.join(RISKS)}")
    for word in said:
        if word not in ON_EXPIRY:
            raise UsageError(f"on_expiry={on_expiry!r}: it is one of {', '.join(ON_EXPIRY)}")
    if "escalate" in said and not rungs:
        raise UsageError("on_expiry='escalate' needs somebody to escalate to: escalate_after={timedelta(hours=4): …}")
    if isinstance(on_expiry, Mapping) and on_expiry.get("critical") == "approve":
        raise UsageError("on_expiry: a call of critical risk cannot be approved by silence")


def _silence_for(policy: Policy, risk: Risk) -> OnExpiry:
    said = policy.on_expiry.get(risk, "expire") if isinstance(policy.on_expiry, Mapping) else policy.on_expiry
    return "expire" if risk == "critical" and said == "approve" else said


def _is_asked(stage: Stage, view: object, tell: Callable[[BaseException], str]) -> bool | str:
    """Whether the stage is asked; a text: it is, because its `when` could not tell."""
    if stage.when is None:
        return True
    try:
        said = stage.when(view)
    except Exception as error:  # noqa: BLE001 - foreign code: what it raises asks the stage
        return f"the stage {stage.name}: its when raised {tell(error)}"
    return said if isinstance(said, bool) else f"the stage {stage.name}: its when returned neither True nor False"


def _span(name: str, given: timedelta | float) -> int:
    seconds = seconds_of(name, given)
    if not seconds or not span(seconds):
        raise UsageError(f"{name}={given!r}: it takes a timedelta, or seconds, above 0")
    return span(seconds)
