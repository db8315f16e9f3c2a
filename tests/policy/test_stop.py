"""The stop: whatever reaches the queue is held, in any process, until it is lifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatekit import Budget, Gate, Policy, Suspended, calling, gated_step
from gatekit.errors import UsageError
from gatekit.testing import FakeClock, memory_gate
from tests.policy.helpers import HOUR, Till


@pytest.mark.parametrize(
    "options",
    [
        {"auto_approve_if": lambda: True},
        {"budget": Budget(100, per=60)},
        {"policy": Policy(on_expiry="approve"), "expires_after": 60},
    ],
    ids=["a rule", "a budget", "silence"],
)
def test_what_needs_no_human_is_held_too(gate: Gate, clock: FakeClock, options: dict[str, Any]) -> None:
    till = Till(gate, **options)
    gate.stop("something is wrong")
    assert till.called(5, call_id="a") == "waits"
    clock.advance(61)
    assert till.called(5, call_id="a") == "waits"
    assert (till.paid, gate.lift()) == ([], True)
    assert till.called(5, call_id="a") == "paid 5"


def test_a_standing_permission_starts_nothing_while_the_queue_is_stopped(gate: Gate) -> None:
    till = Till(gate)
    grant = gate.reviewer("alice").allow(till.asks(5), uses=2)
    gate.stop("something is wrong")
    assert till.called(5, call_id="a") == "waits"
    gate.lift()
    assert till.called(5, call_id="a") == "paid 5"
    assert [one.used for one in gate.grants() if one.id == grant.id] == [1]


def test_reviewers_and_clocks_go_on_while_the_queue_is_stopped(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, expires_after=HOUR)
    approved, silent = till.asks(5, call_id="a"), till.asks(6)
    gate.stop("something is wrong")
    gate.reviewer("alice").approve(approved)
    assert till.called(5, call_id="a") == "waits"
    clock.advance(HOUR)
    assert gate.get(silent.id).status == "expired"


def test_an_approval_whose_time_to_start_passes_meanwhile_is_asked_again(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate, start_within=60)
    request = till.asks(5, call_id="a")
    gate.stop("something is wrong")
    gate.reviewer("alice").approve(request)
    clock.advance(61)
    gate.lift()
    assert till.called(5, call_id="a") == "waits"
    assert (gate.get(request.id).status, till.paid) == ("pending", [])


def test_what_never_reaches_the_queue_runs_and_what_is_recorded_does_not(clock: FakeClock) -> None:
    with memory_gate(clock) as gate, memory_gate(clock, record="all") as recording:
        for one, expected in ((gate, "paid 5"), (recording, "waits")):
            till = Till(one, requires_approval=False)
            one.stop("something is wrong")
            assert till.called(5, call_id="a") == expected


def test_the_first_reason_stands_until_the_stop_is_lifted(gate: Gate, clock: FakeClock) -> None:
    assert gate.stopped() is None
    first = gate.stop("the model went mad")
    clock.advance(5)
    assert gate.stop("another reason") == first == gate.stopped()
    assert first.reason == "the model went mad"
    assert (gate.lift(), gate.lift()) == (True, False)
    assert gate.stopped() is None
    assert [(event.kind, event.request_id) for event in gate.events()] == [("queue.stopped", ""), ("queue.lifted", "")]


@pytest.mark.parametrize("reason", ["", "  ", None, 5])
def test_a_stop_needs_a_reason_in_words(gate: Gate, reason: Any) -> None:
    with pytest.raises(UsageError, match="it takes some words"):
        gate.stop(reason)
    assert gate.stopped() is None


def test_questions_are_answered_while_the_queue_is_stopped(gate: Gate) -> None:
    gate.stop("something is wrong")
    with calling(call_id="q"):
        with pytest.raises(Suspended):
            gate.ask("Go on?", bool, wait=0)
        gate.reviewer("alice").answer(gate.reviewer("alice").pending()[0], False)
        assert gate.ask("Go on?", bool, wait=0) is False


def test_a_stop_holds_in_every_gate_of_the_file_and_over_a_restart(tmp_path: Path) -> None:
    queue = tmp_path / "queue.db"
    with Gate(queue) as gate:
        gate.stop("something is wrong")
    with Gate(queue) as gate:
        step = gated_step(lambda: "ran", gate=gate, name="run", wait=0)
        with calling(call_id="a"):
            with pytest.raises(Suspended):
                step()
            gate.reviewer("alice").approve(gate.get(gate.requests()[0].id))
            with pytest.raises(Suspended):
                step()
        stopped = gate.stopped()
        assert stopped is not None
        assert stopped.reason == "something is wrong"
