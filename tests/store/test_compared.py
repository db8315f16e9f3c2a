"""What a request is compared with: the last call of its tool that a person allowed, and the last that was refused."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from gatekit.backend.tx import Refused, Tx
from gatekit.machine import attempts, entering
from gatekit.machine.clockwork import settle
from gatekit.machine.commands import Finish, Resolve
from gatekit.machine.effects import Draft
from gatekit.machine.plan import Plan
from gatekit.machine.records import PREDICATE, Verdict
from gatekit.models import ReviewVerb, Status
from gatekit.store import statements as sql
from gatekit.store.opening import open_queue
from gatekit.store.sqlite import SqliteTx
from gatekit.testing import FakeClock
from tests.store.support import Desk, first_revision, request, state_of
from tests.store.test_plans import Meter, fill

DAY = 86_400_000_000


def allowed(desk: Desk, request_id: str) -> str | None:
    found: str | None = desk.read(lambda tx, now: tx.last_allowed(state_of(tx, request_id).request))
    return found


def refused(desk: Desk, request_id: str) -> str | None:
    found: str | None = desk.read(lambda tx, now: tx.last_refused(state_of(tx, request_id).request, now - DAY))
    return found


def let_pass(desk: Desk, by: str = PREDICATE) -> str:
    """A call that was approved by this principal as it came."""

    def job(tx: Tx, now: int) -> str:
        record = request(now)
        tx.put_schema(record.tool, "schema-1", "{}")
        revision = first_revision(record, now, verdict=Verdict(gated=True))
        for effect in entering.submit_allowed(record, revision, now, by).effects:
            tx.apply(effect)
        return record.id

    made: str = desk.store.write(job).wait()
    return made


def resolve(desk: Desk, request_id: str, verb: ReviewVerb, **values: Any) -> None:
    def job(tx: Tx, now: int) -> Refused | None:
        state = state_of(tx, request_id)
        command = Resolve(verb=verb, by="human:bob", attempt=state.request.attempt or 0, **values)  # type: ignore[arg-type]
        answer = attempts.resolve(state, command, now)
        for effect in answer.effects:
            tx.apply(effect)
        return None if answer.refusal is None else Refused(answer.refusal)

    desk.store.write(job).wait()


def run(desk: Desk, request_id: str, kind: Any = "returned") -> None:
    token = f"t-{request_id}-{len(desk.state(request_id).attempts)}"
    assert desk.start(request_id, token) is not None
    desk.finish(request_id, token, kind=kind, result="null" if kind == "returned" else None)


def approved(desk: Desk, clock: FakeClock, **changes: Any) -> str:
    made = desk.submit(**changes)
    clock.advance(1)
    desk.decide(made, "approve")
    return made


def test_nothing_was_allowed_before_the_first(desk: Desk, clock: FakeClock) -> None:
    asked = desk.submit()
    approved(desk, clock, tool="another")
    assert allowed(desk, asked) is None
    desk.decide(asked, "approve")
    assert allowed(desk, asked) is None, "no call is compared with itself"


@pytest.mark.parametrize("status", ["approved", "running", "unknown", "succeeded", "failed"])
def test_a_call_that_a_person_allowed_counts_whatever_came_of_it(desk: Desk, clock: FakeClock, status: Status) -> None:
    run(desk, approved(desk, clock))
    last, asked = approved(desk, clock), desk.submit()
    desk.change(last, status=status)
    run(desk, let_pass(desk))
    assert allowed(desk, asked) == last


@pytest.mark.parametrize("status", ["pending", "held", "rejected", "responded", "answered", "expired", "cancelled"])
def test_what_is_in_another_state_does_not_count(desk: Desk, clock: FakeClock, status: Status) -> None:
    first = approved(desk, clock)
    last, asked = approved(desk, clock), desk.submit()
    desk.change(last, status=status)
    assert allowed(desk, asked) == first


@pytest.mark.parametrize("by", [PREDICATE, "policy:small sums", "policy:budget", "policy:silence", "humane:x"])
def test_what_no_person_allowed_does_not_count(desk: Desk, clock: FakeClock, by: str) -> None:
    asked = desk.submit()
    let_pass(desk, by)
    assert allowed(desk, asked) is None


def test_what_a_standing_permission_allowed_counts(desk: Desk, clock: FakeClock) -> None:
    approved(desk, clock)
    clock.advance(1)
    granted = let_pass(desk, "grant:01J9")
    assert allowed(desk, desk.submit()) == granted


def test_silence_that_approves_does_not_count(desk: Desk, clock: FakeClock) -> None:
    plan = Plan(on_expiry="approve").text
    silent = desk.submit(plan=plan, expires_after=1_000_000, decide_by=clock.now() + 1_000_000)
    clock.advance(5)

    def job(tx: Tx, now: int) -> None:
        draft = Draft(state_of(tx, silent), now)
        settle(draft)
        for effect in draft.effects():
            tx.apply(effect)

    desk.store.write(job).wait()
    assert desk.status(silent) == "approved"
    assert allowed(desk, desk.submit()) is None


def test_the_decision_says_which_was_last_not_the_making_of_the_call(desk: Desk, clock: FakeClock) -> None:
    old, new, asked = desk.submit(), desk.submit(), desk.submit()
    desk.decide(new, "approve")
    clock.advance(1)
    desk.edit(old, '{"path":"/tmp/b"}')
    assert allowed(desk, asked) == old


def test_what_was_undone_does_not_count_until_it_is_approved_again(desk: Desk, clock: FakeClock) -> None:
    first, undone, asked = approved(desk, clock), desk.submit(), desk.submit()
    desk.decide(undone, "approve", hold=60_000_000)
    assert allowed(desk, asked) == first
    desk.decide(undone, "undo")
    assert allowed(desk, asked) == first
    clock.advance(1)
    desk.decide(undone, "approve")
    assert allowed(desk, asked) == undone


def test_a_settlement_allows_nothing_and_what_it_settles_stays_allowed_by_whom_it_was(
    desk: Desk, clock: FakeClock
) -> None:
    asked = desk.submit()
    by_rule, by_bob, later = let_pass(desk), approved(desk, clock), approved(desk, clock)
    for number, one in enumerate((by_bob, by_rule)):
        desk.start(one, f"token {number}")
        resolve(desk, one, "declare_lost")
        clock.advance(10)
        resolve(desk, one, "settle", outcome=Finish(token="", kind="returned", result="1"))
    assert allowed(desk, asked) == later, "the settlement came later, and is no yes"
    desk.change(later, status="expired")
    assert allowed(desk, asked) == by_bob


def test_a_failed_call_that_a_person_lets_run_again_was_allowed_then(desk: Desk, clock: FakeClock) -> None:
    failed, other, asked = approved(desk, clock, call_id="c1"), approved(desk, clock), desk.submit()
    run(desk, failed, "raised")
    assert allowed(desk, asked) == other
    clock.advance(1)
    resolve(desk, failed, "retry")
    assert allowed(desk, asked) == failed


def test_a_failed_call_that_nobody_lets_run_again_is_refused(desk: Desk, clock: FakeClock) -> None:
    other, failed, asked = approved(desk, clock), approved(desk, clock), desk.submit()
    run(desk, failed, "raised")
    assert allowed(desk, asked) == failed
    desk.change(failed, status="pending", decision=None, version=2, votes_from=1)
    desk.decide(failed, "reject")
    assert desk.status(failed) == "failed"
    assert allowed(desk, asked) == other


@pytest.mark.parametrize(("verb", "status"), [("reject", "rejected"), ("respond", "responded")])
def test_what_was_turned_down_last_is_told_of_the_next(desk: Desk, clock: FakeClock, verb: Any, status: Status) -> None:
    first, second, asked = desk.submit(), desk.submit(), desk.submit()
    assert refused(desk, asked) is None
    for one in (second, first):
        clock.advance(1)
        desk.decide(one, verb)
        assert desk.status(one) == status
        assert refused(desk, asked) == one
    desk.decide(asked, verb)
    assert refused(desk, asked) == first, "none is told of itself"


def test_only_the_last_day_counts(desk: Desk, clock: FakeClock) -> None:
    turned_down, asked = desk.submit(), desk.submit()
    clock.advance(86_400)
    desk.decide(turned_down, "reject")
    clock.advance(86_399)
    assert refused(desk, asked) == turned_down
    clock.advance(1)
    assert refused(desk, asked) is None


def test_of_its_run_before_that_of_its_agent_and_of_no_other(desk: Desk, clock: FakeClock) -> None:
    of_run = desk.submit(run="r1", requester="agent:other")
    of_agent = desk.submit(run="r2")
    others = [desk.submit(run="r2", requester="agent:other"), desk.submit(requester="agent:other")]
    others += [desk.submit(tool="another"), desk.submit(kind="confirm")]
    asked, without_run = desk.submit(run="r1"), desk.submit()
    for one in (*others, of_run, of_agent):
        clock.advance(1)
        desk.decide(one, "reject")
    assert refused(desk, asked) == of_run
    assert refused(desk, without_run) == of_agent
    desk.change(of_run, status="expired")
    assert refused(desk, asked) == of_agent


@pytest.mark.parametrize("verb", ["cancel", "approve"])
def test_what_was_not_turned_down_by_a_person_is_not_told(desk: Desk, verb: Any) -> None:
    other, asked = desk.submit(), desk.submit()
    desk.decide(other, verb)
    assert refused(desk, asked) is None


def test_a_rejection_that_can_still_be_taken_back_does_not_count(desk: Desk, clock: FakeClock) -> None:
    other, asked = desk.submit(), desk.submit()
    desk.decide(other, "reject", hold=60_000_000)
    assert refused(desk, asked) is None


class TestPlans:
    @pytest.fixture
    def connection(self, path: str) -> Iterator[sqlite3.Connection]:
        made, _ = open_queue(path, create=True)
        with closing(made):
            yield made

    @pytest.mark.parametrize(("name", "states"), [("LAST_ALLOWED", 5), ("LAST_REFUSED", 2)])
    def test_each_state_is_one_search_and_no_table_is_scanned(
        self, connection: sqlite3.Connection, name: str, states: int
    ) -> None:
        statement = re.sub(r":\w+", "?", getattr(sql, name))
        rows = connection.execute("EXPLAIN QUERY PLAN " + statement, [1] * statement.count("?"))
        steps = [row[3] for row in rows]
        assert steps.count("SEARCH requests USING INDEX requests_tool (tool=? AND status=?)") == states
        assert [step for step in steps if re.match(r"SCAN (?!made|\(subquery)", step)] == []
        others = [step for step in steps if step.startswith("SEARCH") and "requests" not in step]
        assert others
        assert all("AUTOMATIC" not in step and "sqlite_autoindex_" in step for step in others)

    def test_what_has_to_be_looked_at_has_an_end(self, path: str) -> None:
        """Every call was allowed by a rule, or refused to another agent: none of them is one to compare with."""
        steps = []
        for number, calls in enumerate((sql.LOOKED_BACK, 3 * sql.LOOKED_BACK)):
            connection, _ = open_queue(f"{path}-{number}", create=True)
            with closing(connection):
                steps.append([work(connection, calls, status) for status in ("succeeded", "rejected")])
        less, more = steps
        for few, many in zip(less, more, strict=True):
            assert many < 1.1 * few

    def test_beyond_its_end_nothing_is_found_and_before_it_all_is(
        self, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(connection, sql.LOOKED_BACK + 1, 0)
        decided_by(connection, "succeeded", "approve", PREDICATE)
        asked = replace(request(FakeClock().now()), id="0" * 26)
        for number, found in ((1, False), (2, True)):
            connection.execute("UPDATE decisions SET \"by\" = 'human:bob' WHERE request_id = ?", (f"{number:026}",))
            assert (SqliteTx(connection).last_allowed(asked) is not None) == found


def work(connection: sqlite3.Connection, calls: int, status: Status) -> int:
    if not connection.execute("SELECT 1 FROM requests").fetchone():
        fill(connection, calls, 0)
    verb = "approve" if status == "succeeded" else "reject"
    decided_by(connection, status, verb, PREDICATE if status == "succeeded" else "human:bob")
    asked = replace(request(FakeClock().now()), id="0" * 26, requester="agent:new")
    meter = Meter(connection)
    tx = SqliteTx(connection)
    assert (tx.last_allowed(asked) if status == "succeeded" else tx.last_refused(asked, 0)) is None
    connection.set_progress_handler(None, 0)
    connection.set_trace_callback(None)
    return meter.steps


def decided_by(connection: sqlite3.Connection, status: Status, verb: str, by: str) -> None:
    connection.execute("UPDATE requests SET status = ?, decision = 1", (status,))
    connection.execute("DELETE FROM decisions")
    connection.execute(
        'INSERT INTO decisions (request_id, no, verb, "by", at, version, revision, base, digest, token, stage)'
        " SELECT id, 1, ?, ?, created_at + number, 1, 1, 1, digest, 't', 0 FROM requests",
        (verb, by),
    )
