"""What the policies say of one call: whether it is gated after all, by whom it must be approved, and what lets it pass.

The strictest wins: a rule can gate what the step's own predicate let pass, and no rule takes a stage away.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gatekit.asking import message_of, type_name
from gatekit.backend.base import Spending
from gatekit.driving import Intent, Invoke
from gatekit.errors import UsageError
from gatekit.gating.call import GatedCall, GatedTool
from gatekit.machine.plan import DEFAULT, Plan, strictest
from gatekit.models import Risk
from gatekit.policy import Asked, Policy, plan_for, spent_by

_NOT_ASKED: Final = Asked(DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What becomes of the call."""

    gated: bool
    reasons: tuple[str, ...]
    plan: Plan = DEFAULT
    by_rule: bool = False
    """Whether a rule of the gate is among those that ask for it."""
    allowed_by: str | None = None
    spending: Spending | None = None


def rule(
    call: GatedCall, values: dict[str, Any], tree: Mapping[str, Any], gated: bool, reasons: tuple[str, ...], risk: Risk
) -> Ruling:
    """The ruling on these values, which the predicate gated or let pass for these reasons.

    `tree` holds the same values as JSON.
    """
    step, view = call.step, call.step.parameters.view(values)
    asked = [] if not gated or step.policy is None else [_own(call, step.policy, view, risk)]
    central = _central(call, view, risk)
    found = [*asked, *central]
    flaws = tuple(flaw for one in found for flaw in one.flaws)
    return Ruling(
        gated=gated or bool(central),
        reasons=(*reasons, *(f"the rule {one.plan.rule!r} asks for it" for one in central), *flaws),
        plan=_whole([one.plan for one in found]),
        spending=_spending(call.step, tree, gated=gated or bool(central)),
        by_rule=bool(central),
    )


def _own(call: GatedCall, policy: object, view: object, risk: Risk) -> Asked:
    """The step's own policy. One that cannot be told refuses the call: nobody knows who would have to approve it."""
    if not isinstance(policy, Policy):
        assert callable(policy)
        try:
            policy = policy(view)
        except Exception as error:
            raise UsageError(
                f"{call.step.name}: its policy raised {_told(call, error)}; the tool does not run"
            ) from error
        if policy is None:
            return _NOT_ASKED
    if not isinstance(policy, Policy):
        raise UsageError(
            f"{call.step.name}: its policy returned {type_name(policy)}, not a Policy; the tool does not run"
        )
    return plan_for(policy, view, risk, tell=lambda error: _told(call, error))


def _central(call: GatedCall, view: object, risk: Risk) -> list[Asked]:
    """What the gate's own rules ask for this tool; those whose stages all have nothing to ask leave it alone."""
    rules = [] if call.step.is_plain else call.gate.rules_for(call.step.name)
    found = [
        plan_for(policy, view, risk, rule=pattern, tell=lambda error: _told(call, error)) for pattern, policy in rules
    ]
    return [one for one in found if one.plan.stages]


def _whole(plans: Sequence[Plan]) -> Plan:
    asking = [plan for plan in plans if plan.stages]
    if asking:
        return strictest(asking)
    # It is gated, and no stage has anything to say to it: then one person decides.
    return replace(plans[0], stages=DEFAULT.stages) if plans else DEFAULT


def _spending(step: GatedTool, tree: Mapping[str, Any], *, gated: bool) -> Spending | None:
    budget = step.budget
    if budget is None:
        return None
    amount = spent_by(budget, tree)
    if amount is None:
        raise UsageError(f"{step.name}: its budget adds up {budget.field!r}, and what was given for it is no number")
    return Spending(amount=str(amount), field=budget.field, limit=str(budget.limit), per=budget.per, decides=not gated)


def automatically(call: GatedCall, ruling: Ruling, values: dict[str, Any]) -> Intent[Ruling]:
    """Whether the step's own rule approves it. Only True does; whatever else it says, a human is asked.

    What a rule of the gate asks for, a step cannot let pass.
    """
    automatic, step = call.step.auto_approve_if, call.step
    if automatic is None or ruling.by_rule or not (ruling.gated or ruling.spending):
        return ruling
    if isinstance(automatic, Mapping):
        if not environment_says(automatic):
            return ruling
        named = ", ".join(f"{name}={os.environ.get(name)}" for name in automatic)
        return replace(ruling, allowed_by=f"policy:{named}")
    name = f"policy:{getattr(automatic, '__name__', type(automatic).__name__)}"
    try:
        arguments = (call.step.parameters.view(values),) if step.auto_approve_takes_args else ()
        said = yield Invoke(lambda: automatic(*arguments), step.auto_approve_is_async)
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises, a human is asked
        return replace(ruling, reasons=(*ruling.reasons, f"auto_approve_if raised {_told(call, error)}"))
    if said is True:
        return replace(ruling, allowed_by=name)
    if said is False:
        return ruling
    odd = f"auto_approve_if returned a {call.snapshot.redact(type_name(said))}, which is neither True nor False"
    return replace(ruling, reasons=(*ruling.reasons, odd))


def environment_says(rule: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether every variable that the rule names has one of its values."""
    return all(
        os.environ.get(name) in ((values,) if isinstance(values, str) else tuple(values))
        for name, values in rule.items()
    )


def _told(call: GatedCall, error: BaseException) -> str:
    redact = call.snapshot.redact
    return f"{redact(type_name(error))}: {message_of(error, redact)}"
