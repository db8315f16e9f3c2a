"""Find runs that can go on, and go on with them."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from gatekit.driving import Intent, Invoke, drive, drive_async
from gatekit.errors import GatekitError, UsageError
from gatekit.models import RunRow
from gatekit.reply import in_event_loop
from gatekit.runs.executing import Went, execute

if TYPE_CHECKING:
    from gatekit.gate import Gate

_BATCH: Final = 100
_log: Final = logging.getLogger("gatekit")


@dataclass(slots=True)
class Batch:
    """What came of some runs that could go on."""

    taken: int = 0
    """How many were taken up here; any other was quicker with the rest."""
    broken: set[str] = field(default_factory=set)
    """Ids of those whose execution the queue would not take; they stay ready."""

    @property
    def is_empty(self) -> bool:
        return not self.taken and not self.broken

    def add(self, run: RunRow, went: Went | GatekitError) -> None:
        """Count one run. One that cannot be written must not end the others."""
        if isinstance(went, Went):
            self.taken += went.taken
        else:
            _log.error("run %s could not go on", run.id, exc_info=went)
            self.broken.add(run.id)


def resume_ready(gate: Gate) -> int:
    """Go on, in this thread, with every run of this gate's workflows that can; answers how often one was taken up."""
    if in_event_loop():
        raise UsageError("resume_ready() would stop this thread's event loop: use `await gate.aio.resume_ready()`")
    return drive(_all(gate, _one_after_the_other, is_async=False))


async def resume_ready_async(gate: Gate) -> int:
    """The same in this event loop: async workflows here, sync ones in threads, several at once."""
    return await drive_async(_all(gate, _together, is_async=True))


async def resume_some(gate: Gate) -> Batch:
    """At most a hundred of them, as `resume_ready_async` does; for a worker, which has other things to look at."""
    return await drive_async(_some(gate, (), _together, is_async=True))


_GoOn = Callable[["Gate", Sequence[RunRow]], Any]


def _all(gate: Gate, go_on: _GoOn, *, is_async: bool) -> Intent[int]:
    taken, broken = 0, set[str]()
    while not (batch := (yield from _some(gate, broken, go_on, is_async=is_async))).is_empty:
        taken += batch.taken
        broken |= batch.broken
    return taken


def _some(gate: Gate, broken: Collection[str], go_on: _GoOn, *, is_async: bool) -> Intent[Batch]:
    backend = gate.backend
    yield from backend.sweep()
    yield from backend.runs.mark_strange(gate.workflows, "the program that looked for work")
    ready = yield from backend.runs.ready(gate.workflows, _BATCH + len(broken))
    fresh = [run for run in ready if run.id not in broken]
    if not fresh:
        return Batch()
    batch: Batch = yield Invoke(functools.partial(go_on, gate, fresh), is_async)
    return batch


def _one_after_the_other(gate: Gate, ready: Sequence[RunRow]) -> Batch:
    batch = Batch()
    for run in ready:
        workflow = gate.workflow_named(run.workflow)
        try:
            batch.add(run, drive(execute(workflow, run.id)))
        except GatekitError as error:
            batch.add(run, error)
    return batch


async def _together(gate: Gate, ready: Sequence[RunRow]) -> Batch:
    batch = Batch()

    async def go_on(run: RunRow) -> None:
        workflow = gate.workflow_named(run.workflow)
        try:
            if workflow.is_async:
                batch.add(run, await drive_async(execute(workflow, run.id)))
            else:
                batch.add(run, await anyio.to_thread.run_sync(drive, execute(workflow, run.id)))
        except GatekitError as error:
            batch.add(run, error)

    async with anyio.create_task_group() as group:
        for run in ready:
            group.start_soon(go_on, run)
    return batch
