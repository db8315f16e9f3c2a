"""How `gatekit review` is told to be plain, or to spare a slow line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pexpect
import pytest

import gatekit_tui
from gatekit import Gate, Policy
from gatekit.cli import terminal
from tests.cli.support import Terminal, ask, environment, run, staged


@pytest.fixture
def a_queue(gate: Gate) -> None:
    """One that is there, with nothing in it."""
    assert gate.count() == 0


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """A terminal that can draw; the list takes what the dashboard is told, and Textual's part of the environment."""
    told: list[dict[str, object]] = []

    def show(gate: Gate, reviewer: str, **options: object) -> None:
        told.append({**options, **{name: os.environ[name] for name in ("TEXTUAL_FPS", "TEXTUAL_ANIMATIONS")}})

    monkeypatch.setattr(terminal, "can_ask", lambda: True)
    monkeypatch.setattr(terminal, "can_draw", lambda: True)
    monkeypatch.setattr(terminal, "ask_or_end", lambda question: None)
    monkeypatch.setattr(gatekit_tui, "run", show)
    # It is for a process that does nothing else.
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setenv("TEXTUAL_FPS", "60")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "full")
    return told


@pytest.mark.parametrize(("value", "is_plain"), [("1", True), ("true", True), ("0", False), ("", False)])
@pytest.mark.usefixtures("a_queue")
def test_the_environment_can_ask_for_plain_lines(
    queue: Path, drawn: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch, value: str, is_plain: bool
) -> None:
    monkeypatch.setenv("GATEKIT_PLAIN", value)

    result = run(queue, "review")

    assert result.exit_code == 0, result.output
    assert ("Nothing is waiting." in result.output) is is_plain
    assert len(drawn) == (not is_plain)


@pytest.mark.usefixtures("a_queue")
def test_what_the_environment_says_of_plain_lines_has_to_be_yes_or_no(
    queue: Path, drawn: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEKIT_PLAIN", "perhaps")

    assert run(queue, "review").exit_code == 2
    assert drawn == []


@pytest.mark.usefixtures("a_queue")
def test_a_slow_line_is_told_to_the_dashboard_and_to_what_it_draws_with(
    queue: Path, drawn: list[dict[str, object]]
) -> None:
    run(queue, "review")
    run(queue, "review", "--low-bandwidth")

    assert drawn == [
        {"read_only": False, "low_bandwidth": False, "TEXTUAL_FPS": "60", "TEXTUAL_ANIMATIONS": "full"},
        {"read_only": False, "low_bandwidth": True, "TEXTUAL_FPS": "10", "TEXTUAL_ANIMATIONS": "none"},
    ]


def test_what_the_dashboard_draws_with_is_not_imported_before_it_is_told() -> None:
    code = "import sys, gatekit.cli.review; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=environment(), check=False).returncode == 0


def written_at_rest(person: Terminal, seconds: float) -> int:
    """How many characters come in so many seconds in which nothing happens."""
    end, count = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        try:
            count += len(person.child.read_nonblocking(65536, timeout=left))
        except pexpect.TIMEOUT:
            continue
    return count


@pytest.mark.sweep
def test_for_a_slow_line_seconds_that_pass_write_nothing(gate: Gate, queue: Path) -> None:
    staged(gate, Policy(), expires_after=timedelta(seconds=59))
    seat = ["review", "--as", "ana", "--queue", str(queue)]
    usual, sparing = Terminal(seat, queue.parent), Terminal([*seat, "--low-bandwidth"], queue.parent)
    for person in (usual, sparing):
        person.wait_for("then: ")
    # What comes with the first picture is over.
    for person in (usual, sparing):
        written_at_rest(person, 1)

    assert written_at_rest(sparing, 2.5) == 0
    assert written_at_rest(usual, 0.1) > 0, "what came meanwhile"
    ask(gate, tool="refund")
    sparing.wait_for("refund")
    for person in (usual, sparing):
        person.type("q")
        assert person.end() == 0
