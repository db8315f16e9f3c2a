"""What SQLite complains of, in words of our own."""

from __future__ import annotations

import sqlite3
from typing import Final

from gatekit.errors import NotAQueue, StoreBusy, StoreError

BUSY_SECONDS: Final = 5.0
"""How long a connection waits for another process's lock."""

_CURES: Final = {
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_READONLY: "give this user write access to the file and its directory",
    sqlite3.SQLITE_PERM: "give this user access to the file and its directory",
    sqlite3.SQLITE_AUTH: "give this user access to the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "check that its directory exists and that this user may write there",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore it from a backup",
}


_IN_THE_WAY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
"""The last is said of the log's own locks, after SQLite has tried for some 10 s (sqlite.org/rescode.html#protocol)."""


def is_busy(error: BaseException) -> bool:
    """Whether somebody else's lock was in the way."""
    return isinstance(error, sqlite3.Error) and _code(error) in _IN_THE_WAY


def store_error(error: Exception, path: str) -> StoreError:
    """The error of our tree that stands for what SQLite or the system said about the queue at `path`."""
    if isinstance(error, StoreError):
        return error
    if is_busy(error):
        return StoreBusy(path, BUSY_SECONDS)
    code = _code(error)
    if code == sqlite3.SQLITE_NOTADB:
        return NotAQueue(path, "it is no SQLite database")
    cure = _CURES.get(code)
    return StoreError(f"{path}: {error}" + ("" if cure is None else f": {cure}"))


def _code(error: BaseException) -> int:
    # The low byte is the primary result code (sqlite.org/rescode.html).
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
