"""A policy that somebody takes out of the queue's rows does not let a call start."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gatekit import Gate, Policy, Stage, StoreError, Suspended, calling, gated_step

FORGERIES = [
    "UPDATE requests SET plan = '', stages = 1",
    "UPDATE requests SET plan = replace(plan, ',1,[],0,[]],[\"two\"', ',1,[],0,[]],[\"too\"')",
    "UPDATE decisions SET stages = '[1]'",
    "UPDATE decisions SET digest = 'x' WHERE no = 1",
    "DELETE FROM decisions WHERE no = 1",
    "UPDATE requests SET votes_from = 1",
]


@pytest.mark.parametrize("statement", FORGERIES)
def test_a_stage_cannot_be_taken_away(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "queue.db"
    with Gate(path) as gate:
        ran = []
        step = gated_step(
            ran.append, gate=gate, name="pay", policy=Policy(Stage("one", "ann"), Stage("two", "bob")), wait=0
        )
        with calling(call_id="c1"):
            with pytest.raises(Suspended):
                step(5)
            for name in ("ann", "bob"):
                seat = gate.reviewer(name)
                seat.approve(seat.pending()[0])
            with closing(sqlite3.connect(path)) as file, file:
                assert file.execute(statement).rowcount
            with pytest.raises(StoreError):
                step(5)
    assert ran == []
