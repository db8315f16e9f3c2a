"""Programs on real terminals: a pseudo-terminal whose every byte is kept, and tmux."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]
import pyte

ROOT = Path(__file__).parents[2]
SEAT = Path(__file__).with_name("seat.py")


def environment() -> dict[str, str]:
    """That of a process which finds the checkout, on a terminal of 256 colours."""
    # Of whoever runs the tests: the two last would be believed rather than the terminal's own size.
    others = ("NO_COLOR", "TMUX", "COLORTERM", "COLUMNS", "LINES")
    kept = {key: value for key, value in os.environ.items() if key not in others}
    paths = [str(ROOT), str(ROOT / "tui"), kept.get("PYTHONPATH", "")]
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def until(condition: Callable[[], Any], what: Callable[[], str], seconds: float = 20) -> None:
    """Wait until it is so; fails with these words if it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.02)


class Screen:
    """A program on a pseudo-terminal, with everything that it wrote."""

    def __init__(self, *arguments: str, columns: int = 100, lines: int = 60) -> None:
        self.written = ""
        self._picture = ""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        self.child = pexpect.spawn(
            sys.executable,
            [str(SEAT), *arguments],
            dimensions=(lines, columns),
            env=environment(),
            encoding="utf-8",
        )

    def look(self) -> str:
        """What is on the screen now."""
        came = ""
        try:
            while True:
                came += self.child.read_nonblocking(65536, timeout=0.01)
        except (pexpect.TIMEOUT, pexpect.EOF):
            if came:
                self.written += came
                self._stream.feed(came)
                self._picture = "\n".join(self._screen.display)
            return self._picture

    def until_shown(self, *parts: str) -> None:
        until(lambda: all(part in self.look() for part in parts), lambda: f"{parts} never came:\n{self.look()}")

    def close(self) -> None:
        self.child.send("q")
        until(lambda: (self.look(), not self.child.isalive())[1], lambda: f"it goes on:\n{self.look()}")


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

    def keys(self, *keys: str) -> None:
        self("send-keys", "-t", "t", *keys)

    def screen(self) -> str:
        return self("capture-pane", "-p", "-t", "t")

    def title(self) -> str:
        return self("display-message", "-p", "-t", "t", "#{pane_title}").strip()

    def until_shown(self, *parts: str) -> None:
        until(lambda: all(part in self.screen() for part in parts), lambda: f"{parts} never came:\n{self.screen()}", 30)
