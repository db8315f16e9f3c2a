"""A queue opens again whose maker, or whose copier of the log, was killed: its journal or its log has it all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.store.opening import open_queue
from tests.crash import power, shim
from tests.crash.cases import judged
from tests.crash.foreman import ROOT
from tests.crash.told import parse_all

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.skipif(shim.why_not() is not None, reason=str(shim.why_not())),
]


def killed(folder: Path, at: int) -> bytes:
    """Play the long day until that call; what it reported."""
    os.makedirs(folder)
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.worker", str(folder), "FULL"],
        env=os.environ | shim.environment(folder / "queue.db", at=at, how="before"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    return done.stdout


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Sequence[shim.Step]:
    """The write-like calls of the long day, as the library counts them: notes and other files left out."""
    steps = power.trace_of(tmp_path_factory.mktemp("day") / "whole", "FULL")
    return [step for step in steps if "queue.db" in step.name]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_a_queue_whose_maker_was_killed_is_made_by_the_next(
    calls: Sequence[shim.Step], tmp_path: Path, share: float
) -> None:
    """The journal takes back what was written of it, and an empty file is left."""
    made = next(number for number, step in enumerate(calls) if step.kind == "unlink" and step.name.endswith("-journal"))
    writes = [number for number, step in enumerate(calls[:made], 1) if step.kind == "write" and _is_database(step)]
    killed(tmp_path / "first", writes[int(share * len(writes))] + 1)
    assert (tmp_path / "first" / "queue.db").stat().st_size
    connection, _ = open_queue(str(tmp_path / "first" / "queue.db"), create=True)
    with closing(connection):
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (0,)


def test_a_queue_opens_whose_log_was_being_copied_when_the_process_was_killed(
    calls: Sequence[shim.Step], tmp_path: Path
) -> None:
    """Its first page tells of pages that are still in the log only."""
    size = 0
    for number, step in enumerate(calls, 1):
        if _is_database(step) and step.kind == "write":
            grows = step.offset >= size > 0 and any(earlier.name.endswith("-wal") for earlier in calls[:number])
            if grows:
                break
            size = max(size, step.offset + len(step.data))
    else:
        pytest.fail("the database never grew")
    told = parse_all(killed(tmp_path / "copied", number))
    with Gate(tmp_path / "copied" / "queue.db") as gate:
        gate.backend.sweep().wait()
    assert told
    assert judged(str(tmp_path / "copied"), told) == []


def _is_database(step: shim.Step) -> bool:
    return step.name.endswith("queue.db")
