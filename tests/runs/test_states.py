"""Every state of a run, the ways into it and out of it, and what a caller can ask of it there."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from gatekit import Cancelled, Gate, Rejected, Responded, ResultNotStored, Run, UsageError, gated_step
from gatekit.errors import NotAllowed, RunCancelled, RunConflict, RunError, RunFailed, RunNeedsReview, RunNotFound
from gatekit.models import RunStatus
from gatekit.runs import Handle
from gatekit.testing import FakeClock, memory_gate
from tests.gate.helpers import settled
from tests.runs.helpers import Background, Diary, approve, journal, kinds, pending, reject, release, waiting_tools

STATES: tuple[RunStatus, ...] = ("running", "waiting", "succeeded", "failed", "cancelled", "needs-review")


class Stage:
    """A workflow of which a run can be brought into every state."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.diary = Diary()
        self.inside, self.go = threading.Event(), threading.Event()
        self.fails = True
        self.background: Background | None = None
        pay = gated_step(self._pay, gate=gate, name="pay")

        @gate.workflow
        def play(run: Run, scene: str) -> str:
            run.step("first", self.diary.note, "first")
            if scene == "running":
                run.step("hold", self._hold)
            if scene in ("waiting", "needs-review"):
                run.step("pay", pay, scene)
            if scene == "failed":
                run.step("fail", self._fail)
            if scene == "cancelled":
                run.cancel("not needed")
            return scene

        self.play = play

    def _hold(self) -> str:
        self.diary.note("hold")
        self.inside.set()
        assert self.go.wait(10)
        return "held"

    def _pay(self, scene: str) -> str:
        self.diary.note("pay")
        if scene == "needs-review" and self.fails:
            raise KeyboardInterrupt
        return scene

    def _fail(self) -> str:
        self.diary.note("fail")
        if self.fails:
            raise ValueError("broken")
        return "mended"

    def bring(self, state: RunStatus) -> Handle[str]:
        """The run `r` in this state."""
        if state == "running":
            self.background = Background(lambda: self.play.start("r", state).result())
            assert self.inside.wait(10)
            return self.gate.run("r")
        handle = self.play.start("r", state)
        if state == "needs-review":
            approve(self.gate, "pay")
            with pytest.raises(KeyboardInterrupt):
                handle.resume()
            assert handle.resume() == "needs-review"
        assert handle.status == state
        return handle

    def leave(self) -> None:
        self.go.set()
        if self.background is not None:
            try:
                self.background.join()
            except RunError:
                self.background = None


@pytest.fixture
def stage(gate: Gate) -> Any:
    made = Stage(gate)
    yield made
    made.leave()


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_listed_told_and_kept_in_the_history(stage: Stage, state: RunStatus) -> None:
    handle = stage.bring(state)
    row = handle.row()
    assert (row.status, row.workflow, row.args) == (state, "play", {"scene": state})
    assert [one.id for one in stage.gate.runs(state)] == ["r"]
    assert [one.id for one in stage.gate.runs([other for other in STATES if other != state])] == []
    assert kinds(stage.gate, "r")[:2] == ["run.started", "run.taken"]
    assert handle.steps()[0].name == "first"
    assert row.to_dict()["status"] == state


RESUMED: dict[RunStatus, RunStatus] = {
    "running": "running",
    "waiting": "waiting",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "needs-review": "needs-review",
}


@pytest.mark.parametrize("state", STATES)
def test_resuming_or_starting_again_does_nothing_that_was_done(stage: Stage, state: RunStatus) -> None:
    handle = stage.bring(state)
    before = stage.diary.counts
    for _ in range(2):
        assert stage.play.start("r", state).status == state
        assert stage.gate.resume_ready() == 0
    if state != "failed":
        assert handle.resume() == RESUMED[state]
    assert stage.diary.counts == before


@pytest.mark.parametrize("state", STATES)
def test_cancelling_from_outside(stage: Stage, state: RunStatus) -> None:
    handle = stage.bring(state)
    if state in ("succeeded", "failed"):
        with pytest.raises(NotAllowed, match=f"has {state}: there is nothing to cancel"):
            handle.cancel("too late")
        assert handle.status == state
        return
    row = handle.cancel("no longer wanted")
    assert row.status == "cancelled"
    assert row.reason == ("not needed" if state == "cancelled" else "no longer wanted")
    assert waiting_tools(stage.gate) == []
    with pytest.raises(RunCancelled, match=row.reason):
        handle.result()
    assert handle.cancel("again").reason == row.reason
    assert handle.resume() == "cancelled"
    assert kinds(stage.gate, "r").count("run.cancelled") == 1


@pytest.mark.parametrize("state", STATES)
def test_deleting_and_starting_anew(stage: Stage, state: RunStatus) -> None:
    handle = stage.bring(state)
    if state not in ("succeeded", "failed", "cancelled"):
        with pytest.raises(NotAllowed, match=r"cancel it before you delete it|cannot be deleted"):
            handle.delete()
        assert handle.status == state
        return
    handle.delete()
    for ask in (handle.row, handle.steps, handle.history, handle.cancel, handle.delete, handle.resume, handle.result):
        with pytest.raises(RunNotFound, match="'r' is not in this queue"):
            ask()
    assert stage.gate.runs() == []
    assert len(stage.gate.requests(["pending", "succeeded", "failed", "cancelled"])) == 0
    again = stage.play.start("r", "succeeded")
    assert (again.result(), stage.diary.counts["first"]) == ("succeeded", 2)


def test_a_cancelled_run_that_is_executed_elsewhere_starts_nothing_more(stage: Stage) -> None:
    handle = stage.bring("running")
    handle.cancel("stop")
    stage.go.set()
    assert stage.background is not None
    with pytest.raises(RunCancelled, match="stop"):
        stage.background.join()
    # The tool that ran is not stopped, and its report counts.
    assert journal(stage.gate, "r") == [("first", "succeeded"), ("hold", "succeeded")]
    assert handle.status == "cancelled"


def test_a_cancelled_run_executed_elsewhere_cannot_queue_its_next_step(gate: Gate) -> None:
    inside, go, diary = threading.Event(), threading.Event(), Diary()

    @gated_step(gate=gate)
    def pay(amount: int) -> int:
        return amount

    def hold() -> str:
        inside.set()
        assert go.wait(10)
        return diary.note("held")

    @gate.workflow
    def refund(run: Run) -> int:
        run.step("hold", hold)
        return run.step("pay", pay, 5)

    started = Background(lambda: refund.start("r").status)
    assert inside.wait(10)
    gate.run("r").cancel()
    go.set()
    assert started.join() == "cancelled"
    assert (diary.lines, journal(gate, "r")) == (["held"], [("hold", "succeeded")])


def test_cancel_from_inside_withdraws_what_waits(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> int:
        return amount

    @gate.workflow
    def refund(run: Run) -> None:
        try:
            run.step("pay", pay, 5)
        except BaseException:  # noqa: BLE001 - a body that cancels where it would have to wait
            run.cancel("no time to wait")

    handle = refund.start("r")
    assert (handle.status, handle.row().reason) == ("cancelled", "no time to wait")
    assert (waiting_tools(gate), journal(gate, "r")) == ([], [("pay", "cancelled")])


def test_cancel_from_inside_ends_the_body_there(gate: Gate) -> None:
    diary = Diary()

    @gate.workflow
    def refund(run: Run) -> str:
        run.step("first", diary.note, "first")
        try:
            run.cancel("enough")
        except Exception:  # noqa: BLE001 - the body of a user who catches everything
            diary.note("caught")
        return run.step("second", diary.note, "second")

    handle = refund.start("r")
    assert (handle.status, handle.row().reason, diary.lines) == ("cancelled", "enough", ["first"])
    with pytest.raises(RunCancelled, match="enough"):
        handle.result()


def test_a_failed_run_tries_the_failed_step_again_and_no_other(stage: Stage) -> None:
    handle = stage.bring("failed")
    assert handle.resume() == "failed"
    stage.fails = False
    assert handle.resume() == "succeeded"
    assert handle.result() == "failed"
    assert stage.diary.counts == {"first": 1, "fail": 3}
    assert kinds(stage.gate, "r").count("run.reopened") == 2


def test_a_failed_run_is_an_event_with_its_reason(stage: Stage) -> None:
    stage.bring("failed")
    event = next(event for event in stage.gate.events() if event.kind == "run.failed")
    assert (event.run, event.data["type_name"]) == ("r", "ValueError")
    assert "raised ValueError: broken" in event.data["reason"]


def test_a_run_that_needs_a_review_is_an_event_with_its_reason(stage: Stage) -> None:
    handle = stage.bring("needs-review")
    event = next(event for event in stage.gate.events() if event.kind == "run.needs_review")
    assert "settle it or retry it" in event.data["reason"]
    with pytest.raises(RunNeedsReview, match="settle it or retry it"):
        handle.result()


def test_what_the_workflow_itself_raises_fails_the_run_and_is_tried_again_from_there(gate: Gate) -> None:
    fails, diary = [True], Diary()

    @gate.workflow
    def refund(run: Run) -> str:
        run.step("first", diary.note, "first")
        if fails:
            raise LookupError("no such order")
        return "done"

    handle = refund.start("r")
    with pytest.raises(RunFailed, match="LookupError: no such order") as raised:
        handle.result()
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (copy.run_id, copy.reason, copy.type_name) == ("r", "no such order", "LookupError")
    fails.clear()
    assert handle.resume() == "succeeded"
    assert diary.lines == ["first"]


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda seat, request: seat.reject(request, reason="too risky"), Rejected),
        (lambda seat, request: seat.respond(request, "ask the customer"), Responded),
        (lambda seat, request: seat.cancel(request, reason="no need"), Cancelled),
    ],
)
def test_a_refused_step_fails_the_run_with_the_error_of_its_end(
    gate: Gate, act: Callable[[Any, Any], object], error: type[Exception]
) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> int:
        raise AssertionError("refused")

    @gate.workflow
    def refund(run: Run) -> int:
        return run.step("pay", pay, 5)

    handle = refund.start("r")
    act(gate.reviewer("bob"), pending(gate, "pay"))
    for _ in range(2):
        with pytest.raises(error):
            handle.result(timeout=5)
    assert handle.status == "failed"


def test_resuming_a_refused_run_asks_again(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(amount: int) -> int:
        return amount

    @gate.workflow
    def refund(run: Run) -> int:
        return run.step("pay", pay, 5)

    handle = refund.start("r")
    refused = reject(gate, "pay", "not today")
    with pytest.raises(Rejected):
        handle.result()
    assert handle.resume() == "waiting"
    request = pending(gate, "pay")
    assert request.id != refused.request_id
    gate.reviewer("bob").approve(request)
    assert handle.result(timeout=5) == 5
    assert [status for _, status in journal(gate, "r")] == ["rejected", "succeeded"]


def test_an_approval_that_nobody_started_in_time_is_asked_again_and_the_run_waits_on() -> None:
    clock = FakeClock()
    with memory_gate(clock) as gate:

        @gated_step(gate=gate, start_within=timedelta(hours=1))
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def refund(run: Run) -> int:
            return run.step("pay", pay, 5)

        handle = refund.start("r")
        approve(gate, "pay")
        clock.advance(3601)
        gate.resume_ready()
        assert handle.status == "waiting"
        request = pending(gate, "pay")
        assert "approved, not started in time" in request.reasons
        gate.reviewer("bob").approve(request)
        assert handle.result(timeout=5) == 5
        assert "expired" not in {event.kind for event in gate.events()}


class TestStarting:
    def test_the_same_id_with_other_arguments_or_of_another_workflow_is_a_conflict(self, gate: Gate) -> None:
        diary = Diary()

        @gate.workflow
        def refund(run: Run, amount: float) -> object:
            return run.step("note", diary.note, str(amount))

        @gate.workflow
        def other(run: Run, amount: float) -> None:
            raise AssertionError

        refund.start("r", 5.0)
        for start in (lambda: refund.start("r", 6.0), lambda: other.start("r", 5.0)):
            with pytest.raises(RunConflict, match="'r' was started before") as raised:
                start()
            assert pickle.loads(pickle.dumps(raised.value)).run_id == "r"
        assert refund.start("r", amount=5.0).status == "succeeded"
        assert diary.lines == ["5.0"]

    @pytest.mark.parametrize("run_id", [None, "", 5, "x" * 501, "\ud800", b"r"])
    def test_a_bad_id_is_refused_and_nothing_is_stored(self, gate: Gate, run_id: Any) -> None:
        @gate.workflow
        def refund(run: Run) -> None:
            raise AssertionError

        with pytest.raises(UsageError):
            refund.start(run_id)
        assert gate.runs() == []

    @pytest.mark.parametrize("arguments", [(), ("a", "b"), (object(),)])
    def test_bad_arguments_are_refused_and_nothing_is_stored(self, gate: Gate, arguments: Any) -> None:
        @gate.workflow
        def refund(run: Run, order: str) -> None:
            raise AssertionError

        with pytest.raises((UsageError, TypeError)):
            refund.start("r", *arguments)
        assert gate.runs() == []

    def test_a_workflow_is_not_called(self, gate: Gate) -> None:
        @gate.workflow
        def refund(run: Run) -> None:
            raise AssertionError

        with pytest.raises(UsageError, match=r"refund\.start\(run_id"):
            refund(None)

    def test_what_cannot_be_a_workflow_is_refused(self, gate: Gate) -> None:
        @gated_step(gate=gate)
        def pay(amount: int) -> None: ...

        wrong: tuple[Any, ...] = (pay, lambda: None, 5, Diary)
        for function in wrong:
            with pytest.raises(UsageError):
                gate.workflow(function)

    def test_two_workflows_of_one_name_are_refused(self, gate: Gate) -> None:
        @gate.workflow
        def refund(run: Run) -> None: ...

        with pytest.raises(UsageError, match="already"):
            gate.workflow(name="refund")(lambda run: None)

    def test_a_workflow_can_have_a_name_of_its_own(self, gate: Gate) -> None:
        @gate.workflow(name="other")
        def refund(run: Run) -> int:
            return 5

        assert refund.start("r").row().workflow == "other"

    def test_the_workflow_sees_copies_of_its_arguments(self, gate: Gate) -> None:
        given = {"lines": [1]}
        seen: list[object] = []

        @gate.workflow
        def refund(run: Run, order: dict[str, list[int]]) -> None:
            seen.append(order)
            order["lines"].append(2)
            run.pause("look")

        handle = refund.start("r", given)
        assert given == {"lines": [1]}
        release(gate, "look")
        handle.resume()
        assert handle.row().args == {"order": {"lines": [1]}}
        assert len(seen) == 2

    def test_an_unknown_id_is_not_found(self, gate: Gate) -> None:
        handle = gate.run("nobody")
        for ask in (handle.row, handle.steps, handle.history, handle.cancel, handle.delete, handle.resume):
            with pytest.raises(RunNotFound, match="nobody"):
                ask()
        with pytest.raises(RunNotFound):
            handle.result(timeout=1)
        with pytest.raises(RunNotFound):
            _ = handle.status


class TestListing:
    def test_runs_are_listed_the_newest_first_and_page_by_page(self, gate: Gate) -> None:
        @gate.workflow
        def a(run: Run, n: int) -> int:
            return n

        @gate.workflow
        def b(run: Run) -> object:
            return run.pause("look")

        for n in range(5):
            a.start(f"a{n}", n)
        b.start("b")
        assert [row.id for row in gate.runs()] == ["b", "a4", "a3", "a2", "a1", "a0"]
        assert [row.id for row in gate.runs("waiting")] == ["b"]
        assert [row.id for row in gate.runs(workflow="a", limit=2)] == ["a4", "a3"]
        key = gate.runs(workflow="a", limit=2)[-1].key
        assert [row.id for row in gate.runs(workflow="a", after=key)] == ["a2", "a1", "a0"]
        assert gate.runs(workflow="nobody") == []

    @pytest.mark.parametrize("wrong", [{"status": "done"}, {"status": ()}, {"limit": 0}, {"after": "x"}])
    def test_a_wrong_question_is_refused(self, gate: Gate, wrong: dict[str, Any]) -> None:
        with pytest.raises(UsageError):
            gate.runs(**wrong)

    def test_a_run_tells_its_whole_history(self, gate: Gate) -> None:
        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def refund(run: Run) -> int:
            return run.step("pay", pay, 5)

        handle = refund.start("r")
        approve(gate, "pay")
        handle.result()
        told = [event.kind for event in handle.history()]
        assert told == [
            "run.started",
            "run.taken",
            "submitted",
            "run.waiting",
            "approved",
            "run.resumed",
            "started",
            "succeeded",
            "run.succeeded",
        ]
        assert {event.run for event in handle.history()} == {"r"}
        cursors = [event.cursor for event in handle.history()]
        assert cursors == sorted(cursors)
        assert [event.kind for event in gate.events()] == told


class TestResult:
    def test_it_waits_no_longer_than_it_may(self, gate: Gate) -> None:
        @gate.workflow
        def look(run: Run) -> object:
            return run.pause("look")

        handle = look.start("r")
        for seconds in (0, 0.05):
            with pytest.raises(TimeoutError, match="waiting after"):
                handle.result(timeout=seconds)
        assert handle.status == "waiting"

    def test_a_second_thread_gets_it_too(self, gate: Gate) -> None:
        diary = Diary()

        @gate.workflow
        def look(run: Run) -> str:
            return diary.note(str(run.pause("look", "draft")))

        handle = look.start("r")
        waiting = [Background(lambda: handle.result(timeout=10)) for _ in range(4)]
        release(gate, "look")
        assert [one.join() for one in waiting] == ["draft"] * 4
        assert len(diary.lines) == 1

    def test_a_thread_that_waits_while_another_executes_gets_it(self, stage: Stage) -> None:
        handle = stage.bring("running")
        waiting = Background(lambda: handle.result(timeout=10))
        stage.go.set()
        assert waiting.join() == "running"

    def test_a_waiting_thread_hears_of_a_cancellation_and_of_a_deletion(self, gate: Gate) -> None:
        @gate.workflow
        def look(run: Run) -> object:
            return run.pause("look")

        handle = look.start("r")
        waiting = Background(lambda: handle.result(timeout=10))
        handle.cancel("enough")
        with pytest.raises(RunCancelled):
            waiting.join()
        handle.delete()
        with pytest.raises(RunNotFound):
            handle.result()

    def test_it_is_rebuilt_through_the_return_annotation(self, gate: Gate) -> None:
        @gate.workflow
        def pair(run: Run) -> tuple[int, str]:
            return (1, "a")

        assert pair.start("r").result() == (1, "a")
        assert gate.run("r").row().result == [1, "a"]

    def test_one_that_json_cannot_hold_says_so(self, gate: Gate) -> None:
        @gate.workflow
        def thing(run: Run) -> object:
            return object()

        handle = thing.start("r")
        assert (handle.status, handle.row().result_lost) == ("succeeded", True)
        with pytest.raises(ResultNotStored):
            handle.result()

    @pytest.mark.anyio
    async def test_on_a_loops_thread_it_is_refused(self, gate: Gate, anyio_backend: str) -> None:
        @gate.workflow
        def look(run: Run) -> object:
            return run.pause("look")

        handle = look.start("r")
        with pytest.raises(UsageError, match="await"):
            handle.result()
        with pytest.raises(UsageError, match="await"):
            gate.resume_ready()
        release(gate, "look", payload=5)
        assert await gate.aio.run("r").result() == 5

    def test_a_program_without_the_workflow_waits_until_another_does_the_work(self, tmp_path: Path) -> None:
        with Gate(tmp_path / "queue.db") as gate, Gate(tmp_path / "queue.db") as other:

            @gate.workflow
            def look(run: Run) -> object:
                return run.pause("look", "draft")

            look.start("r")
            waiting = Background(lambda: other.run("r").result(timeout=10))
            release(gate, "look")
            assert gate.run("r").result() == "draft"
            assert waiting.join() == "draft"

    def test_a_program_without_the_workflow_waits_no_longer_than_it_may_for_a_run_that_nobody_takes(
        self, tmp_path: Path
    ) -> None:
        with Gate(tmp_path / "queue.db") as gate, Gate(tmp_path / "queue.db") as other:

            @gate.workflow
            def look(run: Run) -> object:
                return run.pause("look", "draft")

            look.start("r")
            release(gate, "look")
            assert gate.run("r").row().ready
            waiting = Background(lambda: other.run("r").result(timeout=0.2))
            try:
                with pytest.raises(TimeoutError):
                    waiting.join(3)
            finally:
                gate.run("r").resume()

    def test_a_program_without_the_workflow_cannot_resume_it(self, tmp_path: Path) -> None:
        with Gate(tmp_path / "queue.db") as gate, Gate(tmp_path / "queue.db") as other:

            @gate.workflow
            def look(run: Run) -> object:
                return run.pause("look", "draft")

            look.start("r")
            with pytest.raises(UsageError, match="no workflow 'look'"):
                other.run("r").resume()
            assert gate.run("r").status == "waiting"

    def test_another_program_on_the_queue_that_looks_for_work_takes_no_run_away_from_who_waits_for_it(
        self, tmp_path: Path
    ) -> None:
        with Gate(tmp_path / "queue.db") as gate, Gate(tmp_path / "queue.db") as other:

            @gate.workflow
            def look(run: Run) -> object:
                return run.pause("look", "draft")

            handle = look.start("r")
            release(gate, "look")
            other.resume_ready()
            assert handle.result(timeout=5) == "draft"


def test_a_run_interrupted_by_ctrl_c_can_be_taken_by_any_process(gate: Gate) -> None:
    interrupts, diary = [True], Diary()

    @gate.workflow
    def refund(run: Run) -> str:
        run.step("first", diary.note, "first")
        if interrupts:
            raise KeyboardInterrupt
        return run.step("second", diary.note, "second")

    with pytest.raises(KeyboardInterrupt):
        refund.start("r")
    settled(gate)
    row = gate.run("r").row()
    assert (row.status, row.ready) == ("waiting", True)
    interrupts.clear()
    assert gate.resume_ready() == 1
    assert diary.lines == ["first", "second"]
    assert "run.interrupted" in kinds(gate, "r")


@pytest.mark.anyio
async def test_a_cancelled_task_leaves_its_run_to_any_process(gate: Gate, anyio_backend: str) -> None:
    from gatekit import AsyncRun

    inside, diary = anyio.Event(), Diary()
    hangs = [True]

    @gate.workflow
    async def refund(run: AsyncRun) -> str:
        await run.step("first", diary.note, "first")
        if hangs:
            inside.set()
            await anyio.sleep_forever()
        return await run.step("second", diary.note, "second")

    async with anyio.create_task_group() as group:
        group.start_soon(refund.start, "r")
        await inside.wait()
        group.cancel_scope.cancel()
    await gate.backend.sweep()
    row = await gate.aio.run("r").row()
    assert (row.status, row.ready) == ("waiting", True)
    hangs.clear()
    assert await gate.aio.resume_ready() == 1
    assert diary.lines == ["first", "second"]
