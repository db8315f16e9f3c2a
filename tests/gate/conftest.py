"""Every test here runs over the in-memory queue and over a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.testing import memory_gate


@pytest.fixture(params=["memory", "sqlite"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    made = memory_gate() if request.param == "memory" else Gate(tmp_path / "queue.db")
    with made:
        yield made
