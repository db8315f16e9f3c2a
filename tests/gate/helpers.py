"""Reviewers that act on their own, and tools that remember how they were called."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

from gatekit import Gate, Request
from gatekit.reviewer import Reviewer

_LONGEST: Final = 30
"""Seconds: a disk that others use at the same time can take many of them for one commit."""
Act = Callable[[Reviewer, Request], object]


@contextmanager
def deciding(gate: Gate, *acts: Act, name: str = "bob") -> Generator[list[object]]:
    """A reviewer in a thread of their own: the n-th request that is submitted gets the n-th act."""
    results: list[object] = []
    errors: list[BaseException] = []
    ready = threading.Event()

    def review() -> None:
        try:
            events = gate.watch()
            ready.set()
            reviewer = gate.reviewer(name)
            left = list(acts)
            for event in events:
                if event.kind == "submitted":
                    results.append(left.pop(0)(reviewer, gate.get(event.request_id)))
                if not left:
                    return
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)
            ready.set()

    thread = threading.Thread(target=review, daemon=True)
    thread.start()
    assert ready.wait(10), "the reviewer did not come to its seat"
    yield results
    thread.join(10)
    assert not errors, errors
    assert not thread.is_alive(), "the reviewer still waits for a request"


def approve(reviewer: Reviewer, request: Request) -> object:
    return reviewer.approve(request)


def reject(reason: str) -> Act:
    return lambda reviewer, request: reviewer.reject(request, reason=reason)


def respond(text: str) -> Act:
    return lambda reviewer, request: reviewer.respond(request, text)


def edit(**changes: Any) -> Act:
    return lambda reviewer, request: reviewer.edit(request, changes)


class Background:
    """A call in a thread, and what came of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.end: Any = None
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.end = self._call()
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.end = error

    def join(self) -> Any:
        self._thread.join(_LONGEST)
        assert not self._thread.is_alive(), "the call goes on"
        return self.end


def until(gate: Gate, condition: Callable[[], Any]) -> Any:
    """What the condition comes to, as soon as it holds; the queue is looked at in between."""
    end = time.monotonic() + _LONGEST
    while not (found := condition()):
        assert time.monotonic() < end, "it never came to that"
        gate.count("pending")
    return found


def next_request(gate: Gate, since: int = 0) -> Request:
    """The next request that is submitted after this event."""
    return gate.get(next(event.request_id for event in gate.watch(since) if event.kind == "submitted"))


def status_of(gate: Gate, request: Request) -> str:
    return gate.get(request.id).status


def kinds(gate: Gate, request: Request) -> list[str]:
    return [event.kind for event in gate.history(request.id)]


class Interrupted(BaseException):
    """What stops a program in the middle of a tool."""


class Recorder:
    """A tool's diary."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def __call__(self, value: Any) -> None:
        self.calls.append(value)


def only_request(gate: Gate, status: Any = "pending") -> Request:
    """The one request in this state."""
    (row,) = gate.requests(status)
    return gate.get(row.id)


def settled(gate: Gate) -> None:
    """All that was asked of the queue before this is done: its jobs are worked in order."""
    gate.backend.sweep().wait()
