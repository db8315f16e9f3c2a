"""Queues with very many pending requests, made by copying one that gatekit queued itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from time import sleep

from benchmarks import raw
from benchmarks.tools import RECIPIENT, send
from gatekit import Gate, gated_step
from gatekit.display import dashboard_running

_NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)"
_NEW_ID = "printf('%026d', n)"
_OWN = {
    "requests": {"number": "n", "pos": "n", "id": _NEW_ID, "call_id": _NEW_ID},
    "revisions": {"request_id": _NEW_ID},
    "events": {"request_id": _NEW_ID, "call_id": _NEW_ID},
}
"""By table, the columns in which a copy differs from the original."""
_LOOK = 0.01


@contextmanager
def filled(queues: Mapping[Path, int]) -> Generator[None]:
    """Queues, each with so many pending requests; one other process waits for them all, as an agent does."""
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_fill, args=(dict(queues), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        mine.recv()
        yield
    finally:
        # Killed, not asked to leave: an agent that ends in order takes its calls back.
        process.kill()
        process.join()
        mine.close()


def _fill(queues: dict[Path, int], line: Connection) -> None:
    with dashboard_running():
        for path, rows in queues.items():
            _wait_for_one(Gate(path))
            _copy(path, rows)
        line.send("filled")
        line.recv()


def _wait_for_one(gate: Gate) -> None:
    tool = gated_step(send, gate=gate)
    Thread(target=tool, args=(RECIPIENT, "Minutes", "See below.", False, 2), daemon=True).start()
    while gate.count("pending") == 0:
        sleep(_LOOK)


def _copy(path: Path, rows: int) -> None:
    connection = raw.connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for table, own in _OWN.items():
            columns = [name for name in _columns(connection, table) if name != "cursor"]
            values = ", ".join(own.get(name, f'"{name}"') for name in columns)
            names = ", ".join(f'"{name}"' for name in columns)
            original = f"(SELECT * FROM {table} LIMIT 1)"
            connection.execute(
                f"{_NUMBERS} INSERT INTO {table} ({names}) SELECT {values} FROM {original}, numbers", {"rows": rows}
            )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
