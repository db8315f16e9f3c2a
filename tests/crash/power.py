"""What a power cut leaves of a queue: its files, rebuilt from a trace of every write, for any moment of it.

What was synced is there. Of the rest there may be nothing, some of the writes, or some 512-byte sectors of them.
Making and removing files is taken to be journalled, as the file systems of Linux do it: a removal may be undone
until something is synced, and nothing comes out of order. The -shm file is left out: it is made anew from the log.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from gatekit import Gate, GatekitError
from tests.crash import book, judge, runs, shim
from tests.crash.book import Effect
from tests.crash.foreman import ROOT
from tests.crash.told import Told, parse

Variant = Literal["none", "some", "torn"]
VARIANTS: Final[tuple[Variant, ...]] = ("none", "some", "torn")
_SECTOR: Final = 512


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[shim.Step] = field(default_factory=list)

    def sync(self) -> None:
        for step in self.pending:
            _apply(self.durable, step)
        self.pending.clear()

    def after_a_cut(self, variant: Variant, dice: random.Random) -> bytes:
        content = bytearray(self.durable)
        for step in [] if variant == "none" else self.pending:
            if step.kind == "write" and variant == "torn":
                for part in _sectors(step):
                    if dice.random() < 0.5:
                        _apply(content, part)
            elif dice.random() < 0.5:
                _apply(content, step)
        return bytes(content)


def _apply(content: bytearray, step: shim.Step) -> None:
    if step.kind == "truncate":
        del content[step.offset :]
        content.extend(bytes(step.offset - len(content)))
    else:
        content.extend(bytes(max(0, step.offset - len(content))))
        content[step.offset : step.offset + len(step.data)] = step.data


def _sectors(step: shim.Step) -> Iterator[shim.Step]:
    """The write, cut at the borders of the disk's sectors."""
    place = 0
    while place < len(step.data):
        offset = step.offset + place
        size = _SECTOR - offset % _SECTOR
        yield shim.Step("write", step.name, offset, step.data[place : place + size])
        place += size


class Disk:
    """Follows a trace, and can say at any moment what a power cut would leave."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._removed: list[tuple[str, _File]] = []

    def follow(self, step: shim.Step) -> None:
        if step.name.endswith("-shm") or ".wake/" in step.name:
            return
        if step.kind == "sync":
            self._removed.clear()
            if step.name in self._files:
                self._files[step.name].sync()
        elif step.kind == "unlink":
            self._removed.append((step.name, self._files.pop(step.name, _File())))
        elif step.kind != "note":
            self._files.setdefault(step.name, _File()).pending.append(step)

    def cut(self, variant: Variant, dice: random.Random) -> dict[str, bytes]:
        """The files by name. One that nothing was ever synced of may be empty."""
        undone = 0 if variant == "none" else dice.randint(0, len(self._removed))
        files = self._files | dict(reversed(self._removed[undone:]))
        return {name: file.after_a_cut(variant, dice) for name, file in files.items()}


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the trace: what everybody was told by then, and the disk."""

    number: int
    disk: Disk
    told: list[Told]


def moments(steps: Sequence[shim.Step]) -> Iterator[Moment]:
    """Every point: before the first call, and after each. A `Moment` holds only until the next."""
    disk, told = Disk(), list[Told]()
    for number, step in enumerate(steps):
        if step.kind == "note":
            told.append(parse(step.data.decode()))
        disk.follow(step)
        yield Moment(number, disk, told)


def trace_of(folder: Path, synchronous: str) -> list[shim.Step]:
    """Play the long day with a queue that syncs so, and write down every call."""
    os.makedirs(folder)
    trace = folder / "trace"
    subprocess.run(
        [sys.executable, "-m", "tests.crash.worker", str(folder), synchronous],
        env=os.environ | shim.tracing(folder / "queue.db", trace),
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return list(shim.read_trace(trace))


@dataclass(slots=True)
class Damage:
    """What came of all rebuilt queues."""

    rebuilt: int = 0
    forgetful: int = 0
    """Queues that had forgotten something acknowledged, or allowed fewer starts than there were."""
    corrupt: int = 0
    wrong: list[str] = field(default_factory=list)


def try_out(steps: Sequence[shim.Step], folder: Path, *, seed: int, every: int = 1, gate_every: int = 0) -> Damage:
    """Cut the power at every `every`-th moment in all variants, and judge what is left.

    Every `gate_every`-th of these queues is also opened, and settled, by a real gate (0: none).
    """
    damage = Damage()
    for moment in moments(steps):
        if moment.number % every:
            continue
        for variant in VARIANTS:
            dice = random.Random(f"{seed}-{moment.number}-{variant}")
            _lay_out(moment.disk.cut(variant, dice), folder)
            gated = gate_every and damage.rebuilt % gate_every == 0
            _count(damage, f"seed {seed}, {variant} at call {moment.number}", folder, moment.told, bool(gated))
    return damage


def _lay_out(files: dict[str, bytes], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / os.path.basename(name)).write_bytes(content)


def _count(damage: Damage, where: str, folder: Path, told: Sequence[Told], gated: bool) -> None:
    damage.rebuilt += 1
    if gated:
        damage.wrong += [f"{where}, opened by a gate: {text}" for text in _opened(folder)]
    found = book.read(str(folder / "queue.db"))
    effects = [Effect(*json.loads(report.detail)) for report in told if report.what == "called"]
    lost = [*judge.forgotten(found, told), *runs.forgotten(found, told), *judge.run_too_often(found, effects)]
    damage.forgetful += bool(lost)
    damage.corrupt += bool(found.flaws)
    damage.wrong += [f"{where}: {text}" for text in [*judge.half_applied(found), *runs.flaws(found), *lost]]


def _opened(folder: Path) -> list[str]:
    """What is wrong once a gate has opened the queue and settled what the dead worker left."""
    try:
        with Gate(folder / "queue.db") as gate:
            gate.backend.sweep().wait()
    except GatekitError as error:
        return [repr(error)]
    found = book.read(str(folder / "queue.db"))
    running = [entry.label for entry in found.entries if entry.status == "running"]
    running += [entry.id for entry in found.runs if entry.status == "running"]
    return [f"{label} still runs" for label in running]
