"""What waits because the queue is stopped goes on when that is lifted, without anybody asking again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from gatekit import Gate, Run, Suspended, calling, gated_step
from gatekit.testing import memory_gate, temporary_gate
from tests.runs.helpers import Background, approve


@pytest.fixture(params=["memory", "sqlite"])
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    """By the machine's own clock."""
    with memory_gate() if request.param == "memory" else temporary_gate() as made:
        yield made


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def test_an_approved_call_waits_until_the_stop_is_lifted(gate: Gate) -> None:
    ran = threading.Event()

    @gated_step(gate=gate)
    def deploy() -> str:
        ran.set()
        return "deployed"

    gate.stop("something is wrong")
    call = Background(deploy)
    request_id = next(event.request_id for event in gate.watch(0) if event.kind == "submitted")
    gate.reviewer("bob").approve(gate.get(request_id))
    assert not ran.wait(0.3)
    assert call.is_going_on
    assert gate.lift()
    assert call.join() == "deployed"


def test_a_call_that_waits_while_the_queue_is_stopped_hears_that_it_was_cancelled(gate: Gate) -> None:
    @gated_step(gate=gate, on_reject="return")
    def deploy() -> str:
        raise AssertionError

    gate.stop("something is wrong")
    call = Background(deploy)
    request_id = next(event.request_id for event in gate.watch(0) if event.kind == "submitted")
    gate.reviewer("bob").approve(gate.get(request_id))
    gate.reviewer("bob").cancel(request_id, reason="never mind")
    assert "never mind" in call.join()


def test_a_call_that_waits_for_a_while_only_is_suspended_and_runs_when_it_is_made_again(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0.05)
    def deploy() -> str:
        return "deployed"

    gate.stop("something is wrong")
    with calling(call_id="c1"):
        with pytest.raises(Suspended):
            deploy()
        (row,) = gate.requests()
        gate.reviewer("bob").approve(gate.get(row.id))
        with pytest.raises(Suspended):
            deploy()
        gate.lift()
        assert deploy() == "deployed"


def test_no_run_is_taken_up_while_the_queue_is_stopped(gate: Gate) -> None:
    step = gated_step(lambda: "done", gate=gate, name="deploy")

    @gate.workflow
    def release(run: Run) -> str:
        return str(run.step("deploy", step))

    handle = release.start("r")
    gate.stop("something is wrong")
    approve(gate, "deploy")
    assert (gate.resume_ready(), handle.resume()) == (0, "waiting")
    with pytest.raises(TimeoutError):
        handle.result(timeout=0.2)
    waiting = Background(lambda: handle.result(timeout=10))
    gate.lift()
    assert waiting.join() == "done"


@pytest.mark.anyio
async def test_an_async_call_and_another_gate_of_the_queue(tmp_path: Path, anyio_backend: str) -> None:
    with Gate(tmp_path / "queue.db") as gate, Gate(tmp_path / "queue.db") as other:
        results: list[str] = []

        @gated_step(gate=gate)
        async def deploy() -> str:
            return "deployed"

        async def call() -> None:
            results.append(await deploy())

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            request_id = (await anext(aiter(gate.aio.watch(0)))).request_id
            other.stop("something is wrong")
            other.reviewer("bob").approve(other.get(request_id))
            await anyio.sleep(0.3)
            assert results == []
            other.lift()
        assert results == ["deployed"]
