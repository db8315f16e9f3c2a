"""Who waits for a call or runs it: one process, named so that another process on the machine can tell it is dead."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SEPARATOR = "/"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Owner:
    """One process. A field that this system cannot tell is empty."""

    host: str
    """The name of the machine or container."""
    boot: str
    """The id of the kernel's present run (Linux: `random/boot_id`)."""
    pid_ns: str
    """The number of the pid namespace: the same pid in another one is another process."""
    pid: int
    started: str
    """When the process started, in clock ticks since boot: tells it from a later one of the same pid."""

    @property
    def text(self) -> str:
        """The owner as one line, as the queue keeps it."""
        return _SEPARATOR.join((self.host, self.boot, self.pid_ns, str(self.pid), self.started))

    @classmethod
    def parse(cls, text: str) -> Owner:
        """The owner that `text` names.

        >>> Owner.parse("host/boot/4026531836/17/900").pid
        17

        Raises `ValueError` for any other text.
        """
        host, boot, pid_ns, pid, started = text.rsplit(_SEPARATOR, 4)
        return cls(host, boot, pid_ns, int(pid), started)


living: Final[set[str]] = set()
"""Tokens of the attempts and executions, and tickets of the waits, that are in progress in this process. What is
stored under its name and is not among them was given up here, although the queue could not be told."""
_current: Owner | None = None


def current() -> Owner:
    """This process; after a fork the child gets its own."""
    global _current
    if _current is None or _current.pid != os.getpid():
        _current = _look_up()
    return _current


def has_given_up(text: str, token: str | None) -> bool | None:
    """Whether what this process began under `token` is over: it is dead, or this one, and has let go of it."""
    if text == current().text:
        return token not in living
    return is_dead(text)


def is_dead(text: str) -> bool | None:
    """Whether the process that `text` names has ended; None where this process cannot tell.

    "Cannot tell" (another machine, another container, unreadable text) is never to be taken for dead.
    """
    try:
        owner = Owner.parse(text)
    except ValueError:
        return None
    here = current()
    if owner == here:
        return False
    if owner.boot and here.boot and owner.boot != here.boot:
        return True if owner.host == here.host else None
    same_machine = owner.boot == here.boot if owner.boot else owner.host == here.host
    if not same_machine or owner.pid_ns != here.pid_ns:
        return None
    return _has_ended(owner)


def _has_ended(owner: Owner) -> bool | None:
    stat = _stat(owner.pid)
    if stat is None:
        return _is_missing(owner.pid)
    state, started = stat
    if started != owner.started:
        return True
    if state in ("Z", "X"):
        return _has_one_thread(owner.pid)
    return False


def _is_missing(pid: int) -> bool | None:
    # /proc may hide the processes of other users, or not be there at all: the signal 0 asks the kernel itself.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return None
    return None


def _has_one_thread(pid: int) -> bool | None:
    # A main thread that has ended shows as a zombie although other threads of the process may still run.
    try:
        return True if len(os.listdir(_PROC / str(pid) / "task")) <= 1 else None
    except OSError:
        return _is_missing(pid)


def _look_up() -> Owner:
    pid = os.getpid()
    stat = _stat(pid)
    return Owner(
        host=socket.gethostname().replace(_SEPARATOR, "_"),
        boot=_read(_PROC / "sys/kernel/random/boot_id"),
        pid_ns=_pid_namespace(),
        pid=pid,
        started="" if stat is None else stat[1],
    )


def _stat(pid: int) -> tuple[str, str] | None:
    """State and start time, fields 3 and 22 of proc(5) `stat`; the name before them may hold blanks and brackets."""
    fields = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return (fields[0], fields[19]) if len(fields) > 19 else None


def _pid_namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid").partition("[")[2].rstrip("]")
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
