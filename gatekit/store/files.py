"""The three files of an open queue: whether they are still those that were opened, and how to let go of them."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

from gatekit.clock import SystemClock
from gatekit.errors import QueueNotFound, StoreError
from gatekit.store.failures import is_busy
from gatekit.store.location import uri

_PAUSE: Final = 0.02
"""Seconds between two looks at whether anybody has the queue open. A look locks it for a moment, and who leaves
just then cannot copy a log that has no name any more: so the looks are few."""
_LOG: Final = logging.getLogger("gatekit")

_Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class QueueFiles:
    """The very files that were opened: the database, its log (-wal) and the log's index (-shm).

    A path can come to mean another file, and SQLite goes on with the ones that it has: what is written to a log
    without a name is lost with the process, and two who write to one log by two indexes destroy each other's work.
    While a connection is open, no program that keeps to SQLite's locks removes -wal or -shm: only the last one to
    leave does (sqlite.org/walformat.html, "Files On Disk").
    """

    path: str
    main: _Identity
    log: _Identity
    index: _Identity

    @classmethod
    def at(cls, path: str) -> QueueFiles:
        """The files that `path` means now, where a connection was used: raises `QueueNotFound` or `StoreError`."""
        main, log, index = (identity(path + suffix) for suffix in ("", "-wal", "-shm"))
        if main is None:
            raise QueueNotFound(path)
        if log is None or index is None:
            raise StoreError(_lost_beside(path, "-wal" if log is None else "-shm"))
        return cls(path, main, log, index)

    def verify(self) -> int:
        """The bytes of the database; raises `StoreError` if the path means other files by now."""
        try:
            main, log, index = os.stat(self.path), os.stat(self.path + "-wal"), os.stat(self.path + "-shm")
        except OSError:
            raise StoreError(self._what_is_lost()) from None
        if (
            (main.st_dev, main.st_ino) != self.main
            or (log.st_dev, log.st_ino) != self.log
            or (index.st_dev, index.st_ino) != self.index
        ):
            raise StoreError(self._what_is_lost())
        return main.st_size

    def verify_size(self, connection: sqlite3.Connection, size: int) -> None:
        """Raise `StoreError` if a database that shrank to `size` bytes was cut; a VACUUM, too, makes it shrink."""
        try:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        except sqlite3.DatabaseError as error:
            if is_busy(error):
                raise
            pages = page_size = 0
        if not pages or pages * page_size > size:
            raise StoreError(
                f"{self.path} was cut to {size} bytes while it was in use, and what lay behind is lost: "
                f"end the programs that use it, remove {self.path}-wal and -shm, and restore it from a backup"
            )

    def let_go(self, connection: sqlite3.Connection) -> None:
        """Close a connection to these files, so that nothing is lost that anybody was told.

        The last one to close copies its log into the database. That saves what was in a log without a name; it
        would bury what others wrote meanwhile to a log that they made in its place.
        """
        if identity(self.path) != self.main:
            empty_log(connection)
            connection.close()
        elif identity(self.path + "-wal") in (None, self.log) and identity(self.path + "-shm") in (None, self.index):
            connection.close()
        else:
            _close_without_copying(connection, self.path)

    def _what_is_lost(self) -> str:
        if identity(self.path) != self.main:
            return (
                f"{self.path} was removed or replaced while it was in use: what was just done to it is lost; "
                f"leave the file of a queue alone while gatekit runs"
            )
        return _lost_beside(self.path, "-wal" if identity(self.path + "-wal") != self.log else "-shm")


def refuse_torn(path: str, seconds: float) -> None:
    """Wait while others use the queue at `path` and there is no -wal or -shm; raise `StoreError` after so long.

    Who is just opening or closing it is done soon; who lost these files lets go, and saves what was in them, when
    they notice. To join them with files of one's own would destroy their work and one's own.
    """
    clock = SystemClock()
    end = clock.monotonic() + seconds
    while missing := [suffix for suffix in ("-wal", "-shm") if not os.path.exists(path + suffix)]:
        if _is_free(path):
            return
        if clock.monotonic() > end:
            raise StoreError(
                f"{path}{missing[0]} is not there while another program uses the queue: it was removed, or that "
                f"program keeps the queue for itself; end that program, which also saves what can be saved, "
                f"and try again"
            )
        threading.Event().wait(_PAUSE)


def _is_free(path: str) -> bool:
    """Whether nobody has the database open, in this process or another."""
    with closing(sqlite3.connect(uri(path, "mode=rw"), uri=True, timeout=0, isolation_level=None)) as one:
        # In this mode the first read of a database with a log locks out everybody, or fails; it needs no -shm file.
        one.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Where a log was left, the close copies it.
        one.execute("PRAGMA checkpoint_fullfsync = ON")
        try:
            one.execute("PRAGMA user_version").fetchone()
        except sqlite3.OperationalError as error:
            if is_busy(error):
                return False
            # Who may not write cannot lock either, and hears so from opening it.
            if error.sqlite_errorcode != sqlite3.SQLITE_IOERR_LOCK:
                raise
        return True


def empty_log(connection: sqlite3.Connection) -> None:
    """Copy the log into the database that it belongs to, which is at another path now.

    By its name the log would be taken for that of whatever is put in the old place.
    """
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        _LOG.warning("the write-ahead log of a lost queue could not be emptied: %s", error)


def _close_without_copying(connection: sqlite3.Connection, path: str) -> None:
    # Only a connection that is alone copies, and one that may not write never does: so a read-only one leaves last.
    # It need not succeed in reading: trying to takes the lock, which the process has already, and keeps it.
    with closing(sqlite3.connect(uri(path, "mode=ro"), uri=True, timeout=0, isolation_level=None)) as last:
        with suppress(sqlite3.Error):
            last.execute("BEGIN")
            last.execute("SELECT 1 FROM sqlite_master").fetchone()
        connection.close()


def _lost_beside(path: str, suffix: str) -> str:
    return (
        f"{path}{suffix} was removed or replaced while the queue was in use: what was just done, and the newest of "
        f"what was done before, may be lost; look at the queue before you go on, and leave its -wal and -shm alone"
    )


def identity(path: str) -> _Identity | None:
    """Device and inode of the file at `path`; None if there is none, or it cannot be looked at."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
