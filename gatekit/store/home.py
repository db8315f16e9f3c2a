"""One queue's place on the disk, as both threads of a store use it."""

from __future__ import annotations

import sqlite3
import threading

from gatekit.errors import StoreError
from gatekit.store.failures import store_error
from gatekit.store.files import QueueFiles
from gatekit.store.opening import connect, open_queue


class Home:
    """Hands out connections to the queue at `path`, opening, checking and if need be making it for the first."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.nudges = path + ".wake"
        """The directory of the sockets of those who wait for this queue."""
        self.create = False
        self.loss: StoreError | None = None
        """What a connection saw happen to its files. Then all of them have to be closed before one is opened."""
        self._lock = threading.Lock()
        self._files: QueueFiles | None = None
        self._connections = 0

    def connect(self) -> tuple[sqlite3.Connection, QueueFiles]:
        """A connection, and the files that it leads to: the same as those of all others that are open.

        Raises `StoreError` or one of its kinds. `close` follows.
        """
        with self._lock:
            if self._files is None:
                connection, self._files = open_queue(self.path, create=self.create)
            else:
                connection = self._further(self._files)
            self._connections += 1
            return connection, self._files

    def close(self, connection: sqlite3.Connection, files: QueueFiles) -> None:
        """Close what `connect` gave. The files may be others when all are closed: the last one removes two of them."""
        # Who connects meanwhile would find files that are just being removed.
        with self._lock:
            files.let_go(connection)
            self._connections -= 1
            if not self._connections:
                self._files = None

    def _further(self, files: QueueFiles) -> sqlite3.Connection:
        try:
            connection = connect(self.path)
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        try:
            # Only the first read opens -wal and -shm.
            connection.execute("PRAGMA user_version").fetchone()
            files.verify()
        except (sqlite3.Error, StoreError) as error:
            connection.close()
            if isinstance(error, StoreError):
                self.loss = error
            raise store_error(error, self.path) from error
        return connection


class Link:
    """One thread's connection, opened when it is needed. Whoever holds `busy` may use or close it."""

    def __init__(self, home: Home, *, read_only: bool = False) -> None:
        self.busy = threading.Lock()
        self._home = home
        self._read_only = read_only
        self._held: tuple[sqlite3.Connection, QueueFiles] | None = None
        self._size = 0

    def connection(self) -> sqlite3.Connection:
        """The connection; raises `StoreError` or one of its kinds."""
        if self._held is None:
            self._held, self._size = self._home.connect(), 0
            if self._read_only:
                self._held[0].execute("PRAGMA query_only = ON")
        return self._held[0]

    def verify(self) -> None:
        """Raise `StoreError` if the queue's path means other files than those this connection uses, or it was cut."""
        assert self._held is not None, "nothing is open"
        connection, files = self._held
        try:
            size = files.verify()
            if size < self._size:
                files.verify_size(connection, size)
        except StoreError as error:
            self._home.loss = error
            raise
        self._size = size

    def close(self) -> None:
        """Let go of the files; the next use opens them again."""
        if self._held is not None:
            held, self._held = self._held, None
            self._home.close(*held)
