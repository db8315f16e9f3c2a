"""(e) Ten thousand calls that wait in one process: what each costs, and how soon all of them go on."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic_ns, process_time_ns
from typing import Any

import anyio
import anyio.lowlevel

from benchmarks.commits import Commits, watched_commits
from benchmarks.figures import Aim, Figure
from benchmarks.runs import resident
from benchmarks.scale import Scale
from gatekit import Gate, Rejected, Suspended, gated_step
from gatekit.backend.tx import PageQuery, Tx
from gatekit.display import dashboard_running
from gatekit.machine.commands import Decide
from gatekit.machine.deciding import decide
from gatekit.models import UNDECIDED
from gatekit.store import SqliteStore

_NS_PER_MS = 1e6
_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """What one process saw of itself."""

    kilobytes: float
    """Resident memory for each that waits."""
    threads: int
    """More than before."""
    awake: float
    """Milliseconds from the moment that lets them go on to the last one that does."""
    idle: float
    """Percent of a core while all of them wait."""


def measure(scale: Scale, folder: Path) -> list[Figure]:
    """Every figure of this section."""
    ours = _in_a_process(_waiting_calls, scale, folder / "calls.db")
    waits = _in_a_process(_bare_waits, scale, folder / "waits.db")
    floor = _in_a_process(_waiting_tasks, scale, folder / "none.db")
    count = f"{scale.waiters:,}"
    return [
        Figure(
            name=f"memory of a waiting call, of {count} ÷ a task that waits for a bare future",
            ours=ours.kilobytes,
            floor=floor.kilobytes,
            unit="KB",
            aim=None,
        ),
        Figure(
            name=f"memory of the wait alone, of {count}, beyond its task",
            ours=max(waits.kilobytes - floor.kilobytes, 0.001),
            floor=None,
            unit="KB",
            aim=Aim("ours", "≤", 4),
        ),
        Figure(
            name=f"from the COMMIT that decides {count} to the last awake ÷ a bare future set for each",
            ours=waits.awake,
            floor=floor.awake,
            unit="ms",
            aim=Aim("ours", "≤", 150),
        ),
        Figure(
            name=f"from that COMMIT to the last of {count} calls told, each by a read of its own",
            ours=ours.awake,
            floor=None,
            unit="ms",
            aim=None,
        ),
        Figure(
            name=f"threads for {count} waiting calls", ours=ours.threads, floor=None, unit="", aim=Aim("ours", "≤", 2)
        ),
        Figure(
            name=f"CPU while {count} calls wait", ours=ours.idle, floor=floor.idle, unit="%", aim=Aim("ours", "≤", 0.5)
        ),
    ]


def _in_a_process(work: Callable[[Scale, Path], Seen], scale: Scale, queue: Path) -> Seen:
    """A process of its own, so that no memory of an earlier measurement is used again."""
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(work, scale, queue, theirs), daemon=True)
    process.start()
    theirs.close()
    seen: Seen = mine.recv()
    process.join()
    return seen


def _answer(work: Callable[[Scale, Path], Seen], scale: Scale, queue: Path, line: Connection) -> None:
    line.send(work(scale, queue))


def _waiting_calls(scale: Scale, queue: Path) -> Seen:
    with dashboard_running(), watched_commits() as commits, Gate(queue) as gate:
        return anyio.run(_calls, scale, gate, commits)


async def _calls(scale: Scale, gate: Gate, commits: Commits) -> Seen:
    ended: list[int] = []

    async def pay(amount: int) -> int:
        return _pay(amount)

    step = gated_step(pay, gate=gate)

    async def one(amount: int) -> None:
        try:
            await step(amount)
        except Rejected:
            ended.append(monotonic_ns())

    async def until_all_wait() -> None:
        while await gate.backend.count(("pending",), scale.waiters) < scale.waiters:  # noqa: ASYNC110 - of a file
            await anyio.sleep(_LOOK)

    # The engine, its threads and the step's first use are there before anything is counted.
    await gate.aio.count("pending")
    return await _seen(scale, one, until_all_wait, lambda: _reject_all(gate, commits), ended)


def _bare_waits(scale: Scale, queue: Path) -> Seen:
    with dashboard_running(), watched_commits() as commits, Gate(queue) as gate:
        step = gated_step(_pay, gate=gate, wait=0)
        ids = [_asked(step, number) for number in range(scale.waiters)]
        return anyio.run(_waits, scale, gate, commits, ids)


async def _waits(scale: Scale, gate: Gate, commits: Commits, ids: list[str]) -> Seen:
    ended: list[int] = []
    begun: list[int] = []

    async def one(number: int) -> None:
        begun.append(number)
        await gate.backend.wait(ids[number], UNDECIDED, None)
        ended.append(monotonic_ns())

    async def until_all_wait() -> None:
        await anyio.wait_all_tasks_blocked()
        assert len(begun) == scale.waiters
        # The reader takes up what was asked before it answers what is asked now.
        for _ in range(2):
            await gate.aio.count("pending")

    return await _seen(scale, one, until_all_wait, lambda: _reject_all(gate, commits), ended)


def _pay(amount: int) -> int:
    raise AssertionError("nobody approves it")


def _asked(step: Callable[[int], int], number: int) -> str:
    try:
        step(number)
    except Suspended as suspended:
        return suspended.request_id
    raise AssertionError("a call that needs approval ran")


def _waiting_tasks(scale: Scale, queue: Path) -> Seen:
    return anyio.run(_tasks, scale)


async def _tasks(scale: Scale) -> Seen:
    """The least that waiting costs on asyncio: an event of it, or of anyio, is a future and more."""
    ended: list[int] = []
    futures: list[asyncio.Future[None]] = []

    async def one(amount: int) -> None:
        future = asyncio.get_running_loop().create_future()
        futures.append(future)
        await future
        ended.append(monotonic_ns())

    async def set_all() -> int:
        now = monotonic_ns()
        for future in futures:
            future.set_result(None)
        return now

    return await _seen(scale, one, anyio.lowlevel.checkpoint, set_all, ended)


async def _seen(
    scale: Scale,
    one: Callable[[int], Coroutine[Any, Any, None]],
    until_all_wait: Callable[[], Awaitable[None]],
    let_go: Callable[[], Awaitable[int]],
    ended: list[int],
) -> Seen:
    seen: list[Seen] = []
    began: list[int] = []
    gc.collect()
    memory, threads = resident("self"), threading.active_count()
    async with anyio.create_task_group() as group:
        for number in range(scale.waiters):
            group.start_soon(one, number)
        await until_all_wait()
        gc.collect()
        kilobytes = (resident("self") - memory) * 1000 / scale.waiters
        more = threading.active_count() - threads
        before = process_time_ns()
        await anyio.sleep(scale.idle)
        idle = 100 * (process_time_ns() - before) / (scale.idle * 1e9)
        seen.append(Seen(kilobytes, more, 0, idle))
        began.append(await let_go())
    return replace(seen[0], awake=(max(ended) - began[0]) / _NS_PER_MS)


async def _reject_all(gate: Gate, commits: Commits) -> int:
    """Everybody is told no, in one transaction; answers when its COMMIT returned."""
    command = Decide(verb="reject", by="human:bench", token=None, reason="no")
    pending = PageQuery(statuses=("pending",), limit=1 << 20)

    def job(tx: Tx, now: int) -> None:
        for row in tx.page(pending):
            state = tx.state(row.id)
            assert state is not None
            for effect in decide(state, command, now).effects:
                tx.apply(effect)

    store = SqliteStore.at(gate.path, create=False, clock=gate.clock)
    await store.write(job)
    store.close()
    return commits.last
