"""A queue that this user may not read, may not write, or may not make files beside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatekit import Gate, Request, Suspended, calling, gated_step
from tests.faults.support import judge

ROOT = Path(__file__).parents[2]
NOBODY = 65534

pytestmark = [pytest.mark.sweep, pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs users as Unix has them")]

# A whole turn on another queue first: without the rights not even Python's own files may be there to be imported.
PROGRAM = """
import json, os, sys
from gatekit import Gate, gated_step
from tests.faults.support import ended
def turn(queue, *seen):
    ran = []
    def pay(amount: int) -> None:
        ran.append(amount)
    with Gate(queue) as gate:
        acts = (
            lambda: gated_step(pay, gate=gate, wait=0)(5),
            lambda: gate.reviewer("bob").approve(seen[0], token=seen[1]),
        )
        answers = [ended(act) for act in acts]
    kinds = [[kind.__name__ for kind in type(answer).__mro__] for answer in answers]
    return {"kinds": kinds, "texts": [str(answer) for answer in answers], "ran": ran}
queue, uid, warm, *seen = sys.argv[1:]
turn(warm, "R1", "v1:0")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
print(json.dumps(turn(queue, *seen)))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not `tmp_path`, which only its owner may enter."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def as_nobody(queue: Path, warm: Path, *seen: str) -> dict[str, Any]:
    command = [sys.executable, "-c", PROGRAM, str(queue), str(NOBODY), str(warm), *seen]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def made(folder: Path) -> tuple[Path, Request]:
    place = folder / "place"
    place.mkdir()
    with Gate(place / "queue.db") as gate:
        with calling(call_id="c1"), pytest.raises(Suspended):
            gated_step(pay, gate=gate, wait=0)(1)
        (request,) = gate.reviewer("bob").pending()
    return place / "queue.db", request


def pay(amount: int) -> None: ...


@pytest.mark.parametrize(
    ("mode", "folder_mode"),
    [(0o000, 0o777), (0o444, 0o777), (0o444, 0o555), (0o666, 0o555)],
    ids=["unreadable", "read-only", "read-only in a read-only directory", "in a read-only directory"],
)
def test_a_queue_that_may_not_be_written_is_an_error_with_the_cure_and_stays_as_it_was(
    folder: Path, tmp_path: Path, mode: int, folder_mode: int
) -> None:
    queue, request = made(folder)
    before = queue.read_bytes()
    queue.chmod(mode)
    queue.parent.chmod(folder_mode)
    said = as_nobody(queue, tmp_path / "warm.db", request.id, request.token)
    queue.parent.chmod(0o755)
    queue.chmod(0o600)
    assert said["ran"] == []
    for kinds, text in zip(said["kinds"], said["texts"], strict=True):
        assert "StoreError" in kinds, text
        assert str(queue) in text
        assert "access" in text or "may write" in text, text
    assert queue.read_bytes() == before
    assert judge(queue) == {"pending": 1}


def test_a_queue_that_may_not_be_made_is_an_error_of_ours(folder: Path, tmp_path: Path) -> None:
    place = folder / "place"
    place.mkdir(0o555)
    said = as_nobody(place / "queue.db", tmp_path / "warm.db", "R1", "v1:0")
    assert said["ran"] == []
    assert ["StoreError" in kinds for kinds in said["kinds"]] == [True] * 2
    assert said["texts"] == [f"{place / 'queue.db'} cannot be made: Permission denied"] * 2
    assert list(place.iterdir()) == []
