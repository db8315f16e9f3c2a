"""Somebody else writes to the file of a queue: one request in it, every column of its rows, and what follows.

The request asks for `pay(amount=1, to="bob")`; alice made it `pay(amount=2, to="bob")`, which is what may run. It is
brought to a state by real commands, its file is kept, and each tampering is done to a copy.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from gatekit import Gate, GatekitError, StoreError, calling, gated_step, owner
from gatekit.arguments.canonical import digest_of
from gatekit.machine.commands import Finish, Start
from gatekit.machine.records import Verdict
from gatekit.models import STATUSES, Verb

State = Literal["approved", "running", "unknown", "succeeded"]
STATES: Final[tuple[State, ...]] = ("approved", "running", "unknown", "succeeded")
TABLES: Final = ("requests", "revisions", "decisions", "permits", "attempts", "events", "tools", "meta")

ASKED: Final = {"amount": 1, "to": "bob"}
ALLOWED: Final = {"amount": 2, "to": "bob"}
EVIL: Final = '{"amount":999,"to":"mallory"}'
EVIL_DIGEST: Final = digest_of("pay", EVIL)

Finding = Literal["detected", "harmless", "refused", "forged", "BROKEN", "CHANGED", "RAN"]
"""What a tampering leads to, the worst last.

detected: a `StoreError`, nothing ran, nothing in the file changed. harmless: all is as without it. refused: the tool
does not run though it would have. forged: the agent is told something else, and the tool does not run. BROKEN: an
error of another tree. CHANGED: refused with a `StoreError`, and yet the file changed. RAN: with other arguments, or
more often than was allowed.
"""
FINDINGS: Final[tuple[Finding, ...]] = ("detected", "harmless", "refused", "forged", "BROKEN", "CHANGED", "RAN")


class Declined(Exception):
    """What the tool raises where it is to fail."""


@dataclass
class Tool:
    """`pay`, and its diary."""

    raises: bool = False
    calls: list[dict[str, Any]] = field(default_factory=list)

    def step(self, gate: Gate, starts: int) -> Callable[..., str]:
        def pay(amount: int, to: str) -> str:
            self.calls.append({"amount": amount, "to": to})
            if self.raises:
                raise Declined("no")
            return f"paid {amount}"

        retries = None if starts == 1 else starts - 1
        return gated_step(
            pay, gate=gate, wait=0, tell_edits=False, retries=retries, retry_on=(OSError,) if retries else None
        )


@dataclass(frozen=True)
class Sample:
    """The file of a queue with the request in one state, and a permit for so many starts."""

    state: State
    starts: int
    path: Path
    request_id: str


def make_sample(folder: Path, state: State, starts: int) -> Sample:
    """Bring a call there by the commands that lead there. Approved for two starts, the first one has raised."""
    path, tool, token = folder / f"{state}-{starts}.db", Tool(), f"{state}-{starts}"
    with Gate(path) as gate:
        step = tool.step(gate, starts)
        told = call(step)
        (row,) = gate.requests("pending")
        assert told == ("Suspended", row.id)
        gate.reviewer("alice").edit(gate.get(row.id), {"amount": 2})
        if (state, starts) == ("approved", 2):
            _start(gate, row.id, token + "-0")
            gate.backend.finish(row.id, Finish(token=token + "-0", kind="raised", again=True)).wait()
        if state == "succeeded":
            assert call(step) == "paid 2"
        elif state != "approved":
            # This process is still at it, and says so where it is asked.
            owner.living.add(token)
            _start(gate, row.id, token)
        if state == "unknown":
            gate.backend.lose(row.id, token, "its process died").wait()
        assert gate.get(row.id).status == state
    return Sample(state, starts, path, row.id)


def _start(gate: Gate, request_id: str, token: str) -> None:
    command = Start(version=2, token=token, owner=owner.current().text, verdict=Verdict(gated=True))
    gate.backend.start(request_id, command).wait()


@dataclass(frozen=True)
class Tampering:
    """Some statements. `target` is the row of the table of findings that it belongs to."""

    target: str
    name: str
    statements: tuple[tuple[str, tuple[object, ...]], ...]

    def __str__(self) -> str:
        return f"{self.target} {self.name}"

    def do(self, path: Path) -> bool:
        """Write it; False where SQLite itself refuses it."""
        with closing(sqlite3.connect(path)) as file:
            try:
                with file:
                    for statement, values in self.statements:
                        file.execute(statement, values)
            except sqlite3.IntegrityError:
                return False
        return True


_OTHERS: Final[dict[str, Sequence[object]]] = {
    "status": ("approved", *STATUSES),
    "state": ("running", "returned", "raised", "given_back", "lost"),
    "verb": get_args(Verb),
    "kind": ("call", "pause", "approved", "started", "not_started", "again"),
    "digest": (EVIL_DIGEST,),
    "text": (EVIL, '{"amount":1,"to":"bob"}'),
    "tool": ("refund",),
    "run": ("run-2",),
    "call_id": ("call-2",),
    "requester": ("agent:alice", "human:alice"),
    "by": ("human:mallory", "agent:alice"),
    "outcome": ("returned", "raised"),
    "result": ('"paid 999"',),
    "error_type": ("OSError",),
    "verdict": ('{"gated":true,"reasons":[],"errors":["$.to: no"]}', "null"),
    "reasons": ('["all is well"]', "null"),
    "data": ('{"attempt":7,"permit":7}', "null"),
    "schema": ("{}",),
    "result_lost": (1,),
}
"""What a clever hand would write into a column of this name."""


def tamperings(sample: Sample, *, deep: bool) -> Iterator[Tampering]:
    """Every column of every row changed, every row deleted and doubled; `deep` with many values for each column."""
    with closing(sqlite3.connect(f"file:{sample.path}?mode=ro", uri=True)) as file:
        file.row_factory = sqlite3.Row
        for table in TABLES:
            # Not `*`: what SQLite works out of other columns nobody can write.
            names = ", ".join(f'"{row["name"]}"' for row in file.execute(f"PRAGMA table_info({table})"))
            for row in file.execute(f"SELECT rowid AS at, {names} FROM {table}").fetchall():
                yield from _of_row(table, row, deep=deep)


def _of_row(table: str, row: sqlite3.Row, *, deep: bool) -> Iterator[Tampering]:
    at = row["at"]
    yield Tampering(f"{table}: delete", f"row {at}", ((f"DELETE FROM {table} WHERE rowid = ?", (at,)),))
    yield from _doubled(table, row)
    for column in row.keys()[1:]:
        for value in _values(column, row[column], deep=deep):
            statement = f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?'
            yield Tampering(f"{table}.{column}", f"of row {at} := {value!r}", ((statement, (value, at)),))


def _values(column: str, old: object, *, deep: bool) -> list[object]:
    clever = list(_OTHERS.get(column, ()))
    clever += [old + 1, old - 1] if isinstance(old, int) else ["other"]
    clever = [value for value in clever if value != old]
    return [*clever, "much", "", b"\xff", 0, 7, 1 << 62, None] if deep else clever[:1]


_NEW_KEYS: Final = {
    "requests": {"number": "number + 1", "pos": "pos + 1", "id": "id || 'b'", "call_id": "'call-2'"},
    "revisions": {"revision": "(SELECT max(revision) + 1 FROM revisions)"},
    "decisions": {"no": "(SELECT max(no) + 1 FROM decisions)", "version": "version + 1"},
    "permits": {"no": "(SELECT max(no) + 1 FROM permits)"},
    "attempts": {"no": "(SELECT max(no) + 1 FROM attempts)", "token": "token || 'b'"},
    "events": {"cursor": "(SELECT max(cursor) + 1 FROM events)"},
    "tools": {"sha256": "sha256 || 'b'"},
    "meta": {"key": "key || 'b'"},
}


def _doubled(table: str, row: sqlite3.Row) -> Iterator[Tampering]:
    columns = row.keys()[1:]
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(_NEW_KEYS[table].get(name, f'"{name}"') for name in columns)
    statement = f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE rowid = ?"
    yield Tampering(f"{table}: double", f"row {row['at']}", ((statement, (row["at"],)),))


def approved_again(tampering: Tampering) -> Tampering:
    """The same, on a request that is called approved as well: without that, nothing would start."""
    status = ("UPDATE requests SET status = 'approved'", ())
    return Tampering(tampering.target, tampering.name + ", status := 'approved'", (*tampering.statements, status))


Told = Any


def call(step: Callable[..., str], call_id: str = "call-1") -> Told:
    """What the agent is told: a result, or the name of an error and what it says."""
    try:
        with calling(call_id=call_id, agent="bot"):
            return step(**ASKED)
    except Exception as error:  # noqa: BLE001 - what it is, is what is asked
        return (type(error).__name__, str(error)) if isinstance(error, StoreError) else _named(error)


def _named(error: Exception) -> tuple[str, str]:
    said = getattr(error, "request_id", "") if isinstance(error, (GatekitError, Declined)) else f"broken: {error!r}"
    return type(error).__name__, said or ""


@dataclass(frozen=True)
class Seen:
    """What the agent was told, call after call, and how the tool was called."""

    told: tuple[Told, ...]
    calls: tuple[dict[str, Any], ...]

    @property
    def is_detected(self) -> bool:
        first = self.told[0]
        return isinstance(first, tuple) and first[0] in _STORE_ERRORS


_STORE_ERRORS: Final = ("StoreError", "NotAQueue", "SchemaTooNew")


def drive(path: Path, sample: Sample, *, raises: bool) -> Seen:
    """The agent makes its call again, and again."""
    tool = Tool(raises)
    with Gate(path, create=False) as gate:
        step = tool.step(gate, sample.starts)
        told = tuple(call(step) for _ in range(sample.starts + 1))
    return Seen(told, tuple(tool.calls))


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as file:
        return {table: sorted(file.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


class Bench:
    """Samples, what is seen of them untouched, and copies that are tampered with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.samples = {(state, starts): make_sample(folder, state, starts) for state in STATES for starts in (1, 2)}
        self._copies = 0
        self._untouched: dict[tuple[State, int, bool], Seen] = {}

    def close(self) -> None:
        owner.living.difference_update(f"{state}-{starts}" for state, starts in self.samples)

    def copy(self, sample: Sample) -> Path:
        """A new file each time; the last one is thrown away, with whatever lies beside it."""
        for old in self.folder.glob("copy-*"):
            old.rmdir() if old.is_dir() else old.unlink()
        self._copies += 1
        return Path(shutil.copy(sample.path, self.folder / f"copy-{self._copies}.db"))

    def untouched(self, sample: Sample, *, raises: bool) -> Seen:
        key = (sample.state, sample.starts, raises)
        if key not in self._untouched:
            self._untouched[key] = drive(self.copy(sample), sample, raises=raises)
        return self._untouched[key]

    def find(self, sample: Sample, tampering: Tampering, *, raises: bool = False) -> Finding | None:
        """Tamper with a copy and call; None where SQLite did not take it."""
        path = self.copy(sample)
        if not tampering.do(path):
            return None
        before = contents(path)
        seen = drive(path, sample, raises=raises)
        same = contents(path) == before
        return classify(seen, self.untouched(sample, raises=raises), same=same)


def classify(seen: Seen, untouched: Seen, *, same: bool) -> Finding:
    """What to call it."""
    if len(seen.calls) > len(untouched.calls) or any(made != ALLOWED for made in seen.calls):
        return "RAN"
    if any(isinstance(told, tuple) and told[1].startswith("broken") for told in seen.told):
        return "BROKEN"
    if seen == untouched:
        return "harmless"
    if seen.is_detected and not seen.calls:
        return "detected" if same else "CHANGED"
    return "refused" if len(seen.calls) < len(untouched.calls) else "forged"
