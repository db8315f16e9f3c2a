"""The table of docs/states.md, cell by cell: event / state -> what becomes of it.

The ways out of an attempt whose end is in doubt, the last look before a start, and pauses are in `test_attempts`.
Not here, because a later part brings them: the stop switch, stages, escalation. That other arguments are a
`CallConflict` is decided above the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from gatekit.clock import FAR
from gatekit.machine.projection import decision_model
from gatekit.machine.records import Verdict
from gatekit.models import FINAL, STATUSES, Status
from tests.machine.case import ALICE, BOB, BOT, FIRST, HOUR, OTHER, SECOND, Case, reach
from tests.machine.table import DECIDED, NOTHING, Event, To, check, row

REVIEW = [
    *row("approve", lambda case: case.decide("approve", BOB), pending=To("approved"), others=DECIDED),
    *row("approve with hold", lambda case: case.decide("approve", BOB, hold=5), pending=To("held"), others=DECIDED),
    *row("edit", lambda case: case.decide("edit", BOB, edit=OTHER), pending=To("approved", 1), others=DECIDED),
    *row(
        "edit with hold",
        lambda case: case.decide("edit", BOB, edit=OTHER, hold=5),
        pending=To("held", 1),
        others=DECIDED,
    ),
    *row("reject", lambda case: case.decide("reject", BOB), pending=To("rejected"), others=DECIDED),
    *row("reject with hold", lambda case: case.decide("reject", BOB, hold=5), pending=To("held"), others=DECIDED),
    *row("respond", lambda case: case.decide("respond", BOB, text="no"), pending=To("responded"), others=DECIDED),
    *row(
        "respond with hold",
        lambda case: case.decide("respond", BOB, text="no", hold=5),
        pending=To("held"),
        others=DECIDED,
    ),
    *row(
        "undo",
        lambda case: case.decide("undo", ALICE),
        pending="NotAllowed",
        held=To("pending", 1),
        others=DECIDED,
    ),
]


def cancel(by: str) -> Event:
    return lambda case: case.decide("cancel", by)


CANCEL = [
    cell
    for by in (BOB, "agent:other", "system:run")
    for cell in row(
        f"cancel by {by}",
        cancel(by),
        pending=To("cancelled"),
        held=To("cancelled"),
        approved=To("cancelled"),
        running="NotAllowed",
        unknown="NotAllowed",
        others=DECIDED,
    )
] + row("cancel by its requester", lambda case: case.decide("cancel", BOT, token=None), approved=To("cancelled"))

RUNNING = [
    *row("start", lambda case: case.start("a2"), approved=To("running"), others=NOTHING),
    *row("start never called", lambda case: case.give_back(), running=To("approved"), others=NOTHING),
    *row("owner dead", lambda case: case.lose(), running=To("unknown"), others=NOTHING),
    *row("attach", lambda case: case.attach(), running=NOTHING, unknown=NOTHING),
    *row("returned", lambda case: case.returned(), running=To("succeeded"), unknown=To("succeeded"), others=NOTHING),
    *row("raised", lambda case: case.raised(), running=To("failed"), unknown=To("failed"), others=NOTHING),
]


@pytest.mark.parametrize(("event", "status", "expected"), REVIEW + CANCEL + RUNNING)
def test_cell(event: Event, status: Status, expected: To | str) -> None:
    check(reach(status), event, expected)


@pytest.mark.parametrize("status", STATUSES)
def test_attach_with_the_same_arguments_waits_where_there_is_something_to_wait_for(status: Status) -> None:
    case = reach(status)
    before = case.state
    case.attach("process-9", "t9")
    if status in ("pending", "held", "approved"):
        assert (case.request.waiter, case.request.ticket) == ("process-9", "t9")
        assert case.rows.kinds()[-1] == "attached"
    else:
        assert case.state == before
    assert case.status == status


def _late(status: Status) -> Case:
    """This status, long after every deadline a request may have had."""
    case = reach(status)
    case.passes(10 * 365 * 24 * 3600)
    return case


def _with_start_by(seconds: int, expires_after: int | None = HOUR) -> Case:
    case = Case(start_within=seconds * SECOND, expires_after=expires_after)
    case.decide("approve")
    return case


@pytest.mark.parametrize("status", sorted(FINAL | {"running", "unknown"}))
def test_due_passes_without_effect_where_nothing_is_due(status: Status) -> None:
    case = _late(status)
    assert case.request.due == FAR
    check(case, lambda case: case.detach("t1"), NOTHING)


def test_due_passes_pending_expires() -> None:
    case = _late("pending")
    check(case, lambda case: case.attach(), To("expired"))
    assert (case.standing.verb, case.standing.by) == ("expire", "system:clock")


EVERY: Final[dict[str, Event]] = {
    "attach": lambda case: case.attach(),
    "detach": lambda case: case.detach(),
    "withdraw": lambda case: case.withdraw(),
    "approve": lambda case: case.decide("approve"),
    "start": lambda case: case.start(),
    "give back": lambda case: case.give_back(),
    "report": lambda case: case.returned(),
    "lose": lambda case: case.lose(),
}


@pytest.mark.parametrize("name", EVERY)
def test_due_passes_before_whatever_else_happens(name: str) -> None:
    case = _late("pending")
    EVERY[name](case)
    assert (case.status, case.rows.kinds()) == ("expired", ["submitted", "expired"])


@pytest.mark.parametrize(
    ("verb", "edit", "status"),
    [
        ("approve", None, "approved"),
        ("edit", OTHER, "approved"),
        ("reject", None, "rejected"),
        ("respond", None, "responded"),
    ],
)
def test_due_passes_held_and_the_decision_takes_effect(verb: Any, edit: str | None, status: Status) -> None:
    case = Case()
    case.decide(verb, edit=edit, hold=5)
    decision = case.standing
    case.passes(4.999999)
    check(case, lambda case: case.detach("none"), NOTHING)
    case.passes(0.000001)
    check(case, lambda case: case.detach("none"), To(status))
    assert case.standing == decision


def test_due_passes_approved_and_it_is_asked_again_while_decide_by_allows() -> None:
    case = _with_start_by(60)
    case.passes(60)
    check(case, lambda case: case.start(), To("pending", 1))
    assert case.request.reasons[-1] == "approved, not started in time"
    assert case.request.decide_by == case.now + HOUR


def test_due_passes_approved_and_it_is_asked_again_where_nothing_limits_deciding() -> None:
    case = _with_start_by(60, expires_after=None)
    case.passes(60)
    check(case, lambda case: case.start(), To("pending", 1))
    assert case.request.decide_by is None


@pytest.mark.parametrize("seconds", [3600, 2 * 3600])
def test_due_passes_approved_and_it_expires_when_decide_by_is_over_too(seconds: int) -> None:
    case = _with_start_by(seconds)
    case.passes(seconds)
    check(case, lambda case: case.start(), To("expired"))
    assert case.standing.reason == "approved, not started in time"


def test_the_check_of_an_edit_finds_it_invalid_approved_is_pending_again() -> None:
    case = Case()
    case.decide("edit", edit=OTHER)
    invalid = Verdict(gated=True, errors=("$.amount: must be 1",))
    check(case, lambda case: case.start(verdict=invalid), To("pending", 1))
    assert "$.amount: must be 1" in case.request.reasons[-1]


def test_raised_with_starts_left_is_approved_again() -> None:
    case = Case(max_starts=2)
    case.decide("approve")
    case.start()
    check(case, lambda case: case.raised(), To("approved"))
    check(case, lambda case: case.start("a2"), To("running"))
    check(case, lambda case: case.raised("a2"), To("failed"))


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_another_report_of_a_reported_attempt_is_a_late_report(status: Status) -> None:
    case = reach(status)
    check(case, lambda case: case.raised() if status == "succeeded" else case.returned(), NOTHING)
    assert case.rows.kinds()[-1] == "late_report"
    assert case.state.attempts == reach(status).state.attempts


def _again(status: Status) -> Case:
    """Pending, held or approved once more, while the first attempt's end is unknown."""
    case = reach("unknown").asked_again()
    if status != "pending":
        case.decide("approve", BOB, hold=5 if status == "held" else 0)
    assert case.status == status
    return case


@pytest.mark.parametrize("status", ["pending", "held", "approved"])
def test_the_last_attempts_own_return_succeeds_and_voids_the_permit(status: Status) -> None:
    case = _again(status)
    check(case, lambda case: case.returned(), To("succeeded"))
    assert all(permit.left == 0 for permit in case.state.permits)
    assert case.request.result == "7"
    assert (case.request.waiter, case.request.effective_at, case.request.due) == (None, None, FAR)
    # What ran was allowed by the first decision: that is the one that stands.
    assert (case.standing.by, case.standing.version) == (ALICE, 1)
    check(case, lambda case: case.decide("approve", "human:carol"), DECIDED)
    check(case, lambda case: case.start("a2"), NOTHING)


def test_the_last_attempts_own_return_shows_the_arguments_that_ran_not_those_edited_since() -> None:
    case = _again("pending")
    case.decide("edit", BOB, edit=OTHER)
    case.returned()
    assert (case.status, case.state.revision.text) == ("succeeded", FIRST)
    assert case.request.digest == case.state.revision.digest == case.standing.digest


@pytest.mark.parametrize("status", ["pending", "held", "approved"])
def test_the_last_attempts_own_raise_is_recorded_while_it_is_asked_again(status: Status) -> None:
    case = _again(status)
    check(case, lambda case: case.raised(), To(status))
    assert case.state.attempts[0].state == "raised"
    assert (case.request.outcome, case.request.error_type, case.request.error_message) == ("raised", "OSError", "no")
    assert case.rows.kinds()[-1] == "reported"


ENDS: Final[dict[str, Event]] = {
    "reject": lambda case: case.decide("reject", BOB),
    "respond": lambda case: case.decide("respond", BOB, text="no"),
    "cancel": lambda case: case.decide("cancel", BOB),
    "expire": lambda case: case.attach(),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("raised", [True, False], ids=["raised", "unreported"])
def test_an_end_without_a_start_meets_a_request_that_has_an_attempt(end: str, raised: bool) -> None:
    case = _again("pending")
    if raised:
        case.raised()
    if end == "expire":
        case.passes(3600)
    check(case, ENDS[end], To("failed" if raised else "unknown"))
    assert case.standing.verb == end
    assert (case.request.outcome == "raised") is raised


def _undone() -> Case:
    case = reach("held")
    case.decide("undo")
    return case


def _not_started(seconds: int) -> Case:
    case = _with_start_by(seconds)
    case.passes(seconds)
    case.detach()
    return case


AGAIN: Final[dict[str, tuple[Callable[[], Case], Status, str]]] = {
    "approve, undone": (_undone, "pending", "undone"),
    "approve, not started in time": (lambda: _not_started(60), "pending", "overtaken"),
    "approve, held": (lambda: reach("held"), "held", "counts"),
    "approve, in force": (lambda: reach("approved"), "approved", "counts"),
    "approve, started": (lambda: reach("running"), "running", "counts"),
    "approve, lost": (lambda: reach("unknown"), "unknown", "counts"),
    "approve, done": (lambda: reach("succeeded"), "succeeded", "counts"),
    "approve, failed": (lambda: reach("failed"), "failed", "counts"),
    "reject": (lambda: reach("rejected"), "rejected", "counts"),
    "respond": (lambda: reach("responded"), "responded", "counts"),
    "respond, answered": (lambda: reach("answered"), "answered", "counts"),
    "cancel": (lambda: reach("cancelled"), "cancelled", "counts"),
    "approve, expired": (lambda: _not_started(2 * 3600), "expired", "overtaken"),
}


@pytest.mark.parametrize("name", AGAIN)
def test_the_same_command_again_answers_what_was_recorded(name: str) -> None:
    build, status, standing = AGAIN[name]
    case = build()
    before, recorded = case.state, case.state.decisions[0]
    answer = case.say(case.said[0])
    assert answer.refusal is None
    assert answer.value == recorded
    assert answer.effects == ()
    assert (case.state, case.status) == (before, status)
    assert decision_model(case.state, recorded).standing == standing


@pytest.mark.parametrize("status", ["pending", "held", "approved", "running", "succeeded"])
def test_the_same_edit_again_answers_what_was_recorded(status: Status) -> None:
    case = Case()
    case.decide("edit", edit=OTHER, hold=5 if status in ("pending", "held") else 0)
    if status == "pending":
        case.decide("undo")
    if status in ("running", "succeeded"):
        case.start(verdict=Verdict(gated=True))
    if status == "succeeded":
        case.returned()
    assert case.status == status
    answer = case.say(case.said[0])
    assert (answer.value, answer.effects) == (case.state.decisions[0], ())


def test_the_table_is_asked_about_every_state() -> None:
    assert {reach(status).status for status in STATUSES} == set(STATUSES)
    assert reach("pending").state.revision.text == FIRST
