"""Reviewers for tests: they use the real API, never touch a queue that lasts, and never let a test hang."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from gatekit import Gate, Rejected, Request, Responded, Suspended, UsageError, calling, gated_step
from gatekit.errors import InvalidEdit
from gatekit.testing import Answer, ScriptedReviewer, auto_approve, memory_gate, temporary_gate


@pytest.fixture(params=["memory", "file"])
def gate(request: pytest.FixtureRequest) -> Generator[Gate]:
    with memory_gate() if request.param == "memory" else temporary_gate() as made:
        yield made


def tool_of(gate: Gate, *, wait: float | None = None) -> Callable[[int], str]:
    @gated_step(gate=gate, wait=wait)
    def pay(amount: int) -> str:
        return f"paid {amount}"

    return pay


def only(gate: Gate, status: str) -> Request:
    (row,) = gate.requests(status)  # type: ignore[arg-type]
    return gate.get(row.id)


# auto_approve


def test_a_call_is_approved_by_the_named_reviewer_and_that_is_on_record(gate: Gate) -> None:
    with auto_approve(reviewer="robot"):
        assert tool_of(gate)(3) == "paid 3"

    decision = only(gate, "succeeded").decision
    assert decision is not None
    assert (decision.verb, decision.by) == ("approve", "human:robot")


def test_after_the_block_calls_wait_again(gate: Gate) -> None:
    pay = tool_of(gate, wait=0)
    with auto_approve():
        pay(1)

    with pytest.raises(Suspended):
        pay(2)


def test_a_call_that_waits_already_is_approved_when_it_is_made_again(gate: Gate) -> None:
    pay = tool_of(gate, wait=0)
    with calling(call_id="c1"):
        with pytest.raises(Suspended):
            pay(1)
        with auto_approve():
            assert pay(1) == "paid 1"


@pytest.mark.anyio
async def test_a_sync_tool_on_the_loops_thread_is_approved_instead_of_refused(gate: Gate) -> None:
    pay = tool_of(gate)
    with pytest.raises(UsageError, match="event loop"):
        pay(1)
    with auto_approve():
        assert pay(2) == "paid 2"


@pytest.mark.anyio
async def test_so_is_a_sync_tool_whose_call_waited_already(gate: Gate) -> None:
    with calling(call_id="c1"):
        with pytest.raises(Suspended):
            tool_of(gate, wait=0)(1)
        with auto_approve():
            assert tool_of(gate)(1) == "paid 1"


@pytest.mark.anyio
async def test_tasks_and_worker_threads_started_in_the_block_are_approved(gate: Gate) -> None:
    done: list[str] = []

    @gated_step(gate=gate)
    async def ship(order: str) -> None:
        done.append(order)

    with auto_approve():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ship, "a")
            tasks.start_soon(ship, "b")
        assert await anyio.to_thread.run_sync(tool_of(gate), 3) == "paid 3"

    assert sorted(done) == ["a", "b"]


def test_a_queue_that_lasts_is_refused_before_anything_is_queued_and_the_tool_does_not_run(tmp_path: Path) -> None:
    ran: list[int] = []
    with Gate(tmp_path / "approvals.db") as lasting, auto_approve():
        pay = gated_step(_recorder(ran), gate=lasting)
        with pytest.raises(UsageError, match=r"auto_approve decides only .*approvals\.db is none"):
            pay(1)

        assert ran == []
        assert not lasting.exists()


def _recorder(ran: list[int]) -> Callable[[int], None]:
    def pay(amount: int) -> None:
        ran.append(amount)

    return pay


# ScriptedReviewer


def test_answers_are_given_in_the_order_of_the_calls(gate: Gate) -> None:
    pay = tool_of(gate)
    with ScriptedReviewer(gate, ["approve", {"amount": 40}, ("reject", "too much"), ("respond", "ask first")]) as bob:
        assert pay(1) == "paid 1"
        assert pay(90) == "paid 40"
        with pytest.raises(Rejected, match="too much"):
            pay(3)
        with pytest.raises(Responded) as responded:
            pay(4)

    assert responded.value.text == "ask first"
    assert [request.args["amount"] for request in bob.requests] == [1, 90, 3, 4]


def test_a_function_decides_by_what_it_reads_and_its_name_is_on_record(gate: Gate) -> None:
    def script(request: Request) -> Answer:
        return "approve" if request.args["amount"] < 10 else ("reject", "too much")

    pay = tool_of(gate)
    with ScriptedReviewer(gate, script, name="carol"):
        assert pay(9) == "paid 9"
        with pytest.raises(Rejected) as rejected:
            pay(10)

    assert rejected.value.by == "human:carol"


def test_what_waits_before_the_block_or_is_asked_in_its_last_moment_is_decided_too(gate: Gate) -> None:
    pay = tool_of(gate, wait=0)
    with pytest.raises(Suspended) as before:
        pay(1)
    with ScriptedReviewer(gate, lambda request: "approve"), pytest.raises(Suspended) as last:
        pay(2)

    assert [gate.get(caught.value.request_id).status for caught in (before, last)] == ["approved", "approved"]


def test_a_call_that_is_undone_is_asked_again_and_takes_another_answer(gate: Gate) -> None:
    pay = tool_of(gate, wait=0)
    with pytest.raises(Suspended) as caught:
        pay(1)
    human = gate.reviewer("alice", hold=3600)
    human.approve(gate.get(caught.value.request_id))
    with ScriptedReviewer(gate, [("reject", "second thoughts")]):
        human.undo(gate.get(caught.value.request_id))

    assert gate.get(caught.value.request_id).status == "rejected"


def test_calls_from_many_threads_are_all_decided(gate: Gate) -> None:
    pay = tool_of(gate)
    results: list[str] = []
    with ScriptedReviewer(gate, lambda request: "approve"):
        threads = [threading.Thread(target=lambda n=n: results.append(pay(n))) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(results) == [f"paid {n}" for n in range(8)]


@pytest.mark.anyio
async def test_it_works_beside_an_event_loop(gate: Gate) -> None:
    @gated_step(gate=gate)
    async def ship(order: str) -> str:
        return f"shipped {order}"

    with ScriptedReviewer(gate, [{"order": "b"}]):
        assert await ship("a") == "shipped b"


def pay_all(gate: Gate, script: Iterable[Answer] | Callable[[Request], Answer], *amounts: int) -> None:
    """Have the script decide these calls; a rejection ends none of them but its own."""
    pay = tool_of(gate)
    with ScriptedReviewer(gate, script):
        for amount in amounts:
            with suppress(Rejected):
                pay(amount)


def test_an_answer_without_a_request_fails_at_the_end(gate: Gate) -> None:
    with pytest.raises(AssertionError, match="2 answers of the script found no request"):
        pay_all(gate, ["approve", "approve", "approve"], 1)

    assert gate.count("succeeded") == 1


def test_a_request_without_an_answer_is_rejected_and_fails_at_the_end(gate: Gate) -> None:
    with pytest.raises(AssertionError, match=r"no answer left for pay \{'amount': 2\}"):
        pay_all(gate, ["approve"], 1, 2)

    assert only(gate, "rejected").args == {"amount": 2}


def test_an_edit_that_does_not_fit_rejects_the_call_and_fails_at_the_end(gate: Gate) -> None:
    with pytest.raises(InvalidEdit):
        pay_all(gate, [{"amount": "many"}], 1)

    assert only(gate, "rejected").args == {"amount": 1}


def test_a_function_that_raises_approves_nothing_from_then_on(gate: Gate) -> None:
    def script(request: Request) -> Answer:
        if request.args["amount"] == 2:
            raise ZeroDivisionError("the script's own fault")
        return "approve"

    with pytest.raises(ZeroDivisionError, match="the script's own fault"):
        pay_all(gate, script, 1, 2, 3)

    assert [gate.get(row.id).args["amount"] for row in gate.requests("rejected")] == [2, 3]
    assert only(gate, "succeeded").args == {"amount": 1}


def test_an_error_of_the_block_is_not_hidden_by_unused_answers(gate: Gate) -> None:
    with pytest.raises(KeyError, match="mine"), ScriptedReviewer(gate, ["approve"]):
        raise KeyError("mine")


@pytest.mark.parametrize("nonsense", ["yes", True, None, ("reject",), ("approve", "x"), ("reject", 3), 1])
def test_an_answer_that_is_none_is_refused_at_once(gate: Gate, nonsense: object) -> None:
    with pytest.raises(UsageError, match="is no answer: say 'approve'"):
        ScriptedReviewer(gate, [nonsense])  # type: ignore[list-item]


def test_a_function_whose_answer_is_none_rejects_and_fails_at_the_end(gate: Gate) -> None:
    script: Any = lambda request: True  # noqa: E731 - a wrong script, which the type checkers would refuse
    with pytest.raises(UsageError, match="True is no answer"):
        pay_all(gate, script, 1)

    assert gate.count("rejected") == 1


def test_a_queue_that_lasts_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with Gate(tmp_path / "approvals.db") as lasting:
        with pytest.raises(UsageError, match=r"ScriptedReviewer decides only .*approvals\.db is none"):
            ScriptedReviewer(lasting, ["approve"])

        assert not lasting.exists()
