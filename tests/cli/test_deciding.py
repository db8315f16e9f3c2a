"""The commands that decide, where there is no terminal, and what their exit codes say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.cli.edits import changes_from
from gatekit.errors import UsageError
from tests.cli.support import ask, process, run


def test_a_token_approves_without_asking(gate: Gate, queue: Path) -> None:
    request = ask(gate)

    result = run(queue, "approve", request.id, "--token", request.token)

    decision = gate.get(request.id).decision
    assert decision is not None
    assert (result.exit_code, decision.verb, decision.by) == (0, "approve", "human:ana")
    assert result.stdout.splitlines() == [
        f"approved: pay {request.id} by human:ana",
        "Nobody waits for it: it runs when the agent makes the call again.",
    ]


@pytest.mark.parametrize("command", [["approve"], ["edit", "amount=40"]])
def test_without_a_terminal_and_a_token_nothing_is_approved(gate: Gate, queue: Path, command: list[str]) -> None:
    request = ask(gate)

    result = run(queue, command[0], request.id, *command[1:])

    assert result.exit_code == 2
    assert f"read `gatekit show {request.id}`, then give its --token" in result.stderr
    assert gate.get(request.id).status == "pending"


def test_an_edit_with_a_token_approves_the_new_arguments(gate: Gate, queue: Path) -> None:
    request = ask(gate)

    result = run(queue, "edit", request.id, "amount=40", 'note="for June"', "--token", request.token)

    edited = gate.get(request.id)
    assert (result.exit_code, edited.status) == (0, "approved")
    assert edited.args == {"to": "bob", "amount": 40, "note": "for June"}


def test_an_edit_that_does_not_fit_the_tool_is_refused(gate: Gate, queue: Path) -> None:
    request = ask(gate)

    result = run(queue, "edit", request.id, 'amount="40"', "--token", request.token)

    assert result.exit_code == 1
    assert "amount" in result.stderr
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize(
    ("command", "status"),
    [(["reject", "--reason", "no"], "rejected"), (["respond", "ask Ana"], "responded"), (["cancel"], "cancelled")],
)
def test_what_lets_nothing_run_needs_no_token(gate: Gate, queue: Path, command: list[str], status: str) -> None:
    request = ask(gate)

    result = run(queue, command[0], request.id, *command[1:])

    assert (result.exit_code, gate.get(request.id).status) == (0, status)


def test_the_losing_reviewer_is_told_who_won(gate: Gate, queue: Path) -> None:
    request = ask(gate)
    gate.reviewer("bob").reject(request, reason="no")

    result = run(queue, "approve", request.id, "--token", request.token)

    assert result.exit_code == 1
    assert "already decided: reject by human:bob" in result.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["show", "01NOSUCH"], 1),
        (["approve", "01NOSUCH", "--token", "v1:0"], 1),
        (["reject", "01NOSUCH", "--reason", " "], 2),
        (["reject", "01NOSUCH"], 2),
        (["respond", "01NOSUCH", "text", "--as", "human:ana"], 2),
        (["approve", "01NOSUCH", "--token", ""], 2),
        (["list", "--status", "lost"], 2),
        (["review"], 2),
        (["list", "--queue", "elsewhere.db"], 3),
        (["list", "--queue", "postgresql://host/db"], 2),
    ],
)
def test_an_error_is_one_message_and_a_code(gate: Gate, queue: Path, command: list[str], code: int) -> None:
    ask(gate)

    result = run(queue, *command)

    assert result.exit_code == code, result.output
    assert "Error: " in result.stderr
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)


def test_a_missing_queue_is_named_and_not_made(tmp_path: Path) -> None:
    done = process("list", cwd=tmp_path)

    assert done.returncode == 3
    assert f"there is no queue at {tmp_path / 'gatekit.db'}" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_process_exits_with_the_code_of_its_refusal(gate: Gate, queue: Path, tmp_path: Path) -> None:
    request = ask(gate)

    done = process("approve", request.id, "--token", "v9:beef", "--queue", str(queue), "--as", "ana", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "the request changed since it was read" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_agent_cannot_approve_its_own_call(gate: Gate, queue: Path) -> None:
    request = ask(gate)

    result = run(queue, "approve", request.id, "--token", request.token, "--as", "agent-7")

    assert result.exit_code == 1
    assert "another person must" in result.stderr


def test_the_help_names_every_exit_code_and_every_command_its_queue() -> None:
    shown = run(Path("queue.db"), "--help").stdout

    assert [f"{code} " in shown.partition("Exit codes:")[2] for code in range(4)] == [True] * 4
    for command in [
        "review", "list", "show", "approve", "edit", "reject", "respond", "cancel", "history", "doctor", "answer",
        "claim", "delegate", "escalate", "allow", "grants", "revoke", "reviewers", "stop", "sweep",
    ]:  # fmt: skip
        assert command in shown
        assert "--queue PATH" in run(Path("queue.db"), command, "--help").stdout


def test_changes_are_json_by_name() -> None:
    assert changes_from(["a=1", "b=1.0", 'c="=x"', "d=null", 'e={"f": [true]}', "g = 2"]) == {
        "a": 1, "b": 1.0, "c": "=x", "d": None, "e": {"f": [True]}, "g ": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("note=hello", "write 'note=\"hello\"'"),
        ("amount", "write NAME=JSON"),
        ("=4", "write NAME=JSON"),
        ("amount=", "cannot be read as JSON"),
        ("amount=NaN", "NaN"),
        ('amount={"a":1,"a":2}', "twice"),
        ('amount=1, "to": "eve"', "more than one JSON value"),
        ('amount=1, "amount": 2', "twice"),
        ("amount=1 // why", "cannot be read as JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_the_cure(typed: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        changes_from([typed])

    assert told in str(refused.value)


def test_a_name_may_be_given_once() -> None:
    with pytest.raises(UsageError, match="amount is given twice"):
        changes_from(["amount=1", "amount=2"])


def test_the_cure_for_a_bare_word_can_be_pasted_into_a_shell() -> None:
    with pytest.raises(UsageError) as refused:
        changes_from(['note=it\'s "fine"'])

    cure = str(refused.value).rpartition("write ")[2]
    pasted = subprocess.run(["sh", "-c", f"printf %s {cure}"], capture_output=True, text=True, check=True).stdout
    assert changes_from([pasted]) == {"note": 'it\'s "fine"'}
