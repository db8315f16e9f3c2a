"""`edit` with nothing behind it, in `gatekit review --plain`: the whole arguments in the reviewer's own editor."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gatekit import Gate
from tests.cli.support import Terminal, ask
from tests.cli.test_plain import HOSTILE, Said, Talk

Editor = Callable[[str], None]
LONG = "a word " * 1000


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, queue: Path) -> Talk:
    return Talk(monkeypatch, queue)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Has the $VISUAL run these lines of Python on the text that it is given, as `text`."""

    def write(body: str) -> None:
        program = tmp_path / "editor.py"
        program.write_text(
            "import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\ntext = file.read_text()\n"
            f"{body}\nfile.write_text(text)"
        )
        monkeypatch.setenv("VISUAL", shlex.join([sys.executable, str(program)]))

    return write


def test_nothing_but_enter_opens_the_arguments_in_the_editor_and_asks_about_what_it_leaves(
    gate: Gate, talk: Talk, editor: Editor
) -> None:
    request = ask(gate, note=LONG + "end")
    editor("text = text.replace('100', '40').replace(' end', ' \\\\u00fcend')")

    shown = talk.review("edit", "", "y")

    assert gate.get(request.id).args == {"to": "bob", "amount": 40, "note": f"{LONG}üend"}
    assert shown.index("~ amount  100 → 40") < shown.index("edited and approved: pay")
    assert "Enter alone opens all of it in your editor" in talk.asked[1]
    assert "to approve it with these changes" in talk.asked[2]


def test_what_is_taken_out_in_the_editor_does_not_stay_as_it_was(gate: Gate, talk: Talk, editor: Editor) -> None:
    request = ask(gate, note="for June")
    editor("import json; args = json.loads(text); del args['note']; text = json.dumps(args)")

    assert 'the edit does not fit: misses "note"' in talk.review("edit", "", "quit")
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize("word", ["", None, "Y", "pay"])
def test_no_other_word_sends_what_was_written(gate: Gate, talk: Talk, editor: Editor, word: str | None) -> None:
    request = ask(gate)
    editor("text = text.replace('100', '40')")

    talk.review("edit", "", word, "quit")

    assert gate.get(request.id).status == "pending"


def test_what_was_written_and_not_sent_is_there_again(gate: Gate, talk: Talk, editor: Editor) -> None:
    request = ask(gate)
    editor("text = text.replace('100', '40')")

    def says(body: str) -> Said:
        def said() -> str:
            editor(body)
            return "edit"

        return said

    shown = talk.review(
        *("edit", "", "no"),
        *(says("text = text.replace('}', '}}')"), ""),
        *(says("text = text.replace('}}', '}')"), "", "no"),
        *(says("pass"), "", "y"),
    )

    assert "that cannot be read as arguments: " in shown
    assert ["opens what you wrote before" in question for question in talk.asked if "editor" in question] == [
        *(False, True, True, True)
    ]
    assert "nothing was changed in the editor: it is what you wrote before." in shown
    assert shown.count("~ amount  100 → 40") == 3
    assert gate.get(request.id).args["amount"] == 40


def test_what_was_written_of_another_version_says_so_and_is_shown_against_the_new_one(
    gate: Gate, talk: Talk, editor: Editor
) -> None:
    request = ask(gate)
    editor("text = text.replace('bob', 'eve')")

    def meanwhile() -> str:
        ana = gate.reviewer("ana", hold=60)
        ana.edit(gate.get(request.id), {"amount": 7})
        ana.undo(gate.get(request.id))
        return ""

    shown = talk.review("edit", "", meanwhile, "edit", "", "y")

    version = gate.get(request.id).version
    assert f"What you wrote is of v1; the call is now v{version - 1}." in shown
    assert gate.get(request.id).args["to"] == "eve"


def test_what_does_not_fit_the_tool_is_told(gate: Gate, talk: Talk, editor: Editor) -> None:
    request = ask(gate)
    editor("text = text.replace('100', '\"many\"')")

    shown = talk.review("edit", "", "quit")

    assert "the edit does not fit: amount" in shown
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize(
    ("body", "said"), [("pass", "Not edited: nothing was changed"), ("sys.exit(3)", "ended with code 3")]
)
def test_an_editor_that_changed_nothing_decides_nothing(
    gate: Gate, talk: Talk, editor: Editor, body: str, said: str
) -> None:
    request = ask(gate)
    editor(body)

    assert said in talk.review("edit", "", "quit")
    assert gate.get(request.id).status == "pending"


def test_where_no_editor_is_named_the_cure_is_told(gate: Gate, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ask(gate)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)

    assert "set $VISUAL or $EDITOR" in talk.review("edit", "", "quit")
    assert gate.get(request.id).status == "pending"


def test_the_end_of_input_behind_edit_opens_nothing(gate: Gate, talk: Talk, editor: Editor, tmp_path: Path) -> None:
    ask(gate)
    opened = tmp_path / "opened"
    editor(f"pathlib.Path({str(opened)!r}).touch()")

    talk.review("edit", None)

    assert not opened.exists()


def test_hostile_texts_reach_the_editor_as_escapes(gate: Gate, talk: Talk, editor: Editor, tmp_path: Path) -> None:
    ask(gate, note=HOSTILE)
    copy = tmp_path / "copy"
    editor(f"pathlib.Path({str(copy)!r}).write_text(text); text = text.replace('100', '40')")

    talk.review("edit", "", "quit")

    assert "\\u001b[>q\\u202e" in copy.read_text()


def test_who_would_quit_with_something_written_is_told_once(gate: Gate, talk: Talk, editor: Editor) -> None:
    ask(gate)
    editor("text = text.replace('100', '40')")

    shown = talk.review("edit", "", "no", "quit", "quit")

    assert shown.count("is not sent yet; quit again leaves without it.") == 1
    assert not talk.left
    assert len(talk.asked) == 5


def test_nothing_is_unsent_once_the_request_is_decided(gate: Gate, talk: Talk, editor: Editor) -> None:
    ask(gate)
    editor("text = text.replace('100', '40')")

    assert "is not sent yet" not in talk.review("edit", "", "no", "reject", "too much", "quit")


@pytest.mark.sweep
def test_at_a_terminal_the_editor_has_it_and_gives_it_back(gate: Gate, queue: Path, tmp_path: Path) -> None:
    request = ask(gate, risk="low")
    program = tmp_path / "editor.py"
    program.write_text(
        "import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text().replace('100', input('amount? ')))"
    )
    command = shlex.join([sys.executable, str(program)])
    person = Terminal(["review", "--as", "ana", "--queue", str(queue)], queue.parent, GATEKIT_PLAIN="1", VISUAL=command)
    person.wait_for("next or quit: ")
    person.type("edit\r")
    person.wait_for("in your editor: ")
    person.type("\r")
    person.wait_for("amount? ")
    person.type("40\r")
    person.wait_for("leaves it waiting: ")
    person.type("y\r")
    person.wait_for("edited and approved: pay")
    person.wait_for("next or quit: ")
    person.type("quit\r")

    assert person.end() == 0
    assert "\x1b" not in person.seen
    assert gate.get(request.id).args["amount"] == 40
