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

from gatekit import Gate, Suspended, UsageError, calling, driving, gated_step
from gatekit.errors import NotAQueue, QueueNotFound
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


def call_stopped_at(  # noqa: C901 - the three ways to stop a call, side by side
    gate: Gate, how: str, call_id: str | None, stop_at: int, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Make one call that a reviewer approves; its caller is cancelled, or hit by Ctrl-C, at its n-th wait.

    Answers how many waits there were, and what the tool did.
    """
    ran: list[int] = []
    waits = 0

    def tool(amount: int) -> int:
        ran.append(amount)
        return amount

    async def async_tool(amount: int) -> int:
        ran.append(amount)
        await anyio.lowlevel.checkpoint()
        return amount

    def review() -> None:
        for row in gate.requests("pending"):
            if gate.get(row.id).call_id == (call_id or row.id):
                gate.reviewer("bob").approve(gate.get(row.id))

    def block(step: Any, real: Any = driving._block) -> Any:
        nonlocal waits
        waits += 1
        if waits == stop_at:
            signal.raise_signal(signal.SIGINT)
        with monkeypatch.context() as patch:
            patch.setattr(driving, "_block", real)
            review()
        return real(step)

    async def arrive(step: Any, real: Any = driving._arrive) -> Any:
        nonlocal waits
        waits += 1
        if waits == stop_at:
            scopes[0].cancel()
        review()
        return await real(step)

    async def main() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await gated_step(async_tool, gate=gate, requires_approval=True)(5)

    scopes: list[anyio.CancelScope] = []
    with monkeypatch.context() as patch, calling(call_id=call_id):
        if how == "ctrl-c":
            patch.setattr(driving, "_block", block)
            try:
                gated_step(tool, gate=gate)(5)
            except KeyboardInterrupt:
                assert waits == stop_at
        else:
            patch.setattr(driving, "_arrive", arrive)
            anyio.run(main, backend=how)
    return waits, ran


@pytest.mark.parametrize("how", ["asyncio", "trio", "ctrl-c"])
@pytest.mark.parametrize("given", [False, True])
def test_a_call_that_is_cancelled_anywhere_leaves_no_lie_behind(
    gate: Gate, how: str, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    total, ran = call_stopped_at(gate, how, "whole" if given else None, 0, monkeypatch)
    assert ran == [5]
    assert total >= 6, "submit, wait, get, start, the tool, finish"
    seen = set()
    for stop_at in range(1, total + 1):
        settled(gate)
        before = gate.backend.cursor().wait()
        _, ran = call_stopped_at(gate, how, f"c-{stop_at}" if given else None, stop_at, monkeypatch)
        settled(gate)
        after = gate.events(before, limit=1000)
        seen.add(check_story(gate, list(after), ran, given=given))
    assert seen >= {"kept" if given else "withdrawn", "unknown"}, "the sweep met too few places"


def check_story(gate: Gate, events: Any, ran: list[int], *, given: bool) -> str:
    """What the queue says of a broken-off call must be true; answers which kind of truth it was."""
    kinds = [event.kind for event in events]
    if "submitted" not in kinds:
        assert ran == []
        return "nothing"
    request = gate.get(events[0].request_id)
    assert request.status not in ("pending", "approved") or request.waiter == "gone"
    if "succeeded" in kinds:
        assert (ran, request.status) == ([5], "succeeded")
        return "done"
    if "started" in kinds and "not_started" not in kinds:
        assert request.status == "unknown"
        return "unknown"
    assert ran == []
    if given:
        assert request.status in ("pending", "approved")
        return "kept"
    assert request.status == "cancelled"
    return "withdrawn"


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
            async for event in gate.aio.watch(1):
                assert event.kind == "suspended"
                break
            gate.reviewer("bob").approve(only_request(gate))
            assert await pay(5) == "paid"

    anyio.run(main, backend=backend)


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


@pytest.mark.parametrize("daemon", [True, False])
def test_a_program_that_ends_does_not_hang_and_its_daemon_threads_calls_are_withdrawn(
    tmp_path: Path, daemon: bool
) -> None:
    program = """
import sys, threading
from gatekit import Gate, Rejected, gated_step
gate = Gate(sys.argv[1])
@gated_step(gate=gate)
def pay(amount: int) -> None: ...
def call():
    try:
        pay(5)
    except Rejected as error:
        print(error.reason)
threading.Thread(target=call, daemon=sys.argv[2] == "True").start()
next(iter(gate.watch(0)))
print("main is done", flush=True)
"""
    queue = str(tmp_path / "queue.db")
    child = subprocess.Popen(
        [sys.executable, "-c", program, queue, str(daemon)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "main is done\n"
    with opened(queue) as gate:
        request_id = gate.events()[0].request_id
        if not daemon:
            # As with any Python program, a thread that is no daemon keeps it alive until the thread is done.
            gate.reviewer("bob").reject(request_id, reason="no")
        out, err = child.communicate(timeout=20)
        assert (child.returncode, out, err) == (0, "" if daemon else "no\n", "")
        settled(gate)
        assert gate.get(request_id).status == ("cancelled" if daemon else "rejected")


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
