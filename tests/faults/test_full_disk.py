"""The disk is full at a step of a call, and has room again later."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.full_disk import STEPS
from tests.faults.support import judge

pytestmark = pytest.mark.sweep

ROOT = Path(__file__).parents[2]
FULL = "StoreError: "


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was answered in each step, by a process that has ended; each queue agrees with it."""
    pytest.importorskip("resource", reason="only Unix can limit the size of a file")
    folder = tmp_path_factory.mktemp("full")
    command = [sys.executable, "-m", "tests.faults.full_disk", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    facts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [fact["step"] for fact in facts] == [step.__name__ for step in STEPS]
    for fact in facts:
        decided = [(request_id, verb) for request_id, verb in fact["decided"]]
        fact["told"]["states"] = judge(folder / f"{fact['step']}.db", decided, fact["ran"])
    return {fact["step"]: fact["told"] for fact in facts}


def test_a_queue_that_cannot_be_made_is_made_when_there_is_room(told: dict[str, Any]) -> None:
    said = told["opening"]
    assert said["call"].startswith(FULL)
    assert said["look"].startswith(FULL)
    assert (said["later"], said["states"]) == ("paid 2", {"succeeded": 1})


def test_a_call_that_cannot_be_queued_does_not_run_and_leaves_nothing(told: dict[str, Any]) -> None:
    said = told["submitting"]
    assert said["call"].startswith(FULL)
    assert (said["queued"], said["later"], said["states"]) == ("0", "paid 2", {"succeeded": 1})


def test_a_decision_that_cannot_be_stored_is_refused_and_can_be_made_again(told: dict[str, Any]) -> None:
    said = told["deciding"]
    assert said["full"].startswith(FULL)
    assert (said["status"], said["later"], said["call"]) == ("pending", "approve", "paid 1")


def test_a_start_that_cannot_be_stored_runs_nothing_and_the_call_goes_on_when_made_again(told: dict[str, Any]) -> None:
    said = told["starting"]
    assert said["call"].startswith(FULL)
    assert said["ran"] == "[]"
    assert said["again"].endswith("paid 1")
    assert said["states"] == {"succeeded": 1}


def test_an_outcome_is_stored_when_there_is_room_again_and_else_unknown_with_its_result(told: dict[str, Any]) -> None:
    said = told["finishing"]
    assert said["call 1"] == "paid 1"
    assert said["call 2"].startswith("OutcomeUnknown: ")
    assert said["known result 2"] == "paid 2"
    assert said["states"] == {"succeeded": 1, "unknown": 1}


def test_wherever_the_room_ends_no_decision_is_lost_and_nothing_runs_twice(told: dict[str, Any]) -> None:
    said = told["filling"]
    assert said["refused"] == "OutcomeUnknown StoreError approve", "the room did not end at every kind of step"
    assert said["later"] == "paid 1000"
