"""The floor of every figure about storage: the same file system and sync mode, and nothing but `sqlite3`."""

from __future__ import annotations

import sqlite3
from itertools import count
from pathlib import Path

_PARTS = ("requests", "revisions", "events")
"""The tables that one enqueue writes."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the sync mode of gatekit's own."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def bytes_of_one_request(queue: Path) -> int:
    """How much the last request made gatekit write."""
    connection = connect(queue)
    try:
        (last,) = connection.execute("SELECT id FROM requests ORDER BY number DESC LIMIT 1").fetchone()
        return sum(_bytes_of(connection, table, last) for table in _PARTS)
    finally:
        connection.close()


def _bytes_of(connection: sqlite3.Connection, table: str, request_id: str) -> int:
    column = "id" if table == "requests" else "request_id"
    rows = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (request_id,))
    return sum(len(str(value).encode()) for row in rows for value in row if value is not None)


class Rows:
    """A table of one text and its key, into which rows of `size` bytes are inserted, one a commit."""

    def __init__(self, path: Path, size: int) -> None:
        self._connection = connect(path)
        self._connection.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, body TEXT NOT NULL)")
        self._numbers = count()
        self._body = "x" * (size - 26)

    def insert(self) -> None:
        key = f"{next(self._numbers):026d}"
        self._connection.execute("INSERT INTO rows VALUES (?, ?)", (key, self._body))

    def close(self) -> None:
        self._connection.close()
