"""`RunsBackend`: what can be asked of a queue about durable runs. Every method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from gatekit.backend.tx import RunsQuery
from gatekit.machine.runs import RunEnd
from gatekit.models import Event, RunRow, RunState, StepRow
from gatekit.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that somebody wants to exist."""

    id: str
    workflow: str
    text: str
    digest: str
    requester: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A run that this process executes from now on."""

    run: RunRow
    token: str
    steps: tuple[StepRow, ...]
    """Its journal, in the order in which the steps were made."""
    retried: tuple[str, ...]
    """Names of steps, once for each time that they are to be made anew."""
    loose: frozenset[str]
    """Steps of the journal that this execution may leave out."""


class RunsBackend(Protocol):
    """The runs of a queue."""

    def begin(self, run: NewRun) -> Reply[RunRow]:
        """Insert the run, or find the one of this id, untouched."""
        ...

    def take(self, run_id: str, token: str, *, asked: bool = False) -> Reply[Taken | RunRow]:
        """Execute the run in this process, or the run as it is where it cannot be taken.

        A run whose process is known to be dead can be taken. With `asked`, because somebody asks for this very run,
        also one whose process this machine cannot tell.
        """
        ...

    def suspend(self, run_id: str, token: str, waiting_for: Sequence[str]) -> Reply[RunRow]:
        """The execution stops until one of these requests is decided or settled."""
        ...

    def end(self, run_id: str, token: str, command: RunEnd) -> Reply[RunRow]:
        """The execution came to an end; harmless where it no longer holds the run."""
        ...

    def break_off(self, run_id: str, token: str, why: str) -> Reply[None]:
        """The execution was interrupted: any process can take the run up. Harmless where it does not hold it."""
        ...

    def cancel(self, run_id: object, by: str, reason: str | None, token: str | None = None) -> Reply[RunRow]:
        """End the run and withdraw what it waits for; raises `RunNotFound` and `NotAllowed`.

        `token` names the execution that says so: one that no longer holds the run changes nothing.
        """
        ...

    def reopen(self, run_id: object, by: str) -> Reply[RunRow]:
        """Let a failed run, or one that needs a review, go on; the failed step is made anew. Raises `RunNotFound`."""
        ...

    def delete(self, run_id: object, by: str) -> Reply[None]:
        """Forget a run that is over; raises `RunNotFound` and `NotAllowed`."""
        ...

    def get(self, run_id: object) -> Reply[RunRow]:
        """One run; raises `RunNotFound`."""
        ...

    def list(self, query: RunsQuery) -> Reply[Sequence[RunRow]]:
        """Some runs, the newest first."""
        ...

    def steps(self, run_id: object) -> Reply[Sequence[StepRow]]:
        """The journal of a run; raises `RunNotFound`."""
        ...

    def history(self, run_id: object) -> Reply[Sequence[Event]]:
        """What happened to a run and to its steps; raises `RunNotFound`."""
        ...

    def ready(self, workflows: Collection[str], limit: int) -> Reply[Sequence[RunRow]]:
        """Runs of these workflows that can go on, the oldest first."""
        ...

    def mark_strange(self, workflows: Collection[str], reason: str) -> Reply[int]:
        """Runs that could go on, of none of these workflows, need a review; answers how many there were."""
        ...

    def wait(self, run_id: str, while_in: frozenset[RunState], seconds: float | None) -> Reply[bool]:
        """Answers True when the run can go on or is in none of these states; False when the time is over."""
        ...
