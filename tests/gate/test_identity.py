"""The same call again is the same request; the same id with other arguments is a conflict."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gatekit import (
    CallConflict,
    Gate,
    OutcomeUnknown,
    ResultNotStored,
    Suspended,
    ToolFailed,
    UsageError,
    calling,
    gated_step,
)
from tests.gate.helpers import Recorder, approve, deciding, only_request, settled


def test_a_suspended_call_is_collected_under_its_requests_id(gate: Gate) -> None:
    ran = Recorder()

    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> str:
        ran(amount)
        return f"paid {amount}"

    with pytest.raises(Suspended) as raised:
        pay(5)
    with calling(call_id=raised.value.request_id), pytest.raises(Suspended) as again:
        pay(5)
    assert again.value.request_id == raised.value.request_id
    gate.reviewer("bob").approve(gate.get(raised.value.request_id))
    with calling(call_id=raised.value.request_id):
        assert pay(5) == "paid 5"
        assert pay(5) == "paid 5"
    assert ran.calls == [5]


def test_with_an_identity_the_queue_is_asked_before_the_predicate(gate: Gate) -> None:
    asked = Recorder()

    @gated_step(gate=gate, requires_approval=lambda args: asked(args.amount) or True, wait=0)
    def pay(amount: int) -> str:
        return "paid"

    with calling(call_id="c1"):
        for _ in range(3):
            with pytest.raises(Suspended):
                pay(5)
    assert asked.calls == [5]


def test_a_call_with_an_identity_that_needs_nobody_creates_no_file(tmp_path: Path) -> None:
    with Gate(tmp_path / "queue.db") as gate:

        @gated_step(gate=gate, requires_approval=lambda args: args.amount > 10)
        def pay(amount: int) -> str:
            return "paid"

        with calling(call_id="c1"):
            assert pay(5) == "paid"
    assert list(tmp_path.iterdir()) == []


def test_a_repeated_id_with_other_arguments_is_a_conflict_in_every_state(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> str:
        return "paid"

    with calling(call_id="c1"):
        with pytest.raises(Suspended) as raised:
            pay(5)
        with pytest.raises(CallConflict):
            pay(6)
        gate.reviewer("bob").approve(gate.get(raised.value.request_id))
        with pytest.raises(CallConflict):
            pay(6)
        assert pay(5) == "paid"
        with pytest.raises(CallConflict, match="c1"):
            pay(6)


def test_tools_and_runs_are_part_of_the_identity(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> None: ...

    @gated_step(gate=gate, wait=0)
    def refund(amount: int) -> None: ...

    ids = set()
    for run in (None, "r1", "r2"):
        for tool in (pay, refund):
            with calling(call_id="c1", run=run), pytest.raises(Suspended) as raised:
                tool(5)
            ids.add(raised.value.request_id)
    assert len(ids) == 6


def test_a_failed_call_replays_its_failure_and_an_odd_result_says_so(gate: Gate) -> None:
    @gated_step(gate=gate)
    def fail(amount: int) -> None:
        raise ValueError("broken")

    @gated_step(gate=gate)
    def odd(amount: int) -> object:
        return object()

    with deciding(gate, approve, approve):
        with calling(call_id="c1"), pytest.raises(ValueError, match="broken"):
            fail(1)
        with calling(call_id="c2"):
            assert type(odd(1)) is object
    with calling(call_id="c1"), pytest.raises(ToolFailed, match="ValueError: broken"):
        fail(1)
    with calling(call_id="c2"), pytest.raises(ResultNotStored):
        odd(1)


def test_two_callers_of_one_identity_run_the_tool_once_and_both_get_the_result(gate: Gate) -> None:
    ran = Recorder()
    both_wait = threading.Barrier(3)

    @gated_step(gate=gate)
    def pay(amount: int) -> str:
        ran(amount)
        return "paid"

    results: list[str] = []

    def call() -> None:
        both_wait.wait()
        with calling(call_id="c1"):
            results.append(pay(5))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    both_wait.wait()
    events = gate.watch(0)
    next(event for event in events if event.kind == "attached")
    gate.reviewer("bob").approve(only_request(gate))
    for thread in threads:
        thread.join(10)
    assert results == ["paid", "paid"]
    assert ran.calls == [5]


def test_a_result_comes_back_through_the_return_annotation(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pair(amount: int) -> tuple[int, set[str]]:
        return amount, {"a"}

    with deciding(gate, approve), calling(call_id="c1"):
        assert pair(5) == (5, {"a"})
        assert pair(5) == (5, {"a"})


@pytest.mark.parametrize("wait", [0, 0.05])
def test_an_interrupted_tool_is_unknown_and_never_runs_again(gate: Gate, wait: float) -> None:
    ran = Recorder()

    def tool(amount: int) -> None:
        ran(amount)
        raise KeyboardInterrupt

    pay, collect = gated_step(tool, gate=gate, name="pay"), gated_step(tool, gate=gate, name="pay", wait=wait)

    with deciding(gate, approve), calling(call_id="c1"), pytest.raises(KeyboardInterrupt):
        pay(5)
    settled(gate)
    request = gate.get(gate.events()[0].request_id)
    assert request.status == "unknown"
    with calling(call_id="c1"), pytest.raises(OutcomeUnknown) as raised:
        collect(5)
    assert raised.value.request.id == request.id
    assert ran.calls == [5]


@pytest.mark.parametrize("value", ["", "x" * 501, "\ud800", 7])
def test_a_name_that_cannot_be_kept_is_refused(value: object) -> None:
    with pytest.raises(UsageError), calling(call_id=value):  # type: ignore[arg-type]
        pytest.fail("the block must not run")
