"""The way of one call through the queue.

The order is what keeps the promises. The request's id is made before it is queued, and the token of a start
before the start is asked for, so that whatever interrupts this generator between two steps can take back by name
what may have landed: the queue works its jobs in the order they came.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import anyio.to_thread

from gatekit import owner
from gatekit.arguments.canonical import digest_of
from gatekit.arguments.results import decode_result
from gatekit.asking import judge
from gatekit.backend.base import STOPPED, Call, Fenced, Found, Stopped
from gatekit.calling import Calling, Execution, calling_now
from gatekit.driving import Intent, Invoke
from gatekit.errors import CallConflict, NotApproved, OutcomeUnknown, Suspended, UsageError
from gatekit.gating.attempt import attempt, invoke, told
from gatekit.gating.call import Ended, Entered, GatedCall, GatedTool, Question
from gatekit.gating.entry import ask, check, entry, rated, staleness
from gatekit.gating.recovery import recover
from gatekit.gating.rules import automatically, rule
from gatekit.hooks import PendingCall, announce, pending_hook
from gatekit.machine.commands import Start
from gatekit.machine.running import not_started
from gatekit.models import FINAL, UNDECIDED, Request, Status
from gatekit.replay import replay_request
from gatekit.reply import in_event_loop
from gatekit.wrapper import UNASKED

if TYPE_CHECKING:
    from gatekit.gate import Gate

_RUNNING: Final[frozenset[Status]] = frozenset({"running"})
_UNKNOWN: Final[frozenset[Status]] = frozenset({"unknown"})
_STARTED: Final = _RUNNING | _UNKNOWN
_NOBODY: Final = Calling()


def gated(step: GatedTool, values: dict[str, Any], verdict: object) -> Intent[Ended]:
    """The whole way of one call. `verdict` is the predicate's answer where the wrapper asked it already."""
    identity = calling_now.get() or _NOBODY
    if identity.step is not None:
        raise UsageError(
            f"{step.name} is gated and was called inside the step {identity.step!r} of a run, which could neither "
            f"wait nor go on there: make it a step of its own, run.step(name, {step.name}, …)"
        )
    try:
        way = yield from _way(step, values, verdict, identity)
        return (yield from way)
    except Fenced as error:
        assert identity.execution is not None, "only executions of runs are fenced"
        raise identity.execution.fenced() from error


def ask_human(step: GatedTool, values: dict[str, Any], question: Question) -> Intent[Any]:
    """Queue something that runs no tool, and give the answer."""
    identity = calling_now.get() or _NOBODY
    if identity.step is not None:
        raise UsageError(
            f"{step.name} asks a human and was called inside the step {identity.step!r} of a run, which could neither "
            f"wait nor go on there: ask in the workflow, before or after"
        )
    call = _call(step, values, identity)
    found = yield from _earlier(call)
    if found is None:
        snapshot = call.snapshot
        ruling = rule(call, snapshot.fresh(), snapshot.parsed(), True, ("the program asks",), question.risk)
        entered = replace(
            entry(call, ruling, question.risk, None),
            kind=question.kind,
            schema=question.schema,
            schema_digest=digest_of("", question.schema),
        )
        try:
            ended = yield from _queued(call, entered)
        except Fenced as error:
            assert identity.execution is not None, "only executions of runs are fenced"
            raise identity.execution.fenced() from error
    else:
        ended = yield from _again(call, found)
    # As an answer, not as whatever the form of the open question makes of it.
    return decode_result(json.dumps(ended.value), question.returns)


def _way(step: GatedTool, values: dict[str, Any], verdict: object, identity: Calling) -> Intent[Intent[Ended]]:
    """Where the call goes from here. It is over when the call begins to wait, and with it what only it needs."""
    call = _call(step, values, identity)
    gate, snapshot, execution = call.gate, call.snapshot, call.execution
    found = yield from _earlier(call)
    if found is not None:
        return _again(call, found)
    asked = (yield from ask(call, snapshot.fresh())) if verdict is UNASKED else verdict
    is_gated, reasons = judge(asked, snapshot.redact)
    unrecorded = gate.record == "gated" and execution is None
    if unrecorded and not is_gated and step.budget is None and not gate.has_rules:
        return invoke(call, snapshot.fresh(), None)
    risk, misrated = rated(call)
    asked_for = rule(call, snapshot.fresh(), snapshot.parsed(), is_gated, reasons, risk)
    ruling = yield from automatically(call, asked_for, snapshot.fresh())
    asks = ruling.gated or ruling.spending is not None
    if unrecorded and not asks:
        return invoke(call, snapshot.fresh(), None)
    enter = _queued if asks else _recorded
    return enter(call, entry(call, ruling, risk, misrated))


def _call(step: GatedTool, values: dict[str, Any], identity: Calling) -> GatedCall:
    execution = identity.execution
    gate = _gate_of(step, execution)
    wait = 0.0 if step.wait is None and execution is not None else step.wait
    snapshot = step.parameters.snapshot(values)
    call_id = identity.call_id
    if execution is not None:
        call_id = execution.enter(step.name, call_id, branch=identity.branch)
    return GatedCall(
        step=step,
        gate=gate,
        values=values,
        snapshot=snapshot,
        identity=identity,
        call_id=call_id,
        until=None if wait is None else gate.clock.monotonic() + wait,
    )


def _earlier(call: GatedCall) -> Intent[Found | None]:
    """The request of the same call, if it was made before."""
    execution = call.execution
    if call.call_id is None or not (call.gate.exists() if execution is None else execution.has(call.call_id)):
        return None
    token = None if execution is None else execution.token
    return (yield from call.backend.find(call.run, call.step.name, call.call_id, token))


def _gate_of(step: GatedTool, execution: Execution | None) -> Gate:
    if execution is not None and not step.names_gate:
        return execution.gate
    gate = step.find_gate()
    if execution is not None and gate.path != execution.gate.path:
        raise UsageError(
            f"{step.name} asks on {gate.path} and its run is on {execution.gate.path}: a run and its steps share one "
            f"queue"
        )
    return gate


def _queued(call: GatedCall, entered: Call) -> Intent[Ended]:
    hook = pending_hook.get()
    if hook is not None:
        hook.check(call.gate)
    elif entered.allowed_by is None and not (entered.spending and entered.spending.decides):
        _check_can_wait(call)
    request_id = entered.request_id
    with _withdrawn_if_interrupted(call, request_id):
        found = yield from call.backend.submit(entered)
        # Thousands may wait at once, for days: of each there is kept what it goes on with.
        del entered
        if found.request.id == request_id:
            following = _follow(call, found.request)
            del found
            return (yield from following)
    return (yield from _again(call, found))


def _recorded(call: GatedCall, entered: Call) -> Intent[Ended]:
    """A call that needs nobody, kept for the record: queued and started in one transaction."""
    token = uuid.uuid4().hex
    found: list[Found] = []

    def enter() -> Intent[Entered]:
        found.append((yield from call.backend.submit_allowed(entered, token)))
        request = found[0].request
        by = "" if request.decision is None else request.decision.by
        started = request.id == entered.request_id and request.status == "running"
        return Entered(started=started, request=request, attempt=1, by=by)

    with _withdrawn_if_interrupted(call, entered.request_id):
        reached = yield from attempt(call, entered.request_id, token, enter())
        if isinstance(reached, Request) and reached.id == entered.request_id:
            reached = yield from _follow(call, reached)
    return reached if isinstance(reached, Ended) else (yield from _again(call, found[0]))


def _again(call: GatedCall, found: Found) -> Intent[Ended]:
    """The call was made before: go on with its request."""
    request: Request = found.request
    if not call.step.parameters.matches(call.snapshot, found.first_text):
        if call.execution is not None:
            raise call.execution.changed(request.call_id, "it is called with other arguments")
        raise CallConflict(request.id, request.tool, request.call_id)
    decides_at_once = pending_hook.get() is not None and request.status in UNDECIDED
    if request.status in (*UNDECIDED, "running", "unknown") and not decides_at_once:
        _check_can_wait(call)
    request_id = request.id
    with _withdrawn_if_interrupted(call, request_id):
        if call.waits and request.status in (*UNDECIDED, "approved"):
            request = yield from call.backend.attach(request.id, call.ticket)
        following = _follow(call, request)
        del found, request
        return (yield from following)


def _follow(call: GatedCall, request: Request) -> Intent[Ended]:
    """Wherever the request stands, go on from there until the call is over."""
    while request.status not in FINAL:
        if request.status in UNDECIDED:
            waiting = _await_decision(call, request)
            del request
            request = yield from waiting
        elif request.status == "approved":
            reached = yield from _started(call, request)
            if isinstance(reached, Ended):
                return reached
            request = reached
        else:
            request = yield from _await_outcome(call, request)
    return Ended(told(call, request, _replayed(call, request)))


def _started(call: GatedCall, request: Request) -> Intent[Ended | Request]:
    token = uuid.uuid4().hex
    try:
        return (yield from attempt(call, request.id, token, _start(call, request, token)))
    except Stopped:
        if not call.waits:
            raise _suspended(call, request) from None
    _check_can_wait(call)
    status = yield from call.backend.wait(request.id, STOPPED, _left(call))
    if status is None:
        raise _suspended(call, request)
    return (yield from call.backend.get(request.id))


def _replayed(call: GatedCall, request: Request) -> Any:
    try:
        return replay_request(request, call.step.parameters.returns)
    except UsageError as error:
        if call.execution is None:
            raise
        raise call.execution.changed(request.call_id, str(error)) from error


def _await_decision(call: GatedCall, request: Request) -> Intent[Request]:
    backend, hook = call.backend, pending_hook.get()
    if hook is not None and call.hooked != request.version:
        # Asked again, under another version, the hook decides again.
        call.hooked = request.version
        hook(PendingCall(call.gate, request))
        return (yield from backend.get(request.id))
    if hook is None and call.gate.prompt and call.prompted != request.version and _can_ask_here(call):
        call.prompted = request.version
        yield _prompting(call, request)
        return (yield from backend.get(request.id))
    if hook is None and not call.announced:
        call.announced = True
        announce(PendingCall(call.gate, request))
    if not call.waits:
        raise _suspended(call, request)
    _check_can_wait(call)
    request_id = request.id
    del request
    status = yield from backend.wait(request_id, UNDECIDED, _left(call))
    if status is not None:
        return (yield from backend.get(request_id))
    request = yield from backend.detach(request_id, call.ticket)
    if request.status in UNDECIDED:
        raise _suspended(call, request)
    return request


def _await_outcome(call: GatedCall, request: Request) -> Intent[Request]:
    """Another call of this identity runs, or an attempt of it did not report."""
    backend = call.backend
    if request.status == "running" and not call.waits:
        # Nobody looks on behalf of a call that does not wait whether the process that runs it still lives.
        yield from backend.sweep()
        request = yield from backend.get(request.id)
        if request.status not in _STARTED:
            return request
    if request.status == "unknown":
        recovered = yield from recover(call, request)
        if recovered.status != "unknown":
            return recovered
        if call.waits:
            announce(PendingCall(call.gate, request))
    if call.waits:
        _check_can_wait(call)
        while_in = _RUNNING if request.status == "running" else _UNKNOWN
        status = yield from backend.wait(request.id, while_in, _left(call))
        if status is not None:
            return (yield from backend.get(request.id))
    if call.execution is None and request.status == "unknown":
        raise OutcomeUnknown(request)
    raise _suspended(call, request)


def _can_ask_here(call: GatedCall) -> bool:
    if os.name != "posix":
        return False
    from gatekit.prompting import can_prompt

    # A sync tool on an event loop's thread would stop the loop while somebody thinks.
    return can_prompt() and (call.step.is_async or not in_event_loop())


def _prompting(call: GatedCall, request: Request) -> Invoke:
    from gatekit.prompting import prompt

    pending = PendingCall(call.gate, request)
    if not call.step.is_async:
        return Invoke(lambda: prompt(pending))
    return Invoke(lambda: anyio.to_thread.run_sync(prompt, pending, abandon_on_cancel=True), is_async=True)


def _suspended(call: GatedCall, request: Request) -> BaseException:
    return Suspended(request.id) if call.execution is None else call.execution.suspend(request)


def _left(call: GatedCall) -> float | None:
    return None if call.until is None else max(0.0, call.until - call.gate.clock.monotonic())


def _start(call: GatedCall, request: Request, token: str) -> Intent[Entered]:
    """Start the approved call."""
    verdict = (yield from check(call, request)) if request.check_due else None
    stale = None if verdict is not None and verdict.errors else (yield from staleness(call, request))
    command = Start(version=request.version, token=token, owner=owner.current().text, verdict=verdict, stale=stale)
    execution = None if call.execution is None else call.execution.token
    started = yield from call.backend.start(request.id, command, execution)
    if isinstance(started, Request):
        return Entered(started=False, request=started)
    if digest_of(request.tool, request.args_text) != started.revision.digest:
        raise not_started(f"request {request.id}: its arguments changed in the queue between the check and the start")
    return Entered(started=True, request=request, attempt=started.attempt, by=started.decision.by)


def _check_can_wait(call: GatedCall) -> None:
    step = call.step
    if not step.is_async and call.waits and in_event_loop():
        raise UsageError(
            f"{step.name} must wait for approval, and this thread runs an event loop, which a waiting sync tool "
            f"would stop: make the tool async, call it in a thread (anyio.to_thread.run_sync), or pass wait=0"
        )


@contextmanager
def _withdrawn_if_interrupted(call: GatedCall, request_id: str) -> Generator[None]:
    """A wait that breaks off withdraws a call that nobody can make again, and leaves any other in the queue."""
    owner.living.add(call.ticket)
    try:
        yield
    except (Suspended, NotApproved):
        raise
    except BaseException:
        # In a run the call has a name, under which it is made again.
        if not call.called and call.execution is None:
            call.backend.withdraw(request_id, call.ticket)
        raise
    finally:
        owner.living.discard(call.ticket)
