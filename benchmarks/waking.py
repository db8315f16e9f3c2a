"""(c) From the return of the deciding COMMIT until the waiter goes on, and what waiting costs meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Thread
from time import monotonic_ns, sleep

import anyio
import anyio.to_thread

from benchmarks.commits import Commits, watched_commits
from benchmarks.figures import Aim, Figure
from benchmarks.scale import Scale
from benchmarks.timing import percentile
from benchmarks.tools import RECIPIENT, send
from benchmarks.waiter import Other, started
from gatekit import Gate, Suspended, gated_step
from gatekit.models import UNDECIDED

_NS_PER_MS = 1e6
_SHORTEST, _LONGEST = 0.02, 0.06
"""Seconds for which the waiter sleeps before each wake, at random: never in step with a poll."""
_POLL = 0.25


@dataclass(frozen=True, slots=True)
class Desk:
    """Where requests are made and decided."""

    gate: Gate
    commits: Commits

    def ask(self) -> str:
        """A new request; answers its id."""
        try:
            gated_step(send, gate=self.gate, wait=0)(RECIPIENT, "Minutes", "See below.", False, 2)
        except Suspended as error:
            return error.request_id
        raise AssertionError("a call that needs approval ran")

    def decide(self, request_id: str) -> int:
        """Approve it; answers when the COMMIT returned."""
        self.gate.reviewer("bench").approve(self.gate.get(request_id))
        return self.commits.last


def measure(scale: Scale, folder: Path) -> list[Figure]:
    with watched_commits() as commits, Gate(folder / "waking.db") as gate:
        desk = Desk(gate, commits)
        desk.ask()
        with started(Path(gate.path)) as other, started(Path(gate.path), polls=True) as polling:
            first, idle = _after_nothing(desk, other, polling, scale.idle)
            figures = [first, *_elsewhere(desk, other, scale.wakes), idle]
            lost = _lost(desk, other, Path(f"{gate.path}.wake"), scale.lost)
        return [*figures, _here(desk, scale.wakes), lost]


def _after_nothing(desk: Desk, other: Other, polling: Other, seconds: float) -> tuple[Figure, Figure]:
    """The first wake after so many seconds, and the CPU time that waiting took, of itself and beside a bare poll."""
    request_id = desk.ask()
    other.ask("wait", request_id)
    sleep(_LONGEST)
    before, bare_before = other.ask("cpu"), polling.ask("cpu")
    sleep(seconds)
    used, bare_used = other.ask("cpu") - before, polling.ask("cpu") - bare_before
    other.tell("listen")
    sleep(_LONGEST)
    decided = desk.decide(request_id)
    wake = (other.answer() - decided) / _NS_PER_MS
    share = 100 / (seconds * 1e9)
    return (
        Figure(name=f"first wake after {seconds:g} s of nothing", ours=wake, floor=None, unit="ms", aim=None),
        Figure(
            name="idle CPU of the waiting process ÷ a bare poll",
            ours=used * share,
            floor=bare_used * share,
            unit="%",
            aim=Aim("ours", "≤", 0.1),
        ),
    )


def _elsewhere(desk: Desk, other: Other, wakes: int) -> list[Figure]:
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(wakes):
        ours.append(_wake(desk, other, _nothing, _SHORTEST, _LONGEST))
        sleep(random.uniform(_SHORTEST, _LONGEST))
        sent = monotonic_ns()
        floor.append((other.ask("clock") - sent) / _NS_PER_MS)
    return [
        Figure(
            name="another process, median ÷ a byte through a pipe",
            ours=median(ours),
            floor=median(floor),
            unit="ms",
            aim=Aim("ours", "≤", 2),
        ),
        Figure(
            name="another process, p99",
            ours=percentile(ours, 99),
            floor=percentile(floor, 99),
            unit="ms",
            aim=Aim("ours", "≤", 10),
        ),
    ]


def _lost(desk: Desk, other: Other, sockets: Path, wakes: int) -> Figure:
    def deafen() -> None:
        for socket in sockets.iterdir():
            socket.unlink()

    # Spread over a whole poll, so that no share of it is left out.
    slowest = max(_wake(desk, other, deafen, _SHORTEST, _SHORTEST + _POLL) for _ in range(wakes))
    name = f"every nudge lost, the slowest of {wakes}"
    return Figure(name=name, ours=slowest, floor=_POLL * 1e3, unit="ms", aim=Aim("ours", "≤", 250))


def _wake(desk: Desk, other: Other, before: Callable[[], None], shortest: float, longest: float) -> float:
    """Milliseconds from the COMMIT to the other process's waiter."""
    request_id = desk.ask()
    other.ask("wait", request_id)
    other.tell("listen")
    sleep(random.uniform(shortest, longest))
    before()
    decided = desk.decide(request_id)
    return (other.answer() - decided) / _NS_PER_MS


def _nothing() -> None:
    """Let the nudges come."""


def _here(desk: Desk, wakes: int) -> Figure:
    ours = anyio.run(_wakes_here, desk, wakes)
    floor = anyio.run(_bare_wakes, wakes)
    return Figure(
        name="same process, median ÷ a bare call to the loop",
        ours=median(ours),
        floor=median(floor),
        unit="ms",
        aim=Aim("ours", "≤", 0.5),
    )


async def _wakes_here(desk: Desk, wakes: int) -> list[float]:
    taken: list[float] = []
    for _ in range(wakes):
        request_id = await anyio.to_thread.run_sync(desk.ask)
        reply = desk.gate.backend.wait(request_id, UNDECIDED, None)
        decided: list[int] = []

        def decide_later(request_id: str = request_id, decided: list[int] = decided) -> None:
            sleep(random.uniform(_SHORTEST, _LONGEST))
            decided.append(desk.decide(request_id))

        thread = Thread(target=decide_later)
        thread.start()
        await reply
        woken = monotonic_ns()
        await anyio.to_thread.run_sync(thread.join)
        taken.append((woken - decided[0]) / _NS_PER_MS)
    return taken


async def _bare_wakes(wakes: int) -> list[float]:
    taken: list[float] = []
    loop = asyncio.get_running_loop()
    for _ in range(wakes):
        future: asyncio.Future[int] = loop.create_future()

        def set_later(future: asyncio.Future[int] = future) -> None:
            sleep(random.uniform(_SHORTEST, _LONGEST))
            loop.call_soon_threadsafe(future.set_result, monotonic_ns())

        thread = Thread(target=set_later)
        thread.start()
        taken.append(-((await future) - monotonic_ns()) / _NS_PER_MS)
        await anyio.to_thread.run_sync(thread.join)
    return taken
