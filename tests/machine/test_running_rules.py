"""The rules beside the table of docs/states.md that are about running, waiting, and rows that nobody should trust."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatekit.errors import AlreadyDecided, StoreError
from gatekit.machine.commands import Finish
from gatekit.machine.projection import request_model
from gatekit.machine.records import PREDICATE, Verdict
from tests.machine.case import BOB, BOT, FIRST, GATED, HOUR, OTHER, SECOND, Case, digest, reach


def edited() -> Case:
    case = Case()
    case.decide("edit", edit=OTHER)
    return case


# Starting.


def test_a_start_hands_out_what_the_decision_named() -> None:
    case = reach("approved")
    started = case.start("a1").value
    assert started is not None
    assert (started.attempt, started.token, started.revision.text) == (1, "a1", FIRST)
    assert started.decision == case.standing
    assert case.state.attempts[0].started_at == case.now


@pytest.mark.parametrize("version", [0, 2])
def test_a_start_of_another_version_is_refused(version: int) -> None:
    case = reach("approved")
    assert case.start(version=version).value is None
    assert (case.status, case.state.attempts) == ("approved", ())


def test_two_workers_cannot_both_start() -> None:
    case = reach("approved")
    assert case.start("a1").value is not None
    assert case.start("a2").value is None
    assert [attempt.token for attempt in case.state.attempts] == ["a1"]


def test_a_start_is_refused_from_start_by_on() -> None:
    for seconds, starts in ((59.999999, True), (60, False)):
        case = Case(start_within=60 * SECOND)
        case.decide("approve")
        case.passes(seconds)
        assert (case.start().value is not None) is starts


def test_a_token_starts_once() -> None:
    """A give-back of the first start that arrives late must not be taken for one of the second."""
    case = reach("running")
    case.give_back("a1")
    answer = case.start("a1")
    assert isinstance(answer.refusal, StoreError)
    assert (answer.value, case.status) == (None, "approved")


# The check of an edit.


def test_an_edit_does_not_start_unchecked() -> None:
    case = edited()
    assert case.start().value is None
    assert (case.status, case.state.check_due) == ("approved", True)


@pytest.mark.parametrize("verdict", [GATED, Verdict(gated=False), Verdict(gated=True, reasons=("it raised",))])
def test_a_verdict_that_finds_no_errors_starts_and_is_kept(verdict: Verdict) -> None:
    case = edited()
    started = case.start(verdict=verdict).value
    assert started is not None
    assert started.revision.text == OTHER
    assert case.state.revision.verdict == verdict


def test_the_first_verdict_wins() -> None:
    case = edited()
    case.start(verdict=GATED)
    case.give_back()
    late = Verdict(gated=True, errors=("$.amount: must be 1",))
    assert case.start("a2", verdict=late).value is not None
    assert case.state.revision.verdict == GATED


def test_a_verdict_on_an_older_version_decides_nothing() -> None:
    case = edited()
    assert case.start(version=1, verdict=Verdict(gated=True, errors=("no",))).value is None
    assert (case.status, case.state.check_due) == ("approved", True)


# Giving back.


def test_a_start_given_back_can_be_used_again() -> None:
    case = reach("running")
    case.give_back()
    assert case.rows.kinds()[-1] == "not_started"
    assert (case.status, case.request.attempt, case.state.attempts[0].state) == ("approved", None, "given_back")
    assert case.start("a2").value is not None
    assert case.state.permits[0].starts == 1


def test_a_call_whose_only_start_was_given_back_was_never_started() -> None:
    case = reach("running")
    case.give_back()
    case.decide("cancel", BOB)
    assert case.status == "cancelled"


def test_a_start_is_given_back_once() -> None:
    case = reach("running")
    case.give_back("a1")
    case.start("a2")
    case.give_back("a1")
    assert (case.status, case.state.permits[0].starts) == ("running", 1)


@pytest.mark.parametrize("status", ["succeeded", "failed", "unknown"])
def test_an_attempt_that_ended_is_not_given_back(status: Any) -> None:
    case = reach(status)
    before = case.state
    case.give_back("a1")
    assert case.state == before


def test_a_finished_attempt_is_not_given_back_while_starts_are_left() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start("a1")
    case.raised("a1")
    case.give_back("a1")
    assert case.state.permits[0].starts == 1
    assert case.state.attempts[0].state == "raised"


def test_a_second_start_given_back_leaves_the_first_attempt_as_the_last() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start("a1")
    case.raised("a1")
    case.start("a2")
    case.give_back("a2")
    assert (case.status, case.request.attempt) == ("approved", 1)
    case.decide("cancel", BOB)
    assert case.status == "failed"


def test_a_start_given_back_too_late_is_not_used_again() -> None:
    case = Case(start_within=60 * SECOND)
    case.decide("approve")
    case.start()
    case.passes(60)
    case.give_back()
    assert (case.status, case.request.version) == ("pending", 2)
    assert case.start("a2").value is None


# Reports.


def test_the_same_report_again_changes_nothing() -> None:
    for report in (Finish(token="a1", kind="returned", result="7"), Finish(token="a1", kind="raised")):
        case = reach("running")
        case.finish(report)
        assert case.finish(report).effects == ()


def test_a_report_with_an_unknown_token_changes_nothing() -> None:
    case = reach("running")
    assert case.finish(Finish(token="a9", kind="returned", result="7")).effects == ()
    assert case.status == "running"


def test_an_attempt_that_was_given_back_reports_nothing() -> None:
    case = reach("running")
    case.give_back("a1")
    case.start("a2")
    case.returned("a1")
    assert case.status == "running"
    assert case.rows.data("late_report") == {"attempt": 1, "kind": "returned"}
    assert [attempt.state for attempt in case.state.attempts] == ["given_back", "running"]


def test_a_report_of_an_attempt_that_was_run_again_is_late() -> None:
    case = reach("unknown").asked_again()
    case.decide("approve", BOB)
    case.start("a2")
    case.returned("a1")
    assert (case.status, case.request.outcome) == ("running", None)
    assert case.rows.kinds()[-1] == "late_report"
    assert case.state.attempts[0].state == "returned"


def test_a_report_of_an_earlier_attempt_is_late_even_while_starts_are_left() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start("a1")
    case.lose("a1")
    case.asked_again()
    case.decide("approve", BOB)
    case.start("a2")
    case.raised("a2")
    case.returned("a1")
    assert (case.status, case.request.outcome) == ("approved", "raised")
    assert case.rows.kinds()[-1] == "late_report"
    assert case.start("a3").value is not None


def test_a_result_that_cannot_be_stored_is_a_success_without_it() -> None:
    case = reach("running")
    case.finish(Finish(token="a1", kind="returned", lost=True))
    outcome = request_model(case.state, waiting=False).outcome
    assert outcome is not None
    assert (case.status, outcome.kind, outcome.lost, outcome.value) == ("succeeded", "returned", True, None)


def test_an_outcome_belongs_to_the_last_attempt() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start("a1")
    case.raised("a1")
    first = request_model(case.state, waiting=True).outcome
    assert first is not None
    assert first.message == "no"
    case.start("a2")
    assert request_model(case.state, waiting=True).outcome is None
    case.lose("a2")
    assert request_model(case.state, waiting=True).outcome is None
    case.returned("a2")
    last = request_model(case.state, waiting=True).outcome
    assert last is not None
    assert (last.kind, last.value, last.message) == ("returned", 7, None)


def test_an_attempt_whose_tool_returned_without_a_permit_left_ends_all_permits() -> None:
    case = Case(max_starts=3)
    case.decide("approve")
    case.start()
    case.returned()
    assert case.start("a2").value is None


# Losing.


def test_a_lost_attempt_is_never_run_again_by_itself() -> None:
    case = Case(max_starts=3)
    case.decide("approve")
    case.start("a1")
    case.lose("a1")
    assert case.rows.data("unknown") == {"attempt": 1, "why": "its process died"}
    case.passes(10_000)
    assert case.start("a2").value is None
    assert (case.status, case.request.waiter, case.state.attempts[0].state) == ("unknown", None, "lost")


def test_a_lost_attempt_may_still_report_even_a_raise_with_starts_left() -> None:
    case = Case(max_starts=3)
    case.decide("approve")
    case.start("a1")
    case.lose("a1")
    case.raised("a1")
    assert case.status == "failed"
    assert case.start("a2").value is None


def test_an_earlier_attempt_is_not_lost_in_place_of_the_running_one() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start("a1")
    case.raised("a1")
    case.start("a2")
    case.lose("a1")
    assert case.status == "running"


# Who waits.


def test_a_call_without_a_given_id_is_cancelled_when_its_wait_is_interrupted() -> None:
    for status in ("pending", "held", "approved"):
        case = Case(call_given=False)
        if status != "pending":
            case.decide("approve", hold=5 if status == "held" else 0)
        case.withdraw("t1")
        assert case.status == "cancelled"
        assert (case.standing.by, case.standing.reason) == (BOT, "the caller stopped waiting")
        assert case.start().value is None


def test_a_call_with_a_given_id_is_kept_when_its_wait_is_interrupted() -> None:
    case = reach("approved")
    case.withdraw("t1")
    assert (case.status, case.request.waiter, case.request.ticket) == ("approved", None, None)
    case.attach("process-2", "t2")
    assert case.start().value is not None


def test_a_running_call_is_not_withdrawn() -> None:
    case = Case(call_given=False)
    case.decide("approve")
    case.start()
    before = case.state
    case.withdraw("t1")
    assert case.state == before


def test_a_call_that_somebody_came_back_to_by_its_id_is_kept_when_that_wait_is_interrupted() -> None:
    case = Case(call_given=False)
    case.attach("process-2", "t2")
    case.withdraw("t2")
    assert (case.status, case.request.waiter) == ("pending", None)


@pytest.mark.parametrize("ticket", ["t1", "t9"])
def test_a_wait_that_is_over_already_cannot_withdraw_the_call(ticket: str) -> None:
    case = Case(call_given=False)
    if ticket == "t1":
        case.detach("t1")
    before = case.state
    case.withdraw(ticket)
    assert case.state == before


def test_only_the_wait_that_still_waits_can_end_itself() -> None:
    case = Case(call_given=False)
    case.attach("process-2", "t2")
    before = case.state
    case.withdraw("t1")
    case.detach("t1")
    assert case.state == before
    case.detach("t2")
    assert (case.status, case.request.waiter) == ("pending", None)
    assert case.rows.kinds()[-1] == "suspended"


def test_a_withdrawal_that_meets_a_passed_deadline_leaves_what_the_clock_decided() -> None:
    case = Case(call_given=False)
    case.decide("reject", hold=5)
    case.passes(5)
    case.withdraw("t1")
    assert (case.status, case.standing.verb) == ("rejected", "reject")


# Entering.


def test_a_submitted_request_waits_for_a_human_until_its_deadline() -> None:
    case = Case()
    assert (case.status, case.request.due) == ("pending", case.now + HOUR)
    assert case.rows.kinds() == ["submitted"]
    assert case.state.permits == ()


def test_a_call_its_predicate_let_pass_is_approved_and_never_pending() -> None:
    case = Case(allowed=True)
    assert (case.status, case.standing.verb, case.standing.by) == ("approved", "approve", PREDICATE)
    assert case.rows.kinds() == ["submitted", "approved"]
    started = case.start().value
    assert started is not None
    assert started.decision.by == PREDICATE


def test_a_reviewer_hears_who_let_a_recorded_call_pass() -> None:
    refusal = Case(allowed=True).decide("reject").refusal
    assert isinstance(refusal, AlreadyDecided)
    assert refusal.decision.by == PREDICATE


# Rows that somebody else wrote.

TAMPERED: list[tuple[str, dict[str, Any]]] = [
    ("revisions", {"text": OTHER}),
    ("revisions", {"text": OTHER, "digest": digest(OTHER)}),
    ("revisions", {"text": FIRST + " "}),
    ("permits", {"digest": digest(OTHER)}),
    ("permits", {"revision": 2}),
    ("permits", {"version": 2}),
    ("permits", {"decision": 2}),
    ("permits", {"void": True}),
    ("permits", {"starts": 1}),
    ("permits", {"max_starts": 0}),
    ("decisions", {"digest": digest(OTHER)}),
    ("decisions", {"version": 2}),
    ("decisions", {"verb": "reject"}),
]


@pytest.mark.parametrize(("table", "changes"), TAMPERED, ids=str)
def test_nothing_runs_on_rows_that_contradict_each_other(table: str, changes: dict[str, Any]) -> None:
    case = reach("approved").tampered(table, 1, **changes)
    answer = case.start()
    assert answer.value is None
    assert isinstance(answer.refusal, StoreError)
    assert "does not run" in str(answer.refusal)
    assert (case.status, case.state.attempts) == ("approved", ())


def test_nothing_runs_where_the_whole_request_was_pointed_at_other_arguments() -> None:
    case = edited()
    case.tampered("revisions", 2, text=FIRST, digest=digest(FIRST), verdict=GATED)
    answer = case.start()
    assert isinstance(answer.refusal, StoreError)
    assert case.status == "approved"


def test_nothing_runs_again_where_a_used_start_was_wiped_out() -> None:
    case = reach("running")
    case.raised()
    case.tampered("permits", 1, starts=0)
    case.rows.request = replace(case.request, status="approved")
    answer = case.start("a2")
    assert isinstance(answer.refusal, StoreError)
    assert len(case.state.attempts) == 1


@pytest.mark.parametrize("table", ["permits", "decisions"])
def test_a_permit_or_a_decision_that_is_missing_starts_nothing(table: str) -> None:
    case = reach("approved")
    getattr(case.rows, table).clear()
    answer = case.start()
    assert isinstance(answer.refusal, StoreError)
    assert (answer.value, case.status) == (None, "approved")
