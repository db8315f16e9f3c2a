"""The verbs of a run as generators: a step, a pause, several steps at once."""

from __future__ import annotations

import functools
import inspect
import uuid
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gatekit.arguments.canonical import canonical, digest_of
from gatekit.arguments.parameters import Parameters
from gatekit.asking import count_hidden
from gatekit.backend.base import Call, Fenced, Found
from gatekit.calling import Calling, calling_now, check_name
from gatekit.driving import Intent, Invoke, is_async_callable
from gatekit.errors import AlreadyDecided, NotApproved, UsageError
from gatekit.gating import GatedTool, gated
from gatekit.hooks import PendingCall, announce, pending_hook, requester_name
from gatekit.ids import new_id
from gatekit.machine.commands import Decide
from gatekit.machine.records import Verdict
from gatekit.models import UNDECIDED, Request
from gatekit.questions import ask, confirm, terms_of
from gatekit.replay import replay_request
from gatekit.runs.execution import Execution, Stop, Suspended, step_name
from gatekit.wrapper import UNASKED

if TYPE_CHECKING:
    from collections.abc import Generator

    from gatekit.gate import Gate

_PAUSE_SCHEMA: Final = (
    '{"additionalProperties":false,"properties":{"payload":{}},"required":["payload"],"type":"object"}'
)
_KEPT: Final = "__gatekit_plain_step__"


@dataclass(frozen=True, slots=True)
class Making:
    """What a run's verbs work with."""

    gate: Gate
    execution: Execution
    agent: str | None


def step(making: Making, name: str, tool: Callable[..., Any], args: Any, kwargs: Any, *, is_async: bool) -> Intent[Any]:
    """Make one step, or give what it gave when it was made before."""
    if is_async_callable(tool) and not is_async:
        raise UsageError(f"step {name!r} is async and its workflow is not: write the workflow with `async def`")
    identity = calling_now.get() or Calling()
    if identity.step is not None:
        making.execution.check_place()
    with _named(making, name, branch=identity.branch):
        if getattr(tool, "__gatekit__", False):
            return (yield Invoke(lambda: tool(*args, **kwargs), is_async_callable(tool)))
        plain = _plain_tool(tool)
        ended = yield from gated(plain, plain.parameters.bind(args, kwargs), UNASKED)
    if ended.error is not None:
        raise ended.error
    return ended.value


@contextmanager
def _named(making: Making, name: str, *, branch: bool) -> Generator[None]:
    identity = Calling(
        call_id=name, run=making.execution.run_id, agent=making.agent, execution=making.execution, branch=branch
    )
    token = calling_now.set(identity)
    try:
        yield
    finally:
        calling_now.reset(token)


def _plain_tool(tool: Callable[..., Any]) -> GatedTool:
    """An ordinary function as a step that needs nobody's approval; its starts and outcomes are kept all the same."""
    known = getattr(tool, "__dict__", {}).get(_KEPT)
    if known is None or known.tool is not tool:
        if not callable(tool):
            raise UsageError(f"a step takes a function, not {type(tool).__name__}")
        name = getattr(tool, "__name__", type(tool).__name__)
        known = GatedTool(
            tool=tool,
            is_async=is_async_callable(tool),
            name=name,
            parameters=Parameters.of(tool, tool=name),
            find_gate=_no_gate,
            names_gate=False,
            requires_approval=False,
            is_plain=True,
            risk="low",
        )
        if inspect.isfunction(tool):
            # On the function itself, so that it lives no longer than a closure of the workflow does.
            setattr(tool, _KEPT, known)
    return known


def _no_gate() -> Gate:
    raise AssertionError("a plain step gets the gate of its run")


def pause(making: Making, name: str, payload: object) -> Intent[Any]:
    """Stop the run here; it goes on when a reviewer releases it, with this payload or with the reviewer's."""
    name = step_name(name, None)
    check_name("pause(name)", name)
    text = canonical({"payload": payload})
    execution, backend = making.execution, making.gate.backend
    call_id = execution.enter(name, name, branch=False)
    found = (
        (yield from backend.find(execution.run_id, name, call_id, execution.token)) if execution.has(call_id) else None
    )
    if found is None:
        try:
            found = yield from backend.submit(_pausing(making, name, call_id, payload, text))
        except Fenced as error:
            raise execution.fenced() from error
    if found.first_text != text:
        raise execution.changed(call_id, "it pauses with another payload")
    request = yield from _decided(making, found)
    if request.status in UNDECIDED:
        raise execution.suspend(request)
    return replay_request(request, Any)


def question(
    making: Making,
    name: str,
    prompt: str,
    kind: object,
    choices: Sequence[str] | None,
    *,
    many: bool,
    is_async: bool,
    **terms: Any,
) -> Intent[Any]:
    """Ask a human, once in the life of the run."""
    gate = making.gate
    with _named(making, step_name(name, None), branch=False):
        return (yield from ask(gate, prompt, kind, choices, many, terms_of(name, **terms), is_async=is_async))


def confirmation(making: Making, name: str, prompt: str, *, is_async: bool, **terms: Any) -> Intent[Any]:
    """Ask a human for a yes, once in the life of the run."""
    with _named(making, step_name(name, None), branch=False):
        return (yield from confirm(making.gate, prompt, terms_of(name, **terms), is_async=is_async))


def _decided(making: Making, found: Found) -> Intent[Request]:
    request, hook = found.request, pending_hook.get()
    if request.status not in UNDECIDED:
        return request
    if hook is None:
        announce(PendingCall(making.gate, request))
        return request
    hook.check(making.gate)
    hook(PendingCall(making.gate, request))
    return (yield from making.gate.backend.get(request.id))


def _pausing(making: Making, name: str, call_id: str, payload: object, text: str) -> Call:
    run_id = making.execution.run_id
    description = f"The run {run_id} pauses at {name}"
    return Call(
        request_id=new_id(making.gate.clock.now()),
        kind="pause",
        tool=name,
        run=run_id,
        call_id=call_id,
        requester=requester_name(making.agent),
        text=text,
        digest=digest_of(name, text),
        schema=_PAUSE_SCHEMA,
        schema_digest=digest_of("", _PAUSE_SCHEMA),
        description=description,
        risk="medium",
        reasons=("the workflow pauses here",),
        hidden=count_hidden([run_id, name, payload]),
        verdict=Verdict(gated=True),
        ticket=uuid.uuid4().hex,
        waits=False,
        execution=making.execution.token,
    )


@dataclass(frozen=True, slots=True)
class Branch:
    """How one of several steps came out: a value, or what it raised."""

    value: Any = None
    error: Exception | Suspended | None = None


def parallel(
    making: Making,
    branches: Sequence[tuple[Any, ...]],
    together: Callable[[Sequence[Callable[[], Intent[Branch]]]], Any],
    *,
    is_async: bool,
) -> Intent[tuple[Any, ...]]:
    """Make several steps at once. Each goes as far as it can; only then the run stops, or fails."""
    begun = [
        functools.partial(_branch, making, step_name(name, None), tool, args, is_async=is_async)
        for name, tool, *args in map(_checked, branches)
    ]
    if not begun:
        return ()
    making.execution.enter_together([step_name(branch[0], None) for branch in branches])
    made: list[Branch] = yield Invoke(lambda: together(begun), is_async)
    errors = [branch.error for branch in made if isinstance(branch.error, Exception)]
    refused = [error for error in errors if isinstance(error, NotApproved)]
    execution = making.execution
    if execution.lost_hold:
        raise execution.fenced()
    if execution.change is not None:
        raise execution.change
    if refused and execution.blocked:
        yield from _withdraw_undecided(making)
    if execution.blocked:
        raise Suspended(execution.blocked[0])
    if errors:
        raise _first(refused, requester_name(making.agent)) if refused else errors[0]
    return tuple(branch.value for branch in made)


def _checked(branch: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(branch, tuple) or len(branch) < 2:
        raise UsageError("run.parallel takes tuples of a name, a tool and its arguments: ('notify', notify, order)")
    return branch


def _branch(making: Making, name: str, tool: Any, args: Sequence[Any], *, is_async: bool) -> Intent[Branch]:
    """One of several steps. What it raises is an answer, so that no other is cancelled midway."""
    with _named(making, name, branch=True):
        try:
            return Branch((yield from step(making, name, tool, tuple(args), {}, is_async=is_async)))
        except (Exception, Stop) as error:  # noqa: BLE001 - handed on as a value
            return Branch(error=error if isinstance(error, Exception | Suspended) else None)


def _withdraw_undecided(making: Making) -> Intent[None]:
    """One of the steps was refused, so the run fails: nobody needs to decide on the others any more.

    All are final then, so that every later execution sees the same.
    """
    execution, backend = making.execution, making.gate.backend
    command = Decide(
        verb="cancel", by=requester_name(making.agent), token=None, reason="another step of the run was refused"
    )
    left = []
    for request_id in execution.blocked:
        request = yield from backend.get(request_id)
        if request.status not in (*UNDECIDED, "approved"):
            left.append(request_id)
            continue
        try:
            yield from backend.decide(request_id, command)
        except AlreadyDecided:
            continue
    execution.blocked[:] = left


def _first(refused: Sequence[NotApproved], requester: str) -> NotApproved:
    # Those that this run withdrew are no reason of their own.
    return next((error for error in refused if error.by != requester), refused[0])
