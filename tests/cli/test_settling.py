"""`retry`, `settle`, `declare-lost` and `release`: what they show, what they ask, what they need without a terminal."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatekit import Gate, Request, calling, gated_step
from tests.cli.support import ask, lose, run
from tests.cli.test_terminal import answering, at_terminal

pytestmark = pytest.mark.sweep

LEFT = "anything else leaves it as it is: "


@contextmanager
def hanging(gate: Gate) -> Generator[Request]:
    """A call whose tool does not come back while this is open."""
    begun, free = threading.Event(), threading.Event()

    def hang(to: str) -> str:
        begun.set()
        free.wait(30)
        return "late"

    step = gated_step(hang, gate=gate)

    def call() -> None:
        with calling(agent="agent-7", call_id="c1"):
            step("bob")

    thread = threading.Thread(target=call)
    thread.start()
    asked = next(event for event in gate.watch(since=0) if event.kind == "submitted")
    gate.reviewer("bob").approve(gate.get(asked.request_id))
    assert begun.wait(20)
    try:
        yield gate.get(asked.request_id)
    finally:
        free.set()
        thread.join()


def paused(gate: Gate, payload: object = None) -> Request:
    """A run that waits at a pause."""

    @gate.workflow
    def refund(run, order: str) -> object:  # type: ignore[no-untyped-def]
        return run.pause("before", {"amount": 40} if payload is None else payload)

    refund.start("refund:7", "7")
    return gate.get(gate.run("refund:7").row().waiting_for[0])


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["retry"], "approved", "allowed to start anew: pay"),
        (["settle", "--result", '{"id": 7}'], "succeeded", "settled: pay"),
        (["settle", "--error", "it bounced"], "failed", "settled: pay"),
    ],
)
def test_a_named_attempt_is_resolved_without_asking(
    gate: Gate, queue: Path, command: list[str], status: str, said: str
) -> None:
    request = lose(gate)

    result = run(queue, command[0], request.id, *command[1:], "--attempt", "1", "--note", "looked")

    after = gate.get(request.id)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{said} {request.id} by human:ana\n")
    assert (after.status, after.decision and after.decision.note) == (status, "looked")


def test_a_settlement_is_shown_with_who_said_it(gate: Gate, queue: Path) -> None:
    request = lose(gate)

    run(queue, "settle", request.id, "--result", '{"id": 7}', "--attempt", "1")

    outcome = gate.get(request.id).outcome
    assert outcome is not None
    assert outcome.value == {"id": 7}
    assert 'outcome   returned {"id": 7}, says human:ana' in run(queue, "show", request.id).stdout


def test_a_call_that_hangs_is_declared_lost_and_its_end_is_open(gate: Gate, queue: Path) -> None:
    with hanging(gate) as request:
        shown = run(queue, "show", request.id).stdout
        result = run(queue, "declare-lost", request.id, "--attempt", "1")

        assert f"gatekit declare-lost {request.id}" in shown
        assert "which still lives" in shown
        assert (result.exit_code, gate.get(request.id).status) == (0, "unknown")
        assert result.stdout == f"declared lost: hang {request.id} by human:ana\n"


@pytest.mark.parametrize("command", [["retry"], ["settle", "--result", "1"], ["declare-lost"]])
def test_without_a_terminal_the_attempt_must_be_named(gate: Gate, queue: Path, command: list[str]) -> None:
    request = lose(gate)

    result = run(queue, command[0], request.id, *command[1:])

    assert result.exit_code == 2
    assert f"read `gatekit show {request.id}`, then give its --attempt" in result.stderr
    assert gate.get(request.id).status == "unknown"


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (["retry", "--attempt", "2"], 1, "you saw attempt 2, it is attempt 1"),
        (["retry", "--attempt", "0"], 2, "0 is not in the range"),
        (["retry", "--attempt", "1", "--as", "agent-7"], 1, "another person must"),
        (["declare-lost", "--attempt", "1"], 1, "only a call that runs can be declared lost"),
        (["settle", "--attempt", "1"], 2, "settle takes --result JSON"),
        (["settle", "--result", "1", "--error", "x", "--attempt", "1"], 2, "settle takes --result JSON"),
        (["settle", "--result", "sent", "--attempt", "1"], 2, "write --result '\"sent\"'"),
        (["settle", "--result", '1, "x": 2', "--attempt", "1"], 2, "more than one JSON value"),
        (["settle", "--error", " ", "--attempt", "1"], 2, "error= takes some words"),
    ],
)
def test_what_does_not_fit_is_refused(gate: Gate, queue: Path, command: list[str], code: int, told: str) -> None:
    request = lose(gate)

    result = run(queue, command[0], request.id, *command[1:])

    assert (result.exit_code, told in result.stderr) == (code, True), result.output
    assert gate.get(request.id).to_dict() == request.to_dict()


def test_the_one_who_is_late_is_told_who_settled_it(gate: Gate, queue: Path) -> None:
    request = lose(gate)
    gate.reviewer("bob").settle(request, result=1)

    result = run(queue, "retry", request.id, "--attempt", "1")

    assert (result.exit_code, "already decided: settle by human:bob" in result.stderr) == (1, True)


def test_the_terminal_shows_the_last_attempt_and_warns_before_it_asks(gate: Gate, queue: Path) -> None:
    request = lose(gate)
    at = at_terminal(queue, "retry", request.id)

    at.wait_for(f"Type yes to let it start anew; {LEFT}")
    at.type("yes\n")

    assert at.end() == 0
    seen = " ".join(at.seen.split())
    assert "attempt 1, by process" in seen
    assert "which still lives" in seen
    assert "never said how it ended" in seen
    assert "A process that is only paused, or that cannot be seen from here, may still act." in seen
    assert gate.get(request.id).status == "approved"


@pytest.mark.parametrize("typed", ["\n", "y\n", "\x04"], ids=["Enter", "y", "the end of input"])
@pytest.mark.parametrize("command", [["retry"], ["settle", "--result", "1"]], ids=["retry", "settle"])
def test_nothing_but_the_word_resolves(gate: Gate, queue: Path, command: list[str], typed: str) -> None:
    request = lose(gate)
    at = at_terminal(queue, command[0], request.id, *command[1:])

    at.wait_for(LEFT)
    at.type(typed)

    assert at.end() == 1
    assert f"not confirmed: {request.id} is as it was" in at.seen
    assert gate.get(request.id).to_dict() == request.to_dict()


def test_a_retry_costs_what_the_approval_cost(gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = lose(gate, risk="critical")
    questions = answering(monkeypatch, "yes")

    assert run(queue, "retry", request.id).exit_code == 1
    assert questions == [f"Type pay to let it start anew; {LEFT}"]


def test_a_settlement_is_read_back_before_it_is_asked_for(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = lose(gate)
    answering(monkeypatch, "yes")

    result = run(queue, "settle", request.id, "--error", "gone\x1b[2J")

    assert result.exit_code == 0
    assert "you say it raised gone␛[2J" in result.stdout
    assert "\x1b" not in result.output


def test_declaring_lost_asks_and_says_that_the_process_goes_on(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = answering(monkeypatch, "yes")
    with hanging(gate) as request:
        result = run(queue, "declare-lost", request.id)

        assert (result.exit_code, gate.get(request.id).status) == (0, "unknown")
        assert "The process is not stopped: it may still act after this." in " ".join(result.stdout.split())
        assert questions == [f"Type yes to give this attempt up; {LEFT}"]


def test_what_cannot_be_resolved_is_refused_before_anything_is_asked(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(gate)
    questions = answering(monkeypatch, "yes")

    results = [run(queue, *command) for command in (
        ["retry", request.id], ["settle", request.id, "--result", "1"], ["declare-lost", request.id],
        ["release", request.id],
    )]  # fmt: skip

    assert ([result.exit_code for result in results], questions) == ([1, 1, 1, 1], [])
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize("command", [["retry"], ["settle", "--result", "1"]], ids=["retry", "settle"])
def test_a_call_that_runs_is_not_resolved_unasked_if_its_process_dies_just_then(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    questions = answering(monkeypatch, "yes")
    with hanging(gate) as request:
        read = gate.get(request.id)
        gate.reviewer("bob").declare_lost(read)
        monkeypatch.setattr(Gate, "get", lambda self, request_id: read)

        result = run(queue, command[0], request.id, *command[1:])
        monkeypatch.undo()

        assert (result.exit_code, questions) == (1, [])
        assert "if it hangs, declare it lost first" in result.stderr
        assert gate.get(request.id).status == "unknown"


def test_a_settled_call_names_who_settled_it_at_the_terminal(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = lose(gate)
    gate.reviewer("bob").settle(request, result=1)
    questions = answering(monkeypatch, "yes")

    result = run(queue, "settle", request.id, "--error", "x")

    assert (result.exit_code, questions, "already decided: settle by human:bob" in result.stderr) == (1, [], True)


def test_an_unknown_call_is_listed_and_shown_with_its_ways_out(gate: Gate, queue: Path) -> None:
    request = lose(gate, max_starts=3)

    lines = run(queue, "list", "--status", "unknown").stdout.splitlines()
    shown = run(queue, "show", request.id).stdout

    assert [line.split()[1] for line in lines] == ["STATUS", "unknown"]
    assert lines[-1].endswith(request.id)
    assert "once approved it may start up to 3 times" in shown
    for command in ("settle {} --result JSON", "settle {} --error TEXT", "retry {}"):
        assert f"gatekit {command.format(request.id)}\n" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_call_without_an_id_of_its_own_is_not_offered_to_be_retried(gate: Gate, queue: Path) -> None:
    request = lose(gate, call_id=None)

    shown = run(queue, "show", request.id).stdout

    assert f"gatekit settle {request.id} --result JSON" in shown
    assert "gatekit retry" not in shown


def test_a_pause_is_shown_as_one_and_released_by_its_token(gate: Gate, queue: Path) -> None:
    request = paused(gate)

    listed, shown = run(queue, "list").stdout, run(queue, "show", request.id).stdout
    result = run(queue, "release", request.id, "--token", request.token, "--note", "fine")

    assert "pause: The run refund:7" in listed
    assert shown.startswith("pause before  MED  pending\n")
    assert "payload: this is what the run goes on with\n  payload.amount  40\n" in shown
    assert (result.exit_code, result.stdout.splitlines()) == (0, [
        f"released: before {request.id} by human:ana",
        "Its run refund:7: a worker takes it up, or gatekit resume refund:7 --app MODULE:GATE.",
    ])  # fmt: skip
    assert gate.run("refund:7").result(timeout=5) == {"amount": 40}


@pytest.mark.parametrize("payload", ["30", '"no"', "null", "[]"])
def test_a_payload_takes_the_place_of_all_that_was_shown(gate: Gate, queue: Path, payload: str) -> None:
    request = paused(gate)

    result = run(queue, "release", request.id, "--payload", payload, "--token", request.token)

    assert result.exit_code == 0
    assert gate.run("refund:7").result(timeout=5) == json.loads(payload)


def test_a_release_shows_what_it_changes_and_asks(gate: Gate, queue: Path) -> None:
    request = paused(gate)
    at = at_terminal(queue, "release", request.id, "--payload", '{"amount": 30}')

    at.wait_for("release it with this payload; anything else leaves it waiting: ")
    at.type("y\n")

    assert at.end() == 0
    assert "~ payload.amount  40 → 30" in at.seen
    assert gate.get(request.id).args == {"payload": {"amount": 30}}


@pytest.mark.parametrize("command", [["approve"], ["edit", "payload=1"], ["respond", "no"]])
def test_a_pause_is_not_approved_and_nothing_is_asked(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    request = paused(gate)
    questions = answering(monkeypatch, "y")

    result = run(queue, command[0], request.id, *command[1:])

    assert (result.exit_code, questions) == (1, [])
    assert "this is a pause of a run, not a call: release it" in result.stderr


def test_without_a_terminal_a_release_needs_the_token(gate: Gate, queue: Path) -> None:
    request = paused(gate)

    result = run(queue, "release", request.id)

    assert (result.exit_code, "then give its --token" in result.stderr) == (2, True)
    assert gate.get(request.id).status == "pending"


def test_hostile_texts_of_a_pause_are_visible(gate: Gate, queue: Path) -> None:
    request = paused(gate, "x\x1b[2J\u202e")

    output = run(queue, "list").output + run(queue, "show", request.id).output

    assert {"\x1b", "\u202e"} & set(output) == set()
