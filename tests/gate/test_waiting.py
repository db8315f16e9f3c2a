"""What becomes of a call whose caller goes: cancelled tasks, Ctrl-C, time-outs, at every place it can wait."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from gatekit import Gate, Suspended, UsageError, calling, gated_step
from gatekit.errors import NotAQueue, QueueNotFound
from gatekit.gating import gated
from gatekit.testing import FakeClock, MemoryStore
from tests.gate.helpers import approve, deciding, only_request, settled


def test_a_wait_that_is_over_suspends_and_the_request_stays(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0.05)
    def pay(amount: int) -> None: ...

    with pytest.raises(Suspended) as raised:
        pay(5)
    request = only_request(gate)
    assert (request.id, request.waiter) == (raised.value.request_id, "gone")
    assert pickle.loads(pickle.dumps(raised.value)).request_id == request.id
    kinds = [event.kind for event in gate.history(request.id)]
    assert kinds == ["submitted", "suspended"]


def test_the_wait_is_measured_on_the_injected_clock() -> None:
    clock = FakeClock()
    gate = Gate._over(MemoryStore(clock), clock)
    seen: list[str] = []

    @gated_step(gate=gate, wait=3600)
    def pay(amount: int) -> None: ...

    def call() -> None:
        try:
            pay(5)
        except Suspended as error:
            seen.append(error.request_id)

    events = gate.watch(0)
    thread = threading.Thread(target=call)
    thread.start()
    request_id = next(iter(events)).request_id
    clock.advance(3599)
    assert gate.get(request_id).waiter == "waiting"
    clock.advance(2)
    thread.join(10)
    assert seen == [request_id]


def test_a_sync_tool_that_must_wait_on_a_loops_thread_is_refused_before_anything_is_queued(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> None: ...

    @gated_step(gate=gate, wait=0)
    def pay_later(amount: int) -> None: ...

    async def main() -> None:
        with pytest.raises(UsageError, match="make the tool async"):
            pay(5)
        assert gate.events() == []
        with pytest.raises(Suspended):
            pay_later(5)
        with pytest.raises(UsageError, match="watch"):
            gate.watch()

    anyio.run(main)


def test_a_sync_tool_may_wait_in_a_thread_beside_the_loop(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> str:
        return "paid"

    async def main() -> str:
        return await anyio.to_thread.run_sync(pay, 5)

    with deciding(gate, approve):
        assert anyio.run(main) == "paid"


def test_one_line_says_where_to_review(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    @gated_step(gate=gate, wait=0.01, name="pay\x1b[2J")
    def pay(amount: int) -> None: ...

    with caplog.at_level(logging.WARNING, "gatekit"), pytest.raises(Suspended):
        pay(5)
    (record,) = [record for record in caplog.records if record.name == "gatekit"]
    assert f"gatekit review --queue {gate.path}" in record.getMessage()
    assert "\x1b" not in record.getMessage()


# Cancelled at every place where a call can wait


class Stopped(BaseException):
    """Stands for the cancellation that a test throws in at the n-th wait."""


def waits_of(gate: Gate, call_id: str | None, stop_at: int | None) -> tuple[int, list[int]]:
    """Drive one approved call by hand; throw `Stopped` at its n-th wait. Answers the waits, and what ran."""
    ran: list[int] = []

    def tool(amount: int) -> int:
        ran.append(amount)
        return amount

    wrapped: Any = gated_step(tool, gate=gate)
    step = step_of(wrapped)
    count = 0
    with calling(call_id=call_id):
        intent = gated(step, {"amount": 5}, True)
        value: Any = None
        try:
            wait = next(intent)
            while True:
                count += 1
                if stop_at == count:
                    intent.throw(Stopped())
                for row in gate.requests("pending"):
                    gate.reviewer("bob").approve(gate.get(row.id))
                value = wait.wait() if hasattr(wait, "wait") else wait.call()
                wait = intent.send(value)
        except (StopIteration, Stopped):
            return count, ran


def step_of(wrapped: Any) -> Any:
    closure = wrapped.__globals__["_gatekit_gated"].__closure__
    return next(cell.cell_contents for cell in closure if type(cell.cell_contents).__name__ == "GatedTool")


@pytest.mark.parametrize("call_id", [None, "c1"])
def test_a_call_that_is_cancelled_anywhere_leaves_no_lie_behind(gate: Gate, call_id: str | None) -> None:
    total, ran = waits_of(gate, None if call_id is None else "whole", None)
    assert ran == [5]
    assert total >= 5, "submit, wait, get, start, the tool, finish"
    for stop_at in range(1, total + 1):
        settled(gate)
        before = gate.backend.cursor().wait()
        _, ran = waits_of(gate, None if call_id is None else f"{call_id}-{stop_at}", stop_at)
        settled(gate)
        after = gate.events(before, limit=1000)
        submitted = [event.request_id for event in after if event.kind == "submitted"]
        if not submitted:
            assert ran == []
            continue
        (request_id,) = submitted
        kinds = [event.kind for event in after if event.request_id == request_id]
        status = gate.get(request_id).status
        if ran:
            assert status in ("unknown", "succeeded"), (stop_at, status)
        elif "started" in kinds and "not_started" not in kinds:
            assert status == "unknown", (stop_at, "the tool was about to be called")
        elif call_id is None:
            assert status == "cancelled", (stop_at, status)
        else:
            assert status in ("pending", "approved"), (stop_at, status)
            assert gate.get(request_id).waiter == "gone"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_withdraws_its_call(gate: Gate, backend: str) -> None:
    @gated_step(gate=gate)
    async def pay(amount: int) -> None: ...

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pay, 5)
            async for event in gate.aio.watch(0):
                assert event.kind == "submitted"
                break
            tasks.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    events = gate.watch(1)
    assert next(iter(events)).kind == "cancelled"
    request = only_request(gate, "cancelled")
    assert request.decision is not None
    assert request.decision.by == request.requester


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_keeps_a_call_with_an_id(gate: Gate, backend: str) -> None:
    @gated_step(gate=gate)
    async def pay(amount: int) -> str:
        return "paid"

    async def main() -> None:
        with calling(call_id="c1"):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pay, 5)
                async for _ in gate.aio.watch(0):
                    break
                tasks.cancel_scope.cancel()
            assert [event.kind async for event in first(gate, 1)] == ["suspended"]
            gate.reviewer("bob").approve(only_request(gate))
            assert await pay(5) == "paid"

    anyio.run(main, backend=backend)


async def first(gate: Gate, since: int) -> Any:
    async for event in gate.aio.watch(since):
        yield event
        return


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_tool_is_unknown(gate: Gate, backend: str) -> None:
    @gated_step(gate=gate)
    async def pay(amount: int) -> None:
        entered.set()
        await anyio.sleep_forever()

    entered = threading.Event()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pay, 5)
            async for event in gate.aio.watch(0):
                if event.kind == "submitted":
                    reviewer = gate.aio.reviewer("bob")
                    await reviewer.approve(await gate.aio.get(event.request_id))
                if event.kind == "started":
                    break
            while not entered.is_set():
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    kinds = []
    for event in gate.watch(0):
        kinds.append(event.kind)
        if event.kind == "unknown":
            break
    assert kinds == ["submitted", "approved", "started", "unknown"]


def test_ctrl_c_in_a_waiting_program_withdraws_the_call(tmp_path: Path) -> None:
    program = """
import sys
from gatekit import Gate, gated_step
@gated_step(gate=Gate(sys.argv[1]))
def pay(amount: int) -> None: ...
pay(5)
"""
    queue = str(tmp_path / "queue.db")
    child = subprocess.Popen([sys.executable, "-c", program, queue], stderr=subprocess.DEVNULL)
    gate = opened(queue)
    event = next(iter(gate.watch(0)))
    child.send_signal(signal.SIGINT)
    assert child.wait(20) != 0
    request = gate.get(event.request_id)
    assert (request.status, request.waiter) == ("cancelled", "gone")
    gate.close()


def test_a_killed_program_is_noticed_and_its_call_withdrawn(tmp_path: Path) -> None:
    program = """
import sys
from gatekit import Gate, calling, gated_step
@gated_step(gate=Gate(sys.argv[1]))
def pay(amount: int) -> None: ...
if sys.argv[2]:
    with calling(call_id=sys.argv[2]):
        pay(5)
pay(5)
"""
    queue = str(tmp_path / "queue.db")
    for call_id, expected in (("", "cancelled"), ("c1", "pending")):
        child = subprocess.Popen([sys.executable, "-c", program, queue, call_id])
        gate = opened(queue)
        known = gate.events(limit=1000)
        event = next(iter(gate.watch(known[-1].cursor if call_id else 0)))
        child.kill()
        child.wait(20)
        gate.backend.sweep().wait()
        request = gate.get(event.request_id)
        assert (request.status, request.waiter) == (expected, "gone")
        gate.close()


def opened(queue: str) -> Gate:
    """The queue as soon as the other program has made it."""
    deadline = time.monotonic() + 20
    while True:
        assert time.monotonic() < deadline, "the program made no queue"
        try:
            gate = Gate(queue, create=False)
            gate.events()
        except (QueueNotFound, NotAQueue):
            os.sched_yield()
        else:
            return gate


def test_a_loop_that_is_blocked_delays_no_other_waiter(gate: Gate) -> None:
    """One event loop is stopped by its own code while another caller's decision lands."""
    blocked, release, done = threading.Event(), threading.Event(), threading.Event()

    @gated_step(gate=gate)
    async def slow(amount: int) -> None: ...

    @gated_step(gate=gate)
    def quick(amount: int) -> str:
        return "quick"

    async def blocks() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(slow, 1)
            async for _ in gate.aio.watch(0):
                break
            blocked.set()
            release.wait(20)
            tasks.cancel_scope.cancel()

    loop = threading.Thread(target=anyio.run, args=(blocks,))
    loop.start()
    assert blocked.wait(10)
    gate.reviewer("bob").approve(only_request(gate))

    def call() -> None:
        with deciding(gate, approve):
            assert quick(2) == "quick"
        done.set()

    caller = threading.Thread(target=call)
    caller.start()
    finished = done.wait(4)
    release.set()
    loop.join(10)
    caller.join(10)
    assert finished, "the other caller had to wait for the blocked loop"


def test_a_closed_loop_is_dropped(gate: Gate) -> None:
    @gated_step(gate=gate)
    async def pay(amount: int) -> None: ...

    loop = asyncio.new_event_loop()
    task = loop.create_task(pay(5))
    event_loop_step(loop)
    request = next(iter(gate.watch(0)))
    event_loop_step(loop)
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    settled(gate)
    assert gate.get(request.request_id).status == "cancelled"
    with deciding(gate, approve):
        gated_step(lambda_pay, gate=gate)(5)


def lambda_pay(amount: int) -> None: ...


def event_loop_step(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(loop.stop)
    loop.run_forever()

