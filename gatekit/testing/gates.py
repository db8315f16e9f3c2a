"""Queues that end with the test, and the question whether a queue is one of them."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Final
from weakref import WeakSet

import gatekit.gate
from gatekit.clock import Clock, SystemClock
from gatekit.errors import UsageError
from gatekit.gate import Gate, Record, set_default
from gatekit.testing.memory import MemoryStore

_IN_RAM: Final = "/dev/shm"
"""Where Linux keeps files in memory: syncing them costs nothing, so the queue needs no weaker setting."""

_in_memory: Final[WeakSet[Gate]] = WeakSet()
_files: Final[set[str]] = set()


def memory_gate(clock: Clock | None = None, *, record: Record = "gated") -> Gate:
    """A gate over a queue in memory, which ends with it: no file, and no thread of its own.

    Args:
        clock: what it reads the time from; not given: the machine's. With a `FakeClock` deadlines pass, and a
            step's `wait` ends, only when the test says so.
        record: as `Gate` has it.

    >>> with memory_gate() as gate:
    ...     gate.count("pending")
    0
    """
    used = SystemClock() if clock is None else clock
    gate = Gate._over(MemoryStore(used), used, record=record)
    _in_memory.add(gate)
    return gate


@contextmanager
def temporary_gate(clock: Clock | None = None, *, record: Record = "gated") -> Generator[Gate]:
    """A gate over a queue in a real file, closed and deleted at the end of the block.

    Everything is as in production, `synchronous=FULL` included, and other processes can open `gate.path`. It is
    fast where the system has a file system in memory (`/dev/shm`), else as fast as the disk.

    Args:
        clock: what it reads the time from; not given: the machine's.
        record: as `Gate` has it.

    >>> with temporary_gate() as gate:
    ...     gate.count("pending")
    0
    """
    fast = _IN_RAM if os.path.isdir(_IN_RAM) and os.access(_IN_RAM, os.W_OK | os.X_OK) else None
    with TemporaryDirectory(prefix="gatekit-", dir=fast) as folder:
        path = os.path.join(folder, "queue.db")
        _files.add(path)
        try:
            with _gate_at(path, clock, record) as gate:
                yield gate
        finally:
            _files.discard(path)


def _gate_at(path: str, clock: Clock | None, record: Record) -> Gate:
    if clock is None:
        return Gate(path, record=record)
    from gatekit.store import SqliteStore

    return Gate._over(SqliteStore.at(path, create=True, clock=clock), clock, record=record)


def check_temporary(gate: Gate, what: str) -> None:
    """Raise `UsageError` for a queue in which real calls may wait for real people."""
    if not isinstance(gate, Gate):
        raise UsageError(f"{what} takes a Gate, not {type(gate).__name__}")
    if gate not in _in_memory and gate.path not in _files:
        raise UsageError(
            f"{what} decides only in queues made by gatekit.testing, and {gate.path} is none: real calls may wait "
            f"there. Give the tool a gate from memory_gate() or temporary_gate(), or call gatekit.set_default(gate)"
        )


@contextmanager
def as_default(gate: Gate) -> Generator[None]:
    """Make it the gate of the steps that name none, for a block."""
    before = gatekit.gate._default
    set_default(gate)
    try:
        yield
    finally:
        set_default(before)
