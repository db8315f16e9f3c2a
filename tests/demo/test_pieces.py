"""What the agent plans, what it may do by itself, and how the files are checked afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekit import Gate, Suspended
from gatekit.demo.agent import plan
from gatekit.demo.place import place_for_copy
from gatekit.demo.record import differences, expected
from gatekit.demo.tools import Entry, Tools, tools_of
from gatekit.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "a.txt").write_text("first\nsecond\n")
    (folder / "b.txt").write_text("other")
    (tmp_path / "outside.txt").write_text("not yours")
    (folder / "way_out").symlink_to(tmp_path)
    return folder


@pytest.fixture
def tools(folder: Path, tmp_path: Path) -> Iterator[Tools]:
    with Gate(tmp_path / "queue.db") as gate:
        yield tools_of(folder, gate, wait=0)


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("list_folder", {"path": "."}),
        ("read_first_line", {"path": "a.txt"}),
        ("move_file", {"source": "a.txt", "to": "new/a.txt"}),
        ("write_file", {"path": "c.txt", "content": "new"}),
    ],
)
def test_harmless_calls_run_at_once(tools: Tools, tmp_path: Path, tool: str, args: dict[str, str]) -> None:
    assert tools[tool](**args)
    assert not (tmp_path / "queue.db").exists()


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("list_folder", {"path": ".."}),
        ("read_first_line", {"path": "../outside.txt"}),
        ("read_first_line", {"path": "way_out/outside.txt"}),
        ("move_file", {"source": "a.txt", "to": "b.txt"}),
        ("move_file", {"source": "a.txt", "to": "../a.txt"}),
        ("move_file", {"source": "../outside.txt", "to": "c.txt"}),
        ("move_file", {"source": "a.txt", "to": "way_out/new.txt"}),
        ("write_file", {"path": "a.txt", "content": "x"}),
        ("write_file", {"path": "../new.txt", "content": "x"}),
        ("delete_file", {"path": "a.txt"}),
    ],
)
def test_what_can_do_harm_waits(tools: Tools, folder: Path, tool: str, args: dict[str, str]) -> None:
    with pytest.raises(Suspended):
        tools[tool](**args)

    assert (folder / "a.txt").read_text() == "first\nsecond\n"
    assert sorted(path.name for path in folder.parent.iterdir() if "queue" not in path.name) == ["desk", "outside.txt"]


def entries(**files: str) -> list[Entry]:
    return [{"name": name.replace("_", "."), "sha256": sha} for name, sha in files.items()]


def test_the_plan_follows_from_names_and_fingerprints() -> None:
    names = [
        "INDEX.md",
        ".hidden",
        "a.bak",
        "b.csv",
        "b copy.csv",
        "c.PNG",
        "d-2009.txt",
        "e-2026.txt",
        "f.xyz",
        "n20091.log",
    ]
    found: list[Entry] = [{"name": name, "sha256": "same" if name[0] == "b" else name} for name in names]

    assert [str(step) for step in plan(found, "desk", 2026)] == [
        'delete_file(path="a.bak")',
        'move_file(source="b.csv", to="documents/b.csv")',
        'delete_file(path="b copy.csv")',
        'move_file(source="c.PNG", to="pictures/c.PNG")',
        'move_file(source="d-2009.txt", to="../desk-archive/d-2009.txt")',
        'move_file(source="e-2026.txt", to="documents/e-2026.txt")',
        'move_file(source="n20091.log", to="logs/n20091.log")',
    ]


def test_files_that_were_not_compared_are_never_taken_for_copies() -> None:
    assert [step.tool for step in plan(entries(a_txt="", b_txt=""), "desk", 2026)] == ["move_file", "move_file"]


def test_the_files_that_must_be_there_follow_from_the_calls() -> None:
    before = {"desk/a": "1", "desk/b": "2", "desk/c": "3", "other": "4"}
    calls = [
        ("delete_file", {"path": "a"}),
        ("move_file", {"source": "b", "to": "x/../sub/b"}),
        ("move_file", {"source": "c", "to": "../c"}),
        ("write_file", {"path": "d", "content": ""}),
        ("list_folder", {"path": "."}),
    ]

    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert expected(before, "desk", calls) == {"desk/sub/b": "2", "c": "3", "desk/d": empty, "other": "4"}


def test_every_difference_is_named() -> None:
    assert differences({"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d\x1b": "5"}) == [
        "a should be there and is not",
        "c holds something else",
        "d␛ should not be there",
    ]


def test_a_folder_too_large_is_not_copied(folder: Path) -> None:
    with (folder / "huge").open("wb") as file:
        file.truncate(300_000_000)

    with pytest.raises(UsageError, match="name a smaller one"):
        place_for_copy(folder)


def test_a_copy_holds_the_files_and_no_link_that_could_lead_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (folder / "sub").mkdir()
    (folder / "sub" / "c.txt").write_text("c")
    os.mkfifo(folder / "pipe")
    (folder / "link.txt").symlink_to(folder / "a.txt")

    copy = place_for_copy(folder).folder

    assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*")) == [
        "a.txt", "b.txt", "sub", "sub/c.txt",
    ]  # fmt: skip
    assert copy.parent.parent.parent == tmp_path
