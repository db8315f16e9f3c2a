"""What the events and the records tell afterwards: who did what, when, on which version, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from gatekit.clock import to_datetime
from gatekit.machine.projection import attempt_model, decision_model, event_model, request_model
from gatekit.machine.records import CLOCK, PREDICATE, Verdict
from tests.machine.case import ALICE, BOB, BOT, FIRST, GATED, HOUR, OTHER, SECOND, SETTLED, T0, Case, digest, reach

Told = list[tuple[str, str, int, dict[str, Any]]]


def told(case: Case) -> Told:
    models = [event_model(event) for event in case.rows.events]
    assert all(event.at <= to_datetime(case.now) for event in models)
    return [(event.kind, event.by, event.version, event.data) for event in models]


def approved(case: Case) -> None:
    case.decide("approve", note="fine")


def rejected(case: Case) -> None:
    case.decide("reject", reason="too much", note="sorry")


def responded(case: Case) -> None:
    case.decide("respond", text="ask first")


def edited_and_found_invalid(case: Case) -> None:
    case.decide("edit", edit=OTHER)
    case.start(verdict=Verdict(gated=True, errors=("a", "b")))


def held_and_undone(case: Case) -> None:
    case.decide("edit", edit=OTHER, hold=5)
    case.decide("undo", note="wrong one")


def held_and_settled(case: Case) -> None:
    case.decide("reject", hold=5)
    case.passes(5)
    case.detach("none")


def cancelled(case: Case) -> None:
    case.decide("cancel", BOB, reason="not today")


def expired(case: Case) -> None:
    case.passes(3600)
    case.detach("none")


def ran(case: Case) -> None:
    case.decide("approve")
    case.start()
    case.returned()


def ran_and_raised(case: Case) -> None:
    case.decide("approve")
    case.start()
    case.raised()


def started_for_nothing(case: Case) -> None:
    case.decide("approve")
    case.start()
    case.give_back()


def lost_and_found(case: Case) -> None:
    case.decide("approve")
    case.start()
    case.lose()
    case.resolve("retry", BOB, note="it did nothing")
    case.start("a2", stale="the order was changed")
    case.raised()
    case.decide("approve")
    case.start("a2")
    case.returned("a1")


def given_up_and_settled(case: Case) -> None:
    case.decide("approve")
    case.start()
    case.resolve("declare_lost", note="it hangs")
    case.resolve("settle", BOB, outcome=SETTLED, note="the bank says so")
    case.raised()


def reconciled(case: Case) -> None:
    case.decide("approve")
    case.start()
    case.lose()
    case.reconcile("never")
    case.start("a2")
    case.lose("a2")
    case.reconcile("raised")


def run_again_by_itself(case: Case) -> None:
    case.decide("approve")
    case.start()
    case.lose()
    case.reconcile("again")
    case.start("a2")
    case.returned("a2")


def waited_for(case: Case) -> None:
    case.attach()
    case.detach("t2")


def not_started_in_time(case: Case) -> None:
    case.decide("approve")
    case.passes(60)
    case.detach("none")


APPROVED: Final[tuple[str, str, int, dict[str, Any]]] = ("approved", ALICE, 1, {})
STARTED: Final[tuple[str, str, int, dict[str, Any]]] = ("started", BOT, 1, {"attempt": 1, "permit": 1})
LOST: Final[tuple[str, str, int, dict[str, Any]]] = ("unknown", BOT, 1, {"attempt": 1, "why": "its process died"})

STORIES: Final[dict[Callable[[Case], None], Told]] = {
    approved: [("approved", ALICE, 1, {"note": "fine"})],
    rejected: [("rejected", ALICE, 1, {"note": "sorry", "reason": "too much"})],
    responded: [("responded", ALICE, 1, {"text": "ask first"})],
    edited_and_found_invalid: [
        ("edited", ALICE, 2, {}),
        ("returned", BOT, 3, {"reason": "the edit does not fit the tool: a; b"}),
    ],
    held_and_undone: [
        ("edited", ALICE, 2, {}),
        ("returned", ALICE, 3, {}),
        ("undone", ALICE, 3, {"note": "wrong one"}),
    ],
    held_and_settled: [("rejected", ALICE, 1, {}), ("effective", ALICE, 1, {})],
    cancelled: [("cancelled", BOB, 1, {"reason": "not today"})],
    expired: [("expired", CLOCK, 1, {"reason": "nobody decided in time", "decide_by": T0 + HOUR})],
    ran: [APPROVED, STARTED, ("succeeded", BOT, 1, {"attempt": 1})],
    ran_and_raised: [APPROVED, STARTED, ("failed", BOT, 1, {"attempt": 1, "type_name": "OSError"})],
    started_for_nothing: [APPROVED, STARTED, ("not_started", BOT, 1, {"attempt": 1})],
    lost_and_found: [
        APPROVED,
        STARTED,
        LOST,
        ("returned", BOB, 2, {}),
        ("retried", BOB, 2, {"attempt": 1, "note": "it did nothing"}),
        ("returned", BOT, 3, {"reason": "the order was changed"}),
        ("reported", BOT, 3, {"attempt": 1, "type_name": "OSError"}),
        ("approved", ALICE, 3, {}),
        ("started", BOT, 3, {"attempt": 2, "permit": 3}),
        ("late_report", BOT, 3, {"attempt": 1, "kind": "returned"}),
    ],
    given_up_and_settled: [
        APPROVED,
        STARTED,
        ("unknown", ALICE, 1, {"attempt": 1, "why": "declared lost", "note": "it hangs"}),
        ("settled", BOB, 1, {"attempt": 1, "kind": "returned", "note": "the bank says so"}),
        ("late_report", BOT, 1, {"attempt": 1, "kind": "raised"}),
    ],
    reconciled: [
        APPROVED,
        STARTED,
        LOST,
        ("not_started", BOT, 1, {"attempt": 1, "why": "reconciled"}),
        ("started", BOT, 1, {"attempt": 2, "permit": 1}),
        ("unknown", BOT, 1, {"attempt": 2, "why": "its process died"}),
        ("reconciled", BOT, 1, {"attempt": 2, "kind": "raised"}),
        ("failed", BOT, 1, {"attempt": 2, "type_name": "Declined"}),
    ],
    run_again_by_itself: [
        APPROVED,
        STARTED,
        LOST,
        ("again", BOT, 1, {"attempt": 1}),
        ("started", BOT, 1, {"attempt": 2, "permit": 1}),
        ("succeeded", BOT, 1, {"attempt": 2}),
    ],
    waited_for: [("attached", BOT, 1, {}), ("suspended", BOT, 1, {})],
    not_started_in_time: [APPROVED, ("returned", CLOCK, 2, {"reason": "approved, not started in time"})],
}


@pytest.mark.parametrize(("story", "expected"), STORIES.items(), ids=[story.__name__ for story in STORIES])
def test_the_events_tell_the_story(story: Callable[[Case], None], expected: Told) -> None:
    case = Case(start_within=60 * SECOND, max_starts=2 if story is run_again_by_itself else 1)
    story(case)
    assert told(case) == [("submitted", BOT, 1, {}), *expected]


def test_a_call_that_its_predicate_let_pass_tells_so() -> None:
    assert told(Case(allowed=True)) == [("submitted", BOT, 1, {}), ("approved", PREDICATE, 1, {})]


def test_an_event_names_its_call_and_the_arguments_that_hold_after_it() -> None:
    case = Case(run="run-7")
    case.passes(2)
    case.decide("edit", edit=OTHER)
    first, last = (event_model(event) for event in case.rows.events)
    assert (last.request_id, last.call_id, last.tool, last.run) == ("R1", "call-1", "pay", "run-7")
    assert (first.digest, last.digest) == (digest(FIRST), digest(OTHER))
    assert (first.at, last.at) == (to_datetime(T0), to_datetime(T0 + 2 * SECOND))


def test_a_decision_keeps_everything_that_was_said() -> None:
    case = Case()
    token = case.token
    case.passes(1)
    decision = case.decide("respond", note="a note", reason="a reason", text="a text", hold=5).value
    assert decision is not None
    model = decision_model(case.state, decision)
    assert (model.request_id, model.verb, model.by, model.at) == ("R1", "respond", ALICE, to_datetime(case.now))
    assert (model.version, model.revision, model.digest, model.token) == (1, 1, digest(FIRST), token)
    assert (model.note, model.reason, model.text) == ("a note", "a reason", "a text")
    assert model.effective_at == to_datetime(case.now + 5 * SECOND)
    assert (model.permit, model.standing) == (None, "counts")


@pytest.mark.parametrize("verb", ["cancel", "undo"])
def test_a_cancellation_and_an_undo_keep_what_was_said_too(verb: Any) -> None:
    case = reach("held")
    token = case.token
    case.passes(1)
    decision = case.decide(verb, note="a note", reason="a reason", text="a text").value
    assert decision is not None
    assert (decision.at, decision.version, decision.revision, decision.token) == (case.now, 1, 1, token)
    assert (decision.note, decision.reason, decision.text, decision.no) == ("a note", "a reason", "a text", 2)


def test_an_edit_keeps_both_what_was_read_and_what_was_made() -> None:
    case = Case()
    token = case.token
    case.passes(1)
    decision = case.decide("edit", edit=OTHER).value
    assert decision is not None
    model = decision_model(case.state, decision)
    assert (model.token, model.version, model.revision, model.digest) == (token, 2, 2, digest(OTHER))
    assert model.permit == 1
    revision = case.state.revision
    assert (revision.by, revision.at, revision.schema, revision.text) == (ALICE, case.now, "s", OTHER)


def test_each_approval_names_its_own_permit() -> None:
    case = Case(start_within=SECOND)
    case.decide("approve")
    case.passes(1)
    case.decide("approve", BOB, token="v2:" + digest(FIRST)[:16])
    first, second = (decision_model(case.state, row) for row in case.state.decisions)
    assert (first.permit, first.standing) == (1, "overtaken")
    assert (second.permit, second.standing) == (2, "counts")
    assert [permit.void for permit in case.state.permits] == [True, False]


def test_what_was_overtaken_is_not_undone_by_an_undo_of_a_later_version() -> None:
    case = Case(start_within=SECOND)
    case.decide("approve")
    case.passes(1)
    case.detach()
    case.decide("approve", hold=5)
    case.decide("undo")
    standings = [decision_model(case.state, row).standing for row in case.state.decisions]
    assert standings == ["overtaken", "undone", "counts"]


def test_a_return_to_review_adds_its_reason_to_those_before() -> None:
    case = Case(start_within=SECOND, reasons=("big",))
    case.decide("approve")
    case.passes(1)
    case.detach()
    assert case.request.reasons == ("big", "approved, not started in time")


def test_only_the_undone_one_of_several_decisions_is_undone() -> None:
    case = reach("held")
    case.decide("undo")
    case.decide("approve", BOB, hold=5)
    assert [decision_model(case.state, row).standing for row in case.state.decisions] == ["undone", "counts", "counts"]


def test_a_request_is_shown_with_all_its_times() -> None:
    case = Case(start_within=60 * SECOND, run="run-7", risk="high", reasons=("big",), hidden=2)
    case.passes(1)
    case.decide("approve", hold=5)
    held = request_model(case.state, waiting=True)
    assert (held.id, held.tool, held.status, held.run, held.call_id) == ("R1", "pay", "held", "run-7", "call-1")
    assert (held.description, held.risk, held.reasons, held.hidden) == ("pay 1", "high", ("big",), 2)
    assert (held.requester, held.waiter, held.token) == (BOT, "waiting", case.token)
    assert (held.created_at, held.decide_by) == (to_datetime(T0), to_datetime(T0 + HOUR))
    assert (held.effective_at, held.start_by) == (to_datetime(case.now + 5 * SECOND), None)
    case.passes(5)
    case.start()
    case.passes(2)
    case.raised()
    failed = request_model(case.state, waiting=False)
    assert failed.attempt is not None
    assert failed.attempt == attempt_model(case.state.attempts[0])
    assert (failed.attempt.no, failed.attempt.owner, failed.attempt.state) == (1, "process-1", "raised")
    assert failed.attempt.started_at == to_datetime(case.now - 2 * SECOND)
    assert failed.attempt.finished_at == to_datetime(case.now)
    assert failed.outcome is not None
    assert (failed.outcome.kind, failed.outcome.type_name, failed.outcome.message) == ("raised", "OSError", "no")
    assert failed.decision == decision_model(case.state, case.standing)
    assert (failed.start_by, failed.effective_at, failed.waiter) == (None, None, "gone")


def test_a_request_without_a_run_or_an_end_shows_none() -> None:
    model = request_model(Case().state, waiting=True)
    assert (model.run, model.decision, model.attempt, model.outcome) == (None, None, None, None)


@pytest.mark.parametrize("end", ["give_back", "lose", "returned"])
def test_an_attempt_keeps_when_it_ended(end: str) -> None:
    case = reach("running")
    case.passes(3)
    getattr(case, end)()
    assert case.state.attempts[0].finished_at == case.now


def test_a_checked_edit_is_no_longer_due() -> None:
    case = Case()
    case.decide("edit", edit=OTHER)
    case.start(verdict=GATED)
    assert not request_model(case.state, waiting=True).check_due


def test_what_ended_unstarted_has_no_deadline_no_permit_and_nobody_who_waits() -> None:
    held, in_force, silent = (Case(start_within=60 * SECOND) for _ in range(3))
    held.decide("approve", hold=5)
    held.decide("cancel")
    in_force.decide("approve")
    in_force.decide("cancel")
    silent.passes(3600)
    silent.detach("none")
    for case in (held, in_force, silent):
        request = case.request
        assert (request.effective_at, request.start_by, request.waiter) == (None, None, None)
        assert all(permit.void for permit in case.state.permits)


def test_what_is_asked_again_has_no_other_deadline_than_decide_by() -> None:
    undone, late = Case(start_within=60 * SECOND), Case(start_within=60 * SECOND)
    undone.decide("approve", hold=5)
    undone.decide("undo")
    late.decide("approve", hold=5)
    late.passes(65)
    late.detach("none")
    for case in (undone, late):
        request = case.request
        assert (request.status, request.effective_at, request.start_by) == ("pending", None, None)
        assert request.due == request.decide_by == case.now + HOUR


def test_what_is_approved_can_no_longer_be_undone_and_says_so() -> None:
    case = reach("held")
    case.passes(5)
    case.detach("none")
    assert (case.status, case.request.effective_at) == ("approved", None)
