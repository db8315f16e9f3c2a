"""What a call puts into the queue, and what its step's own functions say of it."""

from __future__ import annotations

import json
from typing import Any

from gatekit import previews
from gatekit.asking import count_hidden, describe, judge, message_of, rate, type_name
from gatekit.backend.base import Call
from gatekit.clock import span
from gatekit.driving import Intent, Invoke
from gatekit.errors import UsageError
from gatekit.gating.call import GatedCall, GatedTool
from gatekit.gating.rules import Ruling, rule
from gatekit.hooks import requester_name
from gatekit.ids import new_id
from gatekit.machine.records import Verdict
from gatekit.models import Preview, Request, Risk


def ask(call: GatedCall, values: dict[str, Any]) -> Intent[object]:
    """What the predicate says of these values; what it raises is an answer too."""
    predicate = call.step.requires_approval
    if isinstance(predicate, bool):
        return predicate
    view = call.step.parameters.view(values)
    try:
        return (yield Invoke(lambda: predicate(view), call.step.predicate_is_async))
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises gates the call and is shown
        return error


def check(call: GatedCall, request: Request) -> Intent[Verdict]:
    """The agent's own look at edited arguments: do they fit the tool, and what does the predicate say of them?"""
    try:
        values = call.step.parameters.rebuild(request.args_text, call.snapshot)
    except UsageError as error:
        return Verdict(gated=True, errors=(str(error),))
    is_gated, reasons = judge((yield from ask(call, values)), call.snapshot.redact)
    try:
        ruling = rule(call, values, json.loads(request.args_text), is_gated, reasons, request.risk)
    except UsageError as error:
        return Verdict(gated=True, errors=(str(error),))
    spend = None if ruling.spending is None else ruling.spending.amount
    return Verdict(gated=is_gated, reasons=ruling.reasons, plan=ruling.plan.text, spend=spend)


def staleness(call: GatedCall, request: Request) -> Intent[str | None]:
    """Why the approval no longer holds, in the words of the step's `revalidate`; None: it holds. Only True counts."""
    revalidate = call.step.revalidate
    if revalidate is None:
        return None
    view = call.step.parameters.view(call.step.parameters.rebuild(request.args_text, call.snapshot))
    redact = call.snapshot.redact
    try:
        answer = yield Invoke(lambda: revalidate(view), call.step.revalidate_is_async)
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises sends the call back and is shown
        return f"revalidate raised {redact(type_name(error))}: {message_of(error, redact)}"
    if answer is True:
        return None
    if type(answer) is str and answer.strip():
        return redact(answer)
    return "revalidate says that the approval no longer holds" if answer is False else _odd(answer, redact)


def _odd(answer: object, redact: Any) -> str:
    return f"revalidate returned {redact(type_name(answer))}, which is neither True, False nor a reason"


def rated(call: GatedCall) -> tuple[Risk, str | None]:
    """How dangerous the call is said to be, and what was wrong with the step's own rating."""
    return rate(call.step.risk, call.step.parameters.shown(call.snapshot))


def entry(call: GatedCall, ruling: Ruling, risk: Risk, misrated: str | None) -> Call:
    """The call as the queue keeps it."""
    step, snapshot, execution = call.step, call.snapshot, call.execution
    shown = step.parameters.shown(snapshot)
    description, flaw = describe(step.description, step.name, shown)
    preview, unshown = _preview(call, shown)
    is_gated, reasons = ruling.gated, ruling.reasons
    return Call(
        request_id=new_id(call.gate.clock.now()),
        tool=step.name,
        run=call.run,
        call_id=call.call_id,
        requester=requester_name(call.identity.agent),
        text=snapshot.text,
        digest=snapshot.digest,
        schema=step.parameters.schema_text,
        schema_digest=step.parameters.schema_digest,
        description=description,
        risk=risk,
        reasons=(*(reasons or _why(step, is_gated)), *(text for text in (flaw, misrated, unshown) if text)),
        hidden=count_hidden(
            [description, step.name, call.run, snapshot.parsed(), None if preview is None else json.loads(preview)]
        ),
        verdict=Verdict(gated=is_gated, reasons=reasons),
        ticket=call.ticket,
        waits=call.waits,
        max_starts=1 + step.retries,
        start_within=None if step.start_within is None else span(step.start_within),
        execution=None if execution is None else execution.token,
        preview=preview,
        plan=ruling.plan,
        expires_after=None if step.expires_after is None else span(step.expires_after),
        allowed_by=ruling.allowed_by,
        spending=ruling.spending,
    )


def _preview(call: GatedCall, shown: Any) -> tuple[str | None, str | None]:
    """What the step shows beside the arguments, as JSON, and what went wrong where it cannot be shown."""
    if call.step.preview is None:
        return None, None
    redact = call.snapshot.redact
    try:
        made = call.step.preview(shown)
    except Exception as error:  # noqa: BLE001 - foreign code: the call is asked without it
        return None, f"the step's preview raised {redact(type_name(error))}: {message_of(error, redact)}"
    if made is None:
        return None, None
    if type(made) is str:
        made = previews.text(made)
    if not isinstance(made, Preview):
        return None, f"the step's preview returned a {redact(type_name(made))}, not one of gatekit.previews"
    kept = {name: value for name, value in made.to_dict().items() if value not in ("", 0, [])}
    return redact(json.dumps(kept, ensure_ascii=True)), None


def _why(step: GatedTool, is_gated: bool) -> tuple[str, ...]:
    if not is_gated:
        return ()
    if step.requires_approval is True:
        return ("every call of this tool needs approval",)
    return ("requires_approval said yes to these arguments",)
