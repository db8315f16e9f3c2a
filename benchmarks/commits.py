"""When the last COMMIT of this process returned, whatever gatekit does before and after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from time import monotonic_ns
from typing import Any
from unittest.mock import patch


class Commits:
    """`last` is on the clock that all processes of the machine share."""

    def __init__(self) -> None:
        self._last: int | None = None

    @property
    def last(self) -> int:
        if self._last is None:
            raise AssertionError("no COMMIT was seen: the store no longer commits by connection.execute('COMMIT')")
        return self._last

    def returned(self) -> None:
        self._last = monotonic_ns()


@contextmanager
def watched_commits() -> Generator[Commits]:
    """Connections that are opened in this block tell of their commits."""
    commits = Commits()

    class Timed(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            cursor = super().execute(sql, parameters)
            if sql == "COMMIT":
                commits.returned()
            return cursor

    with patch("sqlite3.connect", partial(sqlite3.connect, factory=Timed)):
        yield commits
