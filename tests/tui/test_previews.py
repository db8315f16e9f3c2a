"""What the agent shows beside the arguments, and arguments in a shape of their own: drawn as text, never more."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit import Args, gated_step, previews
from gatekit.display import visible
from gatekit.models import Preview
from gatekit_tui.frame.spans import Inked, length
from gatekit_tui.request import preview_text
from gatekit_tui.request.detail_text import draw_body
from gatekit_tui.request.diff_text import diff_lines, is_diff
from gatekit_tui.request.opening import NotOpened, check_file, opener
from gatekit_tui.request.preview_text import preview_lines
from gatekit_tui.request.study import study
from gatekit_tui.request.tables_text import table_lines
from gatekit_tui.request.views_text import views_of
from tests.tui.asking import made_by
from tests.tui.calls import Queue
from tests.tui.desk import sit_down
from tests.tui.test_hostile import assert_harmless
from tests.tui.test_pieces import made_request

EVIL = "x\x1b[>q\x1b]52;c;eA==\x07\u202e[/]"
foreign = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)


def texts(lines: list[Inked]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def showing(queue: Queue, preview: Any, **args: Any) -> str:
    """A call that shows this."""

    def shown(args: Args) -> Any:
        return preview

    @gated_step(gate=queue.gate, name="publish", preview=shown, wait=0, on_suspend="return", risk="low")
    def step(path: str = "/srv/a") -> str:
        return "done"

    return made_by(queue, lambda: step(**args))


# -- drawn as lines


@given(foreign, foreign, st.lists(st.lists(foreign, max_size=5), max_size=4), st.integers(22, 120))
def test_no_line_of_a_preview_is_wider_than_its_pane_or_holds_what_hides(
    first: str, second: str, rows: list[list[str]], width: int
) -> None:
    columns = tuple(f"{first}{number}" for number in range(4))
    for preview in (
        Preview(kind="text", text=first + "\n" + second),
        Preview(kind="diff", text=f"--- a\n+++ b\n@@ -1 +1 @@\n-{first}\n+{second}"),
        Preview(kind="table", columns=columns, rows=tuple(map(tuple, rows)), more=3),
        Preview(kind="file", path="/" + first, size=12, sha256="ab" * 32, media_type=second),
    ):
        lines = preview_lines(preview, width)
        assert all(length(line) <= width for line in lines), lines
        assert all(visible(text)[1] == 0 for line in lines for text, _ in line)
        assert "cannot be drawn" not in "".join(texts(lines))


def test_a_difference_keeps_its_signs_and_colours_only_what_is_in_a_part() -> None:
    text = previews.diff("a\n-- x\nb\n", "a\n++ y\nb\n", name="notes").text
    inks = {line[0][0]: line[0][1] for line in diff_lines(text, 40)}
    assert inks["--- notes"] == inks["+++ notes"] == "label"
    assert inks["--- x"] == "removed"
    assert inks["+++ y"] == "added"
    assert inks[" a"] == "text"


def test_the_rest_of_a_long_line_does_not_look_like_a_line_of_its_own() -> None:
    lines = texts(diff_lines("--- a\n+++ b\n@@ -0,0 +1 @@\n+" + "long" + "-" * 60, 30))
    assert lines[3].startswith("+long")
    assert [line[:2] for line in lines[4:]] == ["  "] * len(lines[4:])
    assert lines[4:]


def test_a_table_is_cut_to_its_pane_and_says_so() -> None:
    rows = [("bob", "x" * 50), ("eve", "short")]
    wide = texts(table_lines(("to", "text"), rows, 80))
    assert wide == ["to   text", "bob  " + "x" * 50, "eve  short"]
    lines = texts(table_lines(("to", "text"), rows, 30, more=2))
    assert lines[1] == "bob  " + "x" * 24 + "…"
    assert lines[-1] == "1 text cut · 2 lines left out"
    many = texts(table_lines([f"column{n}" for n in range(20)], [["v"] * 20], 30))
    assert "4 texts cut · 16 columns left out" in "".join(many)


def test_arguments_with_a_shape_are_drawn_in_it_besides() -> None:
    patch = previews.diff("a\n", "b\n", name="f").text
    records = [{"to": "bob", "amount": 1}, {"to": "eve", "note": None}]
    args = {"p": patch, "r": records, "t": "-a", "l": [1, 2]}
    views = {name: texts(lines) for name, lines in views_of(made_request(_args=json.dumps(args)), 60)}
    assert views == {
        "p as a difference": ["--- f", "+++ f", "@@ -1 +1 @@", "-a", "+b"],
        "r as a table": ["to   amount  note", "bob  1", "eve          null"],
    }
    assert not is_diff("--- a\n+++ b\nno part")


def test_what_the_agent_shows_stands_behind_the_arguments_and_their_shapes_and_never_in_their_stead() -> None:
    patch = previews.diff("a\n", "b\n", name="f").text
    plain = made_request(_args=json.dumps({"patch": patch}))
    body = texts(list(draw_body(study(plain), 60).lines))
    at = body.index(" patch as a difference")
    assert body[at + 1 : at + 6] == [" │ --- f", " │ +++ f", " │ @@ -1 +1 @@", " │ -a", " │ +b"]
    assert any(line.startswith('   patch  "--- f') for line in body[:at])
    shown = draw_body(study(made_request(_args=plain.args_text, preview=Preview(kind="text", text="hello"))), 60)
    lines = texts(list(shown.lines))
    at = next(number for number, line in enumerate(lines) if "the agent shows" in line)
    assert at >= shown.arguments_end
    assert "its own words, not checked" in lines[at]
    assert lines[at + 1] == " │ hello"
    assert shown.arguments_end < lines.index(" patch as a difference") < at


def test_what_hides_in_a_preview_counts_as_hidden_in_the_call() -> None:
    seen = study(made_request(preview=Preview(kind="table", columns=("a",), rows=(("x\u202ey",),))))
    assert seen.hidden == 1


def test_what_cannot_be_drawn_in_its_shape_is_shown_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> list[Inked]:
        raise RuntimeError("no \x1b[2J")

    monkeypatch.setattr(preview_text, "diff_lines", fails)
    lines = texts(preview_lines(Preview(kind="diff", text="--- a\n+++ b"), 60))
    assert lines[:3] == ["cannot be drawn: RuntimeError: no ␛[2J", "--- a", "+++ b"]


# -- files


def test_only_the_file_that_was_shown_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    preview = previews.file(file)
    check_file(preview)
    file.write_text("two")
    with pytest.raises(NotOpened, match="was changed since the call was made"):
        check_file(preview)
    file.unlink()
    with pytest.raises(NotOpened, match="No such file"):
        check_file(preview)
    file.mkdir()
    with pytest.raises(NotOpened, match="is no file"):
        check_file(preview)
    with pytest.raises(NotOpened, match="is no path"):
        check_file(Preview(kind="file", path="/a\0b"))


def test_the_opener_is_the_reviewers_own() -> None:
    assert opener({"GATEKIT_OPENER": f"{sys.executable} -I 'a b'"}) == [sys.executable, "-I", "a b"]
    with pytest.raises(NotOpened, match=r"no program no-such-program here: name one in \$GATEKIT_OPENER"):
        opener({"GATEKIT_OPENER": "no-such-program"})
    with pytest.raises(NotOpened, match="cannot be read as a command"):
        opener({"GATEKIT_OPENER": "'open"})


@pytest.mark.anyio
async def test_a_file_opens_after_a_question_and_not_once_it_was_changed(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, opened = tmp_path / "chart.png", tmp_path / "opened"
    file.write_bytes(b"picture")
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{opened}.new" && mv "{opened}.new" "{opened}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GATEKIT_OPENER", str(program))
    request_id = showing(queue, previews.file(file))
    async with sit_down(queue.gate, size=(100, 45)) as desk:
        await desk.until_shown("the agent shows", "chart.png", "image/png, 7 bytes", "v opens it")
        await desk.press("v")
        await desk.until_shown("Open it with", "Press a to open it")
        await desk.press("escape", "v", "a")
        await desk.until(opened.exists, "the program")
        await desk.until(lambda: "is the one that the agent showed" in desk.toasts())
        assert opened.read_text() == str(file)
        opened.unlink()
        file.write_bytes(b"another")
        await desk.press("v")
        await desk.until_shown("Press a to open it")
        await desk.press("a")
        await desk.until(lambda: "was changed since the call was made" in desk.toasts())
        assert not opened.exists()
    assert queue.verb(request_id) is None


@pytest.mark.anyio
async def test_a_hostile_preview_is_text_on_the_screen(queue: Queue) -> None:
    table = previews.table([{EVIL: EVIL, "b": EVIL}, {EVIL: "2", "b": EVIL}])
    for preview in (previews.text(EVIL), previews.diff(EVIL, EVIL + "y", name=EVIL), table):
        showing(queue, preview)
    queue.add(path="--- " + EVIL + "\n+++ b\n@@ -1 +1 @@\n-a\n+" + EVIL, more=[{EVIL: EVIL}, {EVIL: None}])
    async with sit_down(queue.gate, size=(100, 55)) as desk:
        for _ in range(3):
            await desk.until_shown("the agent shows", "▲")
            assert_harmless(desk)
            assert desk.has("x␛[>q␛]52;c;eA==␇<U+202E>[/]")
            await desk.press("v", "j")
        await desk.until_shown("path as a difference", "more as a table")
        assert_harmless(desk)
        assert len(desk.app.screen_stack) == 2, "there is no file to open"
