"""One start of the tool: run exactly the stored text, once, and store how it ended before anybody is told."""

from __future__ import annotations

from types import CoroutineType
from typing import Any, Final

from gatekit import owner
from gatekit.arguments.diff import diff
from gatekit.arguments.results import encode_result
from gatekit.asking import message_of, type_name
from gatekit.calling import Calling, Current, calling_now, current_now
from gatekit.driving import Intent, Invoke, Sleep
from gatekit.errors import OutcomeUnknown, StoreError, ToolFailed, UsageError
from gatekit.gating.call import Ended, Entered, GatedCall, current_of
from gatekit.gating.recovery import back_off, is_tried_again
from gatekit.machine.commands import Finish
from gatekit.models import Request
from gatekit.replay import replay
from gatekit.telling import tell_edit
from gatekit.wrapper import arrange

_FINISH_DELAYS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 11.2)
"""Seconds between the tries to store an outcome: 30 in all."""


def attempt(call: GatedCall, request_id: str, token: str, enter: Intent[Entered]) -> Intent[Ended | Request]:
    """Start, run and report. The answer is the request where `enter` could not start it, or where it can start again.

    Until `called`, whatever ends this generator gives the start back; from then on it is an outcome, and one that was
    not reported is unknown.
    """
    owner.living.add(token)
    try:
        entered = yield from enter
        if not entered.started:
            return entered.request
        arguments = call.step.parameters.rebuild(entered.request.args_text, call.snapshot)
        call.called = True
        ended = yield from invoke(call, arguments, _current(call, entered))
        command = _finish(call, token, ended)
        after = yield from _report(call, entered.request, command, ended)
    except BaseException as error:
        if not call.called:
            call.backend.give_back(request_id, token)
        else:
            # Where the outcome is stored already, this changes nothing.
            call.backend.lose(request_id, token, _why_lost(error))
            if call.execution is not None:
                # Whatever the body makes of this error, nothing follows a step whose end nobody knows.
                call.execution.block(request_id)
        raise
    finally:
        owner.living.discard(token)
    if after.status == "approved" and ended.error is not None and is_tried_again(call.step, ended.error):
        call.called = False
        after = yield from back_off(call, after)
        if after.status != "failed":
            return after
    return _for_caller(call, entered.request, command, ended)


def told(call: GatedCall, request: Request, value: Any) -> Any:
    """The result as the caller gets it."""
    if request.original is None or call.execution is not None:
        return value
    changes = diff(request.original, request.args_text)
    given = call.identity.call_id is not None
    return tell_edit(value, changes, wanted=call.step.tell_edits, call_given=given)


def invoke(call: GatedCall, arguments: dict[str, Any], current: Current | None) -> Intent[Ended]:
    """Call the tool; what it calls in turn does not inherit this call's identity."""
    step = call.step
    args, kwargs = arrange(step.parameters.signature, {**call.values, **arguments})
    inside = None if call.execution is None else Calling(step=call.call_id)
    before, outer = calling_now.set(inside), current_now.set(current)
    try:
        value = yield Invoke(lambda: step.tool(*args, **kwargs), step.is_async)
        if type(value) is CoroutineType:
            value.close()
            raise UsageError(f"{step.name} gave a coroutine, which nobody awaits: declare it with `async def`")
        return Ended(value)
    except Exception as error:  # noqa: BLE001 - the caller gets it unchanged
        # Handed on as a value: a generator turns some exceptions (StopIteration) into others.
        return Ended(error=error)
    finally:
        current_now.reset(outer)
        calling_now.reset(before)


def _current(call: GatedCall, entered: Entered) -> Current:
    return current_of(entered.request, entered.attempt, entered.by)


def _for_caller(call: GatedCall, request: Request, command: Finish, ended: Ended) -> Ended:
    """Outside a run the live result; inside what a later execution will get too, already the first time."""
    if call.execution is None:
        return ended if ended.error else Ended(told(call, request, ended.value))
    if ended.error is not None:
        failed = ToolFailed(request.id, command.type_name or "Exception", command.message or "")
        failed.__cause__ = ended.error
        return Ended(error=failed)
    return Ended(replay(request.id, command.result, call.step.parameters.returns))


def _why_lost(error: BaseException) -> str:
    unstored = isinstance(error, OutcomeUnknown)
    return "its outcome could not be stored" if unstored else f"interrupted by {type_name(error)}"


def _finish(call: GatedCall, token: str, ended: Ended) -> Finish:
    if ended.error is None:
        text, lost = encode_result(ended.value, call.step.parameters.returns)
        return Finish(token=token, kind="returned", result=text, lost=lost)
    redact = call.snapshot.redact
    return Finish(
        token=token,
        kind="raised",
        type_name=redact(type_name(ended.error)),
        message=message_of(ended.error, redact),
        again=is_tried_again(call.step, ended.error),
        # What failed in a run is tried again when the run is resumed, under the permit that it has.
        kept=call.execution is not None,
    )


def _report(call: GatedCall, request: Request, command: Finish, ended: Ended) -> Intent[Request]:
    """Store the outcome. A queue that refuses it for 30 s, or is closed, leaves the caller an `OutcomeUnknown`."""
    delays = iter(_FINISH_DELAYS)
    while True:
        stored = yield from _try_to_report(call, request, command)
        if isinstance(stored, Request):
            return stored
        delay = next(delays, None) if isinstance(stored, StoreError) else None
        if delay is None:
            raise OutcomeUnknown(request, ended.value) from (ended.error or stored)
        try:
            yield Sleep(delay)
        except BaseException:
            call.backend.finish(request.id, command)
            raise


def _try_to_report(call: GatedCall, request: Request, command: Finish) -> Intent[Request | StoreError | UsageError]:
    """Report once; the request as it is now, or why the queue did not take it."""
    try:
        return (yield from call.backend.finish(request.id, command))
    except (StoreError, UsageError) as error:
        return error
    except BaseException:
        # The caller leaves, which abandons its report; it still goes in if the queue takes it now.
        call.backend.finish(request.id, command)
        raise
