"""From a path to a connection that keeps gatekit's promises, touching nothing that is not a queue."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Final

from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, StoreError
from gatekit.store.failures import BUSY_SECONDS, is_busy, store_error
from gatekit.store.files import QueueFiles, empty_log, identity, refuse_torn
from gatekit.store.location import refuse_network, size_of, uri
from gatekit.store.schema import APPLICATION_ID, TABLES, VERSION, migration

WAL_PAGES: Final = 1000
"""Pages in the -wal file above which it is copied into the database."""
_WAL_KEPT: Final = 2 * WAL_PAGES * 4096
"""Bytes that the -wal file keeps after that: overwriting is cheaper than growing."""
_ATTEMPTS: Final = 100
_UNLOCKED: Final = "mode=ro&immutable=1"
_ROLLING_BACK: Final = "mode=rw"
_READING_THE_LOG: Final = "mode=ro"

# FULL: with NORMAL a power cut loses acknowledged decisions. No automatic checkpoint: before SQLite 3.51.3 one that
# runs beside another connection's commit can reset the log under it (the WAL-reset bug), so `checkpoint` does it.
_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA wal_autocheckpoint = 0",
    f"PRAGMA journal_size_limit = {_WAL_KEPT}",
    # On macOS only this makes the disk itself write; elsewhere it changes nothing (sqlite.org/pragma.html).
    *(("PRAGMA fullfsync = ON", "PRAGMA checkpoint_fullfsync = ON") if sys.platform == "darwin" else ()),
)


def open_queue(path: str, *, create: bool) -> tuple[sqlite3.Connection, QueueFiles]:
    """Open the queue at an absolute path for writing, and make it if `create` and there is none.

    Raises `QueueNotFound`, `NotAQueue`, `SchemaTooNew`, `StoreBusy` or `StoreError`; nothing is then created or
    changed.
    """
    with _our_errors(path):
        size = size_of(path)
        refuse_network(path)
        if size is None and not create:
            raise QueueNotFound(path)
        if size == 0 and not create:
            raise NotAQueue(path, "the file is empty")
        if size is None:
            _make_file(path)
        if size:
            _refuse_foreign(path, create=create)
            refuse_torn(path, BUSY_SECONDS)
        main = identity(path)
        connection = connect(path)
        try:
            _prepare(connection, path)
            files = QueueFiles.at(path)
            if files.main != main:
                raise StoreError(f"{path} was replaced while it was being opened: try again")
            return connection, files
        except BaseException:
            # What was opened is what was there before, whatever the path means now.
            if identity(path) != main:
                empty_log(connection)
            connection.close()
            raise


def connect(path: str) -> sqlite3.Connection:
    """One more connection to an existing queue; it never makes the file."""
    # Not bound to a thread: before a fork all connections are closed, by the thread that forks.
    connection = sqlite3.connect(
        uri(path, "mode=rw"), uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _our_errors(path: str) -> Generator[None, None, None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise store_error(error, path) from error


def _make_file(path: str) -> None:
    # Made by us with mode 0600, so that -wal and -shm, which take the mode of the database, have it too.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Another process is making the same queue; the lock decides who of us does.
        return
    except FileNotFoundError:
        raise StoreError(f"{path} cannot be made: the directory {os.path.dirname(path)} does not exist") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}") from error


def _refuse_foreign(path: str, *, create: bool) -> None:
    """Look at the header without locks and without making -wal or -shm, which an ordinary connection does."""
    # Through SQLite, not `open()`: closing a descriptor of its own would drop every lock this process has there.
    try:
        _look_at_header(path, _UNLOCKED, create=create)
    except (sqlite3.DatabaseError, NotAQueue) as error:
        # Without locks a file that somebody is just making, or copying the log into, can look torn or be without a
        # name; and it stays so where that process died, until SQLite has looked at the journal or the log.
        _look_at_header(path, _second_look(path, error), create=create)


def _second_look(path: str, error: Exception) -> str:
    if os.path.exists(path + "-journal"):
        return _ROLLING_BACK
    # A queue has its name before it has a log, so a log explains a torn file, and not one without a name.
    torn = not isinstance(error, NotAQueue)
    return _READING_THE_LOG if torn and os.path.exists(path + "-wal") else _UNLOCKED


def _look_at_header(path: str, how: str, *, create: bool) -> None:
    with closing(sqlite3.connect(uri(path, how), uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as header:
        if _number(header, "page_count"):
            _refuse_header(header, path)
        elif not create:
            # What the journal of a maker who was killed leads back to.
            raise NotAQueue(path, "the file is empty")


def _refuse_header(connection: sqlite3.Connection, path: str) -> None:
    found, version = _number(connection, "application_id"), _number(connection, "user_version")
    if found != APPLICATION_ID:
        raise NotAQueue(path, "it is another program's database")
    if version > VERSION:
        raise SchemaTooNew(path, version, VERSION)


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    if _number(connection, "user_version") != VERSION:
        _migrate(connection, path)
    _refuse_header(connection, path)
    _refuse_contents(connection, path)
    _use_wal(connection)
    # Only the first read opens -wal and -shm.
    _number(connection, "user_version")


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    migrate = migration()
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: somebody else may have been quicker.
        if _number(connection, "schema_version") and _number(connection, "user_version") != VERSION:
            _refuse_header(connection, path)
            _refuse_contents(connection, path)
        if _number(connection, "user_version") < VERSION:
            migrate(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _refuse_contents(connection: sqlite3.Connection, path: str) -> None:
    """A trigger could decide in a reviewer's stead, so nothing may be in the file that gatekit did not put there."""
    for kind, name in connection.execute("SELECT type, name FROM sqlite_master"):
        if kind == "table" and (name in TABLES or name.startswith("sqlite_")):
            continue
        if kind != "index":
            raise NotAQueue(path, f"it holds a {kind} that gatekit did not make, {name!r}")


def _use_wal(connection: sqlite3.Connection) -> None:
    # Changing the mode does not wait for a lock as other statements do. Once it is WAL, asking is free.
    for attempt in range(_ATTEMPTS):
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or attempt == _ATTEMPTS - 1:
                raise
            _take_turns(connection)
        else:
            if mode != "wal":
                raise StoreError(f"SQLite cannot use a write-ahead log here (it answers {mode!r})")
            return


def _take_turns(connection: sqlite3.Connection) -> None:
    """Wait, by the busy timeout, until neither writer nor reader is left."""
    connection.execute("BEGIN EXCLUSIVE")
    connection.execute("ROLLBACK")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (number,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(number)
