"""The queue in one SQLite file.

`opening` makes a connection that keeps its promises, `schema` and `statements` hold the SQL, `sqlite` is the
transaction that the rest of gatekit sees; `writer`, `reader` and `engine` are the two threads, `store` shares
them between all who use one file in one process.
"""

from __future__ import annotations

from gatekit.store.store import SqliteStore

__all__ = ["SqliteStore"]
