"""The `console` blocks of a page, typed into a real shell in a terminal, and compared with what it says.

A line that begins with `$ ` is typed; the lines below it are what must appear. A line `…` stands for any lines, `…` in
a line for any text. `ID` in a command stands for the last request's id that was seen. A question's answer is what
stands behind it, and `^C` presses Ctrl-C once the line above it is there. Lines next to each other that hold an id may
come in any order: steps that are made at once are queued as they come.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

import pexpect

BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE: Final = re.compile(r"<!-- file: (\S+) -->\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COLUMNS: Final = 80
_PROMPT: Final = "<next>$ "
_HANGS: Final = 60
_ANSWERED: Final = re.compile(r"(Type .*: )(\S+)")
_REQUEST_ID: Final = re.compile(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b")
_VARIES: Final = (
    (re.compile(rf"{_REQUEST_ID.pattern}:[0-9a-f]{{16}}"), "KEY"),
    (_REQUEST_ID, "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b\d+[smh]\b"), "AGE"),
    (re.compile(r"process \d+ on \S+"), "process PID on HOST"),
    (re.compile(r" +"), " "),
)


@dataclass
class Command:
    """What is typed, and the lines that the page shows below it."""

    typed: str
    shown: list[str] = field(default_factory=list)


def commands_of(text: str) -> Iterator[Command]:
    """The commands of a page's blocks, in order."""
    command: Command | None = None
    for block in BLOCK.finditer(text):
        for line in block[1].splitlines():
            if line.startswith("$ "):
                if command is not None:
                    yield command
                command = Command(line[2:])
            else:
                assert command is not None, f"{line!r} stands above the first command"
                command.shown.append(line)
    if command is not None:
        yield command


class Console:
    """A shell in a folder that holds the page's programs."""

    def __init__(self, folder: Path, page: str) -> None:
        for name, program in FILE.findall(page):
            (folder / name).write_text(program, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEKIT_", "PYTEST_"))}
        path = os.pathsep.join((str(Path(sys.executable).parent), kept["PATH"]))
        self._last_id = "ID"
        self._shell = pexpect.spawn(
            shutil.which("bash") or "bash",
            ["--norc", "--noprofile", "--noediting"],
            cwd=str(folder),
            env={**kept, "PATH": path, "PS1": _PROMPT, "NO_COLOR": "1", "TERM": "dumb"},
            dimensions=(40, COLUMNS),
            encoding="utf-8",
            timeout=_HANGS,
        )
        self._shell.expect_exact(_PROMPT)

    def run(self, command: Command) -> str:
        """Type the command, answer what it asks, and give what appeared below it."""
        self._shell.sendline(re.sub(r"\bID\b", self._last_id, command.typed))
        said = ""
        for above, line in zip(["", *command.shown], command.shown, strict=False):
            answered = _ANSWERED.fullmatch(line)
            if answered is not None:
                said += self._until(answered[1])
                self._shell.sendline(answered[2])
            elif line.startswith("^C"):
                said += self._until(above.rpartition("  ")[2])
                self._shell.sendcontrol("c")
        said += self._until(_PROMPT).removesuffix(_PROMPT)
        self._last_id = next(reversed(_REQUEST_ID.findall(said)), self._last_id)
        return "".join(said.replace("\r\n", "\n").partition("\n")[2:])

    def close(self) -> None:
        self._shell.close(force=True)

    def _until(self, text: str) -> str:
        self._shell.expect_exact(text)
        return str(self._shell.before) + text


def fits(command: Command, said: str) -> bool:
    """Whether the page shows what was said, but for times, ids and processes."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in _constant(command.shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _constant(said.rstrip().splitlines()))) is not None


def _constant(lines: list[str]) -> list[str]:
    for pattern, name in _VARIES:
        lines = [pattern.sub(name, line).rstrip() for line in lines]
    together = groupby(lines, key=lambda line: "<id>" in line)
    return [line for found, group in together for line in (sorted(group) if found else group)]
