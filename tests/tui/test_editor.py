"""An editor of the reviewer's own: what it is given, what of it comes back, and what never does."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, SuspendNotSupported

from gatekit_tui.edit.edit_views import LARGEST
from gatekit_tui.edit.external_editor import NotEdited, _disarmed, edit_file, edit_outside, editor
from gatekit_tui.request.draft import read_draft, write_draft
from tests.tui.calls import Queue
from tests.tui.terminal import Screen, until
from tests.tui.test_edit import JSON
from tests.tui.test_edit_form import editing, send
from tests.tui.test_guard import LONG, Hand
from tests.tui.test_hostile import assert_harmless

Script = Callable[[str], list[str]]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """A command that runs these lines of Python on the file, with its path as `file`; it is the $VISUAL too."""

    def write(body: str) -> list[str]:
        program = tmp_path / "editor.py"
        program.write_text(f"import os, pathlib, stat, sys\nfile = pathlib.Path(sys.argv[1])\n{body}\n")
        command = [sys.executable, str(program)]
        monkeypatch.setenv("VISUAL", shlex.join(command))
        return command

    return write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


# -- which editor


def test_the_editor_is_visual_and_else_editor() -> None:
    assert editor({"VISUAL": f"{sys.executable} -I", "EDITOR": "none"}) == [sys.executable, "-I"]
    assert editor({"VISUAL": " ", "EDITOR": sys.executable}) == [sys.executable]
    with pytest.raises(NotEdited, match=r"set \$VISUAL or \$EDITOR"):
        editor({})
    with pytest.raises(NotEdited, match=r"no program no-such-program here, as \$EDITOR says"):
        editor({"EDITOR": "no-such-program"})
    with pytest.raises(NotEdited, match=r"\$VISUAL cannot be read as a command"):
        editor({"VISUAL": "'vi"})


# -- the file


def test_the_text_comes_back_from_a_file_that_is_the_editors_alone_and_then_gone(script: Script, folder: Path) -> None:
    told = folder.parent / "told"
    command = script(
        f"pathlib.Path({str(told)!r}).write_text(f'{{file}} {{stat.S_IMODE(file.stat().st_mode):o}} "
        "{stat.S_IMODE(file.parent.stat().st_mode):o}')\n"
        "file.with_suffix('.json~').write_text('a copy')\n"
        "file.write_text(file.read_text().replace('1', '2'))"
    )
    assert edit_file('{"a": 1}', command) == '{"a": 2}'
    path, *modes = told.read_text().split()
    assert modes == ["600", "700"]
    assert path.endswith(".json")
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("sys.exit(3)", "ended with code 3: the draft is as it was"),
        ("file.write_text('{}'); os.kill(os.getpid(), 9)", "ended with signal 9"),
        ("pass", "nothing was changed"),
        ("file.write_text(file.read_text().rstrip())", "nothing was changed"),
        ("file.unlink()", "cannot be written or read back"),
        ("file.write_bytes(b'\\xff\\xfe')", "cannot be written or read back"),
    ],
)
def test_what_an_editor_did_not_do_well_changes_nothing(script: Script, folder: Path, body: str, told: str) -> None:
    with pytest.raises(NotEdited, match=told):
        edit_file('{"a": 1}', script(body))
    assert not list(folder.iterdir())


def test_an_editor_that_does_not_start_is_told(folder: Path) -> None:
    file = folder.parent / "no-program"
    file.write_text("")
    with pytest.raises(NotEdited, match="did not start"):
        edit_file("{}", [str(file)])


def test_ctrl_c_in_the_editor_ends_neither_and_is_itself_again_afterwards(script: Script) -> None:
    before = signal.getsignal(signal.SIGINT)
    body = (
        "import signal\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "file.write_text('{}')"
    )
    assert edit_file('{"a": 1}', script(body)) == "{}"
    assert signal.getsignal(signal.SIGINT) is before


@given(st.dictionaries(st.text(), JSON | st.sampled_from(["vim: set x :", "-*-"]), max_size=4))
def test_what_an_editor_obeys_is_out_of_the_text_and_the_values_are_the_same(args: dict[str, Any]) -> None:
    text = _disarmed(write_draft(args))
    assert json.dumps(read_draft(text)) == json.dumps(args)
    assert "-*-" not in text


@pytest.mark.parametrize(
    "order",
    ["vim: set x :", "vi:set x", "a ex: x", "Vim>700: set", "kate: x", "-*- mode: x -*-", "Local Variables:\neval: x"],
)
def test_no_mode_line_of_a_call_reaches_an_editor(order: str, script: Script, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    command = script(f"pathlib.Path({str(copy)!r}).write_text(file.read_text())")
    with pytest.raises(NotEdited, match="nothing was changed"):
        edit_file(write_draft({"x": order, "vim": 1}), command)
    text = copy.read_text()
    assert '"vim": 1' in text
    for obeyed in ("vim: ", "vi:", " ex:", "Vim>700:", "kate:", "-*-", "Variables:"):
        assert obeyed not in text.replace('"vim": 1', "")
    assert read_draft(text) == {"x": order, "vim": 1}


def test_a_terminal_that_cannot_be_lent_is_told(script: Script) -> None:
    script("pass")

    class Fixed(App[None]):
        def suspend(self) -> Any:
            raise SuspendNotSupported

    with pytest.raises(NotEdited, match="cannot be lent"):
        edit_outside(Fixed(), "{}")


def test_the_screen_is_taken_back_whatever_happens(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_back = 0

    class Lending(App[None]):
        @contextmanager
        def suspend(self) -> Generator[None]:
            nonlocal taken_back
            yield
            taken_back += 1

    def fails(*_: object) -> str:
        raise ZeroDivisionError

    script("sys.exit(1)")
    with pytest.raises(NotEdited, match="code 1"):
        edit_outside(Lending(), "{}")
    monkeypatch.setattr("gatekit_tui.edit.external_editor.edit_file", fails)
    with pytest.raises(ZeroDivisionError):
        edit_outside(Lending(), "{}")
    assert taken_back == 2


# -- from the editing screen


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal of a test is lent without one."""
    monkeypatch.setattr(App, "suspend", lambda self: nullcontext())


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.usefixtures("lent")
async def test_ctrl_e_gives_the_draft_to_the_editor_and_takes_it_back_into_the_same_view(
    queue: Queue, script: Script
) -> None:
    script("file.write_text(file.read_text().replace('bob', 'eve'))")
    async with editing(queue, send(queue, to="bob")) as editor:
        desk = editor.desk
        await desk.until_shown("[Form]")
        await editor.fill(count="9")
        await desk.press("ctrl+e")
        await desk.until_shown("[Form]", '~ to "bob" → "eve"', "~ count 3 → 9")
        assert not desk.toasts()
        await desk.press("ctrl+e")
        await desk.until(lambda: "Not edited: nothing was changed" in desk.toasts())
        script("file.write_text('{\"to\": 1,')")
        await desk.press("ctrl+e")
        await desk.until_shown("[JSON]", '{"to": 1,', "✗ line 1")
        await desk.until(lambda: "has to be read" in desk.toasts())
        script("file.write_text('{}'); sys.exit(1)")
        await desk.press("ctrl+e")
        await desk.until(lambda: "ended with code 1" in desk.toasts())
        assert desk.has('{"to": 1,')
    assert not editor.given


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.usefixtures("lent")
async def test_keys_that_decide_are_dead_right_after_the_editor(queue: Queue, script: Script) -> None:
    script("file.write_text(file.read_text().replace('bob', 'eve'))")
    clock = Hand()
    async with editing(queue, send(queue, to="bob"), clock=clock) as editor:
        desk = editor.desk
        await desk.until_shown("[Form]")
        clock.seconds += LONG
        await desk.press("ctrl+e")
        await desk.until_shown('"bob" → "eve"')
        await desk.press("ctrl+s")
        await desk.until(lambda: "Too soon" in desk.toasts())
        clock.seconds += LONG
        script("pass")
        await desk.press("ctrl+e")
        await desk.until(lambda: "nothing was changed" in desk.toasts())
        desk.app.clear_notifications()
        await desk.press("ctrl+s")
        await desk.until(lambda: "Too soon" in desk.toasts())
        assert desk.app.screen is editor.screen


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.usefixtures("lent")
async def test_arguments_beyond_a_text_field_are_edited_in_the_editor_alone(queue: Queue, script: Script) -> None:
    script("file.write_text(file.read_text().replace('bb', 'b\\\\u202eb'))")
    text = "a" * LARGEST + "bb" + "c" * 5_000
    async with editing(queue, send(queue, to=text)) as editor:
        desk = editor.desk
        await desk.until_shown("characters of JSON are too much for a text field: ctrl+e opens", "nothing changed")
        await desk.press("x", "ctrl+t")
        await desk.until(lambda: "No form: to is too long" in desk.toasts())
        await desk.press("ctrl+e")
        await desk.until_shown("1 change", "characters as before", "b<U+202E>b")
        assert_harmless(desk)
        await desk.press("ctrl+s")
        await desk.until_shown("Type send")
        await desk.type("send")
        await desk.press("enter")
        await desk.until(lambda: editor.given)
    assert editor.given[0] is not None
    assert editor.given[0]["to"] == text.replace("bb", "b\u202eb")


@pytest.mark.anyio
async def test_no_editor_and_a_terminal_that_is_not_lent_are_told_in_words(
    queue: Queue, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.setenv("VISUAL", "")
    async with editing(queue, send(queue, to="bob")) as editor:
        desk = editor.desk
        await desk.press("ctrl+e")
        await desk.until(lambda: "set $VISUAL or $EDITOR" in desk.toasts())
        script("file.write_text('{}')")
        await desk.press("ctrl+e")
        await desk.until(lambda: "cannot be lent to an editor" in desk.toasts())
        assert desk.has("nothing changed")


@pytest.mark.sweep
def test_on_a_real_terminal_the_editor_has_it_to_itself_and_the_dashboard_gets_it_back(
    queue: Queue, script: Script, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(folder))
    script(
        "import termios\n"
        "modes = termios.tcgetattr(0)[3]\n"
        "assert modes & termios.ICANON and modes & termios.ECHO and os.isatty(1)\n"
        "print('THE EDITOR HAS IT', flush=True)\n"
        "said = input()\n"
        "file.write_text(file.read_text().replace('/srv/a', said))"
    )
    queue.add(path="/srv/a", risk="low")
    screen = Screen(queue.gate.path)
    screen.until_shown("1 waiting", "/srv/a")
    # Keys that decide are dead for a moment after the picture changed, and nothing on it says when that is over.
    time.sleep(0.7)
    screen.child.send("e")
    screen.until_shown("nothing changed")
    screen.child.send("\x05")
    screen.until_shown("THE EDITOR HAS IT")
    (place,) = folder.iterdir()
    assert [file.name for file in place.iterdir()] == ["arguments.json"]
    screen.child.send("/srv/b\r")
    screen.until_shown('path "/srv/a" → "/srv/b"')
    assert not list(folder.iterdir())
    until(lambda: (screen.look(), screen.written.rindex("\x1b[?1049h") > screen.written.rindex("\x1b[?1049l"))[1], str)
    time.sleep(0.7)
    screen.child.send("\x13")
    screen.until_shown("with these changes?", 'path "/srv/a" → "/srv/b"')
    screen.child.close(force=True)
