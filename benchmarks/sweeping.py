"""(g) Settling what is overdue among very many pending requests, beside bare statements; and who waits behind it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from time import perf_counter

from benchmarks import raw
from benchmarks.figures import Aim, Figure
from benchmarks.filling import filled
from benchmarks.scale import Scale
from benchmarks.timing import MILLI
from gatekit import Gate
from gatekit.backend.sweeping import BATCH

_LONG_AGO = 1_000_000
"""A moment in 1970, in microseconds."""


def measure(scale: Scale, folder: Path) -> list[Figure]:
    queue = folder / "overdue.db"
    with filled({queue: scale.many}):
        floor = _bare(folder / "bare.db", scale)
        _let_pass(queue, scale.due)
        whole, longest = _swept(queue, scale.due)
    count = f"{scale.due:,} due of {scale.many:,} pending"
    return [
        Figure(
            name=f"settling one of {count} ÷ an update and an insert, {BATCH} a commit",
            ours=whole / scale.due * MILLI,
            floor=floor / scale.due * MILLI,
            unit="ms",
            aim=None,
        ),
        Figure(
            name="longest that another write, as a start is, waited meanwhile",
            ours=longest * MILLI,
            floor=None,
            unit="ms",
            aim=Aim("ours", "≤", 100),
        ),
    ]


def _let_pass(queue: Path, due: int) -> None:
    connection = raw.connect(queue)
    try:
        connection.execute(
            "UPDATE requests SET expires_after = 1, decide_by = :ago, due = :ago WHERE number <= :due",
            {"ago": _LONG_AGO, "due": due},
        )
    finally:
        connection.close()


def _swept(queue: Path, due: int) -> tuple[float, float]:
    """Seconds for all of it, and the longest that another write waited meanwhile."""
    with Gate(queue, create=False) as gate:
        began = perf_counter()
        # Opening the queue begins it.
        swept = gate.backend.sweep()
        waits = []
        while not swept.done:
            asked = perf_counter()
            gate.backend.rules.lift("system:benchmark").wait()
            waits.append(perf_counter() - asked)
        whole = perf_counter() - began
        settled = gate.count("expired", at_most=2 * due)
    if settled != due:
        raise AssertionError(f"{settled} requests were settled, not {due}")
    return whole, max(waits)


def _bare(path: Path, scale: Scale) -> float:
    """Seconds for as many updates and inserts in a table of as many rows, with an index over what is searched by."""
    connection = raw.connect(path)
    try:
        _make(connection, scale.many)
        began = perf_counter()
        for first in range(1, scale.due + 1, BATCH):
            connection.execute("BEGIN IMMEDIATE")
            for number in range(first, min(first + BATCH, scale.due + 1)):
                connection.execute("UPDATE rows SET status = 'expired', due = 2 WHERE number = ?", (number,))
                connection.execute("INSERT INTO notes (number, body) VALUES (?, ?)", (number, "x" * 200))
            connection.execute("COMMIT")
        return perf_counter() - began
    finally:
        connection.close()


def _make(connection: sqlite3.Connection, rows: int) -> None:
    connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, status TEXT, due INTEGER, body TEXT)")
    connection.execute("CREATE INDEX rows_status ON rows (status, due)")
    connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, number INTEGER, body TEXT)")
    connection.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
        " INSERT INTO rows SELECT n, 'pending', 1, printf('%0800d', n) FROM numbers",
        (rows,),
    )
