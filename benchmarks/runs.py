"""(f) Durable runs: what a step, a start and a resume cost, and what ten thousand that wait cost a worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen
from time import perf_counter
from time import sleep as idle_for

from benchmarks import raw
from benchmarks.figures import Aim, Figure
from benchmarks.scale import Scale
from benchmarks.timing import MICRO
from benchmarks.waiting_runs import waiting_on
from gatekit import Gate, Run
from gatekit.display import dashboard_running

_SETTLE = 1.0
"""Seconds that a worker gets to come to rest."""
_BATCH = 100


def measure(scale: Scale, folder: Path) -> list[Figure]:
    """Every figure of this section."""
    return [*_steps(scale, folder), *_many(scale, folder)]


def _double(number: int) -> int:
    return number + number


def _steps(scale: Scale, folder: Path) -> list[Figure]:
    """One run of many steps: what one costs, and whether the last cost what the first did."""
    taken: list[float] = []
    with Gate(folder / "steps.db") as gate:

        @gate.workflow
        def long(run: Run, steps: int) -> int:
            number = 0
            for step in range(steps):
                began = perf_counter()
                run.step("double", _double, step, key=step)
                taken.append(perf_counter() - began)
                number += 1
            return number

        long.start("long", scale.steps)
        rows = raw.Rows(folder / "floor-of-steps.db", raw.bytes_of_one_request(folder / "steps.db"))
    floor = median(_timed(rows.insert) for _ in range(scale.steps))
    rows.close()
    part = max(1, scale.steps // 10)
    first, last = median(taken[:part]), median(taken[-part:])
    return [
        Figure(
            name="a step (two commits) ÷ a raw commit",
            ours=median(taken) * MICRO,
            floor=floor * MICRO,
            unit="µs",
            aim=None,
        ),
        Figure(
            name=f"the last tenth of {scale.steps:,} steps ÷ the first",
            ours=last * MICRO,
            floor=first * MICRO,
            unit="µs",
            aim=Aim("ratio", "≤", 1.2),
        ),
    ]


def _many(scale: Scale, folder: Path) -> list[Figure]:
    """Many runs that wait for a human: to start them, to have them wait, to go on with them all."""
    path = folder / "runs.db"
    with dashboard_running(), Gate(path) as gate:
        workflow = waiting_on(gate)
        started = _timed(lambda: [workflow.start(f"run-{number}", number) for number in range(scale.runs)]) / scale.runs
        rows = raw.Rows(folder / "floor-of-runs.db", raw.bytes_of_one_request(path))
        floor = median(_timed(rows.insert) for _ in range(min(1000, scale.runs)))
        rows.close()
        empty, full = _idle_worker(scale, folder / "none.db"), _idle_worker(scale, path)
        _release_all(gate)
        resumed = _timed(gate.resume_ready) / scale.runs
    count = f"{scale.runs:,}"
    return [
        Figure(name=f"to start a run, of {count}", ours=started * MICRO, floor=floor * MICRO, unit="µs", aim=None),
        Figure(name=f"to go on with one of {count}", ours=resumed * MICRO, floor=floor * MICRO, unit="µs", aim=None),
        Figure(
            name=f"an idle worker's memory, {count} wait ÷ none",
            ours=full[0],
            floor=empty[0],
            unit="MB",
            aim=Aim("ratio", "≤", 1.1),
        ),
        Figure(
            name=f"an idle worker's CPU, {count} wait",
            ours=full[1],
            floor=empty[1],
            unit="%",
            aim=Aim("ours", "≤", 0.5),
        ),
    ]


def _release_all(gate: Gate) -> None:
    alice = gate.reviewer("alice")
    while pending := alice.pending(limit=_BATCH):
        for request in pending:
            alice.release(request)


def _idle_worker(scale: Scale, path: Path) -> tuple[float, float]:
    """Megabytes, and percent of a core, of a worker that finds nothing to do."""
    command = [str(Path(sys.executable).with_name("gatekit")), "worker", "benchmarks.waiting_runs:gate"]
    environment = {**os.environ, "GATEKIT_QUEUE": str(path)}
    with Popen(command, env=environment, stdout=PIPE, text=True, cwd=Path(__file__).parents[1]) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        idle_for(_SETTLE)
        before = _cpu_seconds(worker.pid)
        idle_for(scale.idle)
        used = 100 * (_cpu_seconds(worker.pid) - before) / scale.idle
        megabytes = resident(str(worker.pid))
        worker.terminate()
    return megabytes, used


def _cpu_seconds(pid: int) -> float:
    """Fields 14 and 15 of proc(5) `stat`, in clock ticks; the name before them may hold blanks and brackets."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: str) -> float:
    """Megabytes of real memory of a process, by its number or `self`."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began
