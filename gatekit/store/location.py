"""Where a queue lies, and whether it can lie there."""

from __future__ import annotations

import os
import stat
from typing import Final
from urllib.parse import quote

from gatekit.errors import NotAQueue, StoreError

_MOUNTS: Final = "/proc/self/mountinfo"
_NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
    | {f"fuse.{kind}" for kind in ("ceph", "davfs2", "glusterfs", "rclone", "s3fs", "sshfs")}
)
"""File systems of other machines: locks and shared memory, which WAL needs, do not work across them
(sqlite.org/wal.html, "all processes using a database must be on the same host computer")."""


def uri(path: str, mode: str) -> str:
    """The URI under which SQLite opens `path`, whatever characters are in it."""
    return f"file://{quote(os.fsencode(path))}?{mode}"


def size_of(path: str) -> int | None:
    """The bytes of the file at `path`, None where there is none. Raises for what can be no queue."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be looked at: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        # Opening a pipe would wait for its other end.
        raise NotAQueue(path, "it is not a regular file")
    return found.st_size


def refuse_network(path: str) -> None:
    """Raise `StoreError` where the directory of `path` belongs to another machine."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as file:
            mounts = file.read()
        device = os.stat(os.path.dirname(path)).st_dev
    except OSError:
        # No such table (not Linux), or no such directory, which opening will say.
        return
    kind = network_kind(mounts, device)
    if kind is not None:
        raise StoreError(
            f"{path} is on a network file system ({kind}), where processes cannot lock a queue: "
            f"use a directory of this machine"
        )


def network_kind(mounts: str, device: int) -> str | None:
    """The type of the network file system that `device` is, by a text like `/proc/self/mountinfo` (proc(5))."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        fields, kind = mount.split(), source.partition(" ")[0]
        if len(fields) > 2 and fields[2] == wanted and kind in _NETWORK:
            return kind
    return None
