"""The acceptance scenarios of this part, each under its letter and number."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import anyio
import pytest

from gatekit import (
    CallConflict,
    Cancelled,
    Gate,
    Rejected,
    Request,
    ReviewError,
    Suspended,
    calling,
    gated_step,
)
from gatekit.errors import AlreadyDecided
from gatekit.reviewer import Reviewer
from tests.gate.helpers import Recorder, approve, deciding, edit, only_request, reject


def test_a1_a_call_whose_predicate_says_no_runs_once_and_leaves_no_request(gate: Gate) -> None:
    ran = Recorder()

    @gated_step(gate=gate, requires_approval=lambda args: args.path.startswith("/important/"))
    def delete(path: str) -> str:
        ran(path)
        return "deleted"

    assert delete("/tmp/x") == "deleted"
    assert ran.calls == ["/tmp/x"]
    assert gate.events() == []


def test_a2_a_gated_call_has_not_run_and_shows_description_and_exact_arguments(gate: Gate) -> None:
    ran = Recorder()

    @gated_step(gate=gate, description="Delete {path}", wait=0)
    def delete(path: str, tags: list[int]) -> None:
        ran(path)

    with pytest.raises(Suspended) as raised:
        delete("/important/a", tags=[1, 2])
    request = gate.get(raised.value.request_id)
    assert ran.calls == []
    assert request.status == "pending"
    assert request.description == "Delete /important/a"
    assert request.args == {"path": "/important/a", "tags": [1, 2]}


def test_a3_an_async_predicate_lets_internal_mail_go_and_holds_external_mail(gate: Gate) -> None:
    sent = Recorder()

    async def is_external(args: object) -> bool:
        await anyio.lowlevel.checkpoint()
        return not args.to.endswith("@mycompany.com")  # type: ignore[attr-defined]

    @gated_step(gate=gate, requires_approval=is_external, wait=0)
    async def send(to: str) -> str:
        sent(to)
        return "sent"

    async def main() -> None:
        assert await send("a@mycompany.com") == "sent"
        with pytest.raises(Suspended):
            await send("a@elsewhere.example")

    anyio.run(main)
    assert sent.calls == ["a@mycompany.com"]
    assert only_request(gate).args == {"to": "a@elsewhere.example"}


def test_a4_an_edited_call_runs_once_with_the_edit_and_the_caller_gets_the_tools_result(gate: Gate) -> None:
    paid = Recorder()

    @gated_step(gate=gate)
    def pay(amount: int, to: str) -> dict[str, int]:
        paid((amount, to))
        return {"paid": amount}

    with deciding(gate, edit(amount=40), name="bob"):
        assert pay(100, to="carl") == {"paid": 40}
    assert paid.calls == [(40, "carl")]
    request = only_request(gate, "succeeded")
    assert request.args == {"amount": 40, "to": "carl"}
    assert request.original == '{"amount":100,"to":"carl"}'
    assert request.decision is not None
    assert (request.decision.verb, request.decision.by) == ("edit", "human:bob")
    assert request.decision.at >= request.created_at


def test_a6_an_approval_is_for_one_call_and_one_amount(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> int:
        return amount

    with pytest.raises(Suspended) as first:
        pay(5000)
    gate.reviewer("bob").approve(gate.get(first.value.request_id))
    for amount in (999_999, 5000):
        with pytest.raises(Suspended) as again:
            pay(amount)
        assert again.value.request_id != first.value.request_id
    with calling(call_id=first.value.request_id), pytest.raises(CallConflict):
        pay(999_999)
    with calling(call_id=first.value.request_id):
        assert pay(5000) == 5000


def test_f3_without_a_terminal_the_call_is_queued_and_never_runs_or_hangs(tmp_path) -> None:  # type: ignore[no-untyped-def]
    program = """
import sys
from gatekit import Gate, Suspended, gated_step
gate = Gate(sys.argv[1])
@gated_step(gate=gate, wait=0.2)
def pay(amount: int) -> None:
    print("RAN")
try:
    pay(5)
except Suspended as error:
    print("suspended", error.request_id)
"""
    queue = str(tmp_path / "queue.db")
    done = subprocess.run(
        [sys.executable, "-c", program, queue], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("suspended ")
    with Gate(queue, create=False) as gate:
        request = only_request(gate)
        assert (request.args, request.waiter) == ({"amount": 5}, "gone")


def test_f10_an_approval_in_one_run_is_not_used_in_the_next(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0)
    def deploy(version: str) -> str:
        return version

    with calling(run="run-1", call_id="call_1"), pytest.raises(Suspended) as first:
        deploy("v2")
    gate.reviewer("bob").approve(gate.get(first.value.request_id))
    with calling(run="run-1", call_id="call_1"):
        assert deploy("v2") == "v2"
    with calling(run="run-2", call_id="call_1"), pytest.raises(Suspended) as second:
        deploy("v2")
    assert second.value.request_id != first.value.request_id


def test_g8_of_two_opposite_decisions_exactly_one_wins_and_is_stored(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> None: ...

    for amount in range(200):
        with pytest.raises(Suspended) as raised:
            pay(amount)
        _race(gate, gate.get(raised.value.request_id))


def _race(gate: Gate, request) -> None:  # type: ignore[no-untyped-def]
    together = threading.Barrier(2)
    outcomes: dict[str, object] = {}

    def act(name: str) -> None:
        reviewer = gate.reviewer(name)
        together.wait()
        try:
            if name == "ann":
                outcomes[name] = reviewer.approve(request).verb
            else:
                outcomes[name] = reviewer.reject(request, reason="no").verb
        except ReviewError as error:
            outcomes[name] = error

    threads = [threading.Thread(target=act, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [name for name, outcome in outcomes.items() if isinstance(outcome, str)]
    (loser,) = [outcome for outcome in outcomes.values() if not isinstance(outcome, str)]
    stored = gate.get(request.id).decision
    assert isinstance(loser, AlreadyDecided)
    assert stored is not None
    assert loser.decision.by == stored.by == f"human:{winner}"


def test_g9_a_cancel_wakes_the_waiter_within_100_ms_and_later_answers_are_refused(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> None: ...

    def seconds_to_wake() -> tuple[float, Request]:
        cancelled_at: list[float] = []

        def cancel(reviewer: Reviewer, request: Request) -> None:
            reviewer.cancel(request, reason="not needed")
            cancelled_at.append(time.monotonic())

        with deciding(gate, cancel):
            with pytest.raises(Cancelled) as raised:
                pay(5)
            woken_at = time.monotonic()
        return woken_at - cancelled_at[0], raised.value.request

    # A machine that is busy with something else may be late once; a queue that only polls is late every time.
    seconds, request = min((seconds_to_wake() for _ in range(5)), key=lambda pair: pair[0])
    assert seconds < 0.1
    with pytest.raises(AlreadyDecided):
        gate.reviewer("ann").approve(request)
    with pytest.raises(AlreadyDecided):
        gate.reviewer("ann").reject(request, reason="late")


def test_a_rejection_reaches_the_caller_with_reason_and_name(gate: Gate) -> None:
    ran = Recorder()

    @gated_step(gate=gate)
    def pay(amount: int) -> None:
        ran(amount)

    with deciding(gate, reject("too much"), name="ann"), pytest.raises(Rejected) as raised:
        pay(100)
    assert (raised.value.reason, raised.value.by) == ("too much", "human:ann")
    assert ran.calls == []


def test_an_approval_lets_the_call_go_on_with_its_result(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> str:
        return f"paid {amount}"

    with deciding(gate, approve):
        assert pay(100) == "paid 100"
