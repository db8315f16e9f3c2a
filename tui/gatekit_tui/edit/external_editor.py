"""Edits a text in the reviewer's own editor, while the dashboard steps aside."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

_NAME: Final = "arguments.json"
_OBEYED: Final = re.compile(r"(?i)(\b(?:vim?|ex|kate)(?:[<=>]?\d+)?|local variables):|(-)\*(?=-)")
"""What editors obey in the text of a file: the mode lines of vi and kate, the variables of Emacs."""


class NotEdited(Exception):
    """Nothing was edited; the message says why."""


def editor(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The editor and its first arguments: `$VISUAL`, else `$EDITOR`. Raises `NotEdited` where there is none."""
    for name in ("VISUAL", "EDITOR"):
        try:
            command = shlex.split(environment.get(name, ""))
        except ValueError as error:
            raise NotEdited(f"${name} cannot be read as a command: {error}") from error
        if command and shutil.which(command[0]) is None:
            raise NotEdited(f"there is no program {command[0]} here, as ${name} says: name an editor in it")
        if command:
            return command
    raise NotEdited("no editor is named: set $VISUAL or $EDITOR, then start gatekit review again")


def edit_outside(app: App[Any], text: str) -> str:
    """Another JSON text, as the reviewer left it in the editor. The screen belongs to the editor until it ends.

    Nothing of the dashboard runs meanwhile, so that nothing of it is written over the editor's picture.
    Raises `NotEdited` where there is no editor, it failed, or nothing was changed.
    """
    command = editor()
    try:
        with app.suspend():
            try:
                return edit_file(text, command)
            except Exception as error:  # noqa: BLE001 - Textual takes the screen back only where none passes it
                failed = error
    except SuspendNotSupported as error:
        raise NotEdited("this terminal cannot be lent to an editor: use  gatekit edit  on its command line") from error
    raise failed


def edit_file(text: str, command: list[str]) -> str:
    """The text after the editor had it in a file that nobody else can read, and that is gone afterwards.

    Raises `NotEdited` where the editor failed, what it left cannot be read, or is what it was.
    """
    sent = _disarmed(text) + "\n"
    try:
        # The editor's own copies go with the folder.
        with tempfile.TemporaryDirectory(prefix="gatekit-") as folder:
            file = Path(folder) / _NAME
            _write(file, sent)
            _run([*command, str(file)])
            left = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NotEdited(f"the file that {command[0]} was given cannot be written or read back: {error}") from error
    if left.rstrip() == sent.rstrip():
        raise NotEdited("nothing was changed in the editor")
    return left.rstrip("\n")


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)


def _disarmed(text: str) -> str:
    """The same JSON, in which no editor finds an order of its own: a call's text would be one to it."""
    return _OBEYED.sub(lambda found: "-\\u002a" if found[2] else f"{found[1]}\\u003a", text)


def _run(command: list[str]) -> None:
    try:
        with _deaf_to_ctrl_c():
            code = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise NotEdited(f"{command[0]} did not start: {error.strerror}") from error
    if code:
        how = f"signal {-code}" if code < 0 else f"code {code}"
        raise NotEdited(f"{command[0]} ended with {how}: the draft is as it was")


@contextmanager
def _deaf_to_ctrl_c() -> Generator[None]:
    """A Ctrl+C at the terminal is the editor's, though it reaches this process too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A handler, for the editor would inherit that a signal is ignored.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
