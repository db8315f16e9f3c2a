"""What follows an attempt that raised, or whose end is not known: by what the step itself says of its tool."""

from __future__ import annotations

import logging
from typing import Final

from gatekit.arguments.results import encode_result
from gatekit.calling import current_now
from gatekit.driving import Intent, Invoke
from gatekit.gating.call import GatedCall, GatedTool, current_of
from gatekit.machine.commands import Finish, Reconcile
from gatekit.models import NotRun, Ran, Request, Status

_log: Final = logging.getLogger("gatekit")
_APPROVED: Final[frozenset[Status]] = frozenset({"approved"})
_LONGEST_BACK_OFF: Final = 60.0
"""Seconds."""


def is_tried_again(step: GatedTool, error: Exception) -> bool:
    """Whether a further start, if the permit has one left, follows this exception."""
    if step.retries == 0:
        return False
    return step.idempotent if step.retry_on is None else isinstance(error, step.retry_on)


def back_off(call: GatedCall, request: Request) -> Intent[Request]:
    """Wait before the next start: 1 s after the first, then twice as long each time, at most a minute.

    Whatever happens to the request meanwhile, a cancellation for one, ends the wait.
    """
    attempt = 1 if request.attempt is None else request.attempt.no
    seconds = min(_LONGEST_BACK_OFF, 2.0 ** (attempt - 1))
    yield from call.backend.wait(request.id, _APPROVED, seconds)
    return (yield from call.backend.get(request.id))


def recover(call: GatedCall, request: Request) -> Intent[Request]:
    """The outcome of the last attempt is unknown: see whether the step can tell, or may run again. Once an attempt."""
    attempt = request.attempt
    if attempt is None or call.reconciled == attempt.no:
        return request
    call.reconciled = attempt.no
    command = yield from _found_out(call, request, attempt.no)
    if command is None and call.step.idempotent:
        command = Reconcile(attempt=attempt.no, kind="again")
    return request if command is None else (yield from call.backend.reconcile(request.id, command))


def _found_out(call: GatedCall, request: Request, attempt: int) -> Intent[Reconcile | None]:
    reconcile = call.step.reconcile
    if reconcile is None:
        return None
    view = call.step.parameters.view(call.step.parameters.rebuild(request.args_text, call.snapshot))
    by = "" if request.decision is None else request.decision.by
    outer = current_now.set(current_of(request, attempt, by))
    try:
        answer = yield Invoke(lambda: reconcile(request.call_id, view), call.step.reconcile_is_async)
    except Exception as error:  # noqa: BLE001 - foreign code: what it raises leaves the outcome unknown
        _log.warning("reconcile of %s raised, so its outcome stays unknown", call.step.name, exc_info=error)
        return None
    finally:
        current_now.reset(outer)
    if isinstance(answer, NotRun):
        return Reconcile(attempt=attempt, kind="never")
    if isinstance(answer, Ran):
        text, lost = encode_result(answer.result, call.step.parameters.returns)
        outcome = Finish(token="", kind="returned", result=text, lost=lost)
        return Reconcile(attempt=attempt, kind="returned", outcome=outcome)
    if answer is not None:
        _log.warning("reconcile of %s returned neither Ran, NotRun nor None: its outcome stays unknown", call.step.name)
    return None
