"""The pictures of the dashboard: those that the pages show, and the program that draws them."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
LARGEST = 60_000
"""Bytes of a picture."""


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(DOCS)
    yield importlib.import_module("make_screenshot")
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == DOCS:
            del sys.modules[name]


def kept() -> list[Path]:
    return [DOCS / "dashboard.svg", *sorted((DOCS / "screens").iterdir())]


def test_what_is_kept_is_what_the_pages_show_and_each_can_be_drawn(maker: ModuleType) -> None:
    drawn = {DOCS / shot.path for shot in maker.SHOTS}

    assert set(maker.shown()) == set(kept())
    assert len(kept()) > 10
    assert set(kept()) <= drawn
    assert len(drawn) == len(maker.SHOTS)


@pytest.mark.parametrize("path", kept(), ids=lambda path: path.stem)
def test_a_picture_is_small_and_loads_nothing_and_names_no_machine(path: Path) -> None:
    svg = path.read_text(encoding="utf-8")

    assert len(svg) < LARGEST
    assert re.findall(r"@font-face|@import|<script|<image|href=|url\(", svg) == []
    assert not re.search(rf"/home/|/tmp|/dev/shm|/{re.escape(DOCS.resolve().parts[1])}/", svg)


def test_a_picture_becomes_small_and_keeps_every_word_and_every_colour(maker: ModuleType) -> None:
    svg = (
        '<svg><style>@font-face { src: url("https://x/y") }\n.terminal-12-r1 { fill: #111 } </style>'
        '<defs><clipPath id="terminal-12-clip-terminal"><rect/></clipPath>'
        '<clipPath id="terminal-12-line-0"><rect/></clipPath></defs>'
        '<g clip-path="url(#terminal-12-clip-terminal)">'
        '<rect fill="#1" x="0" y="1.5" width="12.2" height="24.65" shape-rendering="crispEdges"/>'
        '<rect fill="#1" x="12.2" y="1.5" width="12.2" height="24.65" shape-rendering="crispEdges"/>'
        '<rect fill="#2" x="24.4" y="1.5" width="12.2" height="24.65" shape-rendering="crispEdges"/>'
        '<rect fill="#2" x="0" y="25.9" width="12.2" height="24.65" shape-rendering="crispEdges"/>'
        '<text class="terminal-12-r1" clip-path="url(#terminal-12-line-0)">word</text></g></svg>'
    )

    small = importlib.import_module("slim_svg").slim(svg)

    assert re.findall(r'fill="(#\d)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', small) == [
        ("#1", "0", "1.5", "24.4"),
        ("#2", "24.4", "1.5", "12.2"),
        ("#2", "0", "25.9", "12.2"),
    ]
    assert '<text class="t-r1">word</text>' in small
    assert "url(" not in small


@pytest.mark.long
def test_a_picture_is_the_same_each_time(tmp_path: Path) -> None:
    drawn = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        command = [sys.executable, DOCS / "make_screenshot.py", folder, "to-settle", "run"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        drawn.append({path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()})

    assert drawn[0].keys() == {"to-settle.svg", "run.svg"}
    assert drawn[0] == drawn[1]


@pytest.mark.long
def test_every_picture_can_be_drawn(tmp_path: Path) -> None:
    command = [sys.executable, DOCS / "make_screenshot.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.iterdir())) > 25
