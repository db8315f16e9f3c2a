"""The commands at a real terminal: what is asked, and that nothing but the very word approves."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.cli import terminal
from tests.cli.support import Risk, Terminal, ask, run

pytestmark = pytest.mark.sweep

QUESTION = "anything else leaves it waiting: "


def at_terminal(queue: Path, *args: str) -> Terminal:
    return Terminal([*args, "--as", "ana", "--queue", str(queue)], queue.parent)


def answering(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    """A person at a terminal who gives this answer; the list takes the questions."""
    questions: list[str] = []

    def ask_them(question: str) -> str:
        questions.append(question)
        return answer

    monkeypatch.setattr(terminal, "can_ask", lambda: True)
    monkeypatch.setattr(terminal, "ask", ask_them)
    return questions


@pytest.mark.parametrize(
    ("risk", "note", "word"),
    [
        ("low", "", "y"),
        ("medium", "", "yes"),
        ("high", "", "yes"),
        ("critical", "", "pay"),
        ("low", "a\u202eb", "pay"),
        ("low", "x" * 30_000, "pay"),
    ],
)
def test_the_word_that_the_call_costs_approves(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, risk: Risk, note: str, word: str
) -> None:
    request = ask(gate, risk=risk, note=note)
    questions = answering(monkeypatch, word)

    assert run(queue, "approve", request.id).exit_code == 0
    assert len(questions) == 1
    assert gate.get(request.id).status == "approved"


@pytest.mark.parametrize(
    ("risk", "note", "answer"),
    [
        ("low", "", ""),
        ("low", "", "n"),
        ("low", "", "Y"),
        ("high", "", "y"),
        ("critical", "", "yes"),
        ("low", "a\u202eb", "y"),
        ("low", "x" * 30_000, "yes"),
    ],
)
def test_every_other_answer_approves_nothing(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, risk: Risk, note: str, answer: str
) -> None:
    request = ask(gate, risk=risk, note=note)
    answering(monkeypatch, answer)

    result = run(queue, "approve", request.id)

    assert result.exit_code == 1
    assert f"not approved: {request.id} still waits" in result.stderr
    assert gate.get(request.id).status == "pending"


def test_an_approval_is_asked_for_under_the_whole_call(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low")
    at = at_terminal(queue, "approve", request.id)

    at.wait_for(QUESTION)
    at.type("y\n")

    assert at.end() == 0
    assert "amount  100" in at.seen
    assert gate.get(request.id).status == "approved"


@pytest.mark.parametrize("typed", ["\n", "y\x04\x04"], ids=["Enter", "the end of input"])
def test_neither_enter_nor_the_end_of_input_approves(gate: Gate, queue: Path, typed: str) -> None:
    request = ask(gate, risk="low")
    at = at_terminal(queue, "approve", request.id)

    at.wait_for(QUESTION)
    at.type(typed)

    assert at.end() == 1
    assert gate.get(request.id).status == "pending"


def test_what_was_typed_before_the_question_does_not_count(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low")
    at = at_terminal(queue, "approve", request.id)

    at.type("y\ny\ny\n")
    at.wait_for(QUESTION)
    at.type("\n")

    assert at.end() == 1
    assert gate.get(request.id).status == "pending"


def test_ctrl_c_approves_nothing(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low")
    at = at_terminal(queue, "approve", request.id)

    at.wait_for(QUESTION)
    at.type("\x03")

    assert at.end() == 1
    assert gate.get(request.id).status == "pending"


def test_a_call_that_makes_the_terminal_answer_is_shown_visible(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low", tool="pay\x1b[>q", note="\x1b[5n\x1b[c", description="\x1b]52;c;eQ==\x07 \x9b6n")
    at = at_terminal(queue, "approve", request.id)

    at.wait_for(QUESTION)
    at.type("y\n")

    assert at.end() == 1
    assert "\x1b" not in at.seen
    assert "\x9b" not in at.seen
    assert f"Type {request.id[-4:]} to approve" in at.seen


def test_a_call_changed_while_the_question_stood_is_not_approved(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low")
    at = at_terminal(queue, "approve", request.id)
    at.wait_for(QUESTION)
    bob = gate.reviewer("bob", hold=60)
    bob.edit(request, {"amount": 9000})
    bob.undo(request)

    at.type("y\n")

    assert at.end() == 1
    assert "the request changed since it was read" in at.seen
    assert gate.get(request.id).status == "pending"


def test_arguments_too_long_to_be_read_are_said_to_be_cut(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(gate, risk="low", note="x" * 30_000)
    answering(monkeypatch, "")

    result = run(queue, "approve", request.id)

    assert "! 10,014 characters of the arguments are not shown; all: gatekit show" in result.stdout


def test_an_edit_shows_what_it_changes_and_asks(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low")
    at = at_terminal(queue, "edit", request.id, "amount=40")

    at.wait_for("Type y to approve it with these changes")
    at.wait_for(QUESTION)
    at.type("y\n")

    assert at.end() == 0
    assert "~ amount  100 → 40" in at.seen
    assert gate.get(request.id).args["amount"] == 40


def test_an_edit_that_is_not_confirmed_changes_nothing(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(gate, risk="low")
    answering(monkeypatch, "")

    assert run(queue, "edit", request.id, "amount=40").exit_code == 1
    assert gate.get(request.id).to_dict() == request.to_dict()


def test_an_edit_that_hides_something_costs_the_name_of_the_tool(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(gate, risk="low")
    questions = answering(monkeypatch, "y")

    result = run(queue, "edit", request.id, 'note="a\u202eb"')

    assert "! 1 hidden character in what is new" in result.stdout
    assert ["Type pay to" in question for question in questions] == [True]
    assert gate.get(request.id).to_dict() == request.to_dict()


def test_an_edit_that_changes_nothing_is_asked_about_as_an_approval(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(gate, risk="low")
    questions = answering(monkeypatch, "y")

    result = run(queue, "edit", request.id, "amount=100")

    assert "Your edit changes nothing." in result.stdout
    assert result.stdout.splitlines()[-2].startswith("approved: pay")
    assert ["approve this call" in question for question in questions] == [True]


def test_an_edit_that_does_not_fit_is_refused_before_anything_is_asked(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(gate)
    questions = answering(monkeypatch, "y")

    assert run(queue, "edit", request.id, "amonut=40").exit_code == 1
    assert questions == []


def test_a_decided_call_is_not_asked_about(gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ask(gate)
    gate.reviewer("bob").reject(request, reason="no")
    questions = answering(monkeypatch, "y")

    result = run(queue, "approve", request.id)

    assert (result.exit_code, questions) == (1, [])
    assert "already decided: reject by human:bob" in result.stderr


def test_review_opens_the_dashboard_and_leaves_it(gate: Gate, queue: Path) -> None:
    ask(gate, description="Pay the rent")
    at = at_terminal(queue, "review")

    at.wait_for("Pay the rent")
    at.type("q")

    assert at.end() == 0


def test_review_shows_why_there_is_no_queue_and_exits_with_its_code(queue: Path) -> None:
    at = at_terminal(queue, "review")

    at.wait_for("NO QUEUE")
    at.type("q")

    assert at.end() == 3
    assert not queue.exists()
