"""A key of the reviewer's until its decision is stored, and a call of another process until it is on the screen."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import monotonic_ns, perf_counter

from benchmarks import raw
from benchmarks.figures import Aim, Figure
from benchmarks.scale import Scale
from benchmarks.seats import ask, dashboard, pending, row_of
from benchmarks.terminal import NS, Terminal
from benchmarks.timing import MILLI
from gatekit import Gate
from gatekit.display import dashboard_running

_NS_PER_MS = 1e6
_LOOK = 0.0005
_PATIENCE = 10
"""Seconds."""
_A_LOOK_AT_IT = 0.6
"""Seconds between a move and the key that decides: the key guard's 0.4 are over by then."""
_STAY = 3
"""Calls that wait throughout, so that the list is never empty."""


def measure(scale: Scale, folder: Path) -> list[Figure]:
    return [*_decided(scale, folder / "keys.db"), *_landed(scale, folder / "landings.db")]


def _decided(scale: Scale, queue: Path) -> list[Figure]:
    with Gate(queue) as gate:
        for _ in range(scale.presses + _STAY):
            ask(gate, "pay")
        with closing(raw.connect(queue)) as connection, dashboard(queue) as terminal:
            terminal.until(lambda text: row_of("pay", text))
            taken = [_key(terminal, connection) for _ in range(scale.presses)]
    floor = _bare_commits(queue.with_name("bare.db"), scale.presses)
    name = "`a` → the decision in the file, 40 ms of it the burst guard's"
    return [
        _figure(f"{name}, median ÷ a bare COMMIT", median(taken), median(floor), None),
        _figure(f"the same, the slowest of {scale.presses}", max(taken), max(floor), None),
    ]


def _figure(name: str, ours: float, floor: float | None, aim: Aim | None) -> Figure:
    return Figure(name=name, ours=ours, floor=floor, unit="ms", aim=aim)


def _key(terminal: Terminal, connection: sqlite3.Connection) -> float:
    """Milliseconds from an `a` until another connection sees what it decided; then on to the next call."""
    terminal.watch(_A_LOOK_AT_IT)
    before = pending(connection)
    pressed = terminal.press("a")
    decided = _await_change(terminal, connection, lambda: pending(connection) < before)
    terminal.watch(_A_LOOK_AT_IT)
    terminal.press("j")
    return (decided - pressed) / _NS_PER_MS


def _await_change(terminal: Terminal, connection: sqlite3.Connection, happened: Callable[[], bool]) -> int:
    """When the file came to be so; what the dashboard writes meanwhile is read."""
    version = -1
    end = monotonic_ns() + _PATIENCE * NS
    while monotonic_ns() < end:
        if _version(connection) != version:
            version = _version(connection)
            if happened():
                return monotonic_ns()
        terminal.look(_LOOK)
    raise AssertionError(f"it did not come to be in the file:\n{terminal.text}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)


def _bare_commits(path: Path, count: int) -> list[float]:
    """Milliseconds of each: one row changed."""
    taken = []
    with closing(raw.connect(path)) as connection:
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, status TEXT)")
        connection.execute("INSERT INTO rows VALUES (1, 'pending')")
        for number in range(count):
            began = perf_counter()
            connection.execute("UPDATE rows SET status = ?", (f"decided {number}",))
            taken.append((perf_counter() - began) * MILLI)
    return taken


def _landed(scale: Scale, queue: Path) -> list[Figure]:
    with Gate(queue) as gate:
        for _ in range(_STAY):
            ask(gate, "stay")
    with closing(raw.connect(queue)) as connection, _agent(queue) as agent, dashboard(queue) as terminal:
        terminal.until(lambda text: row_of("stay", text))
        terminal.watch(scale.breath)
        taken = [_landing(agent, terminal, connection, f"landed{number}") for number in range(scale.landings)]
    shown, stored = zip(*taken, strict=True)
    name = "a call made in another process → its row on the screen"
    aim = Aim("ours", "≤", 300)
    return [
        _figure(f"{name}, median ÷ until a bare poll sees it", median(shown), median(stored), aim),
        _figure(f"the same, the slowest of {scale.landings}", max(shown), max(stored), aim),
    ]


def _landing(agent: Connection, terminal: Terminal, connection: sqlite3.Connection, tool: str) -> tuple[float, float]:
    """Milliseconds from the making of a call to its row, and until it is in the file; it is then withdrawn."""
    # In step with no poll and no clock.
    terminal.watch(random.uniform(0.3, 0.8))
    before = pending(connection)
    agent.send(tool)
    stored = _await_change(terminal, connection, lambda: pending(connection) > before)
    shown = terminal.until(lambda text: row_of(tool, text))
    made: int = agent.recv()
    agent.send("withdraw")
    terminal.until(lambda text: not row_of(tool, text))
    agent.recv()
    return (shown - made) / _NS_PER_MS, (stored - made) / _NS_PER_MS


@contextmanager
def _agent(queue: Path) -> Generator[Connection]:
    """Another process that makes a call of each tool it is told, answers when, and withdraws the last when told."""
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(queue, theirs), daemon=True)
    process.start()
    theirs.close()
    mine.recv()
    try:
        yield mine
    finally:
        mine.send("stop")
        process.join()
        mine.close()


def _serve(queue: Path, line: Connection) -> None:
    last = ""
    with dashboard_running(), Gate(queue, create=False) as gate:
        line.send(0)
        while (order := line.recv()) != "stop":
            at = monotonic_ns()
            if order == "withdraw":
                gate.reviewer("agent").cancel(last)
            else:
                last = ask(gate, order)
            line.send(at)
