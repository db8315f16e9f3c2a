"""The acceptance scenarios of durable runs that need one process. Those of two processes: test_two_processes.py."""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from gatekit import Gate, Run, gated_step
from gatekit.errors import AlreadyDecided, RunFailed
from gatekit.runs import Handle
from gatekit.testing import FakeClock, memory_gate
from tests.runs.helpers import Background, Diary, approve, journal, kinds, pending, release, waiting_tools


def test_a8_an_approved_call_whose_tool_fails_is_tried_again_without_asking(gate: Gate) -> None:
    fails, diary = [True], Diary()

    @gated_step(gate=gate, retries=1, retry_on=(ConnectionError,))
    def pay(amount: int) -> str:
        diary.note("pay")
        if fails:
            raise ValueError("the bank said no")
        return f"paid {amount}"

    @gate.workflow
    def refund(run: Run, amount: int) -> str:
        run.step("quote", diary.note, "quote")
        return run.step("pay", pay, amount)

    handle = refund.start("r1", 40)
    approve(gate, "pay")
    assert handle.resume() == "failed"
    with pytest.raises(RunFailed, match="the bank said no") as raised:
        handle.result()
    assert raised.value.type_name == "ValueError"
    row = gate.run("r1").row()
    assert (row.status, row.error_type) == ("failed", "ValueError")
    assert journal(gate, "r1") == [("quote", "succeeded"), ("pay", "failed")]
    fails.clear()
    assert handle.resume() == "succeeded"
    assert handle.result() == "paid 40"
    assert diary.counts == {"quote": 1, "pay": 2}
    assert [row.tool for row in gate.requests(["pending", "succeeded"], tool="pay")] == ["pay"]


def test_a12_two_gates_at_once_are_decided_in_any_order(gate: Gate) -> None:
    @gated_step(gate=gate)
    def legal(order: str) -> str:
        return f"legal {order}"

    @gated_step(gate=gate)
    def finance(order: str) -> str:
        return f"finance {order}"

    @gate.workflow
    def refund(run: Run, order: str) -> list[str]:
        return list(run.parallel(("legal", legal, order), ("finance", finance, order)))

    for run_id, order in (("r1", ["legal", "finance"]), ("r2", ["finance", "legal"])):
        handle = refund.start(run_id, run_id)
        assert handle.status == "waiting"
        assert waiting_tools(gate) == ["finance", "legal"]
        approve(gate, order[0])
        handle.resume()
        assert handle.status == "waiting"
        approve(gate, order[1])
        assert handle.result(timeout=5) == [f"legal {run_id}", f"finance {run_id}"]


def test_d1_a_run_waits_at_its_pause_and_what_follows_has_not_started(gate: Gate) -> None:
    diary = Diary()

    @gate.workflow
    def send(run: Run, text: str) -> str:
        draft = run.step("create", diary.note, f"create {text}")
        payload = run.pause("look", {"draft": draft})
        return run.step("send", diary.note, f"send {payload['draft']}")

    handle = send.start("s1", "hello")
    assert handle.status == "waiting"
    assert diary.lines == ["create hello"]
    request = pending(gate, "look")
    assert (request.kind, request.args, request.run) == ("pause", {"payload": {"draft": "create hello"}}, "s1")


def test_d2_one_worker_completes_another_run_while_the_first_waits_holding_nothing(tmp_path: Path) -> None:
    with Gate(tmp_path / "queue.db") as gate:

        @gate.workflow
        def send(run: Run, text: str, look: bool) -> str:
            return str(run.pause("look", text)) if look else text

        gate.count("pending")
        threads = set(threading.enumerate())
        first = send.start("first", "a", look=True)
        second = send.start("second", "b", look=False)
        assert (first.status, second.status) == ("waiting", "succeeded")
        assert second.result() == "b"
        assert set(threading.enumerate()) <= threads
        other = sqlite3.connect(gate.path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            # A reader that is still inside a transaction keeps a checkpoint from emptying the log.
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        finally:
            other.close()
        assert first.status == "waiting"


def test_d3_a_run_still_waits_after_thirty_days() -> None:
    clock = FakeClock()
    with memory_gate(clock) as gate:

        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def refund(run: Run) -> int:
            run.pause("look")
            return run.step("pay", pay, 5)

        handle = refund.start("r1")
        clock.advance(timedelta(days=30).total_seconds())
        assert gate.resume_ready() == 0
        assert (handle.status, waiting_tools(gate)) == ("waiting", ["look"])
        release(gate, "look")
        assert gate.resume_ready() == 1
        clock.advance(timedelta(days=30).total_seconds())
        assert (handle.status, waiting_tools(gate)) == ("waiting", ["pay"])
        approve(gate, "pay")
        assert handle.result() == 5


PAYLOAD = {
    "b": [1, 2.0, -0.0, 1e300, None, True],
    "a": {"ü\u2028\x00": "\U0001f600", "": ""},
    "n": 12345678901234567890,
}


def test_d4_a_release_without_argument_hands_on_the_payload_equal_in_every_byte(gate: Gate) -> None:
    got: list[str] = []

    @gate.workflow
    def send(run: Run) -> str:
        payload = run.pause("look", PAYLOAD)
        got.append(json.dumps(payload, sort_keys=True))
        return run.step("send", json.dumps, payload, sort_keys=True)

    handle = send.start("s1")
    release(gate, "look")
    assert handle.result(timeout=5) == json.dumps(PAYLOAD, sort_keys=True)
    assert got == [json.dumps(PAYLOAD, sort_keys=True)]


def test_d5_a_released_payload_takes_the_place_of_the_old_one_entirely(gate: Gate) -> None:
    @gate.workflow
    def send(run: Run) -> object:
        return run.pause("look", {"draft": "hello", "approved": False})

    handle = send.start("s1")
    decision = release(gate, "look", payload={"approved": True, "reviewer_id": 7})
    assert handle.result(timeout=5) == {"approved": True, "reviewer_id": 7}
    request = gate.get(decision.request_id)
    assert request.status == "answered"
    assert json.loads(request.original or "") == {"payload": {"draft": "hello", "approved": False}}
    assert request.args == {"payload": {"approved": True, "reviewer_id": 7}}


@pytest.mark.parametrize("payload", [None, 0, "", [], "text", {"payload": 1}])
def test_a_pause_takes_and_gives_any_json_value(gate: Gate, payload: object) -> None:
    @gate.workflow
    def send(run: Run) -> object:
        return [run.pause("look", payload), run.pause("look again", "old")]

    handle = send.start("s1")
    release(gate, "look")
    handle.resume()
    release(gate, "look again", payload=payload)
    assert handle.result(timeout=5) == [payload, payload]


def test_d8_one_branch_completes_while_the_other_waits_and_the_run_is_not_finished(gate: Gate) -> None:
    diary = Diary()

    @gated_step(gate=gate)
    def pay(amount: int) -> str:
        return diary.note(f"pay {amount}")

    @gate.workflow
    def refund(run: Run) -> list[str]:
        done = run.parallel(("notify", diary.note, "notify"), ("pay", pay, 5))
        return [*done, run.step("close", diary.note, "close")]

    handle = refund.start("r1")
    assert (handle.status, diary.lines) == ("waiting", ["notify"])
    assert dict(journal(gate, "r1")) == {"notify": "succeeded", "pay": "pending"}
    with pytest.raises(TimeoutError):
        handle.result(timeout=0.05)
    approve(gate, "pay")
    assert handle.result(timeout=5) == ["notify", "pay 5", "close"]
    assert diary.counts == {"notify": 1, "pay 5": 1, "close": 1}


def test_d9_a_second_release_or_resume_is_no_second_execution(gate: Gate) -> None:
    diary = Diary()

    @gate.workflow
    def send(run: Run) -> str:
        payload = run.pause("look", "draft")
        return run.step("send", diary.note, f"send {payload}")

    handle = send.start("s1")
    request = pending(gate, "look")
    first = gate.reviewer("bob").release(request)
    assert gate.reviewer("bob").release(request) == first
    with pytest.raises(AlreadyDecided) as raised:
        gate.reviewer("bob").release(request, payload="another")
    assert raised.value.decision == first
    with pytest.raises(AlreadyDecided):
        gate.reviewer("alice").release(request)
    assert [handle.resume(), handle.resume()] == ["succeeded", "succeeded"]
    assert gate.reviewer("bob").release(request) == first
    assert gate.resume_ready() == 0
    assert send.start("s1").result() == "send draft"
    assert diary.lines == ["send draft"]


def test_d10_pausing_and_going_on_are_counted_once_each(gate: Gate) -> None:
    @gate.workflow
    def send(run: Run) -> object:
        return run.pause("look", "draft")

    handle = send.start("s1")
    for _ in range(3):
        handle.resume()
        send.start("s1")
        gate.resume_ready()
    release(gate, "look")
    assert handle.result(timeout=5) == "draft"
    assert kinds(gate, "s1") == ["run.started", "run.taken", "run.waiting", "run.resumed", "run.succeeded"]
    assert [event.kind for event in gate.history(gate.run("s1").steps()[0].request_id)] == ["submitted", "released"]


def test_g3_a_wait_that_is_over_suspends_the_run_which_keeps_its_steps_and_its_request(gate: Gate) -> None:
    diary = Diary()

    @gated_step(gate=gate, wait=0.1)
    def deploy(version: str) -> str:
        return diary.note(f"deploy {version}")

    @gate.workflow
    def ship(run: Run) -> str:
        run.step("build", diary.note, "build")
        return run.step("deploy", deploy, "v2")

    handle = ship.start("s1")
    assert (handle.status, journal(gate, "s1")) == ("waiting", [("build", "succeeded"), ("deploy", "pending")])
    request = pending(gate, "deploy")
    assert handle.row().waiting_for == (request.id,)
    # G4: resumed before anybody answered.
    assert handle.resume() == "waiting"
    assert pending(gate, "deploy").id == request.id
    gate.reviewer("bob").approve(request)
    assert handle.resume() == "succeeded"
    assert diary.lines == ["build", "deploy v2"]


def test_a_step_with_a_wait_goes_on_in_the_same_execution_when_it_is_decided_in_time(gate: Gate) -> None:
    @gated_step(gate=gate, wait=10)
    def deploy(version: str) -> str:
        return version

    @gate.workflow
    def ship(run: Run) -> str:
        return run.step("deploy", deploy, "v2")

    events = gate.watch(0)
    started = Background(lambda: ship.start("s1").result(timeout=0))
    for event in events:
        if event.kind == "submitted":
            gate.reviewer("bob").approve(gate.get(event.request_id))
            break
    assert started.join() == "v2"
    assert gate.run("s1").row().executions == 1


def test_g4_resumed_before_any_answer_it_waits_again_under_the_same_request(gate: Gate) -> None:
    @gated_step(gate=gate)
    def deploy(version: str) -> str:
        return version

    @gate.workflow
    def ship(run: Run) -> str:
        return run.step("deploy", deploy, "v2")

    handle = ship.start("s1")
    request = pending(gate, "deploy")
    for _ in range(3):
        assert handle.resume() == "waiting"
        assert ship.start("s1").status == "waiting"
        assert gate.resume_ready() == 0
        assert pending(gate, "deploy") == request
    assert handle.row().waiting_for == (request.id,)


def test_g6_two_prompts_of_one_run_have_an_answer_each(gate: Gate) -> None:
    @gate.workflow
    def ask(run: Run) -> list[object]:
        return [run.pause("where", "eu or us?"), run.pause("when", "which day?")]

    handle = ask.start("a1")
    release(gate, "where", payload="eu")
    assert handle.resume() == "waiting"
    assert waiting_tools(gate) == ["when"]
    assert handle.resume() == "waiting"
    release(gate, "when", payload="monday")
    assert handle.result(timeout=5) == ["eu", "monday"]


def test_g7_what_follows_two_gates_at_once_runs_once_after_both_answers(gate: Gate) -> None:
    diary = Diary()

    @gated_step(gate=gate, wait=0.05)
    def left(n: int) -> str:
        return diary.note("left")

    @gated_step(gate=gate, wait=0.05)
    def right(n: int) -> str:
        return diary.note("right")

    @gate.workflow
    def both(run: Run) -> str:
        run.parallel(("left", left, 1), ("right", right, 2))
        return run.step("after", diary.note, "after")

    handle = both.start("b1")
    assert (handle.status, diary.lines) == ("waiting", [])
    approve(gate, "right")
    assert handle.resume() == "waiting"
    assert diary.lines == ["right"]
    approve(gate, "left")
    assert handle.result(timeout=5) == "after"
    assert diary.lines == ["right", "left", "after"]


def test_g11_a_run_resumed_by_two_threads_at_once_deploys_once(gate: Gate) -> None:
    diary = Diary()

    @gated_step(gate=gate)
    def deploy(version: str) -> str:
        return diary.note(version)

    @gate.workflow
    def ship(run: Run, version: str) -> str:
        return run.step("deploy", deploy, version)

    for turn in range(10):
        handle = ship.start(f"s{turn}", f"v{turn}")
        approve(gate, "deploy")
        together = threading.Barrier(2)

        def resume(handle: Handle[str] = handle, together: threading.Barrier = together) -> str:
            together.wait(5)
            return handle.result(timeout=5)

        both = [Background(resume), Background(resume)]
        assert [one.join() for one in both] == [f"v{turn}"] * 2
    assert diary.counts == {f"v{turn}": 1 for turn in range(10)}


def test_a_suspension_inside_a_run_is_no_exception_that_the_body_can_catch_as_one(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> int:
        return amount

    caught: list[Exception] = []

    @gate.workflow
    def refund(run: Run) -> int | None:
        try:
            return run.step("pay", pay, 5)
        except Exception as error:  # noqa: BLE001 - what must not come here
            caught.append(error)
            return None

    handle = refund.start("r1")
    assert (handle.status, caught) == ("waiting", [])
    approve(gate, "pay")
    assert handle.result(timeout=5) == 5
