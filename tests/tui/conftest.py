"""The dashboard's tests run on asyncio: Textual knows no other loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gatekit.testing import FakeClock, temporary_gate
from tests.tui.calls import Queue


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def queue() -> Iterator[Queue]:
    clock = FakeClock()
    with temporary_gate(clock) as gate:
        yield Queue(gate, clock)
