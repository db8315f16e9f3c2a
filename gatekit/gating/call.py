"""A tool with the options of its step, and one call of it in progress."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gatekit import owner
from gatekit.arguments.parameters import Parameters
from gatekit.arguments.snapshot import Snapshot
from gatekit.asking import Describe, Rate
from gatekit.backend.base import Backend
from gatekit.calling import Calling, Current, Execution
from gatekit.models import Kind, Request, Risk
from gatekit.policy import Budget, Policy

if TYPE_CHECKING:
    from gatekit.gate import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedTool:
    """A tool and the options of its step."""

    tool: Callable[..., Any]
    is_async: bool
    name: str
    parameters: Parameters
    find_gate: Callable[[], Gate]
    """The step's own gate, or the process's default gate."""
    names_gate: bool
    """False: in a run the step asks on the gate of its run."""
    requires_approval: bool | Callable[[Any], object]
    is_plain: bool = False
    """Whether it is an ordinary function as a step of a run: no rule of the gate is about it."""
    predicate_is_async: bool = False
    description: Describe | None = None
    risk: Rate = "medium"
    wait: float | None = None
    """Seconds; None: for ever, or not at all in a run."""
    tell_edits: bool | None = None
    retries: int = 0
    idempotent: bool = False
    retry_on: tuple[type[Exception], ...] | None = None
    """What is tried again; None: everything, where the tool is idempotent."""
    reconcile: Callable[[str, Any], object] | None = None
    reconcile_is_async: bool = False
    revalidate: Callable[[Any], object] | None = None
    revalidate_is_async: bool = False
    start_within: float | None = None
    """Seconds from an approval to the last moment for a start; None: no limit."""
    preview: Callable[[Any], object] | None = None
    policy: Policy | Callable[[Any], object] | None = None
    expires_after: float | None = None
    """Seconds that a request may stay undecided; None: for ever."""
    auto_approve_if: Callable[..., object] | Mapping[str, str | Sequence[str]] | None = None
    auto_approve_takes_args: bool = False
    auto_approve_is_async: bool = False
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a human is asked where no tool stands behind it."""

    kind: Kind
    returns: Any
    """The type of the answer."""
    schema: str
    """What the request's arguments, the answer among them, must fit once it is answered."""
    risk: Risk


@dataclass(slots=True, kw_only=True)
class GatedCall:
    """One call in progress."""

    step: GatedTool
    gate: Gate
    values: dict[str, Any]
    snapshot: Snapshot
    identity: Calling
    call_id: str | None
    """The given id, or the name of the step in its run."""
    ticket: str = field(default_factory=lambda: uuid.uuid4().hex)
    until: float | None
    """When this process stops waiting, on the clock's own seconds."""
    announced: bool = False
    hooked: int | None = None
    """The version of its request that the hook of this context was last asked to decide."""
    prompted: int | None = None
    """The version of its request that was last asked about in the program's own terminal."""
    reconciled: int | None = None
    """The attempt for which the step was asked how it ended."""
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
    def execution(self) -> Execution | None:
        """The run in whose workflow the call is made."""
        return self.identity.execution

    @property
    def waits(self) -> bool:
        """Whether this process waits at all."""
        return self.until is None or bool(self.step.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Whether a start was granted, the request that was read for it, and which start it is."""

    started: bool
    request: Request
    attempt: int = 0
    by: str = ""
    """Who allowed it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended for its caller: with a value, or with the tool's own exception."""

    value: Any = None
    error: Exception | None = None


def current_of(request: Request, attempt: int, by: str) -> Current:
    """What a tool sees of the call that runs it."""
    return Current(
        request_id=request.id,
        call_id=request.call_id,
        run=request.run,
        attempt=attempt,
        idempotency_key=f"{request.id}:{request.digest[:16]}",
        reviewer=by,
        owner=owner.current().text,
    )
