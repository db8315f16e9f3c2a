"""The agent's tools: real functions on real files, each gated where it can do harm. Read this one as an example."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

from gatekit import Gate, gated_step

Tools = Mapping[str, Callable[..., Any]]
_LARGEST_COMPARED: Final = 50_000_000


class Entry(TypedDict):
    """One file of a folder."""

    name: str
    sha256: str
    """Of what is in it; empty where it was not looked at."""


def tools_of(folder: Path, gate: Gate, *, wait: float | None = None) -> Tools:
    """The tools of an agent that works in `folder`, by name. `wait`: seconds until a call stops waiting."""
    home = folder.resolve()

    def place(path: str) -> Path:
        return (home / path).resolve()

    def leaves(path: str) -> bool:
        return not place(path).is_relative_to(home)

    def taken(path: str) -> bool:
        return place(path).exists()

    @gated_step(gate=gate, requires_approval=lambda args: leaves(args.path), risk="low", wait=wait)
    def list_folder(path: str) -> list[Entry]:
        """The files of a folder, without its subfolders."""
        files = sorted(file for file in place(path).iterdir() if file.is_file() and not file.is_symlink())
        return [{"name": file.name, "sha256": _fingerprint(file)} for file in files if _can_be_told(file.name)]

    @gated_step(gate=gate, requires_approval=lambda args: leaves(args.path), risk="low", wait=wait)
    def read_first_line(path: str) -> str:
        """The first line of a text file, at most 80 characters of it."""
        with place(path).open(encoding="utf-8", errors="replace") as file:
            return file.readline(80).strip()

    @gated_step(
        gate=gate,
        requires_approval=lambda args: leaves(args.source) or leaves(args.to) or taken(args.to),
        description="Move {source} to {to}",
        risk=lambda args: "high" if leaves(args.to) else "medium",
        wait=wait,
    )
    def move_file(source: str, to: str) -> str:
        """Move a file; what stands in its new place is replaced."""
        target = place(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        place(source).replace(target)
        return f"moved to {to}"

    @gated_step(
        gate=gate,
        requires_approval=lambda args: leaves(args.path) or taken(args.path),
        description=lambda args: f"{'Overwrite' if taken(args.path) else 'Write'} {args.path}",
        wait=wait,
    )
    def write_file(path: str, content: str) -> str:
        """Write a text file."""
        place(path).write_text(content, encoding="utf-8", newline="")
        return f"wrote {len(content)} characters"

    @gated_step(gate=gate, description="Delete {path} for good", risk="high", wait=wait)
    def delete_file(path: str) -> str:
        """Delete a file. It always waits for a human."""
        place(path).unlink()
        return "deleted"

    return {tool.__name__: tool for tool in (list_folder, read_first_line, move_file, write_file, delete_file)}


def _fingerprint(file: Path) -> str:
    if file.stat().st_size > _LARGEST_COMPARED or not os.access(file, os.R_OK):
        return ""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _can_be_told(name: str) -> bool:
    """Whether the name is Unicode: a path of other bytes is no argument that could be shown and stored."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
