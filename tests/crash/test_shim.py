"""The library that hits a process at a chosen write does exactly that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import shim
from tests.crash.foreman import ROOT

pytestmark = pytest.mark.skipif(shim.why_not() is not None, reason=str(shim.why_not()))
PROGRAM = """
import os, sys
def tried(call, *args):
    try:
        call(*args)
    except OSError as error:
        print(error.errno)
path = sys.argv[1]
other = os.open(path.replace("queue", "other"), os.O_RDWR | os.O_CREAT)
file = os.open(path + "-wal", os.O_RDWR | os.O_CREAT)
os.write(other, b"....")
tried(os.write, file, b"abcd")
tried(os.pwrite, file, b"efgh", 4)
tried(os.fdatasync, file)
tried(os.ftruncate, file, 6)
tried(os.fsync, file)
tried(os.unlink, path + "-wal")
print("end")
"""


def run(path: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        env=os.environ | settings,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("at", "how", "left"),
    [
        (1, "before", b""),
        (1, "half", b"ab"),
        (1, "after", b"abcd"),
        (2, "before", b"abcd"),
        (2, "half", b"abcdef"),
        (3, "before", b"abcdefgh"),
        (4, "half", b"abcdefgh"),
        (4, "after", b"abcdef"),
        (6, "before", b"abcdef"),
        (6, "after", None),
    ],
)
def test_a_process_is_killed_around_the_chosen_call(
    tmp_path: Path, at: int, how: shim.Kill, left: bytes | None
) -> None:
    path, log = tmp_path / "queue.db", tmp_path / "queue.db-wal"
    done = run(path, shim.environment(path, at=at, how=how))
    assert done.returncode == -signal.SIGKILL
    assert (log.read_bytes() if log.exists() else None) == left


@pytest.mark.parametrize(
    ("at", "how", "number"),
    [(1, "ENOSPC", "28"), (2, "ENOSPC", "28"), *((at, "EIO", "5") for at in range(1, 7))],
)
def test_only_the_chosen_call_fails_and_the_program_goes_on(
    tmp_path: Path, at: int, how: shim.Fail, number: str
) -> None:
    path = tmp_path / "queue.db"
    done = run(path, shim.environment(path, at=at, how=how))
    assert (done.returncode, done.stdout.split()) == (0, [number, "end"])
    assert (tmp_path / "queue.db-wal").exists() == (at == 6)


def test_a_trace_has_every_call_on_the_queues_files_in_its_order(tmp_path: Path) -> None:
    path, trace = tmp_path / "queue.db", tmp_path / "trace"
    assert run(path, shim.tracing(path, trace)).stdout == "end\n"
    steps = list(shim.read_trace(trace))
    assert {step.name for step in steps} == {str(path) + "-wal"}
    assert [(step.kind, step.offset, step.data) for step in steps] == [
        ("write", 0, b"abcd"),
        ("write", 4, b"efgh"),
        ("sync", 0, b""),
        ("truncate", 6, b""),
        ("sync", 0, b""),
        ("unlink", 0, b""),
    ]
