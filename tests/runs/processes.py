"""Second processes for the tests of runs: `tests.runs.program`, started, watched, stopped and killed.

A fork server that has the program imported makes each of them within milliseconds, and shares nothing with the test.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any, Final

from gatekit import Gate
from tests.runs.program import Book, define, main

HANGS: Final = 30.0
"""Seconds after which a process that says nothing fails the test."""
_context: Final = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.runs.program"])


class Program:
    """One process of the program."""

    def __init__(self, stage: Stage, *args: str, catch: str = "") -> None:
        self._pipe, into = _context.Pipe()
        self.process = _context.Process(
            target=main, args=(into, stage.queue, str(stage.diary), catch, *args), daemon=True
        )
        self.process.start()
        into.close()

    def _next(self) -> str | None:
        """What it says next; None where it has ended."""
        assert self._pipe.poll(HANGS), "the program says nothing"
        try:
            return str(self._pipe.recv())
        except EOFError:
            return None

    def until(self, line: str) -> None:
        """Wait until it says this."""
        said = []
        while (read := self._next()) is not None:
            said.append(read)
            if read == line:
                return
        raise AssertionError(f"it ended, said {said} and not {line!r}")

    def go(self) -> None:
        """Let it go on from where it was caught."""
        self._pipe.send("go on")

    def signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.process.kill()
        self.process.join(HANGS)

    def end(self) -> list[str]:
        """What it said since; it must end well."""
        said = []
        while (read := self._next()) is not None:
            said.append(read)
        self.process.join(HANGS)
        assert self.process.exitcode == 0, f"it ended with {self.process.exitcode} after {said}"
        return said

    def close(self) -> None:
        if self.process.is_alive():
            self.kill()
        self.process.close()
        self._pipe.close()


class Stage:
    """A queue file and a diary that several processes share."""

    def __init__(self, folder: Path) -> None:
        self.queue = str(folder / "queue.db")
        self.diary = folder / "diary"
        self._programs: list[Program] = []

    def begin(self, *args: str, catch: str = "") -> Program:
        program = Program(self, *args, catch=catch)
        self._programs.append(program)
        return program

    def run(self, *args: str) -> list[str]:
        """What a process said, from its beginning to its end."""
        return self.begin(*args).end()

    def begin_and_kill(self, *args: str, catch: str) -> None:
        """A process that is killed at this note."""
        program = self.begin(*args, catch=catch)
        program.until(catch)
        program.kill()

    def open(self) -> Gate:
        """The queue in this process, with the program's workflows."""
        gate = Gate(self.queue)
        self.workflows(gate)
        return gate

    def workflows(self, gate: Gate) -> dict[str, Any]:
        return define(gate, Book(str(self.diary)))

    @property
    def counts(self) -> dict[str, int]:
        """How often each tool was called, over all processes."""
        return dict(Counter(Book(str(self.diary)).lines()))

    def close(self) -> None:
        for program in self._programs:
            program.close()
