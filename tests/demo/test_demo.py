"""The demo as a user runs it: by a script in a process of its own, and at a terminal."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from gatekit.demo.sample import SAMPLE
from tests.cli.support import COMMAND, Terminal, environment, process

pytestmark = pytest.mark.sweep


def files(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in folder.rglob("*")
        if file.is_file() and "queue" not in file.relative_to(folder).parts
    }


def root_of(tmp_path: Path) -> Path:
    (root,) = tmp_path.glob("gatekit-demo-*")
    return root


def test_without_a_terminal_a_script_decides_and_the_files_are_as_it_said(tmp_path: Path) -> None:
    done = process("demo", cwd=tmp_path, TMPDIR=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    left = files(root_of(tmp_path))
    contents = left.pop("desk/CONTENTS.md")
    assert "- documents/notes.txt: Call Ana about the lease." in contents.splitlines()
    assert left == {
        "desk/INDEX.md": SAMPLE["INDEX.md"],
        "desk/archive/invoice-2009.txt": SAMPLE["invoice-2009.txt"],
        "desk/documents/budget.csv": SAMPLE["budget.csv"],
        "desk/documents/notes.txt": SAMPLE["notes.txt"],
        "desk/documents/todo.md": SAMPLE["todo.md"],
        "desk/letter.tmp": SAMPLE["letter.tmp"],
        "desk/logs/server.log": SAMPLE["server.log"],
        "desk/pictures/logo.svg": SAMPLE["logo.svg"],
    }
    for verb in ("approves delete_file", "edits move_file", "rejects delete_file", "answers write_file"):
        assert done.stdout.count(f"reviewer  {verb}") == 1
    for ending in ("ran  ", "edited, ran  ", "rejected  ", "responded  "):
        assert len(re.findall(f"^  {ending}", done.stdout, re.MULTILINE)) == 1


def test_a_demo_whose_files_are_not_as_decided_fails(tmp_path: Path) -> None:
    program = f"from pathlib import Path\nPath.unlink = lambda file: None\n{COMMAND}"

    done = subprocess.run(
        [sys.executable, "-c", program, "demo", "--headless"],
        env=environment(TMPDIR=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert done.returncode == 1
    assert done.stderr == "WRONG: desk/budget (1).csv should not be there\n"


def test_headless_on_a_folder_works_on_a_copy(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a.tmp").write_text("a")
    (mine / "b.txt").write_text("b")

    done = process("demo", "mine", "--headless", cwd=tmp_path, TMPDIR=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert files(mine) == {"a.tmp": "a", "b.txt": "b"}
    assert files(root_of(tmp_path)).keys() == {
        "copy/mine/INDEX.md", "copy/mine/a.tmp", "copy/mine/documents/b.txt",
    }  # fmt: skip


def test_a_folder_of_ones_own_needs_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.tmp").write_text("a")

    done = process("demo", ".", cwd=tmp_path, TMPDIR=str(tmp_path))

    assert done.returncode == 2
    assert "only from a terminal" in done.stderr
    assert files(tmp_path) == {"a.tmp": "a"}


def test_a_folder_of_ones_own_is_left_alone_without_a_yes(tmp_path: Path) -> None:
    mine, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    mine.mkdir()
    elsewhere.mkdir()
    (mine / "a.txt").write_text("a")
    terminal = Terminal(["demo", "mine", "--as", "ana"], tmp_path, TMPDIR=str(elsewhere))

    terminal.wait_for('move_file(source="a.txt", to="documents/a.txt")')
    terminal.wait_for("Type yes to begin: ")
    terminal.type("\n")

    assert terminal.end() == 1
    assert files(mine) == {"a.txt": "a"}


@pytest.mark.long
def test_at_a_terminal_one_decides_and_sees_what_ran(tmp_path: Path) -> None:
    mine, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    mine.mkdir()
    elsewhere.mkdir()
    (mine / "a.txt").write_text("a")
    (mine / "b.tmp").write_text("b")
    terminal = Terminal(["demo", "mine", "--as", "ana"], tmp_path, TMPDIR=str(elsewhere))

    terminal.wait_for("Type yes to begin: ")
    terminal.type("yes\n")
    terminal.wait_for("for good")
    press(terminal, "r", "Enter rejects")
    terminal.type("keep it")
    press(terminal, "\r", "The agent is done.")

    assert terminal.end() == 0
    assert re.search(r"rejected +delete_file\(path=\"b.tmp\"\)\s+ana: r*keep it", terminal.seen)
    assert files(mine).keys() == {"INDEX.md", "b.tmp", "documents/a.txt"}


def test_leaving_the_dashboard_withdraws_what_waits(tmp_path: Path) -> None:
    terminal = Terminal(["demo", "--as", "ana"], tmp_path, TMPDIR=str(tmp_path))

    terminal.wait_for("Enter opens the dashboard. ")
    terminal.type("\n")
    terminal.wait_for("letter.tmp")
    press(terminal, "q", "You left before the agent was done: what waited was withdrawn.")

    assert terminal.end() == 0
    left = files(root_of(tmp_path))
    assert {left[f"desk/{name}"] for name in ("budget (1).csv", "letter.tmp", "invoice-2009.txt", "INDEX.md")} == {
        SAMPLE[name] for name in ("budget (1).csv", "letter.tmp", "invoice-2009.txt", "INDEX.md")
    }


def press(terminal: Terminal, key: str, text: str) -> None:
    """Press a key, again where it came while the dashboard's keys were dead, until the text appears."""
    for _ in range(15):
        terminal.type(key)
        if terminal.child.expect_exact([text, pexpect.TIMEOUT], timeout=1) == 0:
            terminal.seen += f"{terminal.child.before}{text}"
            return
    raise AssertionError(f"{key!r} was pressed, and {text!r} did not appear")
