"""Many threads, several event loops, and loops that are gone, on one queue."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from gatekit import Gate, Rejected, Request, calling, gated_step
from gatekit.errors import AlreadyDecided, ReviewError
from gatekit.reviewer import Reviewer
from tests.faults.support import Background, ended, judge, until_waiting

pytestmark = pytest.mark.sweep

CALLERS, CALLS = 16, 3
REVIEWERS = 16


class Till:
    """A tool that many threads use, and what was paid."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.paid: Counter[tuple[int, str]] = Counter()

    def pay(self, amount: int, memo: str = "") -> str:
        with self._lock:
            self.paid[amount, memo] += 1
        return f"{amount} {memo}"


def act(reviewer: Reviewer, request: Request, number: int) -> Any:
    """What this reviewer says of every call."""
    match number % 3:
        case 0:
            return reviewer.approve(request)
        case 1:
            return reviewer.edit(request, {"memo": reviewer.name})
        case _:
            return reviewer.reject(request, reason=reviewer.name)


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


def test_32_threads_call_and_decide_at_once(queue: Path) -> None:
    till, over = Till(), threading.Event()
    # Two gates on one file share its store; a caller on one is decided on the other too.
    gates = [Gate(queue), Gate(queue)]
    decided: list[Any] = []
    ends: dict[int, Any] = {}
    together = threading.Barrier(CALLERS + REVIEWERS)

    def calls(number: int) -> None:
        step = gated_step(till.pay, gate=gates[number % 2])
        together.wait()
        for turn in range(CALLS):
            amount = number * CALLS + turn
            ends[amount] = ended(lambda amount=amount: step(amount))  # type: ignore[misc]

    def reviews(number: int) -> None:
        reviewer = gates[number % 2].reviewer(f"reviewer-{number}")
        together.wait()
        while not over.is_set():
            for request in reviewer.pending():
                answer = ended(lambda request=request: act(reviewer, request, number))  # type: ignore[misc]
                assert not isinstance(answer, Exception) or isinstance(answer, ReviewError), answer
                decided.append(answer)

    callers = [Background(lambda number=number: calls(number)) for number in range(CALLERS)]  # type: ignore[misc]
    reviewers = [Background(lambda number=number: reviews(number)) for number in range(REVIEWERS)]  # type: ignore[misc]
    for caller in callers:
        caller.end(40)
    over.set()
    assert [one.end() for one in reviewers] == [None] * REVIEWERS
    won = {decision.request_id: decision for decision in decided if not isinstance(decision, Exception)}
    lost = [error for error in decided if isinstance(error, AlreadyDecided)]
    assert len(won) == len(ends) == CALLERS * CALLS == sum(not isinstance(one, Exception) for one in decided)
    assert lost, "nobody came second: the threads did not meet"
    for error in lost:
        assert error.decision.by == won[error.decision.request_id].by
    with gates[0] as gate, gates[1]:
        for decision in won.values():
            check_end(gate.get(decision.request_id), decision.by.partition(":")[2], ends, till.paid)
    assert set(till.paid.values()) == {1}
    judge(queue, [(one.request_id, one.verb) for one in won.values()], [amount for amount, _ in till.paid])


def check_end(request: Request, winner: str, ends: dict[int, Any], paid: Counter[tuple[int, str]]) -> None:
    """The caller was told, and the tool did, what the winner had said."""
    amount, number = request.args["amount"], int(winner.partition("-")[2])
    if number % 3 == 2:
        assert isinstance(ends[amount], Rejected)
        assert (ends[amount].reason, ends[amount].by) == (winner, f"human:{winner}")
        assert not any(one == amount for one, _ in paid)
    else:
        memo = winner if number % 3 == 1 else ""
        assert ends[amount] == f"{amount} {memo}"
        assert paid[amount, memo] == 1


def test_two_event_loops_in_two_threads_wait_for_their_own_calls_and_for_one_together(queue: Path) -> None:
    till = Till()
    gate = Gate(queue)

    async def pay(amount: int) -> str:
        await anyio.lowlevel.checkpoint()
        return till.pay(amount)

    step = gated_step(pay, gate=gate)

    async def calls(start: int) -> list[str]:
        results: list[str] = []

        async def one(amount: int, call_id: str | None) -> None:
            with calling(call_id=call_id):
                results.append(await step(amount))

        async with anyio.create_task_group() as tasks:
            for amount in range(start, start + 5):
                tasks.start_soon(one, amount, None)
            tasks.start_soon(one, 1000, "together")
        return sorted(results)

    loops = [
        Background(lambda: anyio.run(calls, 10, backend="asyncio")),
        Background(lambda: anyio.run(calls, 20, backend="trio")),
    ]
    until_waiting(gate, 12)
    for request in gate.reviewer("bob").pending():
        gate.reviewer("bob").approve(request)
    assert [loop.end() for loop in loops] == [
        sorted([*(f"{amount} " for amount in range(start, start + 5)), "1000 "]) for start in (10, 20)
    ]
    gate.close()
    assert set(till.paid.values()) == {1}
    assert judge(queue, ran=[amount for amount, _ in till.paid]) == {"succeeded": 11}


def turn(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop do what it can at once."""
    loop.call_soon(loop.stop)
    loop.run_forever()


@pytest.mark.parametrize("fate", ["kept", "collected"])
def test_a_loop_that_is_closed_over_its_waiting_call_holds_up_nobody(
    queue: Path, fate: str, recwarn: pytest.WarningsRecorder
) -> None:
    """The task is neither cancelled nor ended: it just never goes on, or is thrown away."""
    till = Till()
    gate = Gate(queue)

    async def pay(amount: int) -> str:
        return till.pay(amount)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    tasks = [loop.create_task(gated_step(pay, gate=gate)(1))]
    while not gate.backend._waiting._waits:  # type: ignore[attr-defined]
        turn(loop)
    loop.close()
    other = Background(lambda: gated_step(till.pay, gate=gate)(2))
    until_waiting(gate, 2)
    if fate == "collected":
        tasks.clear()
        gc.collect()
    for request in gate.reviewer("bob").pending():
        gate.reviewer("bob").approve(request)
    assert other.end() == "2 "
    gc.collect()
    statuses = {request.args["amount"]: request.status for request in everything(gate)}
    gate.close()
    assert statuses[1] in (("approved",) if fate == "kept" else ("cancelled",))
    assert judge(queue, ran=[amount for amount, _ in till.paid])["succeeded"] == 1
    assert [str(one.message) for one in recwarn if "never awaited" in str(one.message)] == []


def everything(gate: Gate) -> list[Request]:
    gate.backend.sweep().wait()
    return [gate.get(row.id) for row in gate.requests(("pending", "approved", "succeeded", "cancelled"))]


@pytest.mark.parametrize("kinds", [("asyncio", "trio"), ("trio", "asyncio")])
def test_a_loop_that_ended_is_followed_by_another_that_collects_the_call(queue: Path, kinds: tuple[str, str]) -> None:
    till = Till()
    gate = Gate(queue)

    async def pay(amount: int) -> str:
        return till.pay(amount)

    step = gated_step(pay, gate=gate)

    async def leaves() -> None:
        with calling(call_id="c1"), anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(step, 1)
                async for _ in gate.aio.watch(0):
                    break
                scope.cancel()

    async def collects() -> str:
        with calling(call_id="c1"):
            return await step(1)

    anyio.run(leaves, backend=kinds[0])
    # What an interrupted call still wants of the queue, it does not wait for.
    gate.backend.sweep().wait()
    (request,) = gate.reviewer("bob").pending()
    assert request.waiter == "gone"
    gate.reviewer("bob").approve(request)
    assert anyio.run(collects, backend=kinds[1]) == "1 "
    gate.close()
    assert judge(queue, ran=[1]) == {"succeeded": 1}
