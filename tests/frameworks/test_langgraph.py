"""LangGraph with its SQLite checkpointer: processes that are killed, and threads that go on in new ones."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gatekit import Gate, Request
from tests.frameworks.langgraph_program import main

HANGS: Final = 30.0
"""Seconds after which a process that says nothing fails the test."""
_context: Final = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.frameworks.langgraph_program"])

pytestmark = pytest.mark.parametrize("colour", ["sync", "async"])


class Agents:
    """The processes of one agent, one after the other, and the queue that they share with the reviewer."""

    def __init__(self, folder: Path, colour: str) -> None:
        self.folder = folder
        self.colour = colour
        self.gate = Gate(folder / "queue.db")
        self.alice = self.gate.reviewer("alice")

    def run(self, verb: str, *, kill_at: str = "") -> list[str]:
        """What a process reached until its end, or until it was killed at that moment."""
        here, there = _context.Pipe()
        process = _context.Process(target=main, args=(there, str(self.folder), self.colour, verb, kill_at), daemon=True)
        process.start()
        there.close()
        reached: list[str] = []
        try:
            while not kill_at or kill_at not in reached:
                assert here.poll(HANGS), f"the process says nothing after {reached}"
                reached.append(here.recv())
        except EOFError:
            assert not kill_at, f"it ended before {kill_at!r}: {reached}"
        finally:
            process.kill()
            process.join(HANGS)
            here.close()
        assert not kill_at or process.exitcode == -signal.SIGKILL
        process.close()
        return reached

    def only(self, status: str = "pending") -> Request:
        (row,) = self.gate.requests(status)  # type: ignore[arg-type]
        return self.gate.get(row.id)

    @property
    def paid(self) -> list[str]:
        bank = self.folder / "bank.txt"
        return bank.read_text().splitlines() if bank.exists() else []


@pytest.fixture
def agents(tmp_path: Path, colour: str) -> Iterator[Agents]:
    made = Agents(tmp_path, colour)
    with made.gate:
        yield made


def test_killed_while_it_waits_the_thread_goes_on_in_new_processes_with_the_edit_and_the_answer(
    agents: Agents,
) -> None:
    assert agents.run("ask", kill_at="Suspended") == ["Suspended"]
    first = agents.only()
    agents.alice.edit(first, {"amount": 40})

    assert agents.run("go on", kill_at="Suspended") == ["paid", "tool returned", "Suspended"]
    assert agents.paid == ["40 to ann"]
    second = agents.only()
    agents.alice.reject(second, reason="bob has left")

    assert agents.run("go on") == [
        "tool returned",
        "told A reviewer changed amount from 100 to 40 before this ran.\n\npaid 40 to ann | "
        "This call was not run: it was rejected by a reviewer: bob has left",
    ]
    assert agents.paid == ["40 to ann"]
    assert [(one.run, one.call_id) for one in (first, second)] == [("thread-1", "call_0"), ("thread-1", "call_1")]


def test_resumed_before_any_decision_it_waits_again_under_the_same_request(agents: Agents) -> None:
    agents.run("ask", kill_at="Suspended")
    asked = agents.only()

    assert agents.run("go on") == ["Suspended"]

    assert agents.only() == asked
    assert agents.paid == []


def test_killed_between_the_tools_end_and_the_checkpoint_the_result_is_given_and_the_tool_not_run_again(
    agents: Agents,
) -> None:
    agents.run("ask")
    agents.alice.approve(agents.only())

    assert agents.run("go on", kill_at="tool returned") == ["paid", "tool returned"]
    assert agents.run("go on") == ["tool returned", "Suspended"]

    assert agents.paid == ["100 to ann"]
    assert agents.only().args == {"to": "bob", "amount": 100}


def test_killed_in_the_middle_of_the_tool_it_is_a_humans_word_that_goes_on(agents: Agents) -> None:
    agents.run("ask")
    agents.alice.approve(agents.only())

    agents.run("go on", kill_at="paid")
    assert agents.run("go on") == ["OutcomeUnknown"]
    agents.alice.settle(agents.only("unknown"), result="paid 100 to ann")
    assert agents.run("go on") == ["tool returned", "Suspended"]

    assert agents.paid == ["100 to ann"]
    assert agents.only().args["to"] == "bob"
