"""What `gatekit doctor` finds out. It looks, and makes or mends nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sqlite3
import stat
import sys
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, StoreBusy, StoreError
from gatekit.gate import Gate
from gatekit.models import STATUSES
from gatekit.store.schema import VERSION

_DISTRIBUTION: Final = "gatekit-hitl"
_MOST_COUNTED: Final = 1_000_000
_WAL_RESET_MENDED: Final = (3, 51, 3)
"""SQLite's release notes: the first release in which a checkpoint cannot reset the log under a commit."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, and what to do about it."""

    what: str
    cure: str


@dataclass(slots=True, kw_only=True)
class Health:
    """All that is known of a queue and of what reads it. What could not be found out is None."""

    queue: str
    size: int | None = None
    """Bytes of the file and of its write-ahead log."""
    mode: str | None = None
    """The permissions of the file, as `0600`."""
    gatekit: str
    schema: int | None = None
    """The schema of the file."""
    schema_known: int
    """The schema of this gatekit."""
    sqlite: str
    python: str
    counts: dict[str, int] = field(default_factory=dict)
    """How many requests there are in each state, none above a million."""
    oldest_pending: datetime | None = None
    """When the request was made that is the first in the list."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Worth knowing, and nothing to mend."""

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        found = asdict(self)
        found["oldest_pending"] = self.oldest_pending and self.oldest_pending.isoformat()
        return found


def examine(queue: str | None) -> Health:
    """Look at a queue, and at what this gatekit runs on. Raises `UsageError` where `queue` names no file."""
    path = Gate(queue).path
    health = Health(
        queue=path,
        gatekit=_own_version(),
        schema_known=VERSION,
        sqlite=sqlite3.sqlite_version,
        python=platform.python_version(),
    )
    _look_at_files(health)
    _look_inside(health)
    _look_at_system(health)
    return health


def _look_at_files(health: Health) -> None:
    sizes: list[int] = []
    for path in (health.queue, f"{health.queue}-wal", f"{health.queue}-shm"):
        try:
            found = os.stat(path)
        except OSError:
            continue
        mode = stat.S_IMODE(found.st_mode)
        if path == health.queue:
            health.mode = f"{mode:04o}"
        if not path.endswith("-shm"):
            sizes.append(found.st_size)
        if sys.platform != "win32" and mode & 0o077:
            what = f"{path} has mode {mode:04o}: other users can {'change' if mode & 0o022 else 'read'} it"
            health.problems.append(Problem(what, f"chmod 600 {shlex.quote(path)}"))
    health.size = sum(sizes) if health.mode else None
    _look_at_folder(health)


def _look_at_folder(health: Health) -> None:
    folder = os.path.dirname(health.queue)
    try:
        mode = os.stat(folder).st_mode
    except OSError as error:
        health.problems.append(Problem(f"{folder} cannot be looked at: {error.strerror}", "name a folder that exists"))
        return
    # Where the sticky bit is set (as on /tmp), others can add files and cannot replace ours.
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        what = f"the folder {folder} can be written by every user, who could put another queue in this one's place"
        health.problems.append(
            Problem(what, f"chmod o-w {shlex.quote(folder)}, or move the queue to a folder of yours")
        )


def _look_inside(health: Health) -> None:
    try:
        with Gate(health.queue, create=False) as gate:
            health.counts = {status: gate.count(status, at_most=_MOST_COUNTED) for status in STATUSES}
            first = gate.requests("pending", limit=1)
            health.oldest_pending = first[0].created_at if first else None
            health.schema = VERSION
    except StoreError as error:
        health.schema = error.found if isinstance(error, SchemaTooNew) else None
        health.problems.append(Problem(str(error), _cure(error)))
    if unknown := health.counts.get("unknown"):
        health.notes.append(
            f"{unknown} started and never reported an outcome: look what they did (gatekit list --status unknown)"
        )


def _cure(error: StoreError) -> str:
    match error:
        case QueueNotFound():
            return (
                "run the program whose calls it holds, which makes it; or name another with --queue or $GATEKIT_QUEUE"
            )
        case NotAQueue():
            return "name another file with --queue or $GATEKIT_QUEUE; this one was not touched"
        case SchemaTooNew():
            return "pip install -U gatekit-hitl"
        case StoreBusy():
            return "find the program that holds it (fuser, lsof) and let it end; then look again"
        case _:
            return "see what the message says of the file and its folder"


def _look_at_system(health: Health) -> None:
    if sqlite3.sqlite_version_info < _WAL_RESET_MENDED:
        health.notes.append(
            f"SQLite {health.sqlite} is older than 3.51.3 and has the WAL-reset bug; gatekit makes its checkpoints "
            f"where it cannot happen. Let no other program write to the queue."
        )
    if sys.platform == "win32":
        health.notes.append("gatekit is not tested on Windows; there it looks for changes every 100 ms")


def _own_version() -> str:
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "not installed: it runs from its source"
