"""A program on a pseudo-terminal: what it draws, when, in how many bytes; and keys for it."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic_ns
from typing import TextIO

import pyte

NS = 1_000_000_000
_ROOT = Path(__file__).parents[1]
_PATIENCE = 60
"""Seconds for whatever must come some time."""
_AT_ONCE = 65_536
_FOREIGN = ("NO_COLOR", "COLORTERM", "TMUX", "TERM_PROGRAM", "PYTHONDONTWRITEBYTECODE")
_OURS = ("GATEKIT_", "TEXTUAL", "XDG_")
"""What the environment must not bring in: each run is of a person without settings, of a package that is compiled."""


class Terminal:
    """Times are nanoseconds on the clock that all processes of the machine share."""

    def __init__(
        self, started: int, process: int, master: int, line: socket.socket, answers: TextIO, size: tuple[int, int]
    ) -> None:
        self.started = started
        self.process = process
        self._master = master
        self._line = line
        self._answers = answers
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def look(self, seconds: float) -> int:
        """Draw the next bytes that come within this time; how many they were."""
        if not select.select([self._master], [], [], seconds)[0]:
            return 0
        try:
            came = os.read(self._master, _AT_ONCE)
        except OSError as error:
            raise AssertionError(f"the program ended:\n{self.text}") from error
        self._stream.feed(came)
        return len(came)

    def until(self, shown: Callable[[str], bool]) -> int:
        """When the bytes had come after which the screen shows that."""
        end = monotonic_ns() + _PATIENCE * NS
        at = monotonic_ns()
        while not shown(self.text):
            if monotonic_ns() > end:
                raise AssertionError(f"it never came on the screen:\n{self.text}")
            self.look(0.1)
            at = monotonic_ns()
        return at

    def watch(self, seconds: float) -> int:
        """How many bytes come in this time."""
        end = monotonic_ns() + int(seconds * NS)
        came = 0
        while (left := end - monotonic_ns()) > 0:
            came += self.look(left / NS)
        return came

    def until_quiet(self, seconds: float) -> int:
        """How many bytes come until none came for this time."""
        came = 0
        while more := self.look(seconds):
            came += more
        return came

    def press(self, key: str) -> int:
        """When the key was written."""
        at = monotonic_ns()
        os.write(self._master, key.encode())
        return at

    def ask(self, word: str) -> int:
        """What the program says of itself: see `benchmarks.inside`."""
        self._line.sendall(f"{word}\n".encode())
        return int(self._answers.readline())


@contextmanager
def opened(module: str, *arguments: str, size: tuple[int, int] = (80, 24)) -> Generator[Terminal]:
    """`python -m module` with these arguments and a line into it, on a terminal of (columns, lines); killed after."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    mine, theirs = socket.socketpair()
    with mine, theirs, mine.makefile("r", encoding="ascii") as answers:
        started = monotonic_ns()
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, str(theirs.fileno())],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            cwd=_ROOT,
            env=_environment(),
        )
        os.close(slave)
        try:
            yield Terminal(started, process.pid, master, mine, answers, size)
        finally:
            process.kill()
            process.wait()
            os.close(master)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN and not name.startswith(_OURS)}
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
