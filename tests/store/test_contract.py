"""What every store does alike: rows in, rows out, in list order, all or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from gatekit.backend.tx import HANDED_ON, HandedOn, LostRace, PageQuery, Refused, Store, Tx
from gatekit.clock import FAR
from gatekit.errors import AlreadyDecided, GatekitError, RequestNotFound, StoreError, UsageError
from gatekit.machine.effects import InsertDecision, PutAttempt, PutRevision, UpdateRequest
from gatekit.machine.records import AttemptRecord, RequestRecord, RevisionRecord, RowRecord, Verdict
from gatekit.models import Risk, Status
from gatekit.reply import Reply
from gatekit.testing import FakeClock
from tests.store.support import TEXT, Desk, Onlooker, request, state_of, submitting


def page_after(desk: Desk, after: tuple[int, int] | None) -> list[RowRecord]:
    rows: list[RowRecord] = desk.read(lambda tx, now: tx.page(PageQuery(statuses=("pending",), after=after, limit=2)))
    return rows


def ids(desk: Desk, query: PageQuery) -> list[str]:
    return [row.id for row in desk.read(lambda tx, now: tx.page(query))]


def test_a_request_comes_back_as_it_was_written(desk: Desk, clock: FakeClock) -> None:
    record = request(
        clock.now(),
        kind="pause",
        run="thread-7",
        call_id="toolu_1",
        risk="critical",
        reasons=("one", 'two "quoted"', "\u202e"),
        hidden=3,
        description="a\0b \U0001f600",
        max_starts=3,
        expires_after=60_000_000,
        start_within=5,
        decide_by=clock.now() + 60_000_000,
        waiter="host/boot/1/2/3",
        ticket="ticket-1",
    )
    values = {name: getattr(record, name) for name in RequestRecord.__dataclass_fields__ if name != "call_given"}
    request_id = desk.submit(**values)
    assert desk.state(request_id).request == replace(record, due=clock.now() + 60_000_000, asked_at=clock.now())


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "returned", "result": "[1]", "result_lost": False, "status": "succeeded"},
        {"outcome": "returned", "result": None, "result_lost": True, "status": "succeeded"},
        {"outcome": "raised", "error_type": "ValueError", "error_message": "no", "status": "failed"},
        {"version": 9, "revision": 1, "revisions": 4, "stage": 2, "start_by": 7, "effective_at": 8, "decide_by": 6},
        {"decision": 1, "permit": 2, "attempt": 3, "waiter": None, "ticket": None, "reasons": ("x",), "risk": "low"},
        {"call_given": True},
    ],
)
def test_an_update_writes_every_column_that_can_change(desk: Desk, changes: dict[str, Any]) -> None:
    request_id = desk.submit(waiter="w", ticket="t")
    before = desk.state(request_id).request
    desk.change(request_id, **changes, due=12)
    assert desk.state(request_id).request == replace(before, **changes, due=12)


def test_a_call_goes_its_whole_way(desk: Desk, clock: FakeClock) -> None:
    request_id = desk.submit()
    clock.advance(1)
    desk.decide(request_id, "approve", note="fine")
    started = desk.start(request_id, "start-1")
    assert started is not None
    assert started.revision.text == TEXT
    desk.finish(request_id, "start-1", kind="returned", result='"done"')
    state = desk.state(request_id)
    assert (state.request.status, state.request.result) == ("succeeded", '"done"')
    assert [(row.verb, row.by, row.note) for row in state.decisions] == [("approve", "human:alice", "fine")]
    assert [(row.starts, row.max_starts, row.void) for row in state.permits] == [(1, 1, False)]
    assert [(row.token, row.state, row.finished_at) for row in state.attempts] == [("start-1", "returned", clock.now())]
    kinds = [event.kind for event in desk.read(lambda tx, now: tx.history(request_id))]
    assert kinds == ["submitted", "approved", "started", "succeeded"]


def test_an_edit_adds_a_revision_and_its_verdict_comes_later(desk: Desk) -> None:
    request_id = desk.submit()
    desk.edit(request_id, '{"path":"/tmp/b"}')
    assert [row.verdict for row in desk.state(request_id).revisions] == [
        Verdict(gated=True, reasons=("because",)),
        None,
    ]
    assert desk.start(request_id, "early") is None
    verdict = Verdict(gated=False, reasons=("r",), errors=())
    assert desk.start(request_id, "start-1", verdict=verdict) is not None
    state = desk.state(request_id)
    assert [row.text for row in state.revisions] == [TEXT, '{"path":"/tmp/b"}']
    assert state.revisions[1].verdict == verdict


def test_a_revision_never_changes_its_arguments(store: Store, desk: Desk) -> None:
    request_id = desk.submit()
    first = desk.state(request_id).revisions[0]
    with pytest.raises(StoreError):
        store.write(lambda tx, now: _raise_lost(tx, replace(first, text="{}"))).wait()
    assert desk.state(request_id).revisions == (first,)


def _raise_lost(tx: Tx, revision: RevisionRecord) -> None:
    try:
        tx.apply(PutRevision(revision))
    except LostRace as error:
        raise StoreError(str(error)) from error


def test_an_update_of_a_row_that_moved_on_is_a_lost_race(store: Store, desk: Desk) -> None:
    request_id = desk.submit()
    record = desk.state(request_id).request

    def job(tx: Tx, now: int) -> list[str]:
        lost = []
        for version, status in ((2, "pending"), (1, "held"), (1, "pending")):
            try:
                tx.apply(UpdateRequest(replace(record, version=3), version, status))  # type: ignore[arg-type]
            except LostRace:
                lost.append(status)
        return lost

    assert store.write(job).wait() == ["pending", "held"]
    assert desk.state(request_id).request.version == 3


def test_an_unknown_id_is_nothing(desk: Desk) -> None:
    assert desk.read(lambda tx, now: (tx.state("x"), tx.position("x"), tx.history("x"))) == (None, None, [])


def test_an_identity_is_found_and_is_unique(store: Store, desk: Desk) -> None:
    request_id = desk.submit(run="r", call_id="c")
    assert desk.read(lambda tx, now: tx.find("r", "delete", "c")) == request_id
    assert desk.read(lambda tx, now: (tx.find("r", "other", "c"), tx.find("", "delete", "c"))) == (None, None)
    with pytest.raises(StoreError):
        desk.submit(run="r", call_id="c")
    assert desk.read(lambda tx, now: tx.count(("pending",), 10)) == 1


def test_a_schema_is_kept_once(store: Store, desk: Desk) -> None:
    def job(tx: Tx, now: int) -> None:
        tx.put_schema("t", "d", "first")
        tx.put_schema("t", "d", "second")

    store.write(job).wait()
    assert desk.read(lambda tx, now: (tx.schema("t", "d"), tx.schema("t", "e"), tx.schema("u", "d"))) == (
        "first",
        None,
        None,
    )


def test_one_person_votes_once_on_a_version(store: Store, desk: Desk) -> None:
    request_id = desk.submit()
    vote = desk.decide(request_id, "approve", hold=60_000_000)
    again = replace(vote, no=2, verb="reject")
    with pytest.raises(StoreError):
        store.write(lambda tx, now: tx.apply(InsertDecision(again))).wait()
    store.write(lambda tx, now: tx.apply(InsertDecision(replace(vote, no=2, verb="undo")))).wait()
    assert [row.verb for row in desk.state(request_id).decisions] == ["approve", "undo"]


def test_a_decision_keeps_the_attempt_that_it_is_about(store: Store, desk: Desk) -> None:
    request_id = desk.submit()
    first = desk.decide(request_id, "approve", hold=60_000_000)
    second = replace(first, no=2, verb="undo", attempt=7)
    store.write(lambda tx, now: tx.apply(InsertDecision(second))).wait()
    assert desk.state(request_id).decisions == (first, second)
    assert first.attempt is None


def test_an_attempt_keeps_its_token_to_itself(store: Store, desk: Desk) -> None:
    request_id = desk.submit()
    attempt = AttemptRecord(request_id=request_id, no=1, token="t", permit=1, owner="o", started_at=1)
    store.write(lambda tx, now: tx.apply(PutAttempt(attempt))).wait()
    with pytest.raises(StoreError):
        store.write(lambda tx, now: tx.apply(PutAttempt(replace(attempt, no=2)))).wait()
    assert desk.state(request_id).attempts == (attempt,)


class TestPages:
    def test_a_line_says_of_which_kind_it_is(self, desk: Desk) -> None:
        desk.submit()
        desk.submit(kind="pause")
        lines = desk.read(lambda tx, now: tx.page(PageQuery(statuses=("pending",))))
        assert [line.kind for line in lines] == ["call", "pause"]

    def test_lines_are_ordered_by_deadline_and_then_by_arrival(self, desk: Desk, clock: FakeClock) -> None:
        late, later = desk.submit(decide_by=clock.now() + 20), desk.submit()
        soon, last = desk.submit(decide_by=clock.now() + 10), desk.submit()
        assert ids(desk, PageQuery(statuses=("pending",))) == [soon, late, later, last]

    def test_pages_forwards_meet_every_line_once(self, desk: Desk) -> None:
        entered = [desk.submit(decide_by=5 if number % 2 else None) for number in range(9)]
        seen: list[str] = []
        after: tuple[int, int] | None = None
        while rows := page_after(desk, after):
            seen += [row.id for row in rows]
            after = rows[-1].key
        assert seen == entered[1::2] + entered[::2]

    def test_pages_backwards_read_forwards(self, desk: Desk) -> None:
        entered = [desk.submit() for _ in range(7)]
        rows = desk.read(lambda tx, now: tx.page(PageQuery(statuses=("pending",))))
        before = rows[5].key
        assert ids(desk, PageQuery(statuses=("pending",), before=before, limit=2)) == entered[3:5]
        assert ids(desk, PageQuery(statuses=("pending",), before=rows[1].key, limit=5)) == entered[:1]
        assert ids(desk, PageQuery(statuses=("pending",), before=before, limit=2, offset=2)) == entered[1:3]

    def test_several_states_make_one_list(self, desk: Desk, clock: FakeClock) -> None:
        entered = [desk.submit(decide_by=clock.now() + 1000 - number) for number in range(6)]
        for request_id in entered[::2]:
            desk.decide(request_id, "approve", hold=500)
        both = PageQuery(statuses=("pending", "held"))
        expected = entered[::2] + entered[::-2]
        assert ids(desk, both) == expected
        assert ids(desk, replace(both, offset=2, limit=3)) == expected[2:5]
        place = desk.read(lambda tx, now: tx.page(both))[2]
        assert ids(desk, replace(both, after=place.key, limit=2)) == expected[3:5]
        assert ids(desk, replace(both, before=place.key, limit=1)) == expected[1:2]

    def test_a_page_can_be_for_one_tool(self, desk: Desk) -> None:
        desk.submit(tool="send")
        wanted = [desk.submit(tool="delete") for _ in range(2)]
        assert ids(desk, PageQuery(statuses=("pending",), tool="delete")) == wanted
        assert ids(desk, PageQuery(statuses=("pending", "held"), tool="delete")) == wanted
        assert ids(desk, PageQuery(statuses=("pending",), tool="dele")) == []

    def test_no_states_no_lines(self, desk: Desk) -> None:
        desk.submit()
        assert ids(desk, PageQuery(statuses=())) == []

    @pytest.mark.parametrize("letter", ["x", "é", "\U0001f600", "\0"])
    def test_a_long_description_is_cut_behind_what_is_shown(self, desk: Desk, letter: str) -> None:
        desk.submit(description=letter * 300)
        desk.submit(description="short " + letter)
        long, short = desk.read(lambda tx, now: tx.page(PageQuery(statuses=("pending",))))
        assert (long.description, short.description) == (letter * 201, "short " + letter)

    def test_a_line_says_what_the_request_says(self, desk: Desk, clock: FakeClock) -> None:
        request_id = desk.submit(risk="high", hidden=2, run="r", waiter="w", decide_by=clock.now() + 5)
        record = desk.state(request_id).request
        (row,) = desk.read(lambda tx, now: tx.page(PageQuery(statuses=("pending",))))
        same = row._fields[:-2]
        assert row.key == (clock.now() + 5, 1)
        assert {name: getattr(row, name) for name in same} == {name: getattr(record, name) for name in same}

    def test_a_position_counts_the_lines_before(self, desk: Desk, clock: FakeClock) -> None:
        first, second = desk.submit(), desk.submit(decide_by=clock.now() + 9)
        third = desk.submit()
        places = desk.read(lambda tx, now: [tx.position(each) for each in (first, second, third)])
        assert places == [1, 0, 2]

    def test_a_count_stops_where_it_is_told_to(self, desk: Desk) -> None:
        entered = [desk.submit() for _ in range(5)]
        desk.decide(entered[0], "reject")
        counts = desk.read(
            lambda tx, now: [
                tx.count(("pending",), 100),
                tx.count(("pending",), 3),
                tx.count(("pending", "rejected"), 100),
                tx.count(("pending", "rejected"), 2),
                tx.count(("expired",), 100),
                tx.count((), 100),
            ]
        )
        assert counts == [4, 3, 5, 2, 0, 0]


class TestEvents:
    def test_cursors_grow_by_one_and_events_are_read_from_any_place(self, desk: Desk) -> None:
        assert desk.read(lambda tx, now: tx.last_cursor()) == 0
        request_id = desk.submit(run="r", call_id="c")
        desk.decide(request_id, "reject", reason="no")
        events = desk.read(lambda tx, now: tx.events(0, 10))
        assert [(event.cursor, event.kind) for event in events] == [(1, "submitted"), (2, "rejected")]
        assert (events[1].by, events[1].run, events[1].call_id) == ("human:alice", "r", "c")
        assert events[1].data == '{"reason": "no"}'
        assert desk.read(lambda tx, now: tx.events(0, 1)) == events[:1]
        assert desk.read(lambda tx, now: tx.events(1, 10)) == events[1:]
        assert desk.read(lambda tx, now: (tx.events(2, 10), tx.last_cursor())) == ([], 2)

    def test_a_history_is_of_one_request(self, desk: Desk) -> None:
        first, second = desk.submit(), desk.submit()
        desk.decide(first, "reject")
        history = desk.read(lambda tx, now: tx.history(first))
        assert [(event.request_id, event.kind) for event in history] == [(first, "submitted"), (first, "rejected")]
        assert len(desk.read(lambda tx, now: tx.history(second))) == 1


class TestSweeping:
    def test_what_is_overdue_comes_first_due_first(self, desk: Desk, clock: FakeClock) -> None:
        now = clock.now()
        for offset in (30, 10, 20):
            desk.submit(id=f"due-{offset}", decide_by=now + offset)
        desk.submit()
        assert desk.read(lambda tx, _: tx.next_due()) == now + 10
        assert desk.read(lambda tx, _: tx.overdue(now + 20, 10)) == ["due-10", "due-20"]
        assert desk.read(lambda tx, _: tx.overdue(now + 20, 1)) == ["due-10"]
        assert desk.read(lambda tx, _: tx.overdue(now + 9, 10)) == []

    def test_without_deadlines_nothing_is_ever_due(self, desk: Desk) -> None:
        desk.submit()
        assert desk.read(lambda tx, now: (tx.next_due(), tx.overdue(FAR, 10))) == (FAR, [])

    def test_processes_that_wait_are_named_once(self, desk: Desk) -> None:
        first, second = desk.submit(waiter="a", ticket="1"), desk.submit(waiter="a", ticket="2")
        desk.submit(waiter="b", ticket="3")
        desk.submit(waiter="given", ticket="4", call_id="c")
        desk.submit(waiter=None)
        done = desk.submit(waiter="done", ticket="5")
        desk.change(done, status="running")
        assert sorted(desk.read(lambda tx, now: tx.waiting_owners())) == ["a", "b"]
        assert sorted(desk.read(lambda tx, now: tx.waited_for_by("a", 10))) == sorted([(first, "1"), (second, "2")])
        assert len(desk.read(lambda tx, now: tx.waited_for_by("a", 1))) == 1
        assert desk.read(lambda tx, now: tx.waited_for_by("given", 10)) == []

    @pytest.mark.parametrize("status", ["pending", "held", "approved"])
    def test_a_call_is_waited_for_until_it_starts(self, desk: Desk, status: Status) -> None:
        desk.change(desk.submit(waiter="a", ticket="1"), status=status)
        assert desk.read(lambda tx, now: tx.waiting_owners()) == ["a"]

    def test_running_calls_name_their_owner(self, desk: Desk) -> None:
        request_id, other = desk.submit(), desk.submit()
        for each in (request_id, other):
            desk.decide(each, "approve")
        desk.start(request_id, "start-1", owner="process-1")
        assert desk.read(lambda tx, now: tx.running(10)) == [(request_id, "start-1", "process-1")]

    def test_statuses_leave_out_what_is_not_there(self, desk: Desk) -> None:
        entered = [desk.submit() for _ in range(3)]
        desk.decide(entered[1], "reject")
        found = desk.read(lambda tx, now: tx.statuses([*entered, "nobody"]))
        assert found == {entered[0]: "pending", entered[1]: "rejected", entered[2]: "pending"}
        assert desk.read(lambda tx, now: tx.statuses([])) == {}


class TestJobs:
    def test_a_refusal_is_the_callers_and_what_was_written_stays(self, store: Store, desk: Desk) -> None:
        def job(tx: Tx, now: int) -> str | Refused:
            submitting(id="kept")(tx, now)
            return Refused(RequestNotFound("other"))

        with pytest.raises(RequestNotFound):
            store.write(job).wait()
        assert desk.status("kept") == "pending"

    def test_an_exception_takes_back_what_was_written(self, store: Store, desk: Desk) -> None:
        request_id = desk.submit()
        before = desk.read(lambda tx, now: (tx.state(request_id), tx.last_cursor()))

        def job(tx: Tx, now: int) -> None:
            submitting(id="gone", call_id="c")(tx, now)
            record = state_of(tx, request_id).request
            tx.apply(UpdateRequest(replace(record, status="held"), record.version, record.status))
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.write(job).wait()
        assert desk.read(lambda tx, now: (tx.state(request_id), tx.last_cursor())) == before
        assert desk.read(lambda tx, now: (tx.state("gone"), tx.find("", "delete", "c"))) == (None, None)
        assert desk.submit(id="gone", call_id="c") == "gone"

    def test_a_read_can_refuse_and_raise(self, store: Store) -> None:
        with pytest.raises(RequestNotFound):
            store.read(lambda tx, now: Refused(RequestNotFound("x"))).wait()
        with pytest.raises(ZeroDivisionError):
            store.read(lambda tx, now: 1 // 0).wait()
        assert store.read(lambda tx, now: tx.last_cursor()).wait() == 0

    def test_a_read_can_hand_its_reply_on_to_a_write(self, store: Store) -> None:
        reply: Reply[str] = Reply()

        def read(tx: Tx, now: int) -> HandedOn:
            store.write(submitting(id="written"), reply)
            return HANDED_ON

        assert store.read(read, reply) is reply
        assert reply.wait() == "written"

    def test_an_abandoned_job_is_not_done(self, store: Store, desk: Desk) -> None:
        reply: Reply[str] = Reply()
        reply.abandon()
        store.write(submitting(id="left"), reply)
        assert desk.read(lambda tx, now: tx.state("left")) is None

    def test_jobs_are_told_the_time(self, store: Store, clock: FakeClock) -> None:
        assert store.write(lambda tx, now: now).wait() == clock.now()
        clock.advance(60)
        assert store.read(lambda tx, now: now).wait() == clock.now()

    def test_refusals_of_the_machine_come_as_they_are(self, desk: Desk) -> None:
        request_id = desk.submit()
        desk.decide(request_id, "reject", by="human:bob")
        with pytest.raises(AlreadyDecided) as caught:
            desk.decide(request_id, "approve")
        assert caught.value.decision.by == "human:bob"

    def test_a_closed_store_says_so(self, store: Store) -> None:
        store.close()
        for reply in (store.write(submitting()), store.read(lambda tx, now: 1)):
            with pytest.raises(UsageError, match="closed"):
                reply.wait()


class TestObserving:
    def test_an_observer_looks_after_a_write(self, store: Store, desk: Desk) -> None:
        onlooker = Onlooker()
        store.observe(onlooker)
        desk.submit()
        onlooker.until(lambda: 1 in onlooker.cursors)
        desk.submit()
        onlooker.until(lambda: 2 in onlooker.cursors)

    def test_an_observer_looks_when_stirred_or_when_the_clock_jumps(self, store: Store, clock: FakeClock) -> None:
        store.write(submitting()).wait()
        onlooker = Onlooker()
        store.observe(onlooker)
        store.stir()
        onlooker.until(lambda: onlooker.looks >= 1)
        looks = onlooker.looks
        clock.advance(1)
        onlooker.until(lambda: onlooker.looks > looks)

    def test_an_observer_that_wants_nothing_is_left_alone(self, store: Store, desk: Desk) -> None:
        quiet, awake = Onlooker(), Onlooker()
        quiet.waits = False
        store.observe(quiet)
        store.observe(awake)
        desk.submit()
        awake.until(lambda: 1 in awake.cursors)
        assert quiet.looks == 0

    def test_closing_tells_those_who_wait(self, store: Store, desk: Desk) -> None:
        onlooker = Onlooker()
        store.observe(onlooker)
        desk.submit()
        store.close()
        assert [type(error) for error in onlooker.errors] == [UsageError]


def test_every_status_and_risk_can_be_stored(desk: Desk) -> None:
    for status in get_args(Status):
        for risk in get_args(Risk):
            request_id = desk.submit(risk=risk)
            desk.change(request_id, status=status)
            assert (desk.state(request_id).request.status, desk.state(request_id).request.risk) == (status, risk)


def test_errors_of_the_tree_are_what_comes_out(store: Store) -> None:
    with pytest.raises(GatekitError):
        store.write(lambda tx, now: _fails()).wait()


def _fails() -> None:
    raise StoreError("no")
