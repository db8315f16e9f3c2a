"""One answer, awaited from a thread or from an event loop, or abandoned.

The store resolves replies from its own threads and never waits for a loop: `wake` schedules one callback per loop
for a whole batch, and a loop that is closed is dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar, cast

import anyio
from anyio.lowlevel import current_token

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
_State = Literal["waiting", "begun", "abandoned", "done"]
Signal: TypeAlias = "asyncio.Future[None] | anyio.Event"
"""What a task waits for. On asyncio the bare future: an event there keeps a queue of them, five times as large."""
Listener: TypeAlias = tuple[object, Signal]
"""A loop and what to set in it."""
_UNSET: Final = object()


class Reply(Generic[T]):
    """The answer to one intent. `wait()` blocks a thread, `await` a task; `abandon()` says nobody listens."""

    __slots__ = ("_error", "_listeners", "_lock", "_ready", "_state", "_value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: _State = "waiting"
        self._value: object = _UNSET
        self._error: BaseException | None = None
        self._ready: threading.Lock | None = None
        self._listeners: tuple[Listener, ...] = ()

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
        signal = self._listen()
        if signal is None:
            yield from anyio.lowlevel.checkpoint().__await__()
        elif isinstance(signal, anyio.Event):
            yield from signal.wait().__await__()
        else:
            yield from signal
        return self._result()

    def _listen(self) -> Signal | None:
        with self._lock:
            if self._state == "done":
                return None
            loop: Any = current_token().native_token
            signal: Signal = loop.create_future() if hasattr(loop, "create_future") else anyio.Event()
            self._listeners = (*self._listeners, (loop, signal))
            return signal

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

    def resolve(self, value: T | None = None, error: BaseException | None = None) -> Sequence[Listener]:
        """Set the answer, once; returns whom to `wake`."""
        with self._lock:
            if self._state == "done":
                return ()
            self._value, self._error, self._state = value, error, "done"
            listeners, self._listeners = self._listeners, ()
            ready = self._ready
        if ready is not None:
            ready.release()
        return listeners


def wake(listeners: Iterable[Listener]) -> None:
    """Let these tasks go on, by one callback per loop, without waiting for any of them."""
    by_loop: dict[object, list[Signal]] = {}
    for loop, signal in listeners:
        by_loop.setdefault(loop, []).append(signal)
    for loop, signals in by_loop.items():
        _schedule(loop, signals)


def _schedule(loop: Any, signals: list[Signal]) -> None:
    enter: Callable[..., object] = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    try:
        enter(_set_all, signals)
    except RuntimeError:
        # A closed asyncio loop, or (trio.RunFinishedError is one too) a trio run that ended: nobody is left to wake.
        return


def _set_all(signals: list[Signal]) -> None:
    for signal in signals:
        if isinstance(signal, anyio.Event):
            signal.set()
        elif not signal.done():
            # Else its task was cancelled while it waited.
            signal.set_result(None)


def in_event_loop() -> bool:
    """Whether this thread is running an event loop, which a blocking wait would stop."""
    try:
        current_token()
    except RuntimeError:
        # anyio.NoEventLoopError; or the plain one, in a thread that runs none but was handed a loop's context, as
        # asyncio.to_thread and LangChain do: anyio then believes the context.
        return False
    return True
