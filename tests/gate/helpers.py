"""Reviewers that act on their own, and tools that remember how they were called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from gatekit import Gate, Request
from gatekit.reviewer import Reviewer

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
