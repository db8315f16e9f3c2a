"""What the body of a workflow sees of its run."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final, NoReturn, TypeVar, overload

import anyio

from gatekit.driving import AsyncSeat, Intent, SyncSeat, drive, drive_async, verb
from gatekit.models import Risk
from gatekit.policy import Policy
from gatekit.runs import steps
from gatekit.runs.execution import step_name
from gatekit.runs.steps import Branch, Making

R = TypeVar("R")
_MOST_THREADS: Final = 32


class _Verbs:
    """What both kinds of run have."""

    def __init__(self, making: Making) -> None:
        self._making = making

    @property
    def id(self) -> str:
        """The id that the run was started under."""
        return self._making.execution.run_id

    def cancel(self, reason: str | None = None) -> NoReturn:
        """End the run here: it is cancelled, and what it waits for is withdrawn.

        Raises:
            UsageError: inside a step, which would be left without an outcome.
        """
        self._making.execution.check_place()
        raise self._making.execution.cancel(reason)

    @verb
    def ask(
        self,
        name: str,
        prompt: str,
        type: type[Any] = str,
        *,
        choices: Sequence[str] | None = None,
        many: bool = False,
        risk: Risk = "medium",
        details: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
        expires_after: float | timedelta | None = None,
    ) -> Intent[Any]:
        """Ask a human; the run goes on with the answer. See `Gate.ask`.

        Args:
            name: names the question in this run.
            prompt: what is asked.
            type: the answer's: `bool`, `str`, `int`, `float` or a pydantic model.
            choices: the answer is one of these texts.
            many: the answer is a list of some of them.
            risk: as of a step.
            details: JSON values that the reviewer sees with the question.
            policy: who may answer.
            expires_after: seconds, or a timedelta, that it may stay open.

        Raises:
            NotApproved: a reviewer rejected or cancelled it, or nobody answered in time.
        """
        asking = steps.question(
            self._making,
            name,
            prompt,
            type,
            choices,
            many=many,
            is_async=isinstance(self, AsyncSeat),
            risk=risk,
            details=details,
            policy=policy,
            expires_after=expires_after,
        )
        return (yield from asking)

    @verb
    def confirm(
        self,
        name: str,
        prompt: str,
        *,
        risk: Risk = "medium",
        details: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
        expires_after: float | timedelta | None = None,
    ) -> Intent[None]:
        """Ask a human for a yes; the run goes on when there is one. The options are those of `ask`.

        Raises:
            NotApproved: a reviewer said no, or nobody decided in time.
        """
        asking = steps.confirmation(
            self._making,
            name,
            prompt,
            is_async=isinstance(self, AsyncSeat),
            risk=risk,
            details=details,
            policy=policy,
            expires_after=expires_after,
        )
        yield from asking


class Run(_Verbs, SyncSeat):
    """A durable run, as a sync workflow sees it. Every step is remembered, and is made once."""

    def step(self, name: str, tool: Callable[..., R], /, *args: Any, key: str | int | None = None, **kwargs: Any) -> R:
        """Call a function, or a gated tool, once in the life of this run, and give its result.

        What it gave before is given again, from the queue. A gated tool that must wait suspends the run. A process
        that dies in the middle leaves the outcome unknown; nothing is called again by itself.

        Args:
            name: names the step in this run.
            tool: a function whose arguments and result JSON can hold.
            args: its arguments.
            key: tells the steps of a loop apart.
            kwargs: more of its arguments.

        Raises:
            NotApproved: a human did not let it run.
            ToolFailed: it raised, now or before; `__cause__` is what it raised just now.
            ResultNotStored: it returned something that JSON cannot hold.
            UsageError: the name was used before in this run, or the step is made beside the workflow's own thread.
            ProgramChanged: under this name the run did something else before.
        """
        return drive(steps.step(self._making, step_name(name, key), tool, args, kwargs, is_async=False))  # type: ignore[no-any-return]

    def pause(self, name: str, payload: object = None) -> Any:
        """Stop until a reviewer releases the run; gives the payload, or the one that the reviewer put in its place.

        Raises:
            NotApproved: a reviewer rejected or cancelled it.
        """
        return drive(steps.pause(self._making, name, payload))

    def parallel(self, *branches: tuple[Any, ...]) -> tuple[Any, ...]:
        """Make several steps at once, each given as (name, tool, arguments…), and give their results in order.

        Each runs in a thread of its own until it is done or waits for a human; only then the run suspends, with all
        requests in the queue at once. Where one is refused the run fails, and those that still wait are withdrawn.

        Raises:
            NotApproved: one was refused.
            ToolFailed: one raised; the others were finished first.
        """
        return drive(steps.parallel(self._making, branches, _in_threads, is_async=False))


class AsyncRun(_Verbs, AsyncSeat):
    """A durable run, as an async workflow sees it: the verbs of `Run`, awaited."""

    @overload
    async def step(
        self, name: str, tool: Callable[..., Awaitable[R]], /, *args: Any, key: str | int | None = None, **kwargs: Any
    ) -> R: ...
    @overload
    async def step(
        self, name: str, tool: Callable[..., R], /, *args: Any, key: str | int | None = None, **kwargs: Any
    ) -> R: ...
    async def step(
        self, name: str, tool: Callable[..., Any], /, *args: Any, key: str | int | None = None, **kwargs: Any
    ) -> Any:
        """Call a function, or a gated tool, once in the life of this run; see `Run.step`."""
        return await drive_async(steps.step(self._making, step_name(name, key), tool, args, kwargs, is_async=True))

    async def pause(self, name: str, payload: object = None) -> Any:
        """Stop until a reviewer releases the run; see `Run.pause`."""
        return await drive_async(steps.pause(self._making, name, payload))

    async def parallel(self, *branches: tuple[Any, ...]) -> tuple[Any, ...]:
        """Make several steps at once, each in a task of its own; see `Run.parallel`."""
        return await drive_async(steps.parallel(self._making, branches, _in_tasks, is_async=True))


def _in_threads(begun: Sequence[Callable[[], Intent[Branch]]]) -> list[Branch]:
    with ThreadPoolExecutor(min(_MOST_THREADS, len(begun)), thread_name_prefix="gatekit-branch") as pool:
        # A branch sees what its workflow sees: the identity of the run among it.
        made = [pool.submit(contextvars.copy_context().run, lambda begin=begin: drive(begin())) for begin in begun]
        return [future.result() for future in made]


async def _in_tasks(begun: Sequence[Callable[[], Intent[Branch]]]) -> list[Branch]:
    made: dict[int, Branch] = {}

    async def one(place: int, begin: Callable[[], Intent[Branch]]) -> None:
        try:
            made[place] = await drive_async(begin())
        except anyio.get_cancelled_exc_class():
            # A tool that only says so itself must not take its siblings with it; its own end is not known.
            if anyio.get_current_task().has_pending_cancellation():
                raise

    async with anyio.create_task_group() as group:
        for place, begin in enumerate(begun):
            group.start_soon(one, place, begin)
    return [made.get(place, Branch()) for place in range(len(begun))]
