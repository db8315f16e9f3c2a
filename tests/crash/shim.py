"""The library that kills a process, or fails it, at the n-th write to a queue: built, switched on, and read."""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Kill = Literal["before", "after", "half"]
Fail = Literal["EIO", "ENOSPC"]
KILLS: Final[tuple[Kill, ...]] = ("before", "after", "half")

TRACE: Final = "GATEKIT_SHIM_TRACE"
"""The variable that names the trace, where there is one."""

_SOURCE: Final = Path(__file__).with_name("shim.c")
_HEAD: Final = struct.Struct("=cIQQ")


def why_not() -> str | None:
    """Why there can be no such library here; None where there can."""
    if not sys.platform.startswith("linux"):
        return "the library reads /proc/self/fd and is loaded by LD_PRELOAD, which only Linux has"
    if _compiler() is None:
        return "there is no C compiler (cc or gcc) to build the library with"
    return None


def environment(path: str | Path, *, at: int, how: Kill | Fail) -> dict[str, str]:
    """What to add to `os.environ` of a program so that its n-th write-like call on the queue at `path` is hit.

    Args:
        path: the queue's file. Calls on every file whose name begins with it count: -wal, -shm, -journal, .wake.
        at: which call, from 1, counted in each process for itself; 0 hits none.
        how: `before`, `after` and `half` kill the process before, after and halfway through the call (a sync, a
            truncation and a removal have no half: then nothing of them is done). `EIO` and `ENOSPC` let that one
            call fail without having done anything.

    >>> subprocess.run([sys.executable, "agent.py"], env=os.environ | environment("queue.db", at=7, how="half"))
    """
    return loaded() | {
        "GATEKIT_SHIM_PATH": os.path.realpath(path),
        "GATEKIT_SHIM_AT": str(at),
        "GATEKIT_SHIM_HOW": how,
    }


def tracing(path: str | Path, trace: str | Path) -> dict[str, str]:
    """What to add to `os.environ` of a program so that each such call is written down in the file `trace`."""
    return environment(path, at=0, how="before") | {TRACE: os.fspath(trace)}


def loaded() -> dict[str, str]:
    """What to add to `os.environ` of a program so that it can be armed later, by `arm`."""
    before = os.environ.get("LD_PRELOAD")
    return {"LD_PRELOAD": str(library()) if not before else f"{library()}:{before}"}


@functools.cache
def library() -> Path:
    """The built library; it is there until this process ends."""
    compiler = _compiler()
    assert compiler is not None, why_not()
    folder = Path(tempfile.mkdtemp(prefix="gatekit-shim-"))
    atexit.register(shutil.rmtree, folder)
    built = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(built), str(_SOURCE), "-ldl"]
    done = subprocess.run([*command, "-pthread"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return built


def _compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


# Inside a program that was started with `loaded()` or `environment(…)`


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Which call is hit, as `environment` says, and the file into which every call is written down, if any."""

    path: str
    at: int = 0
    how: Kill | Fail = "before"
    trace: str | None = None


def arm(hit: Hit) -> None:
    """Begin to count anew in this process."""
    found, into = os.path.realpath(hit.path), hit.trace or ""
    _own().gatekit_shim_arm(os.fsencode(found), ctypes.c_long(hit.at), hit.how.encode(), os.fsencode(into))


def note(text: str) -> None:
    """Put a word of our own between the calls of the trace."""
    _own().gatekit_shim_note(text.encode())


def calls() -> int:
    """How many calls were counted in this process."""
    counted = _own().gatekit_shim_calls
    counted.restype = ctypes.c_long
    found: int = counted()
    return found


@functools.cache
def _own() -> ctypes.CDLL:
    own = ctypes.CDLL(None)
    assert hasattr(own, "gatekit_shim_arm"), "start this program with `loaded()` in its environment"
    return own


# Afterwards


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trace."""

    kind: Literal["write", "truncate", "sync", "unlink", "note"]
    name: str
    """The file's path; for a sync also that of the directory."""
    offset: int
    """Where a write began; the size after a truncation."""
    data: bytes


def read_trace(path: str | Path) -> Iterator[Step]:
    """What happened, in its order."""
    kinds: dict[bytes, Literal["write", "truncate", "sync", "unlink", "note"]]
    kinds = {b"W": "write", b"T": "truncate", b"S": "sync", b"U": "unlink", b"N": "note"}
    text = Path(path).read_bytes()
    place = 0
    while place < len(text):
        kind, length, offset, size = _HEAD.unpack_from(text, place)
        named = place + _HEAD.size + length
        name = os.fsdecode(text[named - length : named])
        yield Step(kinds[kind], name, offset, text[named : named + size])
        place = named + size
