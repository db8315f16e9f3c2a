"""Who is calling: the identity that an agent's framework gives to a tool call."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from gatekit.errors import UsageError

if TYPE_CHECKING:
    from gatekit.gate import Gate
    from gatekit.models import Request

_LONGEST: Final = 500


class Execution(Protocol):
    """What a gated call has to know of the run in whose workflow it is made."""

    @property
    def gate(self) -> Gate:
        """The gate of the workflow."""
        ...

    @property
    def token(self) -> str:
        """Names this execution of the run."""
        ...

    def enter(self, tool: str, name: str | None, *, branch: bool) -> str:
        """The call id of the next step, which `name` names; without one it is counted. Raises what stops the run."""
        ...

    def has(self, call_id: str) -> bool:
        """Whether the run's journal knows this step."""
        ...

    def suspend(self, request: Request) -> BaseException:
        """What to raise because this request is undecided, or its outcome unknown."""
        ...

    def block(self, request_id: str) -> None:
        """Let the run make no further step, whatever its body catches: how this one ended is not known."""
        ...

    def fenced(self) -> BaseException:
        """What to raise because another process executes the run by now."""
        ...

    def changed(self, call_id: str, why: str) -> BaseException:
        """What to raise because the program is no longer the one that began the run."""
        ...


@dataclass(frozen=True, slots=True)
class Calling:
    """The identity in force: a call id, a run, an agent; each may be missing."""

    call_id: str | None = None
    run: str | None = None
    agent: str | None = None
    execution: Execution | None = None
    """The run in whose workflow the call is made."""
    branch: bool = False
    """Whether it is one of several that the run makes at once."""
    step: str | None = None
    """The tool or step inside which the call is made, where that is not allowed."""


calling_now: Final[ContextVar[Calling | None]] = ContextVar("gatekit_calling", default=None)


@contextmanager
def calling(*, call_id: str | None = None, run: str | None = None, agent: str | None = None) -> Generator[None]:
    """Give the gated calls in this block an identity.

    A call is known by (`run`, tool name, `call_id`). Made again with the same three it is the same call: it goes
    on waiting for the same request, or gets the stored result. With other arguments it is a `CallConflict`.
    Gated calls made inside a gated tool do not inherit the identity.

    Args:
        call_id: the framework's id of this tool call, or the `request_id` of an earlier `Suspended`.
        run: the run, thread or conversation; frameworks repeat ids like `call_1` between runs.
        agent: who asks, as a reviewer should read it.

    Raises:
        UsageError: one of them is empty, too long, or not text that can be stored.

    >>> with calling(call_id="toolu_01", run="thread-7", agent="agent-7"):
    ...     pass
    """
    for name, value in (("call_id", call_id), ("run", run), ("agent", agent)):
        check_name(f"calling({name}=…)", value)
    outside = calling_now.get()
    if outside is not None and outside.execution is not None:
        raise UsageError("in a workflow the run itself names its calls: make them by run.step(name, tool, …)")
    identity = Calling(call_id, run, agent)
    if outside is not None and outside.step is not None:
        identity = replace(identity, step=outside.step)
    token = calling_now.set(identity)
    try:
        yield
    finally:
        calling_now.reset(token)


def check_name(what: str, value: object) -> None:
    """Refuse what cannot be stored and read back as a name; None is no name and passes."""
    if value is None:
        return
    if type(value) is not str:
        raise UsageError(f"{what} takes a str, not {type(value).__name__}")
    if not value or len(value) > _LONGEST:
        raise UsageError(f"{what} takes 1 to {_LONGEST} characters, not {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} holds a lone surrogate at character {error.start}: no text can") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The gated call that runs now, as its own tool sees it."""

    request_id: str
    """The request that allowed it."""
    call_id: str
    """The call's id: the given one, the step's name in a run, else the request's own."""
    run: str | None
    """The run or conversation."""
    attempt: int
    """Which start of the request this is, from 1."""
    idempotency_key: str
    """The same for every attempt with the same arguments: hand it to the other side, which can refuse the second."""
    reviewer: str
    """Who allowed it, as `kind:name`."""
    owner: str
    """This process, as the queue knows it."""


current_now: Final[ContextVar[Current | None]] = ContextVar("gatekit_current", default=None)


def current() -> Current:
    """Inside a gated tool: the call that runs now.

    A process can die, or stop for an hour, after the tool acted and before that was stored. Only the other side can
    tell a repeated action from a new one, by `current().idempotency_key`.

    Raises:
        UsageError: no call that went through the queue runs here. Calls that need no approval do not, unless the
            gate has `record="all"` or they are steps of a run.

    >>> from gatekit.testing import memory_gate, auto_approve
    >>> from gatekit import gated_step
    >>> @gated_step(gate=memory_gate())
    ... def pay(amount: int) -> int:
    ...     return current().attempt
    >>> with auto_approve():
    ...     pay(5)
    1
    """
    found = current_now.get()
    if found is None:
        raise UsageError(
            "gatekit.current() is for the inside of a tool whose call went through the queue; a call that needs no "
            'approval does not: gate every call, or use Gate(record="all")'
        )
    return found
