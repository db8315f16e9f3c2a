"""Opens a file that an agent shows, in a program of the reviewer's own: only if it is still the file it was."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping

from gatekit.models import Preview
from gatekit.previews import digest_of_file


class NotOpened(Exception):
    """The file was not opened; the message says why."""


def opener(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The program and its first arguments: `$GATEKIT_OPENER`, else what the system opens files with.

    Raises `NotOpened` where there is none.
    """
    try:
        command = shlex.split(environment.get("GATEKIT_OPENER", ""))
    except ValueError as error:
        raise NotOpened(f"$GATEKIT_OPENER cannot be read as a command: {error}") from error
    command = command or ["open" if sys.platform == "darwin" else "xdg-open"]
    if shutil.which(command[0]) is None:
        raise NotOpened(f"there is no program {command[0]} here: name one in $GATEKIT_OPENER")
    return command


def check_file(preview: Preview) -> None:
    """Read the file whole, and raise `NotOpened` unless it is the one that the agent showed. Slow where it is large."""
    try:
        found = os.stat(preview.path)
        if not os.path.isabs(preview.path) or not stat.S_ISREG(found.st_mode):
            raise NotOpened(f"{preview.path} is no file")
        # A file of another size is another one: no need to read it.
        same = found.st_size == preview.size and digest_of_file(preview.path) == (preview.size, preview.sha256)
    except OSError as error:
        raise NotOpened(f"{preview.path}: {error.strerror}") from error
    except ValueError as error:
        raise NotOpened(f"{preview.path} is no path: {error}") from error
    if not same:
        raise NotOpened(f"{preview.path} was changed since the call was made: it is not what the agent showed")


def open_file(preview: Preview, command: list[str]) -> None:
    """Check the file, then start the program with it and leave it alone. Raises `NotOpened`.

    Between the check and the moment at which the program reads the file somebody may still change it: what is decided
    are the arguments, never what the file shows.
    """
    check_file(preview)
    try:
        program = subprocess.Popen(
            [*command, preview.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise NotOpened(f"{command[0]} did not start: {error.strerror}") from error
    # Somebody has to take note of its end, or it stays as a zombie.
    threading.Thread(target=program.wait, daemon=True).start()
