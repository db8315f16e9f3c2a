"""One queue's place on the disk, as both threads of a store use it."""

from __future__ import annotations

import sqlite3
import threading

from gatekit.errors import StoreError
from gatekit.store.failures import store_error
from gatekit.store.location import QueueFile
from gatekit.store.opening import connect, open_queue


class Home:
    """Hands out connections to the queue at `path`, opening, checking and if need be making it for the first."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.nudges = path + ".wake"
        """The directory of the sockets of those who wait for this queue."""
        self.create = False
        self._lock = threading.Lock()
        self._file: QueueFile | None = None

    def connect(self) -> tuple[sqlite3.Connection, QueueFile]:
        """A connection, and the file that it leads to. Raises `StoreError` or one of its kinds."""
        with self._lock:
            if self._file is None or not self._file.is_there():
                connection, self._file = open_queue(self.path, create=self.create)
                return connection, self._file
            return self._further(self._file)

    def _further(self, file: QueueFile) -> tuple[sqlite3.Connection, QueueFile]:
        try:
            connection = connect(self.path)
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        try:
            file.verify()
        except StoreError:
            connection.close()
            raise
        return connection, file


class Link:
    """One thread's connection, opened when it is needed. Whoever holds `busy` may use or close it."""

    def __init__(self, home: Home, *, read_only: bool = False) -> None:
        self.busy = threading.Lock()
        self._home = home
        self._read_only = read_only
        self._held: tuple[sqlite3.Connection, QueueFile] | None = None

    def connection(self) -> sqlite3.Connection:
        """The connection; raises `StoreError` or one of its kinds."""
        if self._held is None:
            self._held = self._home.connect()
            if self._read_only:
                self._held[0].execute("PRAGMA query_only = ON")
        return self._held[0]

    def verify(self) -> None:
        """Raise `StoreError` if the queue's path means another file than the one this connection writes to."""
        assert self._held is not None, "nothing is open"
        self._held[1].verify()

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        if self._held is not None:
            self._held[0].close()
            self._held = None
