"""Every test here runs over the in-memory queue and over a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.testing import FakeClock, memory_gate, temporary_gate


@pytest.fixture(params=["memory", "sqlite"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    made = memory_gate() if request.param == "memory" else Gate(tmp_path / "queue.db")
    with made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite"])
def timed(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Gate]:
    """A gate on which time passes only when the test says so."""
    with memory_gate(clock) if request.param == "memory" else temporary_gate(clock) as made:
        yield made
