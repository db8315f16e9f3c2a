"""One text for sync and async: a verb is a generator that yields what it waits for; two drivers run it.

`yield reply` gives the reply's value, or raises its refusal at that place. `Sleep` and `Await` are the other two
things that can be waited for. Whatever interrupts a driver (a cancelled task, Ctrl-C) arrives in the generator at
the place where it waited, or closes it.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import anyio

from gatekit.errors import UsageError
from gatekit.reply import Reply, in_event_loop

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call a function of the user's; where it is async, await what it gives."""

    call: Callable[[], Any]
    is_async: bool = False


Step = Reply[Any] | Sleep | Invoke
Intent = Generator[Step, Any, T]
"""A verb in progress: yields what it waits for, returns a `T`."""


def drive(intent: Intent[T]) -> T:
    """Run a verb in this thread, blocking."""
    try:
        step = next(intent)
        while True:
            try:
                answer = _block(step)
            except BaseException as error:  # noqa: BLE001 - handed to the verb, which decides
                step = intent.throw(error)
            else:
                step = intent.send(answer)
                # The next wait may be long: what the verb has let go of until then must not live on here.
                del answer
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        # An interruption between two waits must reach the verb too.
        intent.close()


async def drive_async(intent: Intent[T]) -> T:
    """Run a verb in this task."""
    try:
        step = next(intent)
        while True:
            try:
                answer = await _arrive(step)
            except BaseException as error:  # noqa: BLE001 - handed to the verb, which decides
                step = intent.throw(error)
            else:
                step = intent.send(answer)
                # The next wait may be long: what the verb has let go of until then must not live on here.
                del answer
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        # An interruption between two waits must reach the verb too.
        intent.close()


def _block(step: Step) -> Any:
    if isinstance(step, Reply):
        try:
            return step.wait()
        finally:
            step.abandon()
    if isinstance(step, Sleep):
        return threading.Event().wait(step.seconds)
    if not step.is_async:
        return step.call()
    if in_event_loop():
        raise UsageError("this would stop the event loop of this thread, which it needs itself: await the aio form")
    return anyio.run(step.call)


async def _arrive(step: Step) -> Any:
    if isinstance(step, Reply):
        try:
            return await step
        finally:
            step.abandon()
    if isinstance(step, Sleep):
        return await anyio.sleep(step.seconds)
    return await step.call() if step.is_async else step.call()


class SyncSeat:
    """A class whose verbs block."""


class AsyncSeat:
    """A class whose verbs are awaited."""


class verb(Generic[P, T]):
    """A method written once: blocking on a `SyncSeat`, awaitable on an `AsyncSeat`."""

    def __init__(self, function: Callable[Concatenate[Any, P], Intent[T]]) -> None:
        self._function = function
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    @overload
    def __get__(self, seat: None, kind: type) -> verb[P, T]: ...
    @overload
    def __get__(self, seat: SyncSeat, kind: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, seat: AsyncSeat, kind: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, seat: SyncSeat | AsyncSeat | None, kind: type) -> Any:
        if seat is None:
            return self
        function = self._function
        if isinstance(seat, AsyncSeat):

            async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
                return await drive_async(function(seat, *args, **kwargs))

            return functools.wraps(function)(awaited)

        def blocking(*args: P.args, **kwargs: P.kwargs) -> T:
            return drive(function(seat, *args, **kwargs))

        return functools.wraps(function)(blocking)


def is_async_callable(function: object) -> bool:
    """Whether calling it gives an awaitable; sees through callable objects, which `inspect` alone does not."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is wanted
    )
