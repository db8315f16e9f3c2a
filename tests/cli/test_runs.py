"""`gatekit runs` and `gatekit resume` without the program: what is printed, and what becomes of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatekit import Gate, gated_step
from gatekit.cli.paint import cells
from tests.cli.support import run

HOSTILE = "gone\x1b[2J \u202egpj\n  id        FORGED"


def started(gate: Gate, run_id: str, order: str, *, name: str = "refund") -> None:
    """A run that pauses, fails or succeeds, as its order says."""
    workflow = gate.known_workflow(name)
    if workflow is None:

        def note(order: str) -> str:
            if order == "fail":
                raise ValueError(HOSTILE)
            return order

        def refund(run, order: str) -> str:  # type: ignore[no-untyped-def]
            noted = str(run.step("note", note, order))
            return str(run.pause("before", {"order": noted})) if order == "pause" else noted

        workflow = gate.workflow(name=name)(refund)
    workflow.start(run_id, order)  # type: ignore[union-attr]


def test_a_list_names_state_workflow_reason_and_the_whole_id(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "pause")
    started(gate, "refund:2", "ok")
    started(gate, "refund:3", "fail")

    head, *lines = run(queue, "runs").stdout.splitlines()

    assert head.split() == ["STATUS", "WORKFLOW", "WHAT", "AGE", "ID"]
    assert [(line.split()[0], line.split()[-1]) for line in lines] == [
        ("failed", "refund:3"), ("succeeded", "refund:2"), ("waiting", "refund:1"),
    ]  # fmt: skip
    assert gate.run("refund:1").row().waiting_for[0] in lines[-1]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_list_fits_the_line_and_keeps_its_columns(gate: Gate, queue: Path, columns: int) -> None:
    started(gate, "refund:1", "fail")
    started(gate, "refund:2", "pause", name="日本語の道具" * 3)

    head, *lines = run(queue, "runs", columns=columns).stdout.splitlines()

    assert max(map(cells, lines)) <= columns
    assert [cells(line.partition("refund:")[0]) for line in lines] == [head.index(" ID") + 1] * 2


def test_an_id_is_never_cut(gate: Gate, queue: Path) -> None:
    started(gate, "r" * 120, "ok")

    assert run(queue, "runs").stdout.splitlines()[-1].endswith(" " + "r" * 120)


def test_a_list_can_be_narrowed_and_says_what_is_left_out(gate: Gate, queue: Path) -> None:
    for number in range(3):
        started(gate, f"refund:{number}", "ok")
    started(gate, "other:1", "fail", name="other")

    narrowed = run(queue, "runs", "--status", "succeeded", "--workflow", "refund", "--limit", "2")
    whole = run(queue, "runs", "--status", "succeeded", "--limit", "3")
    nothing = run(queue, "runs", "--status", "waiting", "--status", "cancelled")

    assert [line.split()[-1] for line in narrowed.stdout.splitlines()[1:]] == ["refund:2", "refund:1"]
    assert "There are more than these 2: raise --limit." in narrowed.stderr
    assert whole.stderr == ""
    assert (nothing.stdout, "There is no waiting or cancelled run" in nothing.stderr) == ("", True)


def test_a_list_and_a_run_in_json_have_the_fields_of_the_api(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "pause")
    started(gate, "refund:2", "fail")

    listed = json.loads(run(queue, "runs", "--json", "--limit", "1").stdout)
    shown = json.loads(run(queue, "runs", "show", "refund:1", "--json").stdout)

    assert listed == {"rows": [gate.runs()[0].to_dict()], "more": True}
    handle = gate.run("refund:1")
    assert shown == {**handle.row().to_dict(), "steps": [step.to_dict() for step in handle.steps()]}
    assert [step["status"] for step in shown["steps"]] == ["succeeded", "pending"]


def test_a_run_is_shown_with_its_arguments_its_steps_and_what_it_waits_for(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "pause")
    (waits,) = gate.run("refund:1").row().waiting_for

    lines = run(queue, "runs", "show", "refund:1").stdout.splitlines()

    assert lines[0] == "run of refund  waiting"
    assert f"  waits for {waits} before, pending" in lines
    assert '  order  "pause"' in lines
    assert [line.split() for line in lines[lines.index("steps") + 1 :]] == [
        ["succeeded", gate.run("refund:1").steps()[0].request_id, "note"], ["pending", waits, "before"],
    ]  # fmt: skip


def test_a_run_that_is_over_is_shown_with_its_result_or_its_reason(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "ok")
    started(gate, "refund:2", "fail")

    done, failed = (run(queue, "runs", "show", f"refund:{number}").stdout for number in (1, 2))

    assert 'result\n  "ok"\n' in done
    assert "why       ValueError: " in failed
    assert "gatekit resume refund:2 lets it go on" in " ".join(failed.split())


def test_hostile_texts_of_a_run_are_visible(gate: Gate, queue: Path) -> None:
    started(gate, "refund:\x1b[2J", "fail", name="work\u202e")

    for command in (["runs"], ["runs", "show", "refund:\x1b[2J"], ["resume", "refund:\x1b[2J"]):
        output = run(queue, *command).output
        assert {"\x1b", "\u202e"} & set(output) == set(), command
        assert "␛" in output
        assert "\n  id        FORGED" not in output


def test_a_run_is_cancelled_in_the_name_of_who_did_it(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "pause")
    (waits,) = gate.run("refund:1").row().waiting_for

    result = run(queue, "runs", "cancel", "refund:1", "--reason", "a mistake")

    assert (result.exit_code, result.stdout) == (0, "cancelled: run refund:1 of refund by human:ana\n")
    row, last = gate.run("refund:1").row(), gate.run("refund:1").history()
    assert (row.status, row.reason, gate.get(waits).status) == ("cancelled", "a mistake", "cancelled")
    assert [event.by for event in last if event.kind == "run.cancelled"] == ["human:ana"]


def test_a_run_that_is_over_is_deleted_and_its_id_is_free(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "ok")

    assert run(queue, "runs", "delete", "refund:1").stdout == "deleted: run refund:1 by human:ana\n"
    assert run(queue, "runs", "show", "refund:1").exit_code == 1


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (["runs", "show", "nobody"], 1, "run 'nobody' is not in this queue"),
        (["runs", "delete", "refund:1"], 1, "cancel it before you delete it"),
        (["runs", "cancel", "refund:2"], 1, "there is nothing to cancel"),
        (["runs", "cancel", "refund:1", "--as", "human:ana"], 2, "no reviewer's name"),
        (["runs", "--limit", "3", "show", "refund:1"], 2, "--limit is for the list"),
        (["runs", "--status", "lost"], 2, "is not one of"),
        (["runs", "refund:1"], 2, "No such command"),
        (["resume", "nobody"], 1, "run 'nobody' is not in this queue"),
        (["resume", "refund:2"], 1, "run refund:2 has succeeded: there is nothing to resume"),
        (["runs", "--queue", "elsewhere.db"], 3, "there is no queue at"),
        (["resume", "refund:1", "--queue", "elsewhere.db"], 3, "there is no queue at"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_a_code(
    gate: Gate, queue: Path, command: list[str], code: int, told: str
) -> None:
    started(gate, "refund:1", "pause")
    started(gate, "refund:2", "ok")

    result = run(queue, *command)

    assert (result.exit_code, told in result.stderr, result.stdout) == (code, True, ""), result.output
    assert [gate.run(name).status for name in ("refund:1", "refund:2")] == ["waiting", "succeeded"]


def test_a_failed_run_is_reopened_for_a_program_that_has_its_workflow(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "fail")

    first, second = run(queue, "resume", "refund:1"), run(queue, "resume", "refund:1")

    assert first.exit_code == second.exit_code == 0
    assert first.stdout.splitlines() == [
        "reopened: run refund:1 of refund by human:ana",
        "run refund:1 is waiting: a worker takes it up, or gatekit resume refund:1 --app MODULE:GATE",
    ]
    assert second.stdout.splitlines() == first.stdout.splitlines()[1:]
    assert (gate.run("refund:1").row().ready, gate.resume_ready()) == (True, 1)
    assert [step.status for step in gate.run("refund:1").steps()] == ["failed", "failed"]


def test_a_run_that_waits_is_not_touched_by_resume(gate: Gate, queue: Path) -> None:
    started(gate, "refund:1", "pause")
    before = gate.run("refund:1").row()

    result = run(queue, "resume", "refund:1")

    assert (result.exit_code, gate.run("refund:1").row()) == (0, before)
    assert result.stdout == "run refund:1 is waiting: it goes on when what it waits for is decided\n"


def test_a_run_with_a_step_whose_end_is_not_known_is_told_of_and_goes_on_once_it_is_settled(
    gate: Gate, queue: Path
) -> None:
    def pay(order: str) -> str:
        raise KeyboardInterrupt

    step = gated_step(pay, gate=gate, requires_approval=False)

    @gate.workflow
    def refund(run, order: str) -> str:  # type: ignore[no-untyped-def]
        return str(run.step("pay", step, order))

    with pytest.raises(KeyboardInterrupt):
        refund.start("refund:1", "7")
    assert next(event for event in gate.watch(since=0) if event.kind == "run.interrupted").run == "refund:1"
    gate.resume_ready()
    (unknown,) = gate.run("refund:1").row().waiting_for

    shown = run(queue, "runs", "show", "refund:1").stdout
    warned = run(queue, "resume", "refund:1")
    settled = run(queue, "settle", unknown, "--result", '"paid"', "--attempt", "1")

    assert shown.startswith("run of refund  needs-review\n")
    assert f"  waits for {unknown} pay, unknown\n" in shown
    assert "it goes on when what it waits for is settled, or allowed to start anew" in " ".join(shown.split())
    assert f"How its step pay ended is not known: gatekit show {unknown}" in warned.stderr
    assert settled.stdout.splitlines()[1].startswith("Its run refund:1: a worker takes it up")
    assert (gate.resume_ready(), gate.run("refund:1").result(timeout=5)) == (1, "paid")
