"""The acceptance scenarios in which a run loses its process, or has several: real processes, really killed."""

from __future__ import annotations

import signal

import pytest

from gatekit import Gate, owner
from tests.runs.helpers import Background, approve, journal, kinds, pending, reject, waiting_tools
from tests.runs.processes import Stage

pytestmark = pytest.mark.sweep


def progress(gate: Gate, run_id: str) -> str:
    """How many of the two stages of a refund are done; one that was not reached is not done."""
    done = [step for step in gate.run(run_id).steps() if step.tool in ("manager", "finance")]
    return f"{sum(step.status == 'succeeded' for step in done)}/2"


def test_a5_a_rejection_reaches_the_run_in_a_new_process_with_its_reason(stage: Stage) -> None:
    assert stage.run("start", "refund", "r", "A-17") == ["charge", "status waiting"]
    with stage.open() as gate:
        decision = reject(gate, "manager", "too risky")
    assert stage.run("result", "r") == ["waits", "Rejected too risky human:bob"]
    with stage.open() as gate:
        request = gate.get(decision.request_id)
        assert (request.status, request.decision) == ("rejected", decision)
        assert journal(gate, "r") == [("charge", "succeeded"), ("manager", "rejected")]
        assert gate.run("r").status == "failed"
    assert stage.counts == {"charge": 1}


def test_a7_two_stages_over_two_pauses_in_two_processes_charge_once(stage: Stage) -> None:
    stage.run("start", "refund", "r", "A-17")
    with stage.open() as gate:
        assert (progress(gate, "r"), waiting_tools(gate)) == ("0/2", ["manager"])
        approve(gate, "manager")
        assert stage.run("resume", "r") == ["manager", "status waiting"]
        assert (progress(gate, "r"), waiting_tools(gate)) == ("1/2", ["finance"])
        approve(gate, "finance")
        assert stage.run("resume", "r") == ["finance", "close", "status succeeded"]
        assert progress(gate, "r") == "2/2"
        assert gate.run("r").result() == "close"
    assert stage.counts == {"charge": 1, "manager": 1, "finance": 1, "close": 1}


def test_d6_killed_after_the_decision_and_before_the_start_the_step_runs_once(stage: Stage) -> None:
    stage.run("start", "ship", "s", "v2")
    with stage.open() as gate:
        approve(gate, "deploy")
        stage.begin_and_kill("resume", "s", catch="revalidate")
        assert stage.run("resume", "s") == ["revalidate", "deploy v2", "status succeeded"]
        assert gate.run("s").result() == "deploy v2"
    assert stage.counts == {"build": 1, "revalidate": 2, "deploy v2": 1}


def test_d7_an_execution_taken_for_dead_starts_nothing_more_and_its_running_tool_still_counts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stage.begin("start", "plain", "r", "A-17", catch="middle")
    stopped.until("middle")
    stopped.signal(signal.SIGSTOP)
    with stage.open() as gate:
        really = owner.is_dead
        here = owner.current().text
        monkeypatch.setattr(owner, "is_dead", lambda text: True if text != here else really(text))
        assert gate.resume_ready() == 1
        assert gate.run("r").status == "needs-review"
        assert journal(gate, "r") == [("first", "succeeded"), ("middle", "unknown")]
        stopped.go()
        stopped.signal(signal.SIGCONT)
        said = stopped.end()
        assert "last" not in said
        # Its own report is the truth of the step, and lets the run go on here.
        assert journal(gate, "r") == [("first", "succeeded"), ("middle", "succeeded")]
        assert gate.resume_ready() == 1
        assert gate.run("r").result() == "last"
    assert stage.counts == {"first": 1, "middle": 1, "last": 1}


def test_d7_a_fenced_execution_can_queue_no_request_either(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = stage.begin("start", "refund", "r", "A-17", catch="charge")
    stopped.until("charge")
    stopped.signal(signal.SIGSTOP)
    with stage.open() as gate:
        really, here = owner.is_dead, owner.current().text
        with monkeypatch.context() as patch:
            patch.setattr(owner, "is_dead", lambda text: True if text != here else really(text))
            assert gate.resume_ready() == 1
        stopped.go()
        stopped.signal(signal.SIGCONT)
        assert stopped.end()[-1].startswith("status ")
        assert waiting_tools(gate) == []
        assert gate.resume_ready() == 1
        assert waiting_tools(gate) == ["manager"]
    assert stage.counts == {"charge": 1}


def test_g5_answered_later_by_another_process_the_run_goes_on_by_itself_where_somebody_waits(stage: Stage) -> None:
    assert stage.run("start", "ship", "s", "v2") == ["build", "status waiting"]
    with stage.open() as gate:
        request = pending(gate, "deploy")
        heard = gate.watch()
        waiting = Background(lambda: gate.run("s").result(timeout=20))
        stage.run("approve", "deploy")
        assert waiting.join() == "deploy v2"
        seen = []
        for event in heard:
            seen.append((event.kind, event.request_id))
            if event.kind == "run.succeeded":
                break
        assert seen[0] == ("approved", request.id)
        assert seen.count(("succeeded", request.id)) == 1
    assert stage.counts == {"build": 1, "revalidate": 1, "deploy v2": 1}


def test_g5_a_worker_goes_on_with_a_run_that_another_process_began_and_a_third_answered(stage: Stage) -> None:
    stage.run("start", "ship", "s", "v2")
    worker = stage.begin("work")
    with stage.open() as gate:
        approve(gate, "deploy")
        worker.until("deploy v2")
        worker.until("taken 1")
        assert gate.run("s").result(timeout=5) == "deploy v2"
    worker.kill()
    assert stage.counts == {"build": 1, "revalidate": 1, "deploy v2": 1}


def test_g10_killed_while_it_waits_the_same_request_is_the_one_to_answer(stage: Stage) -> None:
    waiting = stage.begin("start", "refund", "r", "A-17")
    waiting.end()
    waiting = stage.begin("result", "r")
    waiting.until("waits")
    with stage.open() as gate:
        request = pending(gate, "manager")
        waiting.kill()
        assert pending(gate, "manager").id == request.id
        assert gate.run("r").resume() == "waiting"
        assert gate.run("r").row().waiting_for == (request.id,)
        gate.reviewer("bob").approve(request)
    assert stage.run("resume", "r") == ["manager", "status waiting"]
    with stage.open() as gate:
        assert gate.get(request.id).status == "succeeded"
        assert [event.kind for event in gate.history(request.id)].count("submitted") == 1
    assert stage.counts == {"charge": 1, "manager": 1}


def test_g11_two_processes_that_resume_the_same_run_deploy_once(stage: Stage) -> None:
    stage.run("start", "ship", "s", "v2")
    with stage.open() as gate:
        approve(gate, "deploy")
        both = [stage.begin("ready"), stage.begin("ready")]
        for one in both:
            one.until("here")
        for one in both:
            one.go()
        said = [line for one in both for line in one.end()]
        assert said.count("deploy v2") == 1
        assert gate.run("s").result() == "deploy v2"
        assert kinds(gate, "s").count("run.resumed") == 1
    assert stage.counts == {"build": 1, "revalidate": 1, "deploy v2": 1}


@pytest.mark.parametrize("workflow", ["plain", "plain_async"])
@pytest.mark.parametrize("tell", ["settle", "retry"])
def test_a_step_killed_in_its_middle_is_not_run_again_by_itself_but_by_a_reviewers_word(
    stage: Stage, workflow: str, tell: str
) -> None:
    stage.begin_and_kill("start", workflow, "r", "A-17", catch="middle")
    with stage.open() as gate:
        for _ in range(2):
            gate.resume_ready()
            if workflow == "plain":
                assert gate.run("r").resume() == "needs-review"
        assert gate.run("r").status == "needs-review"
        assert stage.counts == {"first": 1, "middle": 1}
        (row,) = gate.requests("unknown")
        request, seat = gate.get(row.id), gate.reviewer("bob")
        if tell == "settle":
            seat.settle(request, result="found")
        else:
            seat.retry(request)
        assert gate.run("r").row().ready
        assert gate.resume_ready() == 1
        assert gate.run("r").result() == "last"
    assert stage.counts == {"first": 1, "middle": 1 + (tell == "retry"), "last": 1}


def test_an_idempotent_step_killed_in_its_middle_is_run_again_by_itself(stage: Stage) -> None:
    stage.begin_and_kill("start", "idempotent", "r", "A-17", catch="again")
    with stage.open() as gate:
        assert gate.resume_ready() == 1
        assert gate.run("r").result() == "again by attempt 2"
    assert stage.counts == {"first": 1, "again": 2}


@pytest.mark.parametrize("ask", ["result", "resume", "start"])
def test_a_run_whose_process_dies_under_an_open_gate_goes_on_when_it_is_asked_for(stage: Stage, ask: str) -> None:
    with Gate(stage.queue) as gate:
        workflows = stage.workflows(gate)
        gate.count("pending")
        stage.begin_and_kill("start", "idempotent", "r", "A-17", catch="again")
        if ask == "resume":
            assert gate.run("r").resume() == "succeeded"
        if ask == "start":
            assert workflows["idempotent"].start("r", "A-17").status == "succeeded"
        assert gate.run("r").result(timeout=5) == "again by attempt 2"


def test_a_run_whose_process_dies_under_an_open_gate_needs_a_review_when_it_is_asked_for(stage: Stage) -> None:
    with stage.open() as gate:
        gate.count("pending")
        stage.begin_and_kill("start", "plain", "r", "A-17", catch="middle")
        assert gate.run("r").resume() == "needs-review"
        assert [row.tool for row in gate.requests("unknown")] == ["note"]


def test_a_thread_that_waits_for_the_result_hears_that_the_other_process_died(stage: Stage) -> None:
    with stage.open() as gate:
        executing = stage.begin("start", "idempotent", "r", "A-17", catch="again")
        executing.until("again")
        waiting = Background(lambda: gate.run("r").result(timeout=20))
        executing.kill()
        assert waiting.join() == "again by attempt 2"


@pytest.mark.parametrize(
    ("answer", "expected", "status"),
    [
        ("ran", {"pay": 1, "reconcile pay ran": 1}, "succeeded"),
        ("not", {"pay": 2, "reconcile pay not": 1}, "succeeded"),
        ("unclear", {"pay": 1, "reconcile pay unclear": 1}, "needs-review"),
    ],
)
def test_a_step_killed_in_its_middle_is_reconciled_when_the_run_goes_on(
    stage: Stage, answer: str, expected: dict[str, int], status: str
) -> None:
    stage.begin_and_kill("start", "reconciled", "r", answer, catch="pay")
    with stage.open() as gate:
        assert gate.resume_ready() == 1
        assert gate.run("r").status == status
        if status == "succeeded":
            assert gate.run("r").result() == {"ran": "found", "not": "pay"}[answer]
    assert stage.counts == expected
