"""Every test here runs over the in-memory queue and over a real SQLite file, and time passes only when it says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gatekit import Gate
from gatekit.testing import FakeClock, memory_gate, temporary_gate


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite"])
def gate(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Gate]:
    with memory_gate(clock) if request.param == "memory" else temporary_gate(clock) as made:
        yield made
