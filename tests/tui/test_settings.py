"""The reviewer's own keys, filters and theme: what is wrong is said before anything is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekit.errors import UsageError
from gatekit_tui.frame.commands import Command, found
from gatekit_tui.frame.theme import theme_for
from gatekit_tui.queue.settings import HOLD, Settings, read_settings, settings_from
from tests.tui.calls import Queue
from tests.tui.desk import sit_down


def test_without_a_file_all_is_as_usual(tmp_path: Path) -> None:
    assert read_settings({"XDG_CONFIG_HOME": str(tmp_path)}) == Settings()
    assert Settings().hold == HOLD == 5


def test_a_file_is_read_where_settings_are_kept(tmp_path: Path) -> None:
    (tmp_path / "gatekit").mkdir()
    file = tmp_path / "gatekit" / "dashboard.toml"
    file.write_text('theme = "gatekit-light"\nhold = 0\n[keys]\napprove = "Y"\n[filters]\n9 = "tool:x"\n')
    read = read_settings({"XDG_CONFIG_HOME": str(tmp_path)})
    assert (read.theme, read.hold) == ("gatekit-light", 0)
    assert dict(read.keys) == {"approve": "Y", "release": "Y", "answer": "Y"}
    assert read.filters["9"] == "tool:x"
    assert read.filters["1"] == "risk>=high"
    assert read_settings({"GATEKIT_DASHBOARD": str(file)}) == read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("keys = 1", r"\[keys\] takes lines"),
        ("colour = 1", "there is no 'colour'; there is theme, hold, keys, filters"),
        ('theme = "pink"', "it is one of gatekit, gatekit-light"),
        ("hold = 61", "seconds from 0 to 60"),
        ("hold = true", "seconds from 0 to 60"),
        ('[keys]\napprve = "Y"', "apprve: there is no such key; there is allow, approve"),
        ('[keys]\napprove = "enter"', "Enter never decides"),
        ('[keys]\napprove = "r"', "that is the key of '(approve|reject)'"),
        ('[keys]\napprove = "j"', "the list moves with it"),
        ('[keys]\nreject = "3"', "it is a saved filter"),
        ('[keys]\nquit = "escape"', "it always leads back"),
        ('[keys]\napprove = "yes"', "write one character"),
        ('[filters]\n10 = "x"', "a digit from 1 to 9"),
        ("[keys", "dashboard.toml"),
    ],
)
def test_what_cannot_be_is_refused_with_file_and_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "dashboard.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=told) as caught:
        read_settings({"GATEKIT_DASHBOARD": str(file)})
    assert str(file) in str(caught.value)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        read_settings({"GATEKIT_DASHBOARD": str(tmp_path / "none.toml")})


def test_keys_can_be_swapped() -> None:
    swapped = settings_from({"keys": {"edit": "r", "reject": "e"}})
    assert dict(swapped.keys) == {"edit": "r", "reject": "e"}


@pytest.mark.parametrize(
    ("environment", "wanted", "theme"),
    [
        ({"TERM": "xterm-256color"}, None, "gatekit"),
        ({"TERM": "xterm-256color"}, "gatekit-light", "gatekit-light"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "gatekit", "ansi-dark"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "gatekit-light", "ansi-light"),
        ({"TERM": "linux"}, None, "ansi-dark"),
        ({"TERM": "xterm-16color"}, None, "ansi-dark"),
    ],
)
def test_the_theme_fits_the_terminal(environment: dict[str, str], wanted: str | None, theme: str) -> None:
    assert theme_for(environment, wanted) == theme


def test_commands_are_found_by_words_and_by_key() -> None:
    commands = [Command("a", "approve"), Command("A", "approve what is marked"), Command("q", "quit")]
    assert [one.key for one in found(commands, "APPROVE mark")] == ["A"]
    assert [one.key for one in found(commands, "q")] == ["q"]
    assert found(commands, "zzz") == []
    assert found(commands, "") == commands


@pytest.mark.anyio
@pytest.mark.sweep
async def test_another_key_approves_and_the_usual_one_does_not(queue: Queue) -> None:
    request_id = queue.add(risk="low")
    settings = settings_from({"hold": 0, "keys": {"approve": "Y", "undo": "U", "runs": "u"}})
    async with sit_down(queue.gate, settings=settings) as desk:
        assert desk.has("Y approve")
        await desk.press("a")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press("Y")
        await desk.until(lambda: queue.verb(request_id) == "approve")


@pytest.mark.anyio
@pytest.mark.sweep
async def test_commands_are_found_by_typing_and_those_that_decide_need_their_key(queue: Queue) -> None:
    request_id = queue.add(risk="low")
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await desk.press("?")
        await desk.until_shown("keys and commands", "approve", "take back")
        await desk.type("approve")
        await desk.until(lambda: not desk.has("quit"))
        await desk.press("enter")
        await desk.until(lambda: "It decides something: press a" in desk.toasts())
        await desk.press("escape", "ctrl+p")
        await desk.type("list: decided")
        await desk.press("enter")
        await desk.until_shown("Nothing was decided yet.")
        await desk.press("ctrl+p")
        await desk.type("theme: gatekit-light")
        await desk.press("enter")
        await desk.until(lambda: desk.app.theme == "gatekit-light")
    assert queue.verb(request_id) is None
