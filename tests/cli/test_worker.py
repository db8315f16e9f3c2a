"""`gatekit worker` and `gatekit resume --app`: real processes over one queue, their signals and their deaths."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from gatekit import Gate
from tests.cli.programs import begin, workers, write_program
from tests.cli.support import process, run

pytestmark = pytest.mark.sweep

Command = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_program(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.fixture
def gate(folder: Path) -> Iterator[Gate]:
    """The queue of the program, without its workflows."""
    with Gate(folder / "queue.db") as gate:
        yield gate


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in this process, in the program's folder; the program is imported anew each time."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def in_folder(*args: str) -> Result:
        for name in ("app", "less"):
            sys.modules.pop(name, None)
        sys.path_importer_cache.pop(str(folder), None)
        return run(folder / "queue.db", *args)

    return in_folder


def test_each_run_is_taken_by_one_of_two_workers(folder: Path, gate: Gate) -> None:
    names = [f"refund:{number}" for number in range(12)]
    with workers(folder, 2) as both:
        begin(gate, "refund", *names)
        alice, released = gate.reviewer("alice"), 0
        for event in gate.watch(since=0):
            if (event.kind, event.tool) == ("submitted", "before"):
                alice.release(gate.get(event.request_id))
                released += 1
            if released == len(names):
                break
        results = [gate.run(name).result(timeout=20) for name in names]
        for worker in both:
            worker.send(signal.SIGTERM)

        assert [worker.end() for worker in both] == [0, 0]
    assert results == names
    assert sorted((folder / "noted.txt").read_text().split()) == sorted(names)
    assert [gate.run(name).row().executions for name in names] == [2] * len(names)
    assert any("took up" in line for worker in both for line in worker.seen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_ends_cleanly_at_a_signal(folder: Path, number: signal.Signals) -> None:
    with workers(folder, 1) as (worker,):
        worker.send(number)

        assert worker.end() == 0
    assert "took up" not in "".join(worker.seen)


@pytest.mark.parametrize("workflow", ["slow", "slow_async"])
def test_a_worker_that_is_told_to_end_finishes_the_tool_in_hand(folder: Path, gate: Gate, workflow: str) -> None:
    with workers(folder, 1) as (worker,):
        begin(gate, workflow, "one")
        # The tool runs, once it has opened its end.
        with open(folder / "pipe", "w") as pipe:
            worker.send(signal.SIGTERM)
            worker.wait_for("ending: ")
            pipe.write("done")

        assert worker.end() == 0
    assert gate.run("one").result(timeout=5) == "done"


@pytest.mark.sweep
def test_a_second_signal_breaks_off_what_is_in_hand(folder: Path, gate: Gate) -> None:
    with workers(folder, 1) as (worker,):
        begin(gate, "slow", "one")
        with open(folder / "pipe", "w"):
            worker.send(signal.SIGINT)
            worker.wait_for("ending: ")
            worker.send(signal.SIGINT)

            assert worker.end() == -signal.SIGINT
    (step,) = gate.run("one").steps()
    assert step.status in ("running", "unknown")


@pytest.mark.sweep
def test_a_killed_workers_run_is_taken_by_another(folder: Path, gate: Gate) -> None:
    with workers(folder, 1) as (first,):
        begin(gate, "careful", "one")
        with open(folder / "pipe", "w"):
            first.process.kill()
            first.process.wait()
    with workers(folder, 1) as (second,):
        with open(folder / "pipe", "w") as pipe:
            pipe.write("by the second")
        assert gate.run("one").result(timeout=20) == "by the second"
        second.send(signal.SIGTERM)

        assert second.end() == 0
    assert gate.run("one").row().executions == 2
    assert [event.kind for event in gate.run("one").history()].count("run.interrupted") == 1


@pytest.mark.sweep
def test_a_worker_that_is_there_takes_the_run_of_one_that_died(folder: Path, gate: Gate) -> None:
    with workers(folder, 1) as (first,):
        begin(gate, "careful", "one")
        with workers(folder, 1) as (second,):
            with open(folder / "pipe", "w"):
                (held,) = (event for event in gate.run("one").history() if event.kind == "started")
                owner = gate.get(held.request_id).attempt
                assert owner is not None
                dying, other = (first, second) if f"/{first.process.pid}/" in owner.owner else (second, first)
                dying.process.kill()
                dying.process.wait()
            with open(folder / "pipe", "w") as pipe:
                pipe.write("by the other")
            assert gate.run("one").result(timeout=20) == "by the other"
            other.send(signal.SIGTERM)

            assert other.end() == 0


@pytest.mark.sweep
def test_a_killed_workers_step_is_not_run_again_unless_it_says_that_it_can_be(folder: Path, gate: Gate) -> None:
    with workers(folder, 1) as (worker,):
        begin(gate, "slow", "one")
        with open(folder / "pipe", "w"):
            worker.process.kill()
            worker.process.wait()

    done = process("worker", "app:gate", "--once", cwd=folder)

    row = gate.run("one").row()
    assert done.returncode == 0, done.stderr
    assert (row.status, len(row.waiting_for)) == ("needs-review", 1)
    shown = process("show", row.waiting_for[0], "--queue", "queue.db", cwd=folder).stdout
    assert f"by process {worker.process.pid} on " in shown
    assert "which has ended" in shown
    assert f"gatekit settle {row.waiting_for[0]} --result JSON" in shown


def test_once_goes_on_with_what_can_and_says_nothing_where_nothing_can(gate: Gate, command: Command) -> None:
    begin(gate, "refund", "one", "two")

    first, second = command("worker", "app:gate", "--once"), command("worker", "app:gate", "--once")

    assert (first.exit_code, first.stdout.endswith("Z  took up 2 runs\n")) == (0, True)
    assert (second.exit_code, second.stdout) == (0, "")
    assert [row.status for row in gate.runs()] == ["waiting", "waiting"]


def test_a_run_that_fails_in_a_worker_is_told_with_nothing_raw(folder: Path, gate: Gate) -> None:
    begin(gate, "hopeless", "one")

    done = process("worker", "app:gate", "--once", cwd=folder)

    assert done.returncode == 0
    assert "run one of hopeless failed" in done.stderr
    assert "no money␛[2J for one" in done.stderr
    assert "\x1b" not in done.stderr
    assert gate.run("one").status == "failed"


def test_resume_with_the_program_goes_on_here_and_its_code_says_how_it_ended(gate: Gate, command: Command) -> None:
    begin(gate, "hopeless", "one")
    begin(gate, "refund", "two", "three")
    gate.run("two").cancel()

    failed = command("resume", "one", "--app", "app:gate")
    again = command("resume", "one", "--app", "app:gate")
    over = command("resume", "two", "--app", "app:gate")
    waits = command("resume", "three", "--app", "app:gate")

    assert [done.exit_code for done in (failed, again, over, waits)] == [1, 1, 1, 0]
    assert failed.stdout.startswith("run one is failed (")
    assert "no money␛[2J for one" in failed.stdout
    assert failed.stdout.endswith(
        "mend the cause, then gatekit resume one lets it go on; the failed step is made again\n"
    )
    assert again.stdout.startswith("reopened: run one of hopeless by human:ana\n")
    assert len(gate.run("one").steps()) == 2
    assert "run two was cancelled: there is nothing to resume" in over.stderr
    assert "run three is waiting: it goes on when what it waits for is decided" in waits.stdout


def test_resume_with_an_async_program_goes_on_here(folder: Path, gate: Gate, command: Command) -> None:
    begin(gate, "slow_async", "one")
    writer = threading.Thread(target=(folder / "pipe").write_text, args=("done",))
    writer.start()

    done = command("resume", "one", "--app", "app:gate")

    writer.join()
    assert (done.exit_code, "run one is succeeded: it is over" in done.stdout) == (0, True)
    assert gate.run("one").result(timeout=5) == "done"


def test_resume_refuses_another_queue_than_the_programs_and_a_workflow_that_it_lacks(
    folder: Path, gate: Gate, command: Command
) -> None:
    begin(gate, "hopeless", "one")
    with Gate(folder / "other.db") as other:
        other.count()
    (folder / "less.py").write_text(
        "from gatekit import Gate\ngate = Gate('queue.db')\n@gate.workflow\ndef w(run) -> int:\n    return 1\n"
    )
    command("resume", "one", "--app", "app:gate")

    elsewhere = command("resume", "one", "--app", "app:gate", "--queue", "other.db")
    less = command("resume", "one", "--app", "less:gate")
    assert [event.kind for event in gate.run("one").history()].count("run.reopened") == 0
    same = command("resume", "one", "--app", "app:gate", "--queue", "queue.db")

    assert (elsewhere.exit_code, "leave --queue out" in elsewhere.stderr) == (2, True)
    assert (less.exit_code, "this gate has no workflow 'hopeless'" in less.stderr) == (2, True)
    assert [event.kind for event in gate.run("one").history()].count("run.reopened") == 1
    assert same.exit_code == 1


FAULTS = {
    "app": "names no gate",
    ":gate": "names no gate",
    "app:": "names no gate",
    "nowhere:gate": "there is no module nowhere",
    "app.inner:gate": "there is no module app.inner",
    "app:gat": "the module app has no gat",
    "app:note": "app:note is no Gate but a function",
    "app:nothing": "has no workflows",
    "raising:gate": "importing raising raised ZeroDivisionError: division by zero (raising.py, line 1)",
    "lacking:gate": "importing lacking raised ModuleNotFoundError: No module named 'surely_not_there'",
    "\x1b[2J:gate": "there is no module ␛[2J",
}


@pytest.mark.parametrize("app", FAULTS)
def test_what_names_no_gate_with_workflows_is_refused_with_the_reason(folder: Path, command: Command, app: str) -> None:
    (folder / "raising.py").write_text("1 / 0\n")
    (folder / "lacking.py").write_text("import surely_not_there\n")

    refused = command("worker", app)

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert FAULTS[app] in refused.stderr
    assert "\x1b" not in refused.stderr


def test_a_worker_that_cannot_begin_says_so_in_one_line(folder: Path) -> None:
    done = process("worker", "nowhere:gate", cwd=folder)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: there is no module nowhere")
    assert "Traceback" not in done.stderr
    assert not (folder / "queue.db").exists()
