"""What a caller holds of a run."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from gatekit.driving import AsyncSeat, Intent, SyncSeat, drive, drive_async, verb
from gatekit.errors import ResultNotStored, RunCancelled, RunFailed, RunNeedsReview, UsageError
from gatekit.hooks import requester_name
from gatekit.models import Event, RunRow, RunState, RunStatus, StepRow
from gatekit.replay import NOT_APPROVED, replay
from gatekit.reply import in_event_loop
from gatekit.runs.executing import execute

if TYPE_CHECKING:
    from gatekit.gate import Gate

R = TypeVar("R")
_GOING_ON: Final[frozenset[RunStatus]] = frozenset({"running", "waiting"})
_NOT_HERE: Final[frozenset[RunState]] = frozenset({"running", "waiting", "ready"})
"""What a program without the workflow waits through: that the run could go on is no news to it."""


class _Verbs(Generic[R]):
    """What can be asked of a run, written once."""

    def __init__(self, gate: Gate, run_id: str) -> None:
        self._gate = gate
        self.id: Final = run_id

    @verb
    def row(self) -> Intent[RunRow]:
        """The run as a list shows it: its state, why, and what it waits for.

        Raises:
            RunNotFound: the queue holds no run of this id.
        """
        return (yield from self._gate.backend.runs.get(self.id))

    @verb
    def steps(self) -> Intent[Sequence[StepRow]]:
        """The journal: the steps that were made so far, in order."""
        return (yield from self._gate.backend.runs.steps(self.id))

    @verb
    def history(self) -> Intent[Sequence[Event]]:
        """All that happened to the run and to its steps, oldest first."""
        return (yield from self._gate.backend.runs.history(self.id))

    @verb
    def cancel(self, reason: str | None = None) -> Intent[RunRow]:
        """End the run, wherever it is executed, and withdraw what it waits for. A tool that runs is not stopped.

        Raises:
            NotAllowed: the run has succeeded or failed.
        """
        return (yield from self._gate.backend.runs.cancel(self.id, requester_name(None), reason))

    @verb
    def delete(self) -> Intent[None]:
        """Forget a run that is over, with its steps, their requests and their history. The id can be used again.

        Raises:
            NotAllowed: the run is not over: cancel it first.
        """
        yield from self._gate.backend.runs.delete(self.id, requester_name(None))


class Handle(_Verbs[R], SyncSeat):
    """A run of a sync workflow, or any run as `gate.run(id)` gives it."""

    @property
    def status(self) -> RunStatus:
        """Where the run stands."""
        return self.row().status

    def resume(self) -> RunStatus:
        """Go on with the run in this thread as far as it goes, and say where it stands then.

        A failed run, or one that needs a review, goes on from the step that failed; nobody is asked again while the
        permit of that step has starts left. A run that waits, runs elsewhere or is over stays as it is.

        Raises:
            UsageError: this gate has no workflow of the run's name.
        """
        return drive(_resume(self._gate, self.id))

    def result(self, timeout: float | None = None) -> R:
        """What the workflow returns. Waits for it, and goes on with the run when it can, in this thread.

        Args:
            timeout: seconds; None: for ever.

        Raises:
            NotApproved: the run failed because a step was refused.
            RunFailed: the workflow raised.
            RunCancelled: the run was cancelled.
            RunNeedsReview: a human has to look first.
            ResultNotStored: it returned something that JSON cannot hold.
            TimeoutError: the time is over, and the run goes on.
            UsageError: on a thread that runs an event loop.
        """
        if in_event_loop():
            raise UsageError("result() would stop this thread's event loop: use `await gate.aio.run(id).result()`")
        return cast(R, drive(_result(self._gate, self.id, timeout)))


class AsyncHandle(_Verbs[R], AsyncSeat):
    """A run, with awaited verbs; see `Handle`."""

    @property
    def status(self) -> Coroutine[Any, Any, RunStatus]:
        """Where the run stands, to be awaited."""
        return self._status()

    async def _status(self) -> RunStatus:
        return (await self.row()).status

    async def resume(self) -> RunStatus:
        """Go on with the run as far as it goes; see `Handle.resume`."""
        return await drive_async(_resume(self._gate, self.id))

    async def result(self, timeout: float | None = None) -> R:
        """What the workflow returns; see `Handle.result`."""
        return cast(R, await drive_async(_result(self._gate, self.id, timeout)))


def _resume(gate: Gate, run_id: str) -> Intent[RunStatus]:
    runs = gate.backend.runs
    row = yield from runs.get(run_id)
    if row.status in ("failed", "needs-review"):
        row = yield from runs.reopen(run_id, requester_name(None))
    if row.status in _GOING_ON:
        row, _ = yield from execute(gate.workflow_named(row.workflow), run_id, asked=True)
    return row.status


def _result(gate: Gate, run_id: str, timeout: float | None) -> Intent[Any]:
    runs = gate.backend.runs
    until = None if timeout is None else gate.clock.monotonic() + timeout
    while True:
        row = yield from runs.get(run_id)
        workflow = gate.known_workflow(row.workflow)
        # One that is ready and needs a review lacked its workflow, in some other program.
        if workflow is not None and (row.status in _GOING_ON or row.ready):
            row, _ = yield from execute(workflow, run_id)
        if row.status not in _GOING_ON:
            return (yield from _outcome(gate, row))
        left = None if until is None else max(0.0, until - gate.clock.monotonic())
        moved = yield from runs.wait(run_id, _GOING_ON if workflow is not None else _NOT_HERE, left)
        if not moved:
            raise TimeoutError(f"run {run_id!r} is {row.status} after {timeout:g} s; it goes on")


def _outcome(gate: Gate, row: RunRow) -> Intent[Any]:
    reason = row.reason or ""
    if row.status == "needs-review":
        raise RunNeedsReview(row.id, reason)
    if row.status == "cancelled":
        raise RunCancelled(row.id, reason)
    if row.status == "failed":
        request = None if row.error_request is None else (yield from gate.backend.get(row.error_request))
        refused = None if request is None else NOT_APPROVED.get(request.status)
        if request is not None and refused is not None:
            raise refused(request)
        raise RunFailed(row.id, reason, row.error_type or "Exception")
    if row.result_lost:
        raise ResultNotStored(row.id)
    workflow = gate.known_workflow(row.workflow)
    return replay(row.id, row.result_text, Any if workflow is None else workflow.parameters.returns)
