"""A workflow: a function whose calls are durable runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from gatekit.arguments.parameters import Parameters
from gatekit.backend.runs import NewRun
from gatekit.calling import calling_now, check_name
from gatekit.driving import Intent, drive, drive_async, is_async_callable
from gatekit.errors import RunConflict, UsageError
from gatekit.hooks import requester_name
from gatekit.runs.executing import execute
from gatekit.runs.handle import AsyncHandle, Handle
from gatekit.runs.run import AsyncRun, Run
from gatekit.runs.steps import Making
from gatekit.wrapper import arrange

if TYPE_CHECKING:
    from gatekit.gate import Gate

P = ParamSpec("P")
R = TypeVar("R")


class AnyWorkflow:
    """What both kinds of workflow have."""

    is_async: bool

    def __init__(self, gate: Gate, function: Callable[..., Any], name: str) -> None:
        update_wrapper(self, function)
        self.gate = gate
        self.name = name
        self._run_parameter = _first_parameter(function, name)
        self.parameters = Parameters.of(function, tool=name, inject=(self._run_parameter,), skip_first=False)
        self._function = function

    def rebuild(self, text: str) -> dict[str, Any]:
        """The arguments of a run; raises `UsageError` where the workflow takes others by now."""
        return self.parameters.rebuild(text, None)

    def call(self, making: Making, arguments: dict[str, Any]) -> Any:
        """Run the body."""
        making.execution.begin()
        run = AsyncRun(making) if self.is_async else Run(making)
        args, kwargs = arrange(self.parameters.signature, {self._run_parameter: run, **arguments})
        return self._function(*args, **kwargs)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Refused: a workflow is started, not called."""
        raise UsageError(f"{self.name} is a workflow: start a run of it with {self.name}.start(run_id, …)")

    def _started(self, run_id: str, args: Any, kwargs: Any) -> Intent[None]:
        check_name("start(run_id)", run_id)
        if not isinstance(run_id, str):
            raise UsageError(f"start takes the run's id first, as a str, not {type(run_id).__name__}")
        values = self.parameters.bind((None, *args), kwargs)
        snapshot = self.parameters.snapshot(values)
        if snapshot.hidden:
            raise UsageError(
                f"{self.name}: a secret is never stored, and a run goes on in processes that do not have it: "
                f"let a step fetch it where it is needed"
            )
        outside = calling_now.get()
        new = NewRun(
            id=run_id,
            workflow=self.name,
            text=snapshot.text,
            digest=snapshot.digest,
            requester=requester_name(None if outside is None else outside.agent),
        )
        row = yield from self.gate.backend.runs.begin(new)
        if row.workflow != self.name:
            raise RunConflict(run_id, f"as a run of the workflow {row.workflow!r}")
        if not self.parameters.matches(snapshot, row.args_text):
            raise RunConflict(run_id, "with other arguments")
        yield from execute(self, run_id)


class Workflow(AnyWorkflow, Generic[P, R]):
    """A sync workflow; `@gate.workflow` makes it."""

    is_async = False

    def start(self, run_id: str, *args: P.args, **kwargs: P.kwargs) -> Handle[R]:
        """Start a run, and go on with it in this thread until it is over or must wait.

        Starting it again, in any process, is the same run: nothing is done twice, and it goes on if it can.

        Args:
            run_id: names the run in the queue; 1 to 500 characters.
            args: the workflow's arguments, after the run.
            kwargs: more of them.

        Raises:
            RunConflict: a run of this id was started with other arguments, or of another workflow.
            UsageError: the arguments do not fit, or JSON cannot hold them.
            StoreError: the queue cannot be used.
        """
        drive(self._started(run_id, args, kwargs))
        return Handle(self.gate, run_id)


class AsyncWorkflow(AnyWorkflow, Generic[P, R]):
    """An async workflow; `@gate.workflow` makes it."""

    is_async = True

    async def start(self, run_id: str, *args: P.args, **kwargs: P.kwargs) -> AsyncHandle[R]:
        """Start a run, and go on with it in this task until it is over or must wait; see `Workflow.start`."""
        await drive_async(self._started(run_id, args, kwargs))
        return AsyncHandle(self.gate, run_id)


Body = Callable[Concatenate[Run, P], R]
AsyncBody = Callable[Concatenate[AsyncRun, P], Coroutine[Any, Any, R]]


def workflow_of(gate: Gate, function: Callable[..., Any], name: str | None) -> AnyWorkflow:
    """The workflow that `@gate.workflow` makes of a function."""
    check_name("workflow(name=…)", name)
    if not callable(function) or isinstance(function, type):
        raise UsageError(f"workflow takes a function, not {type(function).__name__}")
    if getattr(function, "__gatekit__", False):
        raise UsageError("a gated step cannot be a workflow: put @gate.workflow on a function that makes the step")
    kind: type[AnyWorkflow] = AsyncWorkflow if is_async_callable(function) else Workflow
    return kind(gate, function, name or str(getattr(function, "__name__", type(function).__name__)))


def _first_parameter(function: Callable[..., Any], name: str) -> str:
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise UsageError(f"{name}: a workflow takes its run as the first parameter: def {name}(run, …)")
    return parameters[0].name
