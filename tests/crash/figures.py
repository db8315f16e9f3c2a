"""What a long form found, told on the terminal: the figures of docs/guarantees.md come from here."""

from __future__ import annotations

import time

import pytest


class Figures:
    """Collects for one test and prints once, with the seconds since it was made."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._begun = time.monotonic()

    def tell(self, **counts: object) -> None:
        seconds = time.monotonic() - self._begun
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        with self._capsys.disabled():
            print(f"\n  {said}; {seconds:.0f} s", end="")  # noqa: T201
