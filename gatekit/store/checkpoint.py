"""Copying the write-ahead log into the database, so that it stays at one size."""

from __future__ import annotations

import logging
import os
import sqlite3
import struct
from typing import Final

from gatekit.errors import StoreError
from gatekit.store.failures import BUSY_SECONDS, is_busy
from gatekit.store.home import Home, Link
from gatekit.store.opening import WAL_PAGES

_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_PASSES: Final = 3
_LOG: Final = logging.getLogger("gatekit")


class Checkpointer:
    """Watches one queue's -wal file on behalf of the writer thread.

    A checkpoint runs on a second connection while the writer's own holds an empty write transaction: then no commit
    and no other checkpoint of gatekit's runs beside it, which is what the WAL-reset bug of SQLite before 3.51.3
    needs.
    """

    def __init__(self, home: Home) -> None:
        self._path = home.path
        self._link = Link(home)
        self._log: int | None = None
        self._salt = b""
        self._limit = WAL_PAGES

    def after_commit(self, writer: sqlite3.Connection) -> None:
        """Checkpoint if the log has grown past its limit. What was committed is safe either way."""
        try:
            if self._is_long():
                self._run(writer)
        except (sqlite3.Error, StoreError, OSError) as error:
            self._limit += WAL_PAGES
            if not is_busy(error):
                _LOG.warning("the write-ahead log of %s could not be copied: %s", self._path, error)

    def close(self) -> None:
        """Let go of the log and the second connection."""
        if self._log is not None:
            os.close(self._log)
            self._log = None
        self._link.close()

    def _is_long(self) -> bool:
        """Whether the log holds more frames than the limit. The file's size does not tell: it is written over.

        Every frame repeats the salts of the log it belongs to (sqlite.org/fileformat2.html, section 4), so the
        frame behind the limit answers it.
        """
        if self._log is None:
            # Unlike a descriptor of the database, closing this one drops no lock: none are taken on the log.
            self._log = os.open(self._path + "-wal", os.O_RDONLY)
        header = os.pread(self._log, _HEADER, 0)
        if len(header) < _HEADER:
            return False
        (page_size,), salt = struct.unpack(">I", header[8:12]), header[16:24]
        if salt != self._salt:
            self._salt, self._limit = salt, WAL_PAGES
        frame = os.pread(self._log, _FRAME_HEADER, _HEADER + self._limit * (_FRAME_HEADER + page_size))
        return frame[8:16] == salt

    def _run(self, writer: sqlite3.Connection) -> None:
        second = self._link.connection()
        writer.execute("PRAGMA busy_timeout = 0")
        try:
            # If another process writes now, its own commit will find the log as long as this one did.
            writer.execute("BEGIN IMMEDIATE")
            try:
                pages, moved = _copied(second)
            finally:
                writer.execute("ROLLBACK")
        finally:
            writer.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
        # The next commit starts the log anew, unless a reader is still in it. One that stays keeps the log growing,
        # and then trying at every commit would be in vain; one that came and went needs only another chance.
        self._limit = pages + (WAL_PAGES if moved < pages else WAL_PAGES // 10)


def _copied(connection: sqlite3.Connection) -> tuple[int, int]:
    """Checkpoint; answers the pages of the log and how many of them were copied.

    What the first pass has to leave, because somebody reads an older state, a later one can take: those who begin
    to read meanwhile read the newest.
    """
    pages = moved = 0
    for _ in range(_PASSES):
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if moved == pages:
            break
    return pages, moved
