"""Every test here runs over the in-memory queue and over a real SQLite file, where it takes the fixture `gate`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.testing import memory_gate, temporary_gate
from tests.runs.processes import Stage


@pytest.fixture(params=["memory", "sqlite"])
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    with memory_gate() if request.param == "memory" else temporary_gate() as made:
        yield made


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


@pytest.fixture
def stage() -> Iterator[Stage]:
    with temporary_gate() as gate:
        folder = Path(gate.path).parent
    folder.mkdir()
    made = Stage(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)
