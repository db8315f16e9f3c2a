"""The dashboard on real terminals: what reaches them, and what they do with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

from gatekit.display import visible
from tests.corpus_cases import pick
from tests.tui.calls import Queue

pytestmark = pytest.mark.sweep

POINTER = re.compile("\x1b\\]22;[a-z]*\x07")
"""Textual sets the shape of the mouse pointer."""
SEAT = Path(__file__).parent / "seat.py"
CSI = re.compile(r"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]")
ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TMUX", "COLORTERM")}
    paths = [str(ROOT), str(ROOT / "tui"), kept.get("PYTHONPATH", "")]
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def until(condition: Callable[[], Any], what: Callable[[], str], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


class Screen:
    """A program on a pseudo-terminal, with everything that it wrote."""

    def __init__(self, *arguments: str, columns: int = 100, lines: int = 60) -> None:
        self.written = ""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        self.child = pexpect.spawn(
            sys.executable, [str(SEAT), *arguments], dimensions=(lines, columns), env=environment(), encoding="utf-8"
        )  # type: ignore[arg-type]

    def look(self) -> str:
        try:
            while True:
                text = self.child.read_nonblocking(65536, timeout=0.01)
                self.written += text
                self._stream.feed(text)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return "\n".join(self._screen.display)

    def until_shown(self, *parts: str) -> None:
        until(lambda: all(part in self.look() for part in parts), lambda: f"{parts} never came:\n{self.look()}")

    def close(self) -> None:
        self.child.send("q")
        until(lambda: (self.look(), not self.child.isalive())[1], lambda: f"it goes on:\n{self.look()}")


def test_no_byte_of_a_hostile_text_reaches_the_terminal(queue: Queue) -> None:
    marked = {f"m{number:02}m": case.payload for number, case in enumerate(pick("terminal", "unicode")) if not case.py}
    for mark, payload in marked.items():
        queue.add(tool=mark, path=f"{mark}{payload}", description=f"{mark}{payload}")
    screen = Screen(queue.gate.path)
    screen.until_shown(f"{len(marked)} waiting", '"m00m')
    for mark in list(marked)[1:]:
        screen.child.send("j")
        screen.until_shown(f'"{mark}')
    screen.close()
    for mark, payload in marked.items():
        if visible(payload)[1]:
            assert mark + payload not in screen.written
            assert mark + visible(payload)[0][:12] in screen.written
    rest = POINTER.sub("", CSI.sub("", screen.written))
    left = {char for char in rest if visible(f"x{char}")[1] and char not in "\r\x1b"}
    assert not left, [f"U+{ord(char):04X}" for char in left]
    assert set(re.findall("\x1b.", rest)) <= {"\x1b>", "\x1b=", "\x1b7", "\x1b8"}, set(re.findall("\x1b..", rest))


def test_a_reviewer_leaves_and_the_terminal_is_as_before(queue: Queue) -> None:
    queue.add()
    screen = Screen(queue.gate.path, columns=80, lines=24)
    screen.until_shown("1 waiting")
    screen.close()
    assert screen.child.exitstatus == 0
    for switched_on in ("?1049", "?1000", "?1003", "?2004"):
        if f"\x1b[{switched_on}h" in screen.written:
            assert screen.written.rindex(f"\x1b[{switched_on}l") > screen.written.rindex(f"\x1b[{switched_on}h")


PAYLOADS = (
    "\x1b[>q",
    "\x1b[5n",
    "\x1b[c",
    "\x1b[6n",
    "\x1b[18t",
    "\x1b]2;owned\x1b\\",
    "\x1b]2;owned\x07",
    "\x1b]52;c;b3duZWQ=\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x9b>q",
)


class Tmux:
    """A tmux server of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._socket = str(folder / "tmux")

    def __call__(self, *arguments: str) -> str:
        command = ["tmux", "-S", self._socket, "-f", "/dev/null", *arguments]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        return done.stdout

    def start(self, *command: str) -> None:
        self("new-session", "-d", "-x", "110", "-y", "40", "-s", "t", " ".join(command), ";",
             "set-option", "-g", "set-clipboard", "on")  # fmt: skip

    def screen(self) -> str:
        return self("capture-pane", "-p", "-t", "t")

    def title(self) -> str:
        return self("display-message", "-p", "-t", "t", "#{pane_title}").strip()

    def until_shown(self, part: str) -> None:
        until(lambda: part in self.screen(), lambda: f"{part!r} never came:\n{self.screen()}")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: apt-get install tmux")
    tmux = Tmux(tmp_path)
    yield tmux
    tmux("kill-server")


def add_hostile_calls(queue: Queue) -> list[str]:
    return [
        queue.add(tool=f"t{number}", path=f"x{text}", description=f"pay {text}", run=f"r{text}", risk="low")
        for number, text in enumerate(PAYLOADS)
    ]


def test_a_call_whose_text_makes_the_terminal_answer_gets_nothing_approved(queue: Queue, tmux: Tmux) -> None:
    ids = add_hostile_calls(queue)
    tmux.start(sys.executable, str(SEAT), queue.gate.path)
    tmux.until_shown(f"{len(ids)} waiting")
    title = tmux.title()
    for number in range(1, len(ids)):
        tmux("send-keys", "-t", "t", "j")
        tmux.until_shown(f"t{number}  ")
        tmux.until_shown(f"{ids[number]} ")
        tmux("send-keys", "-t", "t", "o")
        # What must not come announces itself by nothing: give the terminal the time to answer, and then some.
        time.sleep(0.2)
        tmux("send-keys", "-t", "t", "o")
    time.sleep(0.6)
    assert [queue.gate.get(request_id).status for request_id in ids] == ["pending"] * len(ids)
    assert tmux.title() == title
    assert "owned" not in title
    assert tmux("list-buffers") == ""
    tmux("send-keys", "-t", "t", "a")
    until(lambda: queue.gate.get(ids[-1]).status == "pending", lambda: "approved without its name typed")
    tmux.until_shown("Type t9")


def test_without_the_layers_the_same_text_reaches_the_terminal(queue: Queue, tmux: Tmux) -> None:
    add_hostile_calls(queue)
    tmux.start(sys.executable, str(SEAT), queue.gate.path, "bare")
    until(lambda: tmux.title() == "owned", lambda: f"this test would notice nothing: {tmux.title()!r}")
