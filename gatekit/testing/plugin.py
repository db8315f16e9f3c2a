"""The pytest plugin. It is loaded in every run, so it imports gatekit's parts only when a fixture is used."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gatekit.gate import Gate
    from gatekit.models import Request
    from gatekit.testing.clock import FakeClock
    from gatekit.testing.deciding import Answer, ScriptedReviewer


@pytest.fixture
def gatekit_clock() -> FakeClock:
    """A clock that stands still until `advance`. The test's queue, if it has one, reads the time from it."""
    from gatekit.testing.clock import FakeClock

    return FakeClock()


@pytest.fixture
def gatekit_gate(request: pytest.FixtureRequest) -> Generator[Gate]:
    """A gate over a queue in memory; in this test it is the gate of the steps that name none."""
    from gatekit.testing.gates import as_default, memory_gate

    with memory_gate(_clock_of(request)) as gate, as_default(gate):
        yield gate


@pytest.fixture
def gatekit_queue(request: pytest.FixtureRequest) -> Generator[Gate]:
    """A gate over a queue in a temporary file; in this test it is the gate of the steps that name none."""
    from gatekit.testing.gates import as_default, temporary_gate

    with temporary_gate(_clock_of(request)) as gate, as_default(gate):
        yield gate


@pytest.fixture
def gatekit_auto_approve(request: pytest.FixtureRequest) -> Generator[None]:
    """Whatever would wait in the test's queue is approved at once: `gatekit_queue` if the test uses it, else memory."""
    from gatekit.testing.deciding import auto_approve

    _gate_of(request)
    with auto_approve():
        yield


@pytest.fixture
def gatekit_reviewer(
    request: pytest.FixtureRequest,
) -> Generator[Callable[[Iterable[Answer] | Callable[[Request], Answer]], ScriptedReviewer]]:
    """`gatekit_reviewer(script)` has a script decide in the test's queue; what is wrong with it fails the test."""
    from gatekit.testing.deciding import ScriptedReviewer

    gate = _gate_of(request)
    with ExitStack() as reviewers:

        def follow(script: Iterable[Answer] | Callable[[Request], Answer]) -> ScriptedReviewer:
            return reviewers.enter_context(ScriptedReviewer(gate, script))

        yield follow


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Approve in the task of an async test too: a runner that was started before the fixture has another context."""
    test = pyfuncitem.obj
    if "gatekit_auto_approve" not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(test):
        return (yield)
    from gatekit.testing.deciding import auto_approve

    @functools.wraps(test)
    async def approved(*args: Any, **kwargs: Any) -> None:
        with auto_approve():
            await test(*args, **kwargs)

    pyfuncitem.obj = approved
    try:
        return (yield)
    finally:
        pyfuncitem.obj = test


def _clock_of(request: pytest.FixtureRequest) -> FakeClock | None:
    if "gatekit_clock" not in request.fixturenames:
        return None
    clock: FakeClock = request.getfixturevalue("gatekit_clock")
    return clock


def _gate_of(request: pytest.FixtureRequest) -> Gate:
    name = "gatekit_queue" if "gatekit_queue" in request.fixturenames else "gatekit_gate"
    gate: Gate = request.getfixturevalue(name)
    return gate
