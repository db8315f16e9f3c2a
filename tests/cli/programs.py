"""A program with workflows, as a file in a folder; and what tests start, await and kill of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gatekit import Gate
from gatekit.arguments.canonical import canonical, digest_of
from gatekit.backend.runs import NewRun
from tests.cli.support import COMMAND, environment

PROGRAM = """
import os
import anyio.to_thread
from gatekit import Gate, gated_step

gate = Gate("queue.db")
nothing = Gate("queue.db")


def note(order: str) -> str:
    with open("noted.txt", "a") as file:
        file.write(order + chr(10))
    return order


def held(order: str) -> str:
    with open("pipe") as pipe:  # until a test opens its other end
        return pipe.read()


async def held_async(order: str) -> str:
    return await anyio.to_thread.run_sync(held, order, abandon_on_cancel=True)


def broken(order: str) -> str:
    raise ValueError("no money\\x1b[2J for " + order)


again = gated_step(held, gate=gate, name="again", requires_approval=False, idempotent=True)


@gate.workflow
def refund(run, order: str) -> str:
    order = run.pause("before", order)
    return run.step("note", note, order)


@gate.workflow
def slow(run, order: str) -> str:
    return run.step("held", held, order)


@gate.workflow
async def slow_async(run, order: str) -> str:
    return await run.step("held", held_async, order)


@gate.workflow
def careful(run, order: str) -> str:
    return run.step("again", again, order)


@gate.workflow
def hopeless(run, order: str) -> str:
    return run.step("broken", broken, order)
"""


def write_program(folder: Path) -> None:
    """`app.py`, whose queue is `queue.db` beside it."""
    (folder / "app.py").write_text(PROGRAM, encoding="utf-8")


def begin(gate: Gate, workflow: str, *run_ids: str) -> None:
    """Start runs as a program does that dies before it executes them; each has its own id as its argument."""
    for run_id in run_ids:
        text = canonical({"order": run_id})
        new = NewRun(id=run_id, workflow=workflow, text=text, digest=digest_of(workflow, text), requester="agent:app")
        gate.backend.runs.begin(new).wait()


class Worker:
    """`gatekit worker app:gate` in a process of its own; its lines can be awaited."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "worker", "app:gate"],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.seen: list[str] = []
        self.wait_for("works on ")

    @property
    def _lines(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def wait_for(self, text: str) -> None:
        for line in self._lines:
            self.seen.append(line)
            if text in line:
                return
        raise AssertionError(f"the worker ended without {text!r}: {self.seen}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit code, once it has ended."""
        self.seen += self._lines.readlines()
        return self.process.wait(20)


@contextmanager
def workers(folder: Path, count: int) -> Generator[Sequence[Worker]]:
    """Workers that are there and idle; none outlives the test."""
    started: list[Worker] = []
    try:
        for _ in range(count):
            started.append(Worker(folder))
        yield started
    finally:
        for worker in started:
            worker.process.kill()
            worker.process.wait()
            worker._lines.close()
