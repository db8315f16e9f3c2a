"""One answer, awaited from a thread or from an event loop, or abandoned.

The store resolves replies from its own threads and never waits for a loop: `wake` schedules one callback per loop
for a whole batch, and a loop that is closed is dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from typing import Any, Final, Generic, Literal, TypeVar, cast

import anyio
from anyio.lowlevel import current_token

T = TypeVar("T")
_State = Literal["waiting", "begun", "abandoned", "done"]
_UNSET: Final = object()


class Reply(Generic[T]):
    """The answer to one intent. `wait()` blocks a thread, `await` a task; `abandon()` says nobody listens."""

    __slots__ = ("_error", "_lock", "_loops", "_ready", "_state", "_value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: _State = "waiting"
        self._value: object = _UNSET
        self._error: BaseException | None = None
        self._ready: threading.Lock | None = None
        self._loops: list[tuple[object, anyio.Event]] = []

    @classmethod
    def of(cls, value: T) -> Reply[T]:
        """A reply that is there already."""
        reply = cls()
        reply._value, reply._state = value, "done"
        return reply

    @classmethod
    def failed(cls, error: BaseException) -> Reply[T]:
        """A refusal that is there already."""
        reply = cls()
        reply._error, reply._state = error, "done"
        return reply

    @property
    def done(self) -> bool:
        return self._state == "done"

    @property
    def abandoned(self) -> bool:
        return self._state == "abandoned"

    def wait(self) -> T:
        """Block this thread until the answer is there; raises the refusal."""
        with self._lock:
            if self._state != "done":
                # A bare lock can be interrupted by Ctrl-C in the main thread, and costs less than an Event.
                self._ready = self._ready or threading.Lock()
                self._ready.acquire(blocking=False)
        if self._ready is not None:
            with self._ready:
                pass
        return self._result()

    def __iter__(self) -> Generator[Any, Any, T]:
        """`yield from reply` in a verb: wait for it, with its type kept."""
        return cast(T, (yield self))

    def __await__(self) -> Generator[Any, Any, T]:
        return self._arrive().__await__()

    async def _arrive(self) -> T:
        event = self._listen()
        if event is None:
            await anyio.lowlevel.checkpoint()
        else:
            await event.wait()
        return self._result()

    def _listen(self) -> anyio.Event | None:
        with self._lock:
            if self._state == "done":
                return None
            event = anyio.Event()
            self._loops.append((current_token().native_token, event))
            return event

    def _result(self) -> T:
        if self._error is not None:
            raise self._error
        return cast(T, self._value)

    def abandon(self) -> None:
        """Nobody listens any more: a job that has not begun is dropped."""
        with self._lock:
            if self._state == "waiting":
                self._state = "abandoned"

    def begin(self) -> bool:
        """The store takes the job; False if it was abandoned."""
        with self._lock:
            if self._state == "abandoned":
                return False
            self._state = "begun"
            return True

    def resolve(self, value: T | None = None, error: BaseException | None = None) -> list[tuple[object, anyio.Event]]:
        """Set the answer, once; returns the loops to `wake`."""
        with self._lock:
            if self._state == "done":
                return []
            self._value, self._error, self._state = value, error, "done"
            loops, self._loops = self._loops, []
            ready = self._ready
        if ready is not None:
            ready.release()
        return loops


def wake(waiting: Iterable[tuple[object, anyio.Event]]) -> None:
    """Set the events, by one callback per loop, without waiting for any of them."""
    by_loop: dict[object, list[anyio.Event]] = {}
    for loop, event in waiting:
        by_loop.setdefault(loop, []).append(event)
    for loop, events in by_loop.items():
        _schedule(loop, events)


def _schedule(loop: Any, events: list[anyio.Event]) -> None:
    def set_all() -> None:
        for event in events:
            event.set()

    enter: Callable[[Callable[[], None]], object] = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    try:
        enter(set_all)
    except RuntimeError:
        # A closed asyncio loop, or (trio.RunFinishedError is one too) a trio run that ended: nobody is left to wake.
        return


def in_event_loop() -> bool:
    """Whether this thread is running an event loop, which a blocking wait would stop."""
    try:
        current_token()
    except RuntimeError:
        # anyio.NoEventLoopError; or the plain one, in a thread that runs none but was handed a loop's context, as
        # asyncio.to_thread and LangChain do: anyio then believes the context.
        return False
    return True
