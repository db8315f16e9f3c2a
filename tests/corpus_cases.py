"""The hostile inputs of `tests/corpus`, for every test that drives some of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus" / "hostile.jsonl"


@dataclass(frozen=True)
class Case:
    """One hostile input."""

    id: str
    category: str
    targets: tuple[str, ...]
    expect: tuple[str, ...]
    note: str
    payload: Any
    py: str | None
    """An expression that builds the payload. See `build`."""

    def build(self) -> Any:
        """The payload. An expression is evaluated right here: only in a process with limits of its own."""
        return self.payload if self.py is None else eval(self.py)


def load() -> Iterator[Case]:
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Case(
            id=row["id"],
            category=row["category"],
            targets=tuple(row["target"].split(",")),
            expect=tuple(row["expect"]),
            note=row["note"],
            payload=row.get("payload"),
            py=row.get("py"),
        )


CASES = {case.id: case for case in load()}


def pick(*categories: str, target: str | None = None) -> list[Case]:
    """The cases of these categories that go in at `target`, in the order of the file."""
    return [
        case for case in CASES.values() if case.category in categories and (target is None or target in case.targets)
    ]
