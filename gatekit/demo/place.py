"""Where a demo takes place: a temporary folder for its queue, and the folder that is tidied."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatekit.demo.sample import FOLDER, lay_out
from gatekit.errors import UsageError

_MOST_COPIED: Final = 200_000_000
"""Bytes: a demo is no reason to fill the disk."""


@dataclass(frozen=True, slots=True)
class Place:
    """One demo's folders."""

    folder: Path
    """What the agent tidies."""
    queue: Path
    """Its queue, in a temporary folder that is left there to be looked at."""


def place_for_sample() -> Place:
    """The sample, in a temporary place."""
    root = _temporary()
    lay_out(root / FOLDER)
    return Place(root / FOLDER, _queue(root))


def place_for_copy(folder: Path) -> Place:
    """A copy of `folder` in a temporary place; links are left out, they could lead back.

    Raises `UsageError` for a folder of more than 200 MB, and for one that cannot be read.
    """
    files: list[Path] = []
    size = 0
    for file in _files(folder):
        files.append(file)
        size += file.lstat().st_size
        if size > _MOST_COPIED:
            raise UsageError(
                f"{folder} holds more than {_MOST_COPIED:,} bytes, which the demo copies: name a smaller one"
            )
    root = _temporary()
    copy = root / "copy" / folder.resolve().name
    copy.mkdir(parents=True)
    for file in files:
        _copy(file, copy / file.relative_to(folder))
    return Place(copy, _queue(root))


def place_for_own(folder: Path) -> Place:
    """The folder itself; only the queue is in a temporary place."""
    return Place(folder.resolve(), _queue(_temporary()))


def contents(place: Place) -> dict[str, str]:
    """The files in and beside the folder of a copy: the path as seen from the folder's parent, and the SHA-256."""
    beside = place.folder.parent
    return {
        file.relative_to(beside).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in _files(beside)
        if place.queue.parent not in file.parents
    }


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(file, to)
    except OSError as error:
        raise UsageError(f"{file} cannot be copied ({error.strerror}): name a folder that can be read") from error


def _temporary() -> Path:
    return Path(tempfile.mkdtemp(prefix="gatekit-demo-")).resolve()


def _queue(root: Path) -> Path:
    (root / "queue").mkdir(mode=0o700)
    return root / "queue" / "gatekit.db"


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            file = Path(parent, name)
            if file.is_file() and not file.is_symlink():
                yield file
