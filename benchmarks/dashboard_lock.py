"""How long the loop that draws stands still while another process holds the write lock and keys are pressed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from time import monotonic_ns

from benchmarks import raw
from benchmarks.figures import Aim, Figure
from benchmarks.scale import Scale
from benchmarks.seats import anything, dashboard, empty_app, first_row, pending
from benchmarks.terminal import NS, Terminal

_NS_PER_MS = 1e6
_MOVES = 4
_BETWEEN = 0.1
"""Seconds between two moves."""
_A_LOOK_AT_IT = 0.6
"""Seconds between a move and the key that decides: the key guard's 0.4 are over by then."""
_PATIENCE = 20
"""Seconds."""


def measure(scale: Scale, queues: Mapping[int, Path]) -> list[Figure]:
    queue = queues[scale.few]
    with closing(raw.connect(queue)) as connection:
        floor = _longest_gap(scale, empty_app("beat"), anything, connection)
        waiting = pending(connection)
        ours = _longest_gap(
            scale, dashboard(queue, "beat"), first_row, connection, lambda: pending(connection) < waiting
        )
    return [
        Figure(
            name=f"longest gap of the loop, {scale.locked:g} s of a foreign write lock, `j` and `a` ÷ the empty app",
            ours=ours / _NS_PER_MS,
            floor=floor / _NS_PER_MS,
            unit="ms",
            aim=Aim("ours", "≤", 100),
        )
    ]


def _longest_gap(
    scale: Scale,
    program: AbstractContextManager[Terminal],
    shown: Callable[[str], bool],
    connection: sqlite3.Connection,
    done: Callable[[], bool] = lambda: True,
) -> int:
    """Nanoseconds; once the lock is let go what was begun under it must come to be `done`."""
    with program as terminal:
        terminal.until(shown)
        terminal.watch(scale.breath)
        terminal.ask("gap")
        connection.execute("BEGIN IMMEDIATE")
        until = monotonic_ns() + int(scale.locked * NS)
        for _ in range(_MOVES):
            terminal.press("j")
            terminal.watch(_BETWEEN)
        terminal.watch(_A_LOOK_AT_IT)
        terminal.press("a")
        terminal.watch(max(_BETWEEN, (until - monotonic_ns()) / NS))
        connection.execute("ROLLBACK")
        gap = terminal.ask("gap")
        _await(terminal, done)
        return gap


def _await(terminal: Terminal, done: Callable[[], bool]) -> None:
    end = monotonic_ns() + _PATIENCE * NS
    while not done():
        if monotonic_ns() > end:
            raise AssertionError(f"the `a` under the lock decided nothing:\n{terminal.text}")
        terminal.watch(_BETWEEN)
