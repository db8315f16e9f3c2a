from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekit.backend.tx import Store
from gatekit.clock import SystemClock
from gatekit.store import SqliteStore
from gatekit.testing import FakeClock, MemoryStore
from tests.store.support import Desk


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "queue.db")


@pytest.fixture
def queue(path: str) -> Iterator[SqliteStore]:
    """A queue in a file, by the machine's clock."""
    store = SqliteStore.at(path, create=True, clock=SystemClock())
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, path: str, clock: FakeClock) -> Iterator[Store]:
    """Each kind of store, by a clock that only the test moves."""
    made: Store = MemoryStore(clock) if request.param == "memory" else SqliteStore.at(path, create=True, clock=clock)
    yield made
    made.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)
