"""What the queue says of calls that were broken off: by Ctrl-C, by a closed gate, by a queue that takes no report."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from gatekit import Gate, StoreError, UsageError, calling, gated_step, owner
from gatekit.arguments.canonical import digest_of
from gatekit.backend.base import Call
from gatekit.errors import OutcomeUnknown
from gatekit.gating import attempt
from gatekit.machine.commands import Finish
from gatekit.machine.records import Verdict
from gatekit.reply import Reply
from gatekit.testing import FakeClock, memory_gate
from tests.gate.helpers import Background, approve, deciding, only_request, settled
from tests.machine.case import Case

pytestmark = pytest.mark.sweep


def test_ctrl_c_at_any_moment_leaves_no_lie_in_the_queue(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.gate.interrupted", str(tmp_path / "queue.db"), "200"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *lies, met = done.stdout.splitlines()
    assert lies == []
    assert {word.partition("=")[0] for word in met.split()} >= {"approved", "cancelled", "succeeded"}, met


def test_an_approval_that_comes_as_the_wait_ends_keeps_the_call_withdrawable_until_it_starts() -> None:
    case = Case(call_given=False)
    case.decide("approve")
    case.detach("t1")
    assert (case.status, case.request.waiter) == ("approved", "process-1")
    case.withdraw("t1")
    assert case.status == "cancelled"


@pytest.mark.parametrize(("call_id", "status"), [(None, "cancelled"), ("c1", "pending")])
def test_a_gate_that_is_closed_lets_go_of_the_calls_that_wait(tmp_path: Path, call_id: str | None, status: str) -> None:
    gate = Gate(tmp_path / "queue.db")

    @gated_step(gate=gate)
    def pay(amount: int) -> None: ...

    def call() -> None:
        with calling(call_id=call_id):
            pay(5)

    waiting = Background(call)
    request_id = next(iter(gate.watch(0))).request_id
    while not gate._backend._waiting._waits:  # type: ignore[union-attr]
        gate.count()
    gate.close()
    end = waiting.join()
    assert isinstance(end, UsageError)
    assert "closed while this call waited" in str(end)
    with Gate(tmp_path / "queue.db") as again:
        request = again.get(request_id)
        assert (request.status, request.waiter) == (status, "gone")


def test_a_gate_that_is_closed_while_the_tool_runs_leaves_its_result_with_the_caller(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> str:
        gate.close()
        return "paid"

    call = Background(lambda: pay(5))
    request_id = next(iter(gate.watch(0))).request_id
    gate.reviewer("bob").approve(gate.get(request_id))
    end = call.join()
    assert isinstance(end, OutcomeUnknown)
    assert (end.result, end.request.id) == ("paid", request_id)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_interrupts_a_tool_is_not_hidden_by_a_gate_that_was_closed(gate: Gate, error: BaseException) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> None:
        gate.close()
        raise error

    call = Background(lambda: pay(5))
    gate.reviewer("bob").approve(gate.get(next(iter(gate.watch(0))).request_id))
    assert call.join() is error


class Refusing:
    """Stands in for `Backend.finish`: refuses the first reports."""

    def __init__(self, gate: Gate, times: int) -> None:
        self.tries = 0
        self._real = gate.backend.finish
        self._times = times

    def __call__(self, request_id: str, command: Finish) -> Reply[Any]:
        self.tries += 1
        if self.tries <= self._times:
            return Reply.failed(StoreError("the disk is full"))
        return self._real(request_id, command)


def test_an_outcome_that_cannot_be_stored_for_30_seconds_is_unknown_and_the_caller_has_the_result(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> str:
        return "paid"

    assert sum(attempt._FINISH_DELAYS) == pytest.approx(30)
    refusing = Refusing(gate, times=100)
    monkeypatch.setattr(gate.backend, "finish", refusing)
    monkeypatch.setattr(attempt, "_FINISH_DELAYS", (0.0,) * 8)
    with deciding(gate, approve), pytest.raises(OutcomeUnknown) as raised:
        pay(5)
    assert (raised.value.result, refusing.tries) == ("paid", 9)
    assert isinstance(raised.value.__cause__, StoreError)
    settled(gate)
    only_request(gate, "unknown")


def test_an_outcome_is_stored_as_soon_as_the_queue_takes_it(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> str:
        return "paid"

    monkeypatch.setattr(gate.backend, "finish", Refusing(gate, times=3))
    monkeypatch.setattr(attempt, "_FINISH_DELAYS", (0.0,) * 8)
    with deciding(gate, approve):
        assert pay(5) == "paid"
    only_request(gate, "succeeded")


def test_a_wait_that_is_left_is_let_go_of_although_its_request_stays() -> None:
    clock = FakeClock()
    gate = memory_gate(clock)

    @gated_step(gate=gate)
    async def pay(amount: int) -> None: ...

    async def main() -> None:
        for _ in range(3):
            with calling(call_id="c1"), anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(pay, 5)
                    await anyio.wait_all_tasks_blocked()
                    scope.cancel()

    anyio.run(main)
    assert only_request(gate).waiter == "gone"
    clock.advance(2)
    assert not gate._backend._waiting.wants()  # type: ignore[union-attr]


def recorded(number: int) -> Call:
    return Call(
        request_id=f"R{number}",
        tool="pay",
        run="",
        call_id=None,
        requester="agent:bot",
        text='{"amount":1}',
        digest=digest_of("pay", '{"amount":1}'),
        schema="{}",
        schema_digest="s",
        description="pay 1",
        risk="low",
        reasons=(),
        hidden=0,
        verdict=Verdict(gated=False),
        ticket="t",
        waits=False,
    )


def test_a_dead_process_is_noticed_behind_a_hundred_that_live(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    here, live = owner.current(), 101
    monkeypatch.setattr(owner, "living", {f"token-{number}" for number in range(live)})
    for number in range(live):
        gate.backend.submit_allowed(recorded(number), f"token-{number}").wait()
    with monkeypatch.context() as patch:
        # No process has ever started at that time.
        patch.setattr(owner, "current", lambda: dataclasses.replace(here, started="1"))
        gate.backend.submit_allowed(recorded(live), f"token-{live}").wait()
    assert gate.count("running") == live + 1
    assert gate.backend.sweep().wait() == 1
    assert only_request(gate, "unknown").id == f"R{live}"


def test_an_attempt_that_this_process_gave_up_is_unknown_although_the_process_lives(gate: Gate) -> None:
    gate.backend.submit_allowed(recorded(0), "token-0").wait()
    assert gate.backend.sweep().wait() == 1
    assert only_request(gate, "unknown").id == "R0"
    assert gate.history("R0")[-1].data["why"] == "its process could not report how it ended"


def test_a_sync_tool_collects_what_is_approved_already_on_a_loops_thread(gate: Gate) -> None:
    def tool(amount: int) -> str:
        return "paid"

    asks, collects = gated_step(tool, gate=gate, wait=0, on_suspend="return"), gated_step(tool, gate=gate)

    async def main() -> str:
        with calling(call_id="c1"):
            asks(5)
            with pytest.raises(UsageError, match="make the tool async"):
                collects(5)
            gate.reviewer("bob").approve(only_request(gate))
            return collects(5)

    assert anyio.run(main) == "paid"
