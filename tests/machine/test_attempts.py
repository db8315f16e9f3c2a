"""The table of docs/states.md, continued: the ways out of an attempt in doubt, the last look, and pauses.

A human's word (retry, settle, declare_lost), what the agent's process finds out (reconcile), a start that finds its
approval stale, a raise that is followed by another start, and the release of a run's pause.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import pytest

from gatekit.errors import AlreadyDecided, InvalidEdit, NotAllowed, StaleToken
from gatekit.machine import deciding
from gatekit.machine.commands import Decide, Finish
from gatekit.machine.effects import WakeRun
from gatekit.machine.projection import decision_model, request_model
from gatekit.machine.records import PREDICATE, Verdict
from gatekit.models import STATUSES, Status
from tests.machine.case import (
    ALICE,
    BOB,
    BOT,
    FIRST,
    GATED,
    HOUR,
    OTHER,
    SECOND,
    SETTLED,
    SETTLED_AS_FAILED,
    Case,
    digest,
    edit_to,
    reach,
)
from tests.machine.table import DECIDED, FORBIDDEN, NOTHING, Event, To, check, row

Word = Literal["retry", "settle", "declare_lost"]
CAROL: Final = "human:carol"
APPROVED_ANEW: Final = To("approved", 1)


def say(verb: Word, by: str = BOB, *, attempt: int | None = None, outcome: Finish = SETTLED) -> Event:
    return lambda case: case.resolve(verb, by, attempt=attempt, outcome=outcome if verb == "settle" else None)


def lost(**changes: Any) -> Case:
    """Unknown; alice approved it."""
    case = Case(**changes)
    case.decide("approve")
    case.start()
    case.lose()
    return case


def failed(**changes: Any) -> Case:
    case = Case(**changes)
    case.decide("approve")
    case.start()
    case.raised()
    assert case.status == "failed"
    return case


def given_up(**changes: Any) -> Case:
    """Unknown, because alice declared it lost: its process may live."""
    case = Case(**changes)
    case.decide("approve")
    case.start()
    case.declare_lost()
    return case


# A human's word, in every state.

WORDS = [
    *row("retry", say("retry"), unknown=APPROVED_ANEW, failed=APPROVED_ANEW, others=FORBIDDEN),
    *row("retry, no attempt named", say("retry", attempt=9), unknown="StaleToken", failed="StaleToken"),
    *row("settle", say("settle"), unknown=To("succeeded"), others=FORBIDDEN),
    *row("settle as failed", say("settle", outcome=SETTLED_AS_FAILED), unknown=To("failed"), others=FORBIDDEN),
    *row("settle, no attempt named", say("settle", attempt=9), unknown="StaleToken"),
    *row("declare_lost", say("declare_lost"), running=To("unknown"), others=FORBIDDEN),
    *row("declare_lost by its requester", say("declare_lost", "human:bot"), running=To("unknown"), others=FORBIDDEN),
    *row("declare_lost, no attempt named", say("declare_lost", attempt=9), running="StaleToken"),
    *[
        cell
        for by in (BOT, "human:bot", "system:bot")
        for verb in ("retry", "settle")
        for cell in row(f"{verb} by {by}", say(verb, by), others=FORBIDDEN)
    ],
    *row("any word on a wrong attempt in a wrong state", say("settle", attempt=9), failed=FORBIDDEN, running=FORBIDDEN),
]


@pytest.mark.parametrize(("event", "status", "expected"), WORDS)
def test_cell_of_a_humans_word(event: Event, status: Status, expected: To | str) -> None:
    check(reach(status), event, expected)


def test_a_refusal_says_what_to_do_instead() -> None:
    running = reach("running")
    for verb in ("retry", "settle"):
        assert "declare it lost first" in str(say(verb)(running).refusal)
    assert "it succeeded" in str(reach("succeeded").settle().refusal)
    assert "settle it instead" in str(lost(call_given=False).retry().refusal)
    assert "another person must" in str(lost().retry(BOT).refusal)


def test_a_call_that_nobody_can_make_again_is_settled_but_not_retried() -> None:
    for build in (lost, failed):
        case = build(call_given=False)
        check(case, say("retry"), FORBIDDEN)
    check(lost(call_given=False), say("settle"), To("succeeded"))


def test_a_word_on_an_earlier_attempt_is_stale() -> None:
    case = lost()
    case.retry(BOB)
    case.start("a2")
    check(case, say("declare_lost", CAROL, attempt=2), To("unknown"))
    answer = case.settle(CAROL, attempt=7)
    assert isinstance(answer.refusal, StaleToken)
    assert "attempt 7" in str(answer.refusal)
    assert "attempt 2" in str(answer.refusal)


# What a retry makes.


@pytest.mark.parametrize("build", [lost, failed, given_up])
def test_a_retry_is_an_approval_of_the_same_arguments_as_a_new_version(build: Callable[..., Case]) -> None:
    case = build(max_starts=1, start_within=60 * SECOND)
    seen = case.token
    case.passes(5)
    decision = case.retry(BOB).value
    assert decision is not None
    assert (decision.verb, decision.by, decision.at, decision.attempt) == ("retry", BOB, case.now, 1)
    assert (decision.token, decision.version, decision.digest) == (seen, 2, digest(FIRST))
    assert case.standing == decision
    assert [permit.left for permit in case.state.permits] == [0, 1]
    assert all(permit.void is (permit.no == 1) for permit in case.state.permits)
    assert case.request.start_by == case.now + 60 * SECOND
    assert case.request.decide_by == case.now + HOUR
    started = case.start("a2").value
    assert started is not None
    assert (started.attempt, started.revision.text, started.decision) == (2, FIRST, decision)


def test_a_retry_gives_as_many_starts_as_the_first_approval() -> None:
    case = lost(max_starts=3)
    case.retry()
    for token in ("a2", "a3", "a4"):
        assert case.start(token).value is not None
        case.raised(token)
    assert (case.status, [permit.starts for permit in case.state.permits]) == ("failed", [1, 3])


def test_a_retry_voids_the_starts_that_the_old_permit_has_left() -> None:
    case = lost(max_starts=3)
    case.retry()
    assert [(permit.starts, permit.left) for permit in case.state.permits] == [(1, 0), (0, 3)]


def test_a_retry_runs_the_edited_arguments_that_were_checked() -> None:
    case = Case()
    case.decide("edit", edit=OTHER)
    case.start(verdict=GATED)
    case.lose()
    case.retry(BOB)
    started = case.start("a2").value
    assert started is not None
    assert started.revision.text == OTHER


def test_a_call_that_its_predicate_let_pass_is_retried_by_a_human() -> None:
    case = Case(allowed=True)
    case.start()
    case.lose()
    case.retry(BOB)
    started = case.start("a2").value
    assert started is not None
    assert (started.decision.by, case.state.decisions[0].by) == (BOB, PREDICATE)


def test_a_retry_that_is_not_started_in_time_is_asked_again_while_decide_by_allows() -> None:
    case = lost(start_within=60 * SECOND)
    case.retry(BOB)
    case.passes(60)
    check(case, lambda case: case.start("a2"), To("pending", 1))
    assert case.request.reasons[-1] == "approved, not started in time"
    check(case, lambda case: case.decide("approve", CAROL), To("approved"))
    assert case.start("a2").value is not None


@pytest.mark.parametrize(("build", "status"), [(lost, "unknown"), (given_up, "unknown"), (failed, "failed")])
def test_a_retry_that_is_not_started_at_all_is_what_it_was_before(build: Callable[..., Case], status: Status) -> None:
    case = build(start_within=2 * HOUR)
    case.retry(BOB)
    case.passes(2 * 3600)
    check(case, lambda case: case.start("a2"), To(status))
    assert (case.standing.verb, case.request.start_by) == ("expire", None)
    assert case.start("a2").value is None


def test_an_approval_on_a_screen_from_before_the_retry_is_told_of_it() -> None:
    case = lost()
    seen = case.token
    case.retry(BOB)
    for token in (seen, case.token):
        refusal = case.decide("approve", CAROL, token=token).refusal
        assert isinstance(refusal, AlreadyDecided)
        assert (refusal.decision.verb, refusal.decision.by) == ("retry", BOB)


def cancelled(case: Case) -> None:
    case.decide("cancel", BOB)


def not_started_at_all(case: Case) -> None:
    case.passes(2 * 3600)
    case.detach("none")


def rejected_later(case: Case) -> None:
    case.start("never-called", stale="the order was changed")
    case.decide("reject", CAROL)


@pytest.mark.parametrize("came_to_nothing", [cancelled, not_started_at_all, rejected_later])
def test_a_retry_that_came_to_nothing_leaves_a_way_out_of_unknown(came_to_nothing: Callable[[Case], None]) -> None:
    case = lost(start_within=2 * HOUR)
    case.retry(BOB)
    came_to_nothing(case)
    assert case.status == "unknown"
    check(case, say("settle", CAROL), To("succeeded"))


# What a settlement makes.


@pytest.mark.parametrize("build", [lost, given_up])
@pytest.mark.parametrize("outcome", [SETTLED, SETTLED_AS_FAILED], ids=["returned", "raised"])
def test_a_settlement_is_the_outcome(build: Callable[..., Case], outcome: Finish) -> None:
    case = build(max_starts=3)
    case.passes(5)
    decision = case.settle(BOB, outcome=outcome).value
    assert (decision.verb, decision.by, decision.at, decision.attempt) == ("settle", BOB, case.now, 1)
    assert case.standing == decision
    shown = request_model(case.state, waiting=False).outcome
    assert shown is not None
    assert (shown.kind, shown.value_text) == (outcome.kind, outcome.result)
    assert (shown.type_name, shown.message) == (outcome.type_name, outcome.message)
    assert all(permit.left == 0 for permit in case.state.permits)
    check(case, lambda case: case.start("a2"), NOTHING)


def test_a_settlement_replaces_what_an_earlier_attempt_left() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start()
    case.raised()
    case.start("a2")
    case.lose("a2")
    case.settle()
    assert (case.request.outcome, case.request.result) == ("returned", '"by hand"')
    assert (case.request.error_type, case.request.error_message) == (None, None)


# The same word again, and a conflicting one.

ONCE: Final[dict[str, tuple[Callable[[], Case], Callable[[Case], Any]]]] = {
    "retry": (lost, lambda case: case.retry()),
    "retry of a failed call": (failed, lambda case: case.retry()),
    "settle": (lost, lambda case: case.settle()),
    "settle as failed": (lost, lambda case: case.settle(outcome=SETTLED_AS_FAILED)),
    "declare_lost": (lambda: reach("running"), lambda case: case.declare_lost()),
}
SINCE: Final[dict[str, Callable[[Case], Any]]] = {
    "at once": lambda case: None,
    "after its own report": lambda case: case.returned(),
    "after its own raise": lambda case: case.raised(),
    "after the next start": lambda case: case.start("a2"),
    "after a stale start": lambda case: case.start("a2", stale="no"),
    "after a retry": lambda case: case.retry(BOB),
    "after a settlement": lambda case: case.settle(BOB),
    "after a cancellation": lambda case: case.decide("cancel", BOB),
}


@pytest.mark.parametrize("since", SINCE)
@pytest.mark.parametrize("name", ONCE)
def test_the_same_word_again_changes_nothing(name: str, since: str) -> None:
    build, word = ONCE[name]
    case = build()
    recorded = word(case).value
    SINCE[since](case)
    before = case.state
    again = case.word(case.resolved[0])
    assert (again.value, again.refusal, again.effects) == (recorded, None, ())
    assert case.state == before


def conflict(case: Case, verb: Word, by: str, outcome: Finish | None = None) -> tuple[str, str]:
    before = case.state
    refusal = case.resolve(verb, by, attempt=1, outcome=outcome).refusal
    assert isinstance(refusal, AlreadyDecided)
    assert case.state == before
    return refusal.decision.verb, refusal.decision.by


def test_another_word_on_the_same_attempt_hears_who_was_first() -> None:
    settled = lost()
    settled.settle()
    assert conflict(settled, "settle", BOB, SETTLED) == ("settle", ALICE)
    assert conflict(settled, "settle", ALICE, SETTLED_AS_FAILED) == ("settle", ALICE)
    assert conflict(settled, "settle", ALICE, Finish(token="", kind="returned", result="0")) == ("settle", ALICE)
    assert conflict(settled, "retry", BOB) == ("settle", ALICE)

    retried = lost()
    retried.retry()
    assert conflict(retried, "retry", BOB) == ("retry", ALICE)
    assert conflict(retried, "settle", BOB, SETTLED) == ("retry", ALICE)
    retried.start("a2")
    assert conflict(retried, "retry", BOB) == ("retry", ALICE)

    hung = given_up()
    assert conflict(hung, "declare_lost", BOB) == ("declare_lost", ALICE)
    hung.returned()
    assert conflict(hung, "declare_lost", BOB) == ("declare_lost", ALICE)


@pytest.mark.parametrize("by", [ALICE, BOB])
def test_what_was_declared_lost_can_be_retried_or_settled(by: str) -> None:
    check(given_up(), say("retry", by), APPROVED_ANEW)
    check(given_up(), say("settle", by), To("succeeded"))


def test_each_attempt_has_a_retry_of_its_own() -> None:
    case = lost()
    for number, token in ((1, "a2"), (2, "a3")):
        decision = case.retry().value
        assert decision is not None
        assert decision.attempt == number
        case.start(token)
        case.lose(token)
    assert [row.attempt for row in case.state.decisions] == [None, 1, 2]


@pytest.mark.parametrize(("word", "standing"), [("retry", "overtaken"), ("declare_lost", "counts")])
def test_how_a_word_stands_after_the_next(word: Word, standing: str) -> None:
    case = reach("running")
    case.declare_lost()
    case.retry()
    case.start("a2")
    case.lose("a2")
    case.settle()
    decision = next(row for row in case.state.decisions if row.verb == word)
    assert decision_model(case.state, decision).standing == standing
    assert decision_model(case.state, case.standing).verb == "settle"


# Reports that come late.

REPORTS: Final[dict[str, Event]] = {"returned": lambda case: case.returned(), "raised": lambda case: case.raised()}


@pytest.mark.parametrize("outcome", [SETTLED, SETTLED_AS_FAILED], ids=["returned", "raised"])
@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_after_a_settlement_is_noted_and_changes_nothing(kind: str, outcome: Finish) -> None:
    case = lost()
    case.settle(outcome=outcome)
    check(case, REPORTS[kind], NOTHING)
    assert case.rows.data("late_report") == {"attempt": 1, "kind": kind}
    assert case.state.attempts[0].state == kind


@pytest.mark.parametrize(("kind", "status"), [("returned", "succeeded"), ("raised", "failed")])
@pytest.mark.parametrize("max_starts", [1, 3])
def test_a_report_after_a_declaration_of_loss_is_the_real_outcome(kind: str, status: Status, max_starts: int) -> None:
    case = given_up(max_starts=max_starts)
    check(case, REPORTS[kind], To(status))
    check(case, lambda case: case.start("a2"), NOTHING)


def test_a_return_after_a_retry_that_has_not_started_wins_and_voids_it() -> None:
    case = lost()
    case.retry(BOB)
    check(case, REPORTS["returned"], To("succeeded"))
    assert (case.standing.verb, case.standing.by) == ("approve", ALICE)
    assert case.state.permits[-1].void
    check(case, lambda case: case.start("a2"), NOTHING)


def test_a_raise_after_a_retry_that_has_not_started_is_recorded_and_the_retry_stays() -> None:
    case = lost()
    case.retry(BOB)
    check(case, REPORTS["raised"], To("approved"))
    assert case.rows.kinds()[-1] == "reported"
    assert case.start("a2").value is not None


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_after_the_next_start_is_late(kind: str) -> None:
    case = lost()
    case.retry(BOB)
    case.start("a2")
    check(case, REPORTS[kind], NOTHING)
    assert case.rows.kinds()[-1] == "late_report"
    case.lose("a2")
    check(case, lambda case: case.returned("a2"), To("succeeded"))


def test_the_arguments_that_ran_are_shown_also_where_an_edit_of_a_retry_was_cancelled() -> None:
    """Else the record says that money went where a reviewer only thought of sending it."""
    case = lost().asked_again()
    case.decide("edit", BOB, edit=OTHER)
    case.decide("cancel", BOB)
    assert case.status == "unknown"
    case.returned()
    assert (case.status, case.state.revision.text) == ("succeeded", FIRST)


@pytest.mark.parametrize("word", ["settle", "declare_lost", "retry"])
def test_neither_a_give_back_nor_a_loss_takes_a_humans_word_back(word: Word) -> None:
    case = given_up()
    if word != "declare_lost":
        case.resolve(word, BOB, outcome=SETTLED if word == "settle" else None)
    before = case.state
    case.give_back()
    case.lose()
    assert case.state == before


# What the agent's process finds out.


def found(kind: Any, attempt: int | None = None) -> Event:
    return lambda case: case.reconcile(kind, attempt=attempt)


FOUND_OUT = [
    *row("again, no start left", found("again"), others=NOTHING),
    *row("never", found("never"), unknown=To("approved"), others=NOTHING),
    *row("it returned", found("returned"), unknown=To("succeeded"), others=NOTHING),
    *row("it raised", found("raised"), unknown=To("failed"), others=NOTHING),
    *[
        cell
        for kind in ("again", "never", "returned", "raised")
        for cell in row(f"{kind}, of another attempt", found(kind, 9), others=NOTHING)
    ],
]


@pytest.mark.parametrize(("event", "status", "expected"), FOUND_OUT)
def test_cell_of_what_was_found_out(event: Event, status: Status, expected: To | str) -> None:
    check(reach(status), event, expected)


def test_again_uses_the_same_permit_until_it_is_used_up() -> None:
    case = lost(max_starts=2)
    check(case, found("again"), To("approved"))
    assert case.request.attempt == 1
    case.start("a2")
    assert [(permit.no, permit.starts) for permit in case.state.permits] == [(1, 2)]
    case.lose("a2")
    check(case, found("again"), NOTHING)
    check(case, found("again", 1), NOTHING)


def test_never_gives_the_start_back_as_if_it_had_not_been() -> None:
    case = lost()
    case.reconcile("never")
    assert (case.request.attempt, case.state.attempts[0].state) == (None, "given_back")
    assert [permit.starts for permit in case.state.permits] == [0]
    check(case, lambda case: case.returned(), NOTHING)
    assert case.rows.kinds()[-1] == "late_report"
    check(case, lambda case: case.decide("cancel", BOB), To("cancelled"))


def test_never_leaves_the_attempt_before_as_the_last() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start()
    case.raised()
    case.start("a2")
    case.lose("a2")
    case.reconcile("never")
    assert (case.status, case.request.attempt) == ("approved", 1)
    assert case.start("a3").value is not None
    check(case, lambda case: case.raised("a3"), To("failed"))


@pytest.mark.parametrize("kind", ["again", "never"])
def test_what_was_declared_lost_runs_again_only_by_a_humans_word(kind: str) -> None:
    check(given_up(max_starts=3), found(kind), NOTHING)


@pytest.mark.parametrize(("kind", "status"), [("returned", "succeeded"), ("raised", "failed")])
def test_how_it_ended_counts_also_after_it_was_declared_lost(kind: str, status: Status) -> None:
    check(given_up(max_starts=3), found(kind), To(status))


@pytest.mark.parametrize("kind", ["again", "never"])
def test_nothing_starts_again_under_a_permit_that_is_void(kind: str) -> None:
    case = lost(max_starts=3)
    case.retry(BOB)
    case.decide("cancel", BOB)
    assert case.status == "unknown"
    check(case, found(kind), NOTHING)


@pytest.mark.parametrize("kind", ["again", "never", "returned", "raised"])
def test_nothing_that_is_found_out_overrides_a_settlement(kind: str) -> None:
    case = lost(max_starts=3)
    case.settle()
    check(case, found(kind), NOTHING)


@pytest.mark.parametrize("kind", ["again", "never", "returned", "raised"])
def test_nothing_that_is_found_out_of_an_attempt_counts_after_the_next(kind: str) -> None:
    case = lost(max_starts=3)
    case.retry(BOB)
    check(case, found(kind, 1), NOTHING)
    case.start("a2")
    check(case, found(kind, 1), NOTHING)
    case.lose("a2")
    check(case, found(kind, 1), NOTHING)


@pytest.mark.parametrize("kind", ["again", "never"])
def test_what_may_start_again_too_late_is_asked_again(kind: str) -> None:
    case = lost(max_starts=2, start_within=60 * SECOND)
    case.passes(60)
    check(case, found(kind), To("pending", 1))
    assert case.request.reasons[-1] == "approved, not started in time"


def test_a_call_that_never_ran_expires_and_one_that_may_have_run_stays_unknown() -> None:
    for kind, status in (("never", "expired"), ("again", "unknown")):
        case = lost(max_starts=2, start_within=2 * HOUR)
        case.passes(2 * 3600)
        check(case, found(kind), To(status))  # type: ignore[arg-type]


def test_a_report_that_comes_after_again_is_the_real_outcome_until_the_next_start() -> None:
    for kind, status in (("returned", "succeeded"), ("raised", "approved")):
        case = lost(max_starts=2)
        case.reconcile("again")
        check(case, REPORTS[kind], To(status))  # type: ignore[arg-type]
    case.start("a2")
    check(case, REPORTS["returned"], NOTHING)


# A raise that is followed by another start.


@pytest.mark.parametrize(
    ("max_starts", "again", "expected"),
    [(1, True, "failed"), (2, True, "approved"), (2, False, "failed")],
)
def test_a_raise_is_followed_by_a_start_where_one_is_left_and_made_use_of(
    max_starts: int, again: bool, expected: Status
) -> None:
    case = Case(max_starts=max_starts, call_given=False)
    case.decide("approve")
    case.start()
    check(case, lambda case: case.raised(again=again), To(expected))
    assert case.rows.kinds()[-1] == "failed"
    check(case, lambda case: case.start("a2"), To("running") if expected == "approved" else NOTHING)


@pytest.mark.parametrize("end", ["cancel", "reject", "expire"])
def test_a_call_that_raised_and_is_not_tried_again_is_failed(end: str) -> None:
    case = Case(max_starts=2, start_within=60 * SECOND)
    case.decide("approve")
    case.start()
    case.raised()
    if end == "expire":
        case.passes(60)
        check(case, lambda case: case.detach("none"), To("pending", 1))
        case.passes(3600)
        check(case, lambda case: case.detach("none"), To("failed"))
    elif end == "reject":
        case.start("a2", stale="the order was changed")
        check(case, lambda case: case.decide("reject", BOB), To("failed"))
    else:
        check(case, lambda case: case.decide("cancel", BOB), To("failed"))


# The step's own last look.


def stale(case: Case) -> Any:
    return case.start("a2", stale="the price went up")


@pytest.mark.parametrize(
    ("event", "status", "expected"),
    row("start, stale", stale, approved=To("pending", 1), others=NOTHING),
)
def test_cell_of_a_stale_start(event: Event, status: Status, expected: To | str) -> None:
    check(reach(status), event, expected)


def test_a_stale_start_asks_again_with_the_reason_and_leaves_nothing_to_start_with() -> None:
    case = reach("approved")
    answer = stale(case)
    assert (answer.value, answer.refusal) == (None, None)
    assert case.request.reasons[-1] == "the price went up"
    assert (case.request.decision, case.state.attempts) == (None, ())
    assert all(permit.left == 0 for permit in case.state.permits)
    check(case, lambda case: case.start("a2"), NOTHING)
    check(case, lambda case: case.decide("approve", BOB), To("approved"))
    assert case.start("a2").value is not None


def test_a_stale_start_of_another_version_is_ignored() -> None:
    case = reach("approved")
    check(case, lambda case: case.start("a2", version=9, stale="no"), NOTHING)


def test_of_an_edit_that_does_not_fit_and_is_stale_the_misfit_is_the_reason() -> None:
    for verdict, reason in ((GATED, "no"), (Verdict(gated=True, errors=("$.amount",)), "does not fit")):
        case = Case()
        case.decide("edit", edit=OTHER)
        check(case, lambda case, verdict=verdict: case.start(verdict=verdict, stale="no"), To("pending", 1))
        assert reason in case.request.reasons[-1]
        assert case.state.revision.verdict == verdict


def test_the_clock_is_asked_before_the_last_look() -> None:
    case = Case(start_within=60 * SECOND)
    case.decide("approve")
    case.passes(60)
    check(case, stale, To("pending", 1))
    assert case.request.reasons[-1] == "approved, not started in time"


# Pauses.


def pause(status: Status = "pending", **changes: Any) -> Case:
    case = Case(kind="pause", **changes)
    if status == "held":
        case.decide("release", hold=5)
    elif status == "answered":
        case.decide("release")
    elif status == "rejected":
        case.decide("reject", reason="no")
    elif status == "cancelled":
        case.decide("cancel")
    elif status == "expired":
        case.passes(3600)
        case.detach("none")
    assert case.status == status
    return case


PAUSES: Final[tuple[Status, ...]] = ("pending", "held", "answered", "rejected", "cancelled", "expired")


@pytest.mark.parametrize("status", PAUSES)
@pytest.mark.parametrize("verb", ["approve", "edit", "respond"])
def test_a_pause_is_neither_approved_nor_edited_nor_answered_as_a_call(verb: Any, status: Status) -> None:
    case = pause(status)
    check(case, lambda case: case.decide(verb, BOB, edit=OTHER if verb == "edit" else None), FORBIDDEN)


@pytest.mark.parametrize("status", STATUSES)
def test_a_call_is_not_released(status: Status) -> None:
    check(reach(status), lambda case: case.decide("release", BOB), FORBIDDEN)
    check(reach(status), lambda case: case.decide("release", BOB, edit=OTHER), FORBIDDEN)


@pytest.mark.parametrize("status", PAUSES)
def test_a_pause_is_released_once(status: Status) -> None:
    for edit, versions in ((None, 0), (OTHER, 1)):
        case = pause(status)
        expected = To("answered", versions) if status == "pending" else DECIDED
        check(case, lambda case, edit=edit: case.decide("release", BOB, edit=edit), expected)


@pytest.mark.parametrize("verb", ["reject", "cancel"])
@pytest.mark.parametrize("status", PAUSES)
def test_a_pause_is_rejected_or_cancelled_like_a_call(verb: Any, status: Status) -> None:
    open_to = ("pending",) if verb == "reject" else ("pending", "held")
    expected = To("rejected" if verb == "reject" else "cancelled") if status in open_to else DECIDED
    check(pause(status), lambda case: case.decide(verb, BOB), expected)


@pytest.mark.parametrize("status", PAUSES)
def test_nothing_of_a_tool_happens_to_a_pause(status: Status) -> None:
    case = pause(status)
    for event in (
        lambda case: case.start("a1"),
        lambda case: case.give_back("a1"),
        lambda case: case.returned("a1"),
        lambda case: case.lose("a1"),
        lambda case: case.reconcile("never", attempt=1),
    ):
        check(case, event, NOTHING)
    for verb in ("retry", "settle", "declare_lost"):
        check(case, say(verb), FORBIDDEN)


def test_a_release_hands_on_what_was_shown_or_what_the_reviewer_wrote() -> None:
    case = pause()
    case.decide("release")
    assert (case.state.revision.text, case.request.revision, case.state.permits) == (FIRST, 1, ())
    case = pause()
    token = case.token
    decision = case.decide("release", edit=OTHER).value
    assert decision is not None
    assert (decision.token, decision.base, decision.revision, decision.digest) == (token, 1, 2, digest(OTHER))
    assert (case.state.revision.text, case.state.revision.by, case.state.check_due) == (OTHER, ALICE, False)
    assert case.rows.kinds() == ["submitted", "released"]


def test_a_held_release_takes_effect_or_is_undone() -> None:
    case = pause()
    case.decide("release", edit=OTHER, hold=5)
    case.passes(5)
    check(case, lambda case: case.detach("none"), To("answered"))
    case = pause()
    case.decide("release", edit=OTHER, hold=5)
    check(case, lambda case: case.decide("undo"), To("pending", 1))
    assert case.state.revision.text == FIRST


def test_who_paused_does_not_release_and_who_did_not_read_neither() -> None:
    case = pause()
    for by, token in ((BOT, case.token), ("human:bot", case.token), (ALICE, None)):
        check(case, lambda case, by=by, token=token: case.decide("release", by, token=token), FORBIDDEN)
    check(case, lambda case: case.decide("release", token="v9:0000000000000000"), "StaleToken")


def test_a_release_that_is_not_json_is_refused_and_can_be_repeated() -> None:
    case = pause()
    command = Decide(verb="release", by=ALICE, token=case.token, invalid=("$: no JSON",))
    assert isinstance(deciding.decide(case.state, command, case.now).refusal, InvalidEdit)
    check(case, lambda case: case.decide("release"), To("answered"))


@pytest.mark.parametrize("edit", [None, OTHER, FIRST], ids=["unchanged", "other", "the same"])
@pytest.mark.parametrize("hold", [0, 5])
def test_the_same_release_again_is_the_recorded_one(edit: str | None, hold: float) -> None:
    case = pause()
    recorded = case.decide("release", edit=edit, hold=hold).value
    again = case.say(case.said[0])
    assert (again.value, again.effects) == (recorded, ())


@pytest.mark.parametrize(
    ("first", "second"), [(None, OTHER), (OTHER, None), (OTHER, '{"amount":3}')], ids=lambda edit: edit or "unchanged"
)
def test_another_release_by_the_same_person_is_told_of_the_first(first: str | None, second: str | None) -> None:
    case = pause()
    token = case.token
    case.decide("release", edit=first)
    refusal = case.decide("release", token=token, edit=second).refusal
    assert isinstance(refusal, AlreadyDecided)
    assert refusal.decision.digest == digest(first or FIRST)


def test_only_an_edit_and_a_release_may_carry_arguments() -> None:
    with pytest.raises(ValueError, match="only a release may have them"):
        Decide(verb="approve", by=ALICE, token=None, edit=edit_to(OTHER))
    with pytest.raises(ValueError, match="comes with the edited arguments"):
        Decide(verb="edit", by=ALICE, token=None)


# Runs that wait.

WAKES: Final[dict[str, tuple[Callable[..., Case], Event, bool]]] = {
    "retry": (lost, lambda case: case.retry(BOB), True),
    "retry of a failed call": (failed, lambda case: case.retry(BOB), True),
    "settle": (lost, lambda case: case.settle(BOB), True),
    "settle as failed": (lost, lambda case: case.settle(BOB, outcome=SETTLED_AS_FAILED), True),
    "found out": (lost, lambda case: case.reconcile("returned"), True),
    "never": (lost, lambda case: case.reconcile("never"), True),
    "own report": (given_up, lambda case: case.returned(), True),
    "release": (pause, lambda case: case.decide("release"), True),
    "reject": (pause, lambda case: case.decide("reject"), True),
    "release, held": (pause, lambda case: case.decide("release", hold=5), False),
    "a refused word": (lost, lambda case: case.retry(BOT), False),
    "declare_lost again": (given_up, lambda case: case.declare_lost(), False),
}


@pytest.mark.parametrize("name", WAKES)
def test_a_run_is_woken_by_what_it_can_go_on_with(name: str) -> None:
    build, event, wakes = WAKES[name]
    for run in ("", "run-7"):
        woken = [effect for effect in event(build(run=run)).effects if isinstance(effect, WakeRun)]
        assert woken == ([WakeRun(run)] if run and wakes else [])


def test_a_refusal_is_one_of_the_review_errors() -> None:
    assert isinstance(lost().retry(BOT).refusal, NotAllowed)
