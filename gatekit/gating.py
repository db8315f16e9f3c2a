"""One gated call from the agent's side: ask, queue, wait, start, run, report. Written once for sync and async.

The order is what keeps the promises. The request's id is made before it is queued, and the token of a start
before the start is asked for, so that whatever interrupts this generator between two steps can take back by name
what may have landed: the queue works its jobs in the order they came.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from gatekit import owner
from gatekit.arguments import Parameters, Snapshot, diff, encode_result
from gatekit.asking import Describe, Rate, count_hidden, describe, judge, message_of, rate, type_name
from gatekit.backend.base import Backend, Call, Found
from gatekit.calling import Calling, calling_now
from gatekit.driving import Intent, Invoke, Sleep
from gatekit.errors import CallConflict, NotApproved, OutcomeUnknown, StoreError, Suspended, UsageError
from gatekit.hooks import PendingCall, announce, pending_hook, requester_name
from gatekit.ids import new_id
from gatekit.machine.commands import Finish, Start
from gatekit.machine.records import Verdict
from gatekit.models import FINAL, UNDECIDED, Request, Status
from gatekit.replay import replay
from gatekit.reply import in_event_loop
from gatekit.telling import tell_edit
from gatekit.wrapper import UNASKED, arrange

if TYPE_CHECKING:
    from gatekit.gate import Gate

_RUNNING: Final[frozenset[Status]] = frozenset({"running"})
_UNKNOWN: Final[frozenset[Status]] = frozenset({"unknown"})
_FINISH_DELAYS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 11.2)
"""Seconds between the tries to store an outcome: 30 in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedTool:
    """A tool and the options of its step."""

    tool: Callable[..., Any]
    is_async: bool
    name: str
    parameters: Parameters
    find_gate: Callable[[], Gate]
    requires_approval: bool | Callable[[Any], object]
    predicate_is_async: bool
    description: Describe | None
    risk: Rate
    wait: float | None
    """Seconds; None: for ever."""
    tell_edits: bool | None


@dataclass(slots=True, kw_only=True)
class _Call:
    """One call in progress."""

    step: GatedTool
    gate: Gate
    values: dict[str, Any]
    snapshot: Snapshot
    identity: Calling
    ticket: str = field(default_factory=lambda: uuid.uuid4().hex)
    until: float | None
    """When this process stops waiting, on the clock's own seconds."""
    announced: bool = False
    called: bool = False
    """Whether the tool was called: from then on there is an outcome to report."""
    opened: Backend | None = None

    @property
    def backend(self) -> Backend:
        """The queue. A call that entered it keeps it: after the gate was closed its replies still say so."""
        if self.opened is None:
            self.opened = self.gate.backend
        return self.opened

    @property
    def run(self) -> str:
        return self.identity.run or ""

    @property
    def waits(self) -> bool:
        return self.step.wait is None or self.step.wait > 0


@dataclass(frozen=True, slots=True)
class _Entered:
    """Whether a start was granted, and the request that was read for it."""

    started: bool
    request: Request


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended for its caller: with a value, or with the tool's own exception."""

    value: Any = None
    error: Exception | None = None


def gated(step: GatedTool, values: dict[str, Any], verdict: object) -> Intent[Ended]:
    """The whole way of one call. `verdict` is the predicate's answer where the wrapper asked it already."""
    gate = step.find_gate()
    call = _Call(
        step=step,
        gate=gate,
        values=values,
        snapshot=step.parameters.snapshot(values),
        identity=calling_now.get() or Calling(),
        until=None if step.wait is None else gate.clock.monotonic() + step.wait,
    )
    if call.identity.call_id is not None and gate.exists():
        found = yield from call.backend.find(call.run, step.name, call.identity.call_id)
        if found is not None:
            return (yield from _again(call, found))
    asked = (yield from _ask(call, call.snapshot.fresh())) if verdict is UNASKED else verdict
    is_gated, reasons = judge(asked, call.snapshot.redact)
    if not is_gated and gate.record == "gated":
        return (yield from _invoke(call, call.snapshot.fresh()))
    entry = _entry(call, is_gated, reasons)
    return (yield from (_queued(call, entry) if is_gated else _recorded(call, entry)))


def _ask(call: _Call, values: dict[str, Any]) -> Intent[object]:
    """What the predicate says of these values; what it raises is an answer too."""
    predicate = call.step.requires_approval
    if isinstance(predicate, bool):
        return predicate
    view = call.step.parameters.view(values)
    try:
        return (yield Invoke(lambda: predicate(view), call.step.predicate_is_async))
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises gates the call and is shown
        return error


def _entry(call: _Call, is_gated: bool, reasons: tuple[str, ...]) -> Call:
    step, snapshot = call.step, call.snapshot
    shown = step.parameters.shown(snapshot)
    description, flaw = describe(step.description, step.name, shown)
    risk, misrated = rate(step.risk, shown)
    return Call(
        request_id=new_id(call.gate.clock.now()),
        tool=step.name,
        run=call.run,
        call_id=call.identity.call_id,
        requester=requester_name(call.identity.agent),
        text=snapshot.text,
        digest=snapshot.digest,
        schema=step.parameters.schema_text,
        schema_digest=step.parameters.schema_digest,
        description=description,
        risk=risk,
        reasons=(*(reasons or _why(step, is_gated)), *(text for text in (flaw, misrated) if text)),
        hidden=count_hidden([description, step.name, call.run, snapshot.parsed()]),
        verdict=Verdict(gated=is_gated, reasons=reasons),
        ticket=call.ticket,
        waits=call.waits,
    )


def _why(step: GatedTool, is_gated: bool) -> tuple[str, ...]:
    if not is_gated:
        return ()
    if step.requires_approval is True:
        return ("every call of this tool needs approval",)
    return ("requires_approval said yes to these arguments",)


def _queued(call: _Call, entry: Call) -> Intent[Ended]:
    hook = pending_hook.get()
    if hook is None:
        _check_can_wait(call)
    else:
        hook.check(call.gate)
    with _withdrawn_if_interrupted(call, entry.request_id):
        found = yield from call.backend.submit(entry)
        if found.request.id == entry.request_id:
            return (yield from _follow(call, found.request))
    return (yield from _again(call, found))


def _recorded(call: _Call, entry: Call) -> Intent[Ended]:
    """A call that needs nobody, kept for the record: queued and started in one transaction."""
    token = uuid.uuid4().hex
    found: list[Found] = []

    def enter() -> Intent[_Entered]:
        found.append((yield from call.backend.submit_allowed(entry, token)))
        return _Entered(found[0].request.id == entry.request_id, found[0].request)

    with _withdrawn_if_interrupted(call, entry.request_id):
        reached = yield from _attempt(call, entry.request_id, token, enter())
    return reached if isinstance(reached, Ended) else (yield from _again(call, found[0]))


def _again(call: _Call, found: Found) -> Intent[Ended]:
    """The call was made before: go on with its request."""
    request: Request = found.request
    if not call.step.parameters.matches(call.snapshot, found.first_text):
        raise CallConflict(request.id, request.tool, request.call_id)
    decides_at_once = pending_hook.get() is not None and request.status in UNDECIDED
    if request.status in (*UNDECIDED, "running") and not decides_at_once:
        _check_can_wait(call)
    with _withdrawn_if_interrupted(call, request.id):
        if call.waits and request.status in (*UNDECIDED, "approved"):
            request = yield from call.backend.attach(request.id, call.ticket)
        return (yield from _follow(call, request))


def _follow(call: _Call, request: Request) -> Intent[Ended]:
    """Wherever the request stands, go on from there until the call is over."""
    while request.status not in FINAL:
        if request.status in UNDECIDED:
            request = yield from _await_decision(call, request)
        elif request.status == "approved":
            token = uuid.uuid4().hex
            reached = yield from _attempt(call, request.id, token, _start(call, request, token))
            if isinstance(reached, Ended):
                return reached
            request = reached
        else:
            request = yield from _await_outcome(call, request)
    return Ended(_told(call, request, replay(request, call.step.parameters.returns)))


def _await_decision(call: _Call, request: Request) -> Intent[Request]:
    backend = call.backend
    if not call.announced:
        call.announced = True
        hook = pending_hook.get()
        if hook is not None:
            hook(PendingCall(call.gate, request))
            return (yield from backend.get(request.id))
        announce(PendingCall(call.gate, request))
    if not call.waits:
        raise Suspended(request.id)
    _check_can_wait(call)
    status = yield from backend.wait(request.id, UNDECIDED, _left(call))
    if status is not None:
        return (yield from backend.get(request.id))
    request = yield from backend.detach(request.id, call.ticket)
    if request.status in UNDECIDED:
        raise Suspended(request.id)
    return request


def _await_outcome(call: _Call, request: Request) -> Intent[Request]:
    """Another call of this identity runs, or ran and did not report."""
    if request.status == "unknown" and call.step.wait is None:
        # Nobody owes an answer: to wait for ever by default would only hide it.
        raise OutcomeUnknown(request)
    _check_can_wait(call)
    backend = call.backend
    while_in = _RUNNING if request.status == "running" else _UNKNOWN
    status = yield from backend.wait(request.id, while_in, _left(call))
    if status is None and request.status == "unknown":
        raise OutcomeUnknown(request)
    if status is None:
        raise Suspended(request.id)
    return (yield from backend.get(request.id))


def _left(call: _Call) -> float | None:
    return None if call.until is None else max(0.0, call.until - call.gate.clock.monotonic())


def _start(call: _Call, request: Request, token: str) -> Intent[_Entered]:
    """Start the approved call."""
    verdict = (yield from _check(call, request)) if request.check_due else None
    command = Start(version=request.version, token=token, owner=owner.current().text, verdict=verdict)
    started = yield from call.backend.start(request.id, command)
    return _Entered(False, started) if isinstance(started, Request) else _Entered(True, request)


def _check(call: _Call, request: Request) -> Intent[Verdict]:
    """The agent's own look at edited arguments: do they fit the tool, and what does the predicate say of them?"""
    try:
        values = call.step.parameters.rebuild(request.args_text, call.snapshot)
    except UsageError as error:
        return Verdict(gated=True, errors=(str(error),))
    is_gated, reasons = judge((yield from _ask(call, values)), call.snapshot.redact)
    return Verdict(gated=is_gated, reasons=reasons)


def _attempt(call: _Call, request_id: str, token: str, enter: Intent[_Entered]) -> Intent[Ended | Request]:
    """Start, run exactly the stored text, once, and store how it ended before anybody is told.

    The answer is the request where `enter` could not start it. Until `called`, whatever ends this generator gives
    the start back; from then on it is an outcome, and one that was not reported is unknown.
    """
    try:
        entered = yield from enter
        if not entered.started:
            return entered.request
        arguments = call.step.parameters.rebuild(entered.request.args_text, call.snapshot)
        call.called = True
        ended = yield from _invoke(call, arguments)
        yield from _report(call, entered.request, _finish(call, token, ended), ended)
        return ended if ended.error else Ended(_told(call, entered.request, ended.value))
    except BaseException as error:
        if not call.called:
            call.backend.give_back(request_id, token)
        else:
            # Where the outcome is stored already, this changes nothing.
            call.backend.lose(request_id, token, _why_lost(error))
        raise


def _why_lost(error: BaseException) -> str:
    unstored = isinstance(error, OutcomeUnknown)
    return "its outcome could not be stored" if unstored else f"interrupted by {type_name(error)}"


def _finish(call: _Call, token: str, ended: Ended) -> Finish:
    if ended.error is None:
        text, lost = encode_result(ended.value, call.step.parameters.returns)
        return Finish(token=token, kind="returned", result=text, lost=lost)
    redact = call.snapshot.redact
    message = message_of(ended.error, redact)
    return Finish(token=token, kind="raised", type_name=redact(type_name(ended.error)), message=message)


def _told(call: _Call, request: Request, value: Any) -> Any:
    """The result as the caller gets it."""
    if request.original is None:
        return value
    changes = diff(request.original, request.args_text)
    given = call.identity.call_id is not None
    return tell_edit(value, changes, wanted=call.step.tell_edits, call_given=given)


def _invoke(call: _Call, arguments: dict[str, Any]) -> Intent[Ended]:
    """Call the tool; what it calls in turn does not inherit this call's identity."""
    step = call.step
    args, kwargs = arrange(step.parameters.signature, {**call.values, **arguments})
    before = calling_now.set(None)
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
        calling_now.reset(before)


def _report(call: _Call, request: Request, command: Finish, ended: Ended) -> Intent[None]:
    """Store the outcome. A queue that refuses it for 30 s, or is closed, leaves the caller an `OutcomeUnknown`."""
    delays = iter(_FINISH_DELAYS)
    while (error := (yield from _refusal(call, request, command))) is not None:
        delay = next(delays, None) if isinstance(error, StoreError) else None
        if delay is None:
            raise OutcomeUnknown(request, ended.value) from (ended.error or error)
        try:
            yield Sleep(delay)
        except BaseException:
            call.backend.finish(request.id, command)
            raise


def _refusal(call: _Call, request: Request, command: Finish) -> Intent[StoreError | UsageError | None]:
    """Report once; why the queue did not take it."""
    try:
        yield from call.backend.finish(request.id, command)
    except (StoreError, UsageError) as error:
        return error
    except BaseException:
        # The caller leaves, which abandons its report; it still goes in if the queue takes it now.
        call.backend.finish(request.id, command)
        raise
    return None


def _check_can_wait(call: _Call) -> None:
    step = call.step
    if not step.is_async and call.waits and in_event_loop():
        raise UsageError(
            f"{step.name} must wait for approval, and this thread runs an event loop, which a waiting sync tool "
            f"would stop: make the tool async, call it in a thread (anyio.to_thread.run_sync), or pass wait=0"
        )


@contextmanager
def _withdrawn_if_interrupted(call: _Call, request_id: str) -> Generator[None]:
    """A wait that breaks off withdraws a call that nobody can make again, and leaves any other in the queue."""
    try:
        yield
    except (Suspended, NotApproved):
        raise
    except BaseException:
        if not call.called:
            call.backend.withdraw(request_id, call.ticket)
        raise
