"""`doctor`: what it finds, that it makes nothing, and its exit code."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gatekit import Gate
from gatekit.cli import health
from tests.cli.support import ask, run


def found(queue: Path, code: int) -> dict[str, Any]:
    result = run(queue, "doctor", "--json")
    assert result.exit_code == code, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def test_a_healthy_queue_is_described(gate: Gate, queue: Path) -> None:
    first = ask(gate)
    ask(gate)
    gate.reviewer("bob").reject(ask(gate), reason="no")

    told = found(queue, 0)

    assert (told["queue"], told["mode"], told["problems"]) == (str(queue), "0600", [])
    assert {status: count for status, count in told["counts"].items() if count} == {"pending": 2, "rejected": 1}
    assert told["oldest_pending"] == first.created_at.isoformat()
    assert told["schema"] == told["schema_known"]
    assert told["sqlite"] == sqlite3.sqlite_version
    assert told["size"] >= queue.stat().st_size


def test_what_is_found_is_said_in_words(gate: Gate, queue: Path) -> None:
    ask(gate)

    result = run(queue, "doctor", columns=400)

    assert result.exit_code == 0
    for words in (str(queue), "0600", "1 pending", sqlite3.sqlite_version, "nothing is wrong"):
        assert words in result.stdout


@pytest.mark.parametrize(("mode", "told"), [(0o640, "read"), (0o606, "change")])
def test_a_file_open_to_others_is_wrong_and_has_a_cure(gate: Gate, queue: Path, mode: int, told: str) -> None:
    ask(gate)
    queue.chmod(mode)

    (problem,) = found(queue, 1)["problems"]

    assert f"other users can {told} it" in problem["what"]
    assert problem["cure"] == f"chmod 600 {queue}"


def test_a_folder_that_everybody_can_write_is_wrong(gate: Gate, queue: Path) -> None:
    ask(gate)
    queue.parent.chmod(0o777)

    (problem,) = found(queue, 1)["problems"]

    assert "can be written by every user" in problem["what"]
    queue.parent.chmod(0o1777)
    assert found(queue, 0)["problems"] == []


def test_a_missing_queue_is_wrong_and_is_not_made(queue: Path) -> None:
    told = found(queue, 1)

    assert "there is no queue at" in told["problems"][0]["what"]
    assert (told["size"], told["mode"], told["counts"]) == (None, None, {})
    assert list(queue.parent.iterdir()) == []


def test_a_file_that_is_no_queue_is_wrong_and_is_not_touched(queue: Path) -> None:
    queue.write_text("a shopping list")
    queue.chmod(0o600)

    told = found(queue, 1)

    assert "is not a gatekit queue" in told["problems"][0]["what"]
    assert queue.read_text() == "a shopping list"


def test_a_queue_of_a_newer_gatekit_is_named_with_both_schemas(gate: Gate, queue: Path) -> None:
    ask(gate)
    gate.close()
    with sqlite3.connect(queue) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    told = found(queue, 1)

    assert (told["schema"], told["schema_known"]) == (99, health.VERSION)
    assert told["problems"][0]["cure"] == "pip install -U gatekit-hitl"


@pytest.mark.parametrize(("version", "noted"), [((3, 51, 2), True), ((3, 51, 3), False)])
def test_an_sqlite_with_the_wal_reset_bug_is_noted(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], noted: bool
) -> None:
    ask(gate)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)

    assert any("WAL-reset" in note for note in found(queue, 0)["notes"]) is noted
