"""One execution of a run: which steps were made before, which names are taken, and what stops it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import anyio

from gatekit.backend.runs import Taken
from gatekit.calling import calling_now, check_name
from gatekit.errors import ProgramChanged, UsageError
from gatekit.machine.runs import LATER, generation, name_of
from gatekit.models import Request
from gatekit.reply import in_event_loop

if TYPE_CHECKING:
    from gatekit.gate import Gate


class Stop(BaseException):
    """Ends the body of a workflow from inside. Not an `Exception`: the body's own handlers are not for it."""


class Suspended(Stop):
    """A step is undecided, or its outcome is unknown."""


class Cancelled(Stop):
    """The workflow cancels its run."""


class Fenced(Stop):
    """Another process executes the run by now, or it was cancelled from outside."""


class Execution:
    """The journal of a run, as one execution of its workflow goes along it."""

    def __init__(self, gate: Gate, taken: Taken) -> None:
        self.gate: Final = gate
        self.run_id: Final = taken.run.id
        self.token: Final = taken.token
        self.blocked: list[str] = []
        """Requests for which the run has to wait."""
        self.lost_hold = False
        self.cancelled: Cancelled | None = None
        self.change: ProgramChanged | None = None
        self._journal = {step.name: step.tool for step in taken.steps}
        self._retried = Counter(taken.retried)
        self._loose = taken.loose
        self._entered: set[str] = set()
        self._occurrences: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._home: tuple[int, int] | None = None

    def begin(self) -> None:
        """The body begins here, in this thread and task."""
        self._home = _here()

    def enter(self, tool: str, name: str | None, *, branch: bool) -> str:
        """The call id of the next step. Without a name, for a gated tool that the body calls itself, it is counted."""
        with self._lock:
            if not branch:
                self.check()
            if name is None:
                self._occurrences[tool] += 1
                name = f"{tool}#{self._occurrences[tool]}"
            if name in self._entered:
                raise UsageError(f"the step {name!r} was made before in this run: in a loop, tell them apart by key=")
            self._entered.add(name)
            call_id = self._call_id(name)
            known = self._journal.get(call_id)
            if known is not None and known != tool:
                raise self.changed(name, f"it was a call of {known!r} and is one of {tool!r}")
            if known is None and not branch:
                self._check_nothing_is_left(f"the program goes on with the new step {name!r} instead")
            return call_id

    def enter_together(self, names: Sequence[str]) -> None:
        """Several steps come next, at once."""
        self.check()
        if not any(self._call_id(name) in self._journal for name in names):
            self._check_nothing_is_left(f"the program goes on with the new steps {', '.join(names)} instead")

    def has(self, call_id: str) -> bool:
        return call_id in self._journal

    def suspend(self, request: Request) -> Suspended:
        self.block(request.id)
        return Suspended(request.id)

    def block(self, request_id: str) -> None:
        with self._lock:
            self.blocked.append(request_id)

    def fenced(self) -> Fenced:
        self.lost_hold = True
        return Fenced(self.run_id)

    def changed(self, call_id: str, why: str) -> ProgramChanged:
        self.change = ProgramChanged(self.run_id, name_of(call_id), why)
        return self.change

    def cancel(self, reason: str | None) -> Cancelled:
        self.cancelled = Cancelled(reason)
        return self.cancelled

    def finish(self) -> None:
        """The body returned: every step that the journal knows must have been made again."""
        self._check_nothing_is_left("the program no longer makes it")

    @property
    def stopped(self) -> bool:
        """Whether something ended the body from inside."""
        return bool(self.blocked or self.lost_hold or self.cancelled or self.change)

    def check(self) -> None:
        """A body that caught what stopped it does not get further."""
        if self.change is not None:
            raise self.change
        if self.cancelled is not None:
            raise self.cancelled
        if self.lost_hold:
            raise Fenced(self.run_id)
        if self.blocked:
            raise Suspended(self.blocked[0])
        self.check_place()

    def check_place(self) -> None:
        """The verbs of a run are for its workflow's own thread or task, outside its steps."""
        inside = calling_now.get()
        if inside is not None and inside.step is not None:
            raise UsageError(
                f"the run was asked for more inside its step {inside.step!r}: do it in the workflow, before or after"
            )
        if _here() != self._home:
            raise UsageError(
                "a step of a run was made beside the workflow's own thread or task: make several steps at once with "
                "run.parallel((name, tool, …), …)"
            )

    def _check_nothing_is_left(self, why: str) -> None:
        for call_id in self._journal:
            if name_of(call_id) not in self._entered and call_id not in self._loose:
                raise self.changed(call_id, why)

    def _call_id(self, name: str) -> str:
        return generation(name, self._retried[name])


def step_name(name: object, key: object) -> str:
    """The name of a step, made of its own and of what tells it apart in a loop."""
    if type(name) is not str or not name.strip() or LATER in name:
        raise UsageError(f"a step's name is text without {LATER!r}, not {name!r}")
    if key is not None and (type(key) not in (str, int) or LATER in str(key)):
        raise UsageError(f"step {name!r}: key= takes a str without {LATER!r} or an int, not {key!r}")
    full = name if key is None else f"{name}[{key}]"
    check_name("a step's name with its key", full)
    return full


def _here() -> tuple[int, int]:
    """The thread and, in an event loop, the task."""
    return threading.get_ident(), anyio.get_current_task().id if in_event_loop() else 0
