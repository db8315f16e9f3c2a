"""The two programs that are measured on a terminal: the dashboard, and an empty app."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks import raw
from benchmarks.terminal import Terminal, opened
from gatekit import Gate, Suspended, gated_step

SIZE = (80, 24)
WIDE = (160, 48)


def dashboard(queue: Path, *more: str, size: tuple[int, int] = SIZE) -> AbstractContextManager[Terminal]:
    return opened("benchmarks.own_app", str(queue), *more, size=size)


def empty_app(*more: str, size: tuple[int, int] = SIZE) -> AbstractContextManager[Terminal]:
    return opened("benchmarks.empty_app", *more, size=size)


def row_of(tool: str, text: str) -> bool:
    """Whether a line of the list shows a call of this tool: its risk, and then its name."""
    risks = ("LOW", "MED", "HIGH", "CRIT")
    return any(tool in line.split() and any(risk in line for risk in risks) for line in text.splitlines())


def first_row(text: str) -> bool:
    """Whether a call of the queues that `benchmarks.filling` makes is shown."""
    return row_of("send", text)


def anything(text: str) -> bool:
    return bool(text.strip())


def ask(gate: Gate, tool: str) -> str:
    """A call of low risk that nobody waits for; answers its id."""

    @gated_step(gate=gate, name=tool, risk="low", wait=0)
    def step(amount: int) -> str:
        return f"{amount} paid"

    try:
        step(5)
    except Suspended as error:
        return error.request_id
    raise AssertionError("a call that needs approval ran")


def pending(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM requests WHERE status = 'pending'").fetchone()
    return int(count)


def wait_since(queue: Path, at: int) -> None:
    """Let all of a queue's requests wait since this moment, in microseconds."""
    connection = raw.connect(queue)
    try:
        connection.execute("UPDATE requests SET created_at = ?", (at,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
