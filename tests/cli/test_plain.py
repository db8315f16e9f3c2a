"""`gatekit review --plain`: one request at a time, whole words, and nothing decided by Enter or the end of input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gatekit import Gate, Policy, Stage
from gatekit.cli import terminal
from tests.cli.support import Risk, Terminal, ask, confirmation, question, raw, run, staged

HOSTILE = "pay\x1b[>q\u202egpj\r\nid        01FORGED"
Said = str | Callable[[], str | None] | None


class Talk:
    """A person at a terminal who says these words, one at each question; then the input ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, queue: Path) -> None:
        self.asked: list[str] = []
        self.left: list[Said] = []
        self._queue = queue
        monkeypatch.setattr(terminal, "can_ask", lambda: True)
        monkeypatch.setattr(terminal, "ask_or_end", self._answer)

    def _answer(self, question: str) -> str | None:
        self.asked.append(question)
        said = self.left.pop(0) if self.left else None
        return said() if callable(said) else said

    def review(self, *said: Said, options: tuple[str, ...] = ()) -> str:
        """All that was printed."""
        self.left = list(said)
        result = run(self._queue, "review", "--plain", *options)
        assert result.exit_code == 0, result.output
        assert raw(result.output) == set()
        return result.output


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, queue: Path) -> Talk:
    return Talk(monkeypatch, queue)


@pytest.mark.parametrize(
    ("risk", "note", "word"),
    [("low", "", "y"), ("medium", "", "yes"), ("high", "", "yes"), ("critical", "", "pay"), ("low", "a\u202eb", "pay")],
)
def test_an_approval_costs_the_word_that_it_costs_elsewhere(
    gate: Gate, talk: Talk, risk: Risk, note: str, word: str
) -> None:
    request = ask(gate, risk=risk, note=note)

    shown = talk.review("approve", word)

    assert gate.get(request.id).status == "approved"
    assert gate.get(request.id).decision.by == "human:ana"  # type: ignore[union-attr]
    assert shown.index(request.id) < shown.index("approved: pay")
    assert "Nothing is waiting." in shown


@pytest.mark.parametrize("said", ["", "a", "y", "yes", "A", "approve it", "Approve", "pay"])
def test_no_other_word_begins_an_approval(gate: Gate, talk: Talk, said: str) -> None:
    request = ask(gate, risk="low")

    shown = talk.review(said, said, "quit")

    assert shown.count("Nothing was decided.") == 2
    assert len(talk.asked) == 3
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize("verb", ["approve", "edit", "reject", "respond"])
@pytest.mark.parametrize("said", ["", None])
def test_enter_and_the_end_of_input_decide_nothing_at_any_question(
    gate: Gate, talk: Talk, verb: str, said: str | None
) -> None:
    request = ask(gate, risk="high")

    talk.review(verb, said)

    assert len(gate.history(request.id)) == len(gate.history(ask(gate).id)), "nothing but its submission"


@pytest.mark.parametrize("word", ["y", "", None, "pay"])
def test_a_wrong_word_under_an_approval_leaves_it_waiting_and_asks_again(
    gate: Gate, talk: Talk, word: str | None
) -> None:
    request = ask(gate, risk="high")

    shown = talk.review("approve", word, "quit")

    assert f"not approved: {request.id} still waits" in shown
    assert gate.get(request.id).status == "pending"


def test_each_verb_does_what_it_says(gate: Gate, talk: Talk) -> None:
    edited, rejected, answered, left = (ask(gate, amount=amount) for amount in (1, 2, 3, 4))

    shown = talk.review(
        *("edit", "amount=40 note='\"for June\"'", "y"),
        *("reject", "too much"),
        *("respond", "ask the customer"),
        *("next", "quit"),
    )

    assert gate.get(edited.id).args == {"amount": 40, "note": "for June", "to": "bob"}
    assert "~ amount  1 → 40" in shown
    assert gate.get(rejected.id).decision.reason == "too much"  # type: ignore[union-attr]
    assert gate.get(answered.id).decision.text == "ask the customer"  # type: ignore[union-attr]
    assert gate.get(left.id).status == "pending"
    assert "That was the last one. 1 wait now." in shown


def test_questions_and_confirmations_are_answered(gate: Gate, talk: Talk) -> None:
    text, many, yes = (
        question(gate, "Why so?"),
        question(gate, "Which?", choices=["eu", "us", "asia"], many=True),
        confirmation(gate, "Deploy?"),
    )

    talk.review("approve", "answer", "because it is", "y", "answer", "us eu", "y", "approve", "y")

    assert gate.get(text.id).args["answer"] == "because it is"
    assert gate.get(many.id).args["answer"] == ["us", "eu"]
    assert gate.get(yes.id).decision.verb == "approve"  # type: ignore[union-attr]


def test_what_cannot_be_read_is_told_and_asked_again(gate: Gate, talk: Talk) -> None:
    request = ask(gate)
    wrong = question(gate, "How many?", int)

    shown = talk.review(
        *("edit", "amount", "edit", "amount='", "edit", "amount=true", "next"), *("answer", "few", "next", "quit")
    )

    assert "'amount' is no change: write NAME=JSON" in shown
    assert "a quote is not closed" in shown
    assert "amount" in shown.partition("a quote is not closed")[2]
    assert "few is no number" in shown
    assert {gate.get(one.id).status for one in (request, wrong)} == {"pending"}


def test_what_changed_since_it_was_shown_is_not_decided_but_shown_again(gate: Gate, talk: Talk) -> None:
    request = staged(gate, Policy(Stage("one"), Stage("two")))

    def meanwhile() -> str:
        gate.reviewer("bob").edit(gate.get(request.id), {"amount": 7})
        return "y"

    shown = talk.review("approve", meanwhile, "quit")

    assert "It has changed meanwhile: it is pending." in shown
    assert [vote.by for vote in gate.get(request.id).votes] == ["human:bob"]
    assert shown.count(f"id        {request.id}") == 2
    assert "100 → 7" in shown


def test_what_was_decided_elsewhere_is_left_and_the_next_is_shown(gate: Gate, talk: Talk) -> None:
    first, second = ask(gate), ask(gate)

    def meanwhile() -> str:
        gate.reviewer("bob").reject(gate.get(first.id), reason="no")
        return "y"

    shown = talk.review("approve", meanwhile, "quit")

    assert "It has changed meanwhile: it is rejected." in shown
    assert gate.get(first.id).decision.by == "human:bob"  # type: ignore[union-attr]
    assert second.id in shown
    assert gate.get(second.id).status == "pending"


def test_new_requests_are_announced_in_one_line_and_come_behind(gate: Gate, talk: Talk) -> None:
    ask(gate)

    def meanwhile() -> str:
        for number in range(5):
            ask(gate, tool=f"t{number}{HOSTILE}")
        return ""

    shown = talk.review(meanwhile, "next", "quit")

    (line,) = [line for line in shown.splitlines() if line.startswith("New: ")]
    assert line.count("pay␛") == 3
    assert line.endswith(" and 2 more. 6 wait now.")
    assert "token" in shown.partition(line)[2]
    assert "t0pay␛" in shown.partition(line)[2]


def test_who_may_not_decide_is_told_so_before_a_word_is_asked(gate: Gate, talk: Talk) -> None:
    staged(gate, Policy(Stage("one", "bob")))

    shown = talk.review("approve", "next", "quit")

    assert "You cannot decide this: " in shown
    assert talk.asked[0] == "Type next or quit: "


def test_to_read_only_leaves_out_the_verbs(gate: Gate, talk: Talk) -> None:
    request = ask(gate, risk="low")

    talk.review("approve", "y", "next", "quit", options=("--read-only",))

    assert set(talk.asked) == {"Type next or quit: "}
    assert gate.get(request.id).status == "pending"


def test_at_the_end_next_begins_at_the_top(gate: Gate, talk: Talk) -> None:
    request = ask(gate)

    shown = talk.review("next", "next", "quit")

    assert shown.count(f"id        {request.id}") == 2


def test_hostile_texts_are_made_visible(gate: Gate, talk: Talk) -> None:
    ask(gate, tool=HOSTILE, description=HOSTILE, note=HOSTILE)

    assert "␛[>q" in talk.review("approve", "y", "edit", f"{HOSTILE}=1", "quit")


def test_without_a_terminal_it_is_refused(gate: Gate, queue: Path) -> None:
    ask(gate)

    result = run(queue, "review", "--plain")

    assert result.exit_code == 2
    assert "review needs a terminal" in result.stderr


def test_at_a_dumb_terminal_the_lines_come_by_themselves_and_the_end_of_input_leaves(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low")
    person = Terminal(["review", "--as", "ana", "--queue", str(queue)], queue.parent, TERM="dumb")
    person.wait_for("next or quit: ")
    person.type("\r")
    person.wait_for("Nothing was decided.")
    person.wait_for("next or quit: ")
    person.type("approve\r")
    person.wait_for("leaves it waiting: ")
    person.type("\x04")
    person.wait_for("still waits")
    person.wait_for("next or quit: ")
    person.type("\x04")

    assert person.end() == 0
    assert "\x1b" not in person.seen
    assert gate.get(request.id).status == "pending"
