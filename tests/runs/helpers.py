"""Reviewers of runs, diaries of what was called, and threads whose end a test can look at."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from gatekit import Decision, Gate, Request


class Diary:
    """What was called, in order; may be written from several threads."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> str:
        self.lines.append(line)
        return line

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(self.lines))


def pending(gate: Gate, tool: str) -> Request:
    """The one undecided request of this tool or pause."""
    (row,) = gate.requests("pending", tool=tool)
    return gate.get(row.id)


def waiting_tools(gate: Gate) -> list[str]:
    """What a reviewer sees in the list, by tool."""
    return sorted(row.tool for row in gate.requests("pending"))


def approve(gate: Gate, tool: str, *, by: str = "bob") -> Decision:
    return gate.reviewer(by).approve(pending(gate, tool))


def reject(gate: Gate, tool: str, reason: str, *, by: str = "bob") -> Decision:
    return gate.reviewer(by).reject(pending(gate, tool), reason=reason)


def release(gate: Gate, name: str, *, by: str = "bob", **payload: Any) -> Decision:
    return gate.reviewer(by).release(pending(gate, name), **payload)


def kinds(gate: Gate, run_id: str, prefix: str = "run.") -> list[str]:
    """The kinds of a run's own events, in order."""
    return [event.kind for event in gate.run(run_id).history() if event.kind.startswith(prefix)]


def journal(gate: Gate, run_id: str) -> list[tuple[str, str]]:
    """The steps of a run with their states, in order."""
    return [(step.name, step.status) for step in gate.run(run_id).steps()]


class Background:
    """A call in a thread, and what came of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._value: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001 - raised again by join
            self._error = error

    @property
    def is_going_on(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float = 10) -> Any:
        """What it returned; raises what it raised."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the call goes on"
        if self._error is not None:
            raise self._error
        return self._value
