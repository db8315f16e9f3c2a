"""`Gate(prompt=True)`: asking in the program's own terminal, a real one, in a process of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatekit import Gate

PROGRAM = """
import contextlib, io, sys
from pydantic import BaseModel
import gatekit
from gatekit import Gate, Policy, Stage, gated_step

gate = Gate(sys.argv[1], prompt=True)

@gated_step(gate=gate, policy=Policy(Stage("lead", "root-of-this-test")), expires_after=3600, risk="high", wait=1)
def deploy(version: str, hosts: int) -> str:
    return f"deployed {version} to {hosts}"

class Tuning(BaseModel):
    rate: float

def main(what):
    if what == "deploy":
        return deploy("v2\\x1b[>q", 3)
    if what == "choice":
        return gate.ask("Where?", choices=("eu", "us"), wait=1)
    if what == "bool":
        return gate.ask("Go?", bool, wait=1)
    return gate.ask("How?", Tuning, wait=1)

captured = io.StringIO()
with contextlib.redirect_stdout(captured), contextlib.redirect_stderr(captured):
    try:
        ended = repr(main(sys.argv[2]))
    except Exception as error:
        ended = f"{type(error).__name__}: {error}"
with open(sys.argv[3], "w") as file:
    file.write(ended)
"""


class Child:
    """The program on a terminal of its own, its output captured."""

    def __init__(self, folder: Path, what: str) -> None:
        self.queue, self._out = folder / "queue.db", folder / "ended"
        (folder / "program.py").write_text(PROGRAM)
        command = [sys.executable, str(folder / "program.py"), str(self.queue), what, str(self._out)]
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execve(sys.executable, command, {**os.environ, "GATEKIT_REVIEWER": "root-of-this-test"})
        self._alive = True
        self.seen = ""

    def until(self, text: str, *, times: int = 1, seconds: float = 20) -> str:
        deadline = time.monotonic() + seconds
        while self.seen.count(text) < times:
            assert select.select([self._terminal], [], [], max(0, deadline - time.monotonic()))[0], self.seen
            self.seen += os.read(self._terminal, 65536).decode()
        return self.seen

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def ended(self) -> str:
        os.waitpid(self._pid, 0)
        self._alive = False
        return self._out.read_text()

    def close(self) -> None:
        if self._alive:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    made: list[Child] = []

    def start(what: str) -> Child:
        made.append(Child(tmp_path, what))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_f2_the_prompt_shows_the_call_who_may_approve_and_the_deadline_although_output_is_captured(
    child: Callable[[str], Child],
) -> None:
    program = child("deploy")
    seen = program.until("[y/N/e to edit]")
    for shown in ("deploy waits", "risk high", "hosts = 3", "may approve: root-of-this-test", "UTC; then it expires"):
        assert shown in seen
    assert "\x1b" not in seen
    program.type("y\n")
    assert program.ended() == repr("deployed v2\x1b[>q to 3")


@pytest.mark.parametrize(
    "said", ["\n", *(pytest.param(said, marks=pytest.mark.sweep) for said in ("n\n", "yup\n", "Y E S\n", "1\n"))]
)
def test_f2_enter_and_anything_but_yes_rejects(child: Callable[[str], Child], said: str) -> None:
    program = child("deploy")
    program.until("[y/N/e to edit]")
    program.type(said)
    assert program.ended().startswith("Rejected: ")
    with Gate(program.queue) as gate:
        (row,) = gate.requests("rejected")
        decision = gate.get(row.id).decision
    assert decision is not None
    assert decision.by == "human:root-of-this-test"


@pytest.mark.sweep
def test_an_edit_is_made_there_and_one_that_does_not_fit_is_asked_again(child: Callable[[str], Child]) -> None:
    program = child("deploy")
    program.until("[y/N/e to edit]")
    program.type("e\n")
    program.until("changes as JSON")
    program.type('{"hosts": "many"}\n')
    program.until("does not fit")
    program.until("[y/N/e to edit]", times=2)
    program.type("e\n")
    program.until("changes as JSON", times=2)
    program.type('{"hosts": 4}\n')
    assert program.ended() == repr("deployed v2\x1b[>q to 4")


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("what", "typed", "answer"),
    [("choice", "eu", "'eu'"), ("bool", "no", "False"), ("form", '{"rate": 0.5}', "Tuning(rate=0.5)")],
)
def test_a_question_is_answered_there(child: Callable[[str], Child], what: str, typed: str, answer: str) -> None:
    program = child(what)
    program.until("answer (Enter: none): ")
    program.type(f"{typed}\n")
    assert program.ended() == answer


def test_what_was_typed_before_the_question_could_be_seen_is_no_answer(child: Callable[[str], Child]) -> None:
    program = child("deploy")
    program.type("y\n")
    program.until("[y/N/e to edit]")
    with Gate(program.queue) as gate:
        assert gate.count("pending") == 1
    program.type("\n")
    assert program.ended().startswith("Rejected: ")


@pytest.mark.sweep
def test_a_closed_input_leaves_the_call_in_the_queue(child: Callable[[str], Child]) -> None:
    program = child("deploy")
    program.until("[y/N/e to edit]")
    program.type("\x04")
    program.until("it stays in the queue")
    assert program.ended().startswith("Suspended: ")


@pytest.mark.sweep
def test_whoever_decides_elsewhere_ends_the_question(child: Callable[[str], Child]) -> None:
    program = child("deploy")
    program.until("[y/N/e to edit]")
    with Gate(program.queue) as gate:
        (row,) = gate.requests()
        gate.reviewer("root-of-this-test").approve(gate.get(row.id))
    program.until("decided elsewhere")
    assert program.ended() == repr("deployed v2\x1b[>q to 3")


def test_f3_without_a_terminal_the_call_goes_to_the_queue(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    queue, out = tmp_path / "queue.db", tmp_path / "ended"
    command = [sys.executable, str(tmp_path / "program.py"), str(queue), "deploy", str(out)]
    subprocess.run(command, stdin=subprocess.DEVNULL, start_new_session=True, check=True, timeout=30)
    assert out.read_text().startswith("Suspended: ")
    with Gate(queue) as gate:
        assert gate.count("pending") == 1
