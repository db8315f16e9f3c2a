"""The terminal: whether a person is there, and one question to them."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final

import click

_NARROWEST: Final = 40


def can_ask() -> bool:
    """Whether a person reads what is printed and can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def can_draw() -> bool:
    """Whether the dashboard can be shown; it draws on standard error."""
    return can_ask() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """The cells of a line; 80 where there is no terminal and $COLUMNS is not set."""
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def ask(question: str) -> str:
    """One line from the person. What was typed before the question was on the screen does not count; EOF is ""."""
    return ask_or_end(question) or ""


def ask_or_end(question: str) -> str | None:
    """One line from the person, as `ask` takes it; None at the end of input, also in the middle of a line."""
    _forget_typed()
    click.echo(question, nl=False)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        click.echo()
        return None
    return answer.strip()


def _forget_typed() -> None:
    # Keys that were pressed, or pasted, while something else was shown must not answer this.
    if sys.platform != "win32":
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)
