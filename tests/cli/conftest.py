from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekit import Gate


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def gate(queue: Path) -> Iterator[Gate]:
    with Gate(queue) as gate:
        yield gate
