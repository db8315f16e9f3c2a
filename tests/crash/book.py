"""The rows of a queue, read with nothing but `sqlite3`: what the judge looks at owes nothing to gatekit's code."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One request with all its rows, each table in order."""

    request: Row
    revisions: list[Row]
    decisions: list[Row]
    permits: list[Row]
    attempts: list[Row]
    events: list[Row]

    @property
    def label(self) -> str:
        """What the call is named by in its own arguments; a pause has a name only."""
        args = json.loads(self.revisions[0]["text"]) if self.revisions else {}
        return str(args.get("label", f"{self.request['run']}.{self.request['call_id']}"))

    @property
    def status(self) -> str:
        status: str = self.request["status"]
        return status


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run with its own events, and its steps in the order in which they were made."""

    run: Row
    events: list[Row]
    steps: list[Entry]

    @property
    def id(self) -> str:
        run_id: str = self.run["id"]
        return run_id

    @property
    def status(self) -> str:
        status: str = self.run["status"]
        return status


@dataclass(frozen=True, slots=True)
class Book:
    """All requests and runs, and what SQLite itself complains of."""

    entries: list[Entry] = field(default_factory=list)
    runs: list[RunEntry] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)

    def of(self, label: str) -> list[Entry]:
        """The requests for the calls of this label."""
        return [entry for entry in self.entries if entry.label == label]


class Effect(NamedTuple):
    """One line that the tool left behind."""

    label: str
    amount: int
    attempt: int
    """The number of the start within its request."""
    request: str = ""
    """Its id, where it is known: a step that is made anew has the same label."""


LOCKED: Final = "database is locked"
"""What SQLite says when the time to wait for a lock is over."""
_IN_THE_WAY: Final = (LOCKED, "locking protocol")
"""The second is what it says of the log's own locks, where somebody was stopped who held one."""


def read(path: str, *, integrity: bool = True, patience: float = 20.0) -> Book:
    """The queue at `path` as one transaction shows it; empty where there is no queue yet.

    Args:
        path: the queue's file.
        integrity: whether SQLite is to check the file itself too.
        patience: seconds to wait for somebody else's lock.
    """
    if not os.path.exists(path) or not os.path.getsize(path):
        return Book()
    try:
        with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            # The last one to close copies the log: whether that lasts is nobody's concern here.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            flaws = _flaws(connection) if integrity else []
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
                return Book(flaws=flaws)
            entries = _entries(connection)
            return Book(entries, _runs(connection, entries), flaws)
    except sqlite3.DatabaseError as error:
        return Book(flaws=[LOCKED if str(error) in _IN_THE_WAY else f"corrupt: {error}"])


def _flaws(connection: sqlite3.Connection) -> list[str]:
    said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    orphans = [f"a row of {row[0]} belongs to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
    return [f"corrupt: {line}" for line in said if line != "ok"] + orphans


def _entries(connection: sqlite3.Connection) -> list[Entry]:
    tables = {
        "revisions": "revision",
        "decisions": "no",
        "permits": "no",
        "attempts": "no",
        "events": "cursor",
    }
    rows: dict[str, dict[str, list[Row]]] = {}
    for table, key in tables.items():
        found = rows.setdefault(table, {})
        for row in connection.execute(f"SELECT * FROM {table} ORDER BY request_id, {key}"):
            found.setdefault(row["request_id"], []).append(dict(row))
    return [
        Entry(dict(request), *(rows[table].get(request["id"], []) for table in tables))
        for request in connection.execute("SELECT * FROM requests ORDER BY number")
    ]


def _runs(connection: sqlite3.Connection, entries: Sequence[Entry]) -> list[RunEntry]:
    of_run = "SELECT * FROM events WHERE run = ? AND coalesce(request_id, '') = '' ORDER BY cursor"
    return [
        RunEntry(
            dict(run),
            [dict(event) for event in connection.execute(of_run, (run["id"],))],
            [entry for entry in entries if entry.request["run"] == run["id"]],
        )
        for run in connection.execute("SELECT * FROM runs ORDER BY number").fetchall()
    ]


def effects_in(path: str) -> Sequence[Effect]:
    """What the tool left behind; a line is written by one call, so there is no half of one."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [Effect(*json.loads(line)) for line in file]
