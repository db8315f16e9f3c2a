"""The search is not blind: whatever the machine is made to do wrong breaks the promise that it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from tests.machine import test_not_blind as storm
from tests.model import faults
from tests.model.bounds import Bounds
from tests.model.configurations import HUMANS
from tests.model.search import Broken, Search

pytestmark = pytest.mark.sweep

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]

# Corners that are small, each with what a fault needs to show.
ONCE: Final = Bounds(name="one approval", votes=1, reviewers=1)
LATE: Final = Bounds(name="starts in time", votes=2, start_within=1, stale=True, expires_after=3, reviewers=1)
BACK: Final = Bounds(name="given back", votes=1, max_starts=2, give_backs=1, reviewers=1)
EDIT: Final = Bounds(name="edits", revisions=2, hold=1, misfits=True, reviewers=1)
HOLD: Final = Bounds(name="long holds", hold=2, reviewers=1)
HUMAN: Final = Bounds(name="humans", resolves=HUMANS, max_starts=2, reviewers=1, instants=1)
STUCK: Final = Bounds(name="one worker", resolves=("retry", "settle"), reviewers=1, instants=1, workers=1)
FOUND: Final = Bounds(
    name="findings",
    resolves=HUMANS,
    findings=("again", "never"),
    false_deaths=False,
    give_backs=1,
    reviewers=1,
    instants=1,
)
ANEW: Final = Bounds(name="no id", call_given=False, reviewers=1)

FAULTS: Final[dict[Fault, tuple[Bounds, str]]] = {
    faults.start_reads_then_writes: (ONCE, "I2: more starts than allowed"),
    faults.live_arguments_run: (EDIT, "I1: nobody allowed these arguments"),
    faults.a_second_submit_replaces_the_arguments: (ONCE, "I1: approved by a permit for other arguments"),
    faults.expiry_is_computed_not_stored: (ONCE, "I6: decided after an observed expiry"),
    faults.a_start_that_came_too_late: (LATE, "I6: started"),
    faults.a_given_back_start_can_report: (BACK, "I7: a stranger's report counted"),
    faults.whatever_raised_may_start_again: (ONCE, "L: approved, and no start is left"),
    faults.a_lost_owner_is_started_anew: (ONCE, "I8: running became approved by lose"),
    faults.a_second_retry_of_the_same_attempt: (replace(STUCK, reviewers=2), "I3: two of retry for one attempt"),
    faults.what_runs_can_be_settled: (ONCE, "I8: running became succeeded by resolve"),
    faults.a_retry_forbids_a_settlement: (STUCK, "L: unknown, and no end can be reached"),
    faults.an_earlier_attempt_reports_for_the_last: (BACK, "I7: the report of an earlier attempt counted"),
    faults.it_runs_again_without_a_start_left: (FOUND, "L: approved, and no start is left"),
}
UNSAFE: Final = (
    (Bounds(name="commits that are not synced", unsynced=1, votes=1, reviewers=1), "I4: an acknowledged decision"),
    (Bounds(name="starts that are not synced", unsynced=1, allowed=True, reviewers=0), "I2: starts are miscounted"),
    (
        Bounds(name="nothing happened, says one who is not dead", findings=("never",), give_backs=1, reviewers=1),
        "I2: a start that was given back was used",
    ),
)
"""The machine as it is, on ground that does not bear it."""

OF_THE_STORM: Final[dict[Fault, tuple[Bounds, str]]] = {
    storm.start_of_any_version: (EDIT, "I1: started without a yes"),
    storm.start_with_a_used_token: (BACK, "I2: one token, two attempts"),
    storm.start_unchecked: (EDIT, "I10: started unchecked"),
    storm.start_without_the_clock: (LATE, "I6|I7"),
    storm.start_of_older_arguments: (EDIT, "I1: other arguments"),
    storm.a_start_that_is_not_counted: (ONCE, "I2: starts are miscounted"),
    storm.give_back_of_any_attempt: (ONCE, "I8: unknown became approved by give_back"),
    storm.give_back_without_its_token: (BACK, "I7: what was said of one attempt moved another"),
    storm.finish_without_its_token: (ONCE, "I7: a stranger's report counted"),
    storm.a_lost_attempt_runs_again: (ONCE, "I8: running became approved by lose"),
    storm.a_report_in_a_final_state_counts: (ONCE, "I8"),
    storm.decide_without_the_clock: (ONCE, "I6: decided too late"),
    storm.decide_what_is_decided: (ONCE, "I3|I6"),
    storm.decide_on_any_token: (LATE, "I3: decided on what was not asked"),
    storm.decide_by_digest_alone: (LATE, "I3: decided on what was not asked"),
    storm.who_asks_may_approve: (ONCE, "I5: who asks says approve"),
    storm.kinds_make_two_people_of_one: (ONCE, "I5: who asks says approve"),
    storm.the_same_command_counts_twice: (ONCE, "I3|I6"),
    storm.any_command_of_a_reviewer_is_the_same: (ONCE, "I3: not the same command"),
    storm.undo_keeps_the_edited_arguments: (EDIT, "undone, and something else is asked"),
    storm.held_counts_at_once: (EDIT, "started while it could still be undone"),
    storm.held_for_ever_past_decide_by: (HOLD, "I6: held too long"),
    storm.a_return_to_review_keeps_the_version: (LATE, "I3: two decisions on one version"),
    storm.a_return_to_review_keeps_the_old_deadline: (EDIT, "I6: another deadline"),
    storm.started_calls_end_as_if_never_started: (BACK, "I11: cancelled although it was started"),
    storm.a_decision_is_answered_but_not_written: (ONCE, "the effects do not lead to what was answered"),
    storm.a_withdrawn_call_stays: (ANEW, "I4: withdrawn, and nobody can collect it"),
    storm.a_retry_leaves_the_old_permit: (HUMAN, "I2: a permit that is over was not made void"),
    storm.a_retry_runs_again_under_the_old_version: (HUMAN, "I2: a retry is another version"),
    storm.who_asks_may_retry_and_settle: (HUMAN, "I5: who asks says retry"),
    storm.a_call_that_runs_is_retried: (HUMAN, "I8: running became approved by resolve"),
    storm.what_succeeded_is_settled: (HUMAN, "I8"),
    storm.a_word_counts_for_whatever_attempt_is_the_last: (HUMAN, "I3"),
    storm.every_settlement_by_one_person_is_the_same: (HUMAN, "I3: another settlement"),
    storm.the_same_word_again_is_another_one: (HUMAN, "I3: the same command again was refused"),
    storm.a_settlement_is_overridden_by_a_late_report: (HUMAN, "I8: a late report overrode a settlement"),
    storm.a_settlement_leaves_it_unknown: (HUMAN, "I8: settled otherwise"),
    storm.again_and_never_after_a_humans_word: (FOUND, "I8: a finding overrode declare_lost"),
    storm.never_keeps_the_start: (FOUND, "L: approved|I2"),
    storm.again_gives_the_start_back: (FOUND, "I2"),
    storm.what_was_found_out_of_an_older_attempt_counts: (FOUND, "I7: a finding on another attempt"),
    storm.a_stale_start_runs_anyway: (LATE, "started although its own last look said no"),
    storm.a_permit_is_never_used_up: (FOUND, "I2: more starts"),
    storm.a_pause_is_approved_and_a_call_released: (ONCE, "a call got release"),
}


def named(table: dict[Fault, tuple[Bounds, str]]) -> pytest.MarkDecorator:
    rows = [(fault, bounds, promise) for fault, (bounds, promise) in table.items()]
    return pytest.mark.parametrize(("fault", "bounds", "promise"), rows, ids=[fault.__name__ for fault in table])


def finds(bounds: Bounds, promise: str) -> None:
    with pytest.raises(Broken, match=f"^({promise})") as caught:
        Search(bounds).run(limit=5_000)
    assert 0 < len(caught.value.trace) <= 8


@named(FAULTS)
def test_a_fault_breaks_its_promise(fault: Fault, bounds: Bounds, promise: str, monkeypatch: Patch) -> None:
    fault(monkeypatch)
    finds(bounds, promise)


@named(OF_THE_STORM)
def test_what_the_storm_notices_is_found(fault: Fault, bounds: Bounds, promise: str, monkeypatch: Patch) -> None:
    fault(monkeypatch)
    finds(bounds, promise)


@pytest.mark.parametrize(("bounds", "promise"), UNSAFE, ids=[bounds.name for bounds, _ in UNSAFE])
def test_what_the_machine_relies_on_is_needed(bounds: Bounds, promise: str) -> None:
    finds(bounds, promise)
