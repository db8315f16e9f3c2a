"""What every store does alike with runs: their rows, their journals, and what is left when they are deleted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest

from gatekit.backend.tx import LostRace, PageQuery, RunsQuery, Store, Tx
from gatekit.errors import RequestNotFound, StoreError, UsageError
from gatekit.machine import runs
from gatekit.machine.effects import AppendEvent, DeleteRun, InsertRun, UpdateRun, WakeRun
from gatekit.machine.records import EventRecord, RunRecord, StepRecord
from gatekit.models import RUN_STATUSES, RunStatus
from gatekit.reply import Reply
from gatekit.testing import FakeClock
from gatekit.waiting import Waiting
from tests.store.support import Desk, new_run, submitting

Ask = Callable[[Tx], Any]


def ask(desk: Desk, question: Ask) -> Any:
    return desk.read(lambda tx, now: question(tx))


def everything(tx: Tx) -> tuple[Any, ...]:
    """All that can be read of runs `r` and `s` and of the queue around them."""
    events = tx.events(0, 100)
    states = [tx.state(request_id) for request_id in sorted({event.request_id for event in events} - {""})]
    listed = tx.runs(RunsQuery(statuses=RUN_STATUSES))
    return events, tx.last_cursor(), states, listed, tx.steps("r"), tx.steps("s"), tx.run_history("r")


def test_a_run_comes_back_as_it_was_written(desk: Desk, clock: FakeClock) -> None:
    run = new_run("r", clock.now(), text='{"a":"\\ud83d"}', waiting_for=("one", "two"), retried=("x", "x"), ready=False)
    desk.apply(InsertRun(run))
    assert desk.run("r") == run
    assert ask(desk, lambda tx: (tx.run("s"), tx.run(""))) == (None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "running", "owner": "host/boot/1/2/3", "token": "t", "executions": 3, "ready": False},
        {"status": "waiting", "waiting_for": ("a", 'b "quoted"'), "retried": ("s", "s"), "ready": False},
        {"status": "succeeded", "result": "[1]", "updated_at": 77, "ready": False},
        {"status": "succeeded", "result": None, "result_lost": True, "ready": False},
        {"status": "failed", "reason": "a\0b", "error_type": "ValueError", "error_request": "req", "ready": False},
    ],
)
def test_an_update_of_a_run_writes_every_column_that_can_change(desk: Desk, changes: dict[str, Any]) -> None:
    before = desk.begin("r")
    desk.change_run("r", **changes)
    assert desk.run("r") == replace(before, **changes)


def test_every_status_of_a_run_can_be_stored(desk: Desk) -> None:
    desk.begin("r")
    for status in get_args(RunStatus):
        desk.change_run("r", status=status)
        assert desk.run("r").status == status


def test_a_run_is_begun_once(desk: Desk) -> None:
    desk.begin("r")
    before = ask(desk, everything)
    with pytest.raises(StoreError):
        desk.begin("r", workflow="other")
    assert ask(desk, everything) == before


def test_an_update_of_a_run_that_moved_on_is_a_lost_race(store: Store, desk: Desk) -> None:
    run = desk.begin("r", executions=2)

    read: list[tuple[str, RunStatus, int]] = [
        ("r", "running", 2),
        ("r", "waiting", 1),
        ("nobody", "waiting", 2),
        ("r", "waiting", 2),
    ]

    def job(tx: Tx, now: int) -> list[tuple[str, RunStatus, int]]:
        lost = []
        for run_id, status, executions in read:
            try:
                tx.apply(UpdateRun(replace(run, id=run_id, reason="won"), status, executions))
            except LostRace:
                lost.append((run_id, status, executions))
        return lost

    assert store.write(job).wait() == read[:3]
    assert desk.run("r").reason == "won"


class TestWaking:
    @pytest.mark.parametrize("status", RUN_STATUSES)
    def test_only_a_run_that_waits_or_needs_a_review_is_woken(self, desk: Desk, status: RunStatus) -> None:
        before = desk.begin("r", status=status, ready=False)
        desk.apply(WakeRun("r"))
        assert desk.run("r") == replace(before, ready=status in ("waiting", "needs-review"))

    def test_waking_twice_or_nobody_does_nothing(self, desk: Desk) -> None:
        desk.begin("r", ready=False)
        desk.apply(WakeRun("r"))
        before = ask(desk, everything)
        desk.apply(WakeRun("r"), WakeRun("nobody"), WakeRun(""))
        assert ask(desk, everything) == before

    def test_a_decision_wakes_the_run_that_waits_for_it(self, desk: Desk) -> None:
        desk.begin("r", ready=False)
        desk.begin("s", ready=False)
        desk.decide(desk.submit(run="r"), "reject")
        assert ask(desk, lambda tx: tx.run_states(["r", "s"])) == {"r": "ready", "s": "waiting"}


class TestLists:
    def numbers(self, desk: Desk, **values: Any) -> list[int]:
        query = replace(RunsQuery(statuses=RUN_STATUSES), **values)
        return [number for number, _ in ask(desk, lambda tx: tx.runs(query))]

    def test_the_newest_run_comes_first(self, desk: Desk) -> None:
        begun = [desk.begin(run_id) for run_id in ("c", "a", "b")]
        assert ask(desk, lambda tx: tx.runs(RunsQuery(statuses=("waiting",)))) == [
            (3, begun[2]),
            (2, begun[1]),
            (1, begun[0]),
        ]

    def test_states_and_workflows_are_chosen_and_merged_in_order(self, desk: Desk) -> None:
        for number in range(1, 13):
            status = RUN_STATUSES[number % 3]
            desk.begin(f"r{number}", status=status, workflow="even" if number % 2 == 0 else "odd")
        first, second, third = RUN_STATUSES[:3]
        assert self.numbers(desk) == list(range(12, 0, -1))
        assert self.numbers(desk, statuses=(first,)) == [12, 9, 6, 3]
        assert self.numbers(desk, statuses=(first, third, first)) == [12, 11, 9, 8, 6, 5, 3, 2]
        assert self.numbers(desk, statuses=(second, third), workflow="odd") == [11, 7, 5, 1]
        assert self.numbers(desk, statuses=(first,), workflow="nobody's") == []
        assert self.numbers(desk, statuses=()) == []
        assert self.numbers(desk, statuses=RUN_STATUSES[3:]) == []

    def test_pages_follow_one_another(self, desk: Desk) -> None:
        for number in range(7):
            desk.begin(f"r{number}", status=RUN_STATUSES[number % 2], workflow="w")
        pages, after = [], None
        while page := self.numbers(desk, after=after, limit=3, workflow="w"):
            pages.append(page)
            after = page[-1]
        assert pages == [[7, 6, 5], [4, 3, 2], [1]]

    def test_states_leave_out_what_is_not_there(self, desk: Desk) -> None:
        desk.begin("going", status="running", ready=False)
        desk.begin("ready")
        desk.begin("strange", status="needs-review")
        desk.begin("asleep", ready=False)
        found = ask(desk, lambda tx: tx.run_states(["going", "ready", "strange", "asleep", "nobody", ""]))
        assert found == {"going": "running", "ready": "ready", "strange": "ready", "asleep": "waiting"}
        assert ask(desk, lambda tx: tx.run_states([])) == {}

    def test_runs_in_progress_name_their_process(self, desk: Desk) -> None:
        desk.begin("first", status="running", owner="one", ready=False)
        desk.begin("waits")
        desk.begin("second", status="running", owner="two", ready=False)
        assert ask(desk, lambda tx: tx.running_runs()) == [("first", "one"), ("second", "two")]


class TestReady:
    @pytest.fixture(autouse=True)
    def some(self, desk: Desk) -> None:
        desk.begin("z", workflow="one")
        desk.begin("asleep", workflow="one", ready=False)
        desk.begin("y", workflow="two")
        desk.begin("x", workflow="one", status="needs-review")
        desk.begin("w", workflow="three")
        desk.begin("v", workflow="two")
        desk.begin("u", workflow="three", status="needs-review")

    def test_the_oldest_of_these_workflows_come_first(self, desk: Desk) -> None:
        assert ask(desk, lambda tx: tx.ready_runs(["two", "one", "one"], 10)) == ["z", "y", "x", "v"]
        assert ask(desk, lambda tx: tx.ready_runs({"one", "two"}, 3)) == ["z", "y", "x"]
        assert ask(desk, lambda tx: tx.ready_runs(["nobody's"], 3)) == []
        assert ask(desk, lambda tx: tx.ready_runs([], 3)) == []

    def test_waiting_runs_of_other_workflows_are_strange(self, desk: Desk) -> None:
        assert ask(desk, lambda tx: tx.strange_runs(["two"], 10)) == ["z", "w"]
        assert ask(desk, lambda tx: tx.strange_runs(["two"], 1)) == ["z"]
        assert ask(desk, lambda tx: tx.strange_runs([], 10)) == ["z", "y", "w", "v"]
        assert ask(desk, lambda tx: tx.strange_runs({"one", "two", "three"}, 10)) == []


class TestJournal:
    def test_steps_come_in_the_order_in_which_they_were_made(self, desk: Desk) -> None:
        late = desk.submit(run="r", call_id="z", tool="b")
        desk.submit(run="s", call_id="z", tool="b")
        desk.submit()
        early = desk.submit(run="r", call_id="a", tool="c")
        last = desk.submit(run="r", call_id="m", tool="a", kind="pause")
        desk.decide(early, "reject")
        assert ask(desk, lambda tx: tx.steps("r")) == [
            StepRecord("z", "b", late, "pending"),
            StepRecord("a", "c", early, "rejected"),
            StepRecord("m", "a", last, "pending"),
        ]

    def test_calls_without_a_run_are_nobodys_steps(self, desk: Desk) -> None:
        desk.submit()
        assert ask(desk, lambda tx: (tx.steps(""), tx.steps("r"), tx.run_history(""))) == ([], [], [])

    def test_a_runs_own_events_name_no_request(self, desk: Desk) -> None:
        desk.begin("r")
        step = desk.submit(run="r")
        desk.submit(run="s")
        (own, entered) = ask(desk, lambda tx: tx.run_history("r"))
        assert (own.kind, own.request_id, own.call_id, own.run, own.cursor) == ("run.started", "", "", "r", 1)
        assert (entered.kind, entered.request_id, entered.run, entered.cursor) == ("submitted", step, "r", 2)
        assert ask(desk, lambda tx: tx.events(0, 1)) == [own]
        assert ask(desk, lambda tx: (tx.history(""), tx.history(step))) == ([], [entered])


class TestDeleting:
    def deleted(self, desk: Desk) -> None:
        """Run `r` with everything that a run can leave, between others; then `r` is deleted."""
        desk.begin("s")
        desk.begin("r", status="failed", ready=False)
        step, other = desk.submit(run="r", call_id="a", id="step"), desk.submit(run="s", call_id="a", id="other")
        for each in (step, other):
            desk.edit(each, '{"path":"/tmp/b"}')
            desk.decide(each, "approve") if desk.status(each) == "pending" else None
            verdict = replace(desk.state(each).revisions[0].verdict, gated=False)  # type: ignore[type-var]
            assert desk.start(each, f"start-{each}", verdict=verdict) is not None
        desk.submit(id="alone")
        desk.submit(run="r", call_id="b")
        self.before = ask(desk, everything)
        desk.apply(DeleteRun("r"))

    def test_the_run_and_all_that_its_steps_left_are_gone(self, desk: Desk) -> None:
        self.deleted(desk)
        assert ask(desk, lambda tx: (tx.run("r"), tx.steps("r"), tx.run_history("r"))) == (None, [], [])
        assert ask(desk, lambda tx: (tx.state("step"), tx.history("step"))) == (None, [])
        assert ask(desk, lambda tx: tx.find("r", "delete", "a")) is None
        assert ask(desk, lambda tx: [row[0] for row in tx.running(10)]) == ["other"]

    def test_everything_else_stays_as_it_was(self, desk: Desk) -> None:
        self.deleted(desk)
        events, _, states, listed, _, steps, _ = self.before
        assert ask(desk, lambda tx: tx.events(0, 100)) == [event for event in events if event.run != "r"]
        assert ask(desk, lambda tx: [tx.state("alone"), tx.state("other")]) == [
            state for state in states if state.request.run != "r"
        ]
        assert ask(desk, lambda tx: tx.runs(RunsQuery(statuses=RUN_STATUSES))) == [
            line for line in listed if line[1].id != "r"
        ]
        assert ask(desk, lambda tx: tx.steps("s")) == steps

    def test_all_of_it_can_be_made_again(self, desk: Desk) -> None:
        desk.begin("r", status="failed", ready=False)
        made = []
        # The second time the tokens are those of another request, and the votes are of the same one.
        for first, second in (("x", "y"), ("y", "x")):
            for request_id, token in ((first, "token-1"), (second, "token-2")):
                desk.submit(run="r", call_id=request_id, id=request_id)
                desk.decide(request_id, "approve")
                assert desk.start(request_id, token) is not None
            made.append(ask(desk, lambda tx: ([event.kind for event in tx.run_history("r")], len(tx.running(10)))))
            desk.apply(DeleteRun("r"))
            desk.begin("r", status="failed", ready=False)
        assert made == [(["run.started", *["submitted", "approved", "started"] * 2], 2)] * 2

    def test_no_cursor_is_given_twice(self, desk: Desk) -> None:
        desk.begin("s")
        desk.begin("r")
        last = ask(desk, lambda tx: tx.last_cursor())
        desk.apply(DeleteRun("r"))
        assert ask(desk, lambda tx: (tx.last_cursor(), tx.events(1, 10))) == (1, [])
        desk.submit()
        assert [event.cursor for event in ask(desk, lambda tx: tx.events(0, 10))] == [1, last + 1]

    def test_events_are_read_in_full_pages_over_gaps(self, desk: Desk) -> None:
        for run_id in ("a", "r", "b", "r2", "r3", "c"):
            desk.begin(run_id)
        desk.apply(DeleteRun("r"), DeleteRun("r2"), DeleteRun("r3"))
        read = ask(desk, lambda tx: [[event.cursor for event in tx.events(since, 2)] for since in range(7)])
        assert read == [[1, 3], [3, 6], [3, 6], [6], [6], [6], []]

    def test_lines_keep_their_places_and_new_ones_come_behind_them(self, desk: Desk) -> None:
        desk.submit(run="r", id="first")
        kept = desk.submit(id="second")
        desk.apply(DeleteRun("r"))
        new = desk.submit(id="third")
        assert ask(desk, lambda tx: [tx.position(each) for each in (kept, new)]) == [0, 1]
        lines = ask(desk, lambda tx: tx.page(PageQuery(statuses=("pending",))))
        assert [(line.id, line.pos) for line in lines] == [(kept, 2), (new, 3)]

    def test_new_runs_come_behind_those_that_are_left(self, desk: Desk) -> None:
        for run_id in ("a", "b", "c"):
            desk.begin(run_id)
        desk.apply(DeleteRun("a"))
        desk.begin("d")
        listed = ask(desk, lambda tx: tx.runs(RunsQuery(statuses=RUN_STATUSES)))
        assert [(number, run.id) for number, run in listed] == [(4, "d"), (3, "c"), (2, "b")]

    @pytest.mark.parametrize("run_id", ["", "nobody"])
    def test_deleting_nobody_deletes_nothing(self, desk: Desk, run_id: str) -> None:
        desk.begin("r")
        desk.submit()
        before = ask(desk, everything)
        desk.apply(DeleteRun(run_id))
        assert ask(desk, everything) == before

    def test_what_comes_behind_it_in_the_transaction_is_kept(self, desk: Desk) -> None:
        run = desk.begin("r", status="succeeded", ready=False)
        desk.apply(*runs.delete(run, "human:alice", 5).effects)
        assert [event.kind for event in ask(desk, lambda tx: tx.run_history("r"))] == ["run.deleted"]


def test_a_transaction_that_fails_leaves_runs_as_they_were(store: Store, desk: Desk, clock: FakeClock) -> None:
    desk.begin("s")
    run = desk.begin("r")
    desk.submit(run="r", call_id="a")
    desk.begin("t")
    before = ask(desk, everything)

    def job(tx: Tx, now: int) -> None:
        tx.apply(UpdateRun(replace(run, status="failed", ready=False), "waiting", 0))
        tx.apply(DeleteRun("r"))
        tx.apply(InsertRun(new_run("r", now, workflow="other")))
        tx.apply(WakeRun("s"))
        submitting(run="r", call_id="a")(tx, now)
        raise StoreError("no")

    with pytest.raises(StoreError, match="no"):
        store.write(job).wait()
    assert ask(desk, everything) == before
    desk.submit()
    assert ask(desk, lambda tx: tx.last_cursor()) == before[1] + 1


class TestWaitingForRuns:
    @pytest.fixture
    def swept(self) -> threading.Event:
        return threading.Event()

    @pytest.fixture
    def waiting(self, store: Store, clock: FakeClock, swept: threading.Event) -> Waiting:
        made = Waiting(clock, swept.set)
        store.observe(made)
        return made

    def wait(
        self, store: Store, waiting: Waiting, run_id: str, *while_in: RunStatus, seconds: float | None = None
    ) -> Callable[[], bool]:
        reply = waiting.wait_run(run_id, frozenset(while_in), seconds)
        store.stir()
        return reply.wait

    def look_in_vain(
        self, store: Store, waiting: Waiting, monkeypatch: pytest.MonkeyPatch, *waits: Callable[[], Reply[Any]]
    ) -> list[Reply[Any]]:
        """Begin these waits and look where runs cannot be read; on the thread that makes all looks."""

        def locked(*_: object) -> None:
            raise StoreError("locked")

        def job(tx: Tx, now: int) -> list[Reply[Any]]:
            begun = [begin() for begin in waits]
            with monkeypatch.context() as patch:
                patch.setattr(type(tx), "run_states", locked)
                with pytest.raises(StoreError, match="locked"):
                    waiting.look(tx, now)
            return begun

        return store.read(job).wait()

    def test_it_ends_at_once_where_the_run_can_go_on(self, store: Store, desk: Desk, waiting: Waiting) -> None:
        desk.begin("r")
        assert self.wait(store, waiting, "r", *RUN_STATUSES)() is True

    def test_it_ends_at_once_where_there_is_no_such_run(self, store: Store, waiting: Waiting) -> None:
        assert self.wait(store, waiting, "nobody", *RUN_STATUSES)() is True

    def test_any_event_of_the_run_ends_it_once_the_run_is_elsewhere(
        self, store: Store, desk: Desk, waiting: Waiting
    ) -> None:
        run = desk.begin("r", status="running", token="t", ready=False)
        answer = self.wait(store, waiting, "r", "running", "waiting")
        desk.apply(*runs.suspend(run, "t", ["a"], 5, ready=False, unknown=False).effects)
        assert waiting.wants()
        desk.apply(*runs.cancel(desk.run("r"), "human:alice", None, 6).effects)
        assert answer() is True
        assert not waiting.wants()

    def test_a_decision_on_a_step_ends_it(self, store: Store, desk: Desk, waiting: Waiting) -> None:
        desk.begin("r", ready=False)
        desk.begin("s", ready=False)
        step = desk.submit(run="r")
        answer = self.wait(store, waiting, "r", "waiting")
        self.wait(store, waiting, "s", "waiting")
        desk.decide(step, "approve")
        assert answer() is True
        assert waiting.wants(), "the other run waits on"

    def test_the_end_of_the_time_ends_it_with_no(
        self, store: Store, desk: Desk, waiting: Waiting, clock: FakeClock
    ) -> None:
        desk.begin("r", ready=False)
        answer = self.wait(store, waiting, "r", "waiting", seconds=5)
        desk.submit()
        clock.advance(6)
        assert answer() is False
        assert not waiting.wants()

    def test_the_deletion_of_the_run_ends_it_and_all_waits_for_its_steps(
        self, store: Store, desk: Desk, waiting: Waiting
    ) -> None:
        run = desk.begin("r", status="failed", ready=False)
        step, other = desk.submit(run="r"), desk.submit()
        answer = self.wait(store, waiting, "r", "failed")
        of_step = waiting.wait(step, frozenset({"pending"}), None)
        of_other = waiting.wait(other, frozenset({"pending"}), None)
        # Looked at before, so that only the deletion itself can end them.
        assert self.wait(store, waiting, "nobody")() is True
        desk.apply(*runs.delete(run, "human:alice", 5).effects)
        assert answer() is True
        with pytest.raises(RequestNotFound):
            of_step.wait()
        desk.decide(other, "reject")
        assert of_other.wait() == "rejected"

    def test_a_run_and_a_request_of_one_id_are_two(self, store: Store, desk: Desk, waiting: Waiting) -> None:
        desk.begin("same", ready=False)
        desk.submit(id="same")
        of_run = self.wait(store, waiting, "same", "waiting")
        of_request = waiting.wait("same", frozenset({"pending"}), None)
        desk.decide("same", "reject")
        assert of_request.wait() == "rejected"
        assert waiting.wants()
        desk.apply(WakeRun("same"), AppendEvent(event_of("same")))
        assert of_run() is True

    def test_a_run_in_progress_has_the_dead_looked_for(
        self, store: Store, desk: Desk, waiting: Waiting, clock: FakeClock, swept: threading.Event
    ) -> None:
        desk.begin("r", status="running", owner="o", ready=False)
        self.wait(store, waiting, "r", "running")
        clock.advance(1.5)
        assert swept.wait(10)

    def test_a_run_that_waits_for_people_has_nobody_looked_for(
        self, store: Store, desk: Desk, waiting: Waiting, clock: FakeClock, swept: threading.Event
    ) -> None:
        desk.begin("r", ready=False)
        self.wait(store, waiting, "r", "waiting")
        clock.advance(1.5)
        # The second answer comes from a look of its own, when the first look is over.
        assert [self.wait(store, waiting, "nobody")() for _ in range(2)] == [True, True]
        assert not swept.is_set()

    def test_leaving_tells_who_waits_for_a_run_and_names_only_requests(
        self, store: Store, desk: Desk, waiting: Waiting
    ) -> None:
        desk.begin("r", ready=False)
        request_id = desk.submit()
        answer = self.wait(store, waiting, "r", "waiting")
        of_request = waiting.wait(request_id, frozenset({"pending"}), None)
        assert waiting.leave(UsageError("closed")) == {request_id}
        for reply in (answer, of_request.wait):
            with pytest.raises(UsageError, match="closed"):
                reply()

    def test_a_look_that_fails_forgets_nobody_and_nothing(
        self, store: Store, desk: Desk, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.begin("r", ready=False)
        first, second = desk.submit(), desk.submit()
        desk.decide(first, "reject")
        begun = self.look_in_vain(
            store,
            waiting,
            monkeypatch,
            lambda: waiting.wait(first, frozenset({"pending"}), None),
            lambda: waiting.wait(second, frozenset({"pending"}), None),
            lambda: waiting.wait_run("r", frozenset({"waiting"}), None),
            lambda: waiting.watch(0),
        )
        desk.decide(second, "reject")
        desk.apply(WakeRun("r"), AppendEvent(event_of("r")))
        of_first, of_second, of_run, watched = [reply.wait() for reply in begun]
        assert (of_first, of_second, of_run) == ("rejected", "rejected", True)
        assert watched

    def test_whoever_a_failed_look_did_not_come_to_hears_of_the_failure(
        self, store: Store, desk: Desk, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.begin("r", ready=False)
        (reply,) = self.look_in_vain(
            store, waiting, monkeypatch, lambda: waiting.wait_run("r", frozenset({"waiting"}), None)
        )
        waiting.fail(StoreError("gone"))
        with pytest.raises(StoreError, match="gone"):
            reply.wait()

    def test_closing_the_store_tells_who_waits_for_a_run(self, store: Store, desk: Desk, waiting: Waiting) -> None:
        desk.begin("r", ready=False)
        answer = self.wait(store, waiting, "r", "waiting")
        store.close()
        with pytest.raises(UsageError):
            answer()


def event_of(run_id: str) -> EventRecord:
    run: RunRecord = new_run(run_id, 1)
    return EventRecord(
        kind="run.woken",
        request_id="",
        call_id="",
        tool=run.workflow,
        run=run.id,
        by=run.requester,
        at=1,
        version=0,
        digest=run.digest,
    )
