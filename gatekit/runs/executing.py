"""Drive a run: take it, run its workflow until it ends or must wait, and say so in the queue."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anyio

from gatekit.arguments.results import encode_result
from gatekit.asking import message_of, type_name
from gatekit.backend.runs import Taken
from gatekit.calling import Calling, calling_now
from gatekit.driving import Intent, Invoke
from gatekit.errors import NotApproved, OutcomeUnknown, ResultNotStored, ToolFailed, UsageError
from gatekit.machine.runs import RunEnd
from gatekit.models import RunRow
from gatekit.reply import in_event_loop
from gatekit.runs.execution import Execution, Stop
from gatekit.runs.steps import Making

if TYPE_CHECKING:
    from gatekit.runs.workflow import AnyWorkflow

_log: Final = logging.getLogger("gatekit")


class Went(NamedTuple):
    """The run as it stands, and whether this execution took it."""

    row: RunRow
    taken: bool


def execute(workflow: AnyWorkflow, run_id: str, *, asked: bool = False) -> Intent[Went]:
    """Go on with the run as far as it goes, if it can be taken.

    Holds nothing when it returns. Whatever interrupts it leaves the run to any process that looks for work.
    """
    gate, token = workflow.gate, uuid.uuid4().hex
    runs = gate.backend.runs
    try:
        taken = yield from runs.take(run_id, token, asked=asked)
        if isinstance(taken, RunRow):
            return Went(taken, taken=False)
        return Went((yield from _executed(workflow, taken)), taken=True)
    except BaseException as error:
        runs.break_off(run_id, token, f"its execution broke off: {type_name(error)}")
        raise


def _executed(workflow: AnyWorkflow, taken: Taken) -> Intent[RunRow]:
    run, runs = taken.run, workflow.gate.backend.runs
    execution = Execution(workflow.gate, taken)
    agent = run.requester.partition(":")[2]
    end, error = yield from _body(workflow, run, Making(workflow.gate, execution, agent), agent)
    if execution.lost_hold:
        return (yield from runs.get(run.id))
    if execution.change is not None:
        # Also where the body made an end of its own of it.
        _log.error("run %s of %s needs a review: %s", run.id, run.workflow, execution.change)
        return (yield from runs.end(run.id, taken.token, _needs_review(str(execution.change))))
    if execution.cancelled is not None:
        return (yield from runs.cancel(run.id, run.requester, execution.cancelled.args[0], taken.token))
    if execution.blocked:
        return (yield from runs.suspend(run.id, taken.token, execution.blocked))
    if error is not None:
        _log.error("run %s of %s failed", run.id, run.workflow, exc_info=error)
    return (yield from runs.end(run.id, taken.token, end))


def _body(
    workflow: AnyWorkflow, run: RunRow, making: Making, agent: str
) -> Intent[tuple[RunEnd, BaseException | None]]:
    """What the workflow came to, and raised; of no account where the execution was stopped from inside."""
    execution = making.execution
    try:
        arguments = workflow.rebuild(run.args_text)
    except UsageError as error:
        return _needs_review(f"its arguments no longer fit the workflow: {error}"), None
    before = calling_now.set(Calling(run=run.id, agent=agent, execution=execution))
    try:
        value = yield Invoke(lambda: workflow.call(making, arguments), workflow.is_async)
        if not execution.stopped:
            execution.finish()
    except Stop:
        return _STOPPED, None
    except Exception as error:  # noqa: BLE001 - the workflow's own: it is stored, and raised by `result()`
        return _failed(error), error
    except BaseExceptionGroup as group:
        # A task group of the body wraps what stops it. Ctrl-C in it is not ours.
        if group.subgroup(_interrupts) is not None:
            raise
        return _STOPPED, None
    except BaseException as error:
        if _interrupts(error):
            raise
        # SystemExit, say: it ends this run, not the worker and its other runs.
        return _failed(error), error
    finally:
        calling_now.reset(before)
    return _succeeded(value, workflow.parameters.returns), None


def _interrupts(error: BaseException) -> bool:
    """Whether somebody wants this thread or task to end."""
    cancelled = (anyio.get_cancelled_exc_class(),) if in_event_loop() else ()
    return isinstance(error, (KeyboardInterrupt, GeneratorExit, *cancelled))


def _needs_review(reason: str) -> RunEnd:
    return RunEnd(status="needs-review", reason=reason)


_STOPPED: Final = _needs_review("the workflow was stopped from inside")


def _succeeded(value: Any, annotation: object) -> RunEnd:
    text, lost = encode_result(value, annotation)
    return RunEnd(status="succeeded", result=text, lost=lost)


def _failed(error: BaseException) -> RunEnd:
    return RunEnd(
        status="failed",
        reason=message_of(error, str),
        error_type=error.type_name if isinstance(error, ToolFailed) else type_name(error),
        behind=tuple(_requests_behind(error)),
    )


def _requests_behind(error: BaseException) -> Iterator[str]:
    """The steps whose ends made the workflow fail, also where its body raised something of its own for them."""
    seen, ahead = set[int](), [error]
    while ahead:
        one = ahead.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, ToolFailed | ResultNotStored):
            yield one.request_id
        if isinstance(one, NotApproved | OutcomeUnknown):
            yield one.request.id
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        ahead += [further for further in (*inner, one.__cause__, one.__context__) if further is not None]
