"""The rules beside the table of docs/states.md that are about deciding: who, on which token, what can be undone."""

from __future__ import annotations

from typing import Any

import pytest

from gatekit.errors import AlreadyDecided, InvalidEdit, NotAllowed, StaleToken
from gatekit.machine.commands import Decide
from gatekit.machine.projection import decision_model, request_model
from gatekit.machine.records import Verdict
from gatekit.models import Verb
from tests.machine.case import ALICE, BOB, BOT, FIRST, GATED, HOUR, OTHER, SECOND, Case, digest, edit_to, reach

INVALID = Verdict(gated=True, errors=("$.amount: must be 1",))


def found_invalid() -> Case:
    """Pending again: alice's edit did not pass the agent's own check."""
    case = Case()
    case.decide("edit", edit=OTHER)
    case.start(verdict=INVALID)
    assert case.status == "pending"
    return case


# Held, and undone.


def test_a_held_decision_counts_from_its_last_moment_not_from_when_it_was_noticed() -> None:
    case = Case(start_within=60 * SECOND)
    case.decide("approve", hold=5)
    effective_at = case.now + 5 * SECOND
    assert case.request.effective_at == effective_at
    case.passes(30)
    case.attach()
    assert case.request.start_by == effective_at + 60 * SECOND


def test_everything_that_came_due_meanwhile_is_settled_in_its_order() -> None:
    case = Case(start_within=60 * SECOND)
    case.decide("approve", hold=5)
    case.passes(70)
    case.attach()
    assert case.rows.kinds()[-4:] == ["approved", "effective", "returned", "attached"]
    assert (case.status, case.request.version) == ("pending", 2)


def test_a_decision_is_held_no_longer_than_decide_by_and_then_takes_effect() -> None:
    case = Case()
    case.passes(3598)
    case.decide("approve", hold=5)
    assert case.request.effective_at == case.request.decide_by
    case.passes(2)
    case.attach()
    assert case.status == "approved"


def test_a_held_decision_cannot_be_started() -> None:
    case = reach("held")
    answer = case.start()
    assert (answer.value, case.status) == (None, "held")


def test_a_held_decision_is_undone_until_just_before_it_counts() -> None:
    case = reach("held")
    case.passes(4.999999)
    assert case.decide("undo").refusal is None
    assert case.status == "pending"


def test_a_decision_that_counts_is_not_undone() -> None:
    case = reach("held")
    case.passes(5)
    refusal = case.decide("undo").refusal
    assert isinstance(refusal, AlreadyDecided)
    assert refusal.decision.verb == "approve"
    assert case.status == "approved"


def test_only_who_decided_can_undo() -> None:
    case = reach("held")
    refusal = case.decide("undo", BOB).refusal
    assert isinstance(refusal, NotAllowed)
    assert ALICE in str(refusal)
    assert case.status == "held"


def test_undo_starts_the_time_to_decide_anew_and_leaves_both_decisions_on_record() -> None:
    case = reach("held")
    case.passes(3)
    undo = case.decide("undo", note="wrong one").value
    assert undo is not None
    assert case.request.decide_by == case.now + HOUR
    assert [row.verb for row in case.state.decisions] == ["approve", "undo"]
    assert decision_model(case.state, case.state.decisions[0]).standing == "undone"
    assert decision_model(case.state, undo).standing == "counts"
    assert request_model(case.state, waiting=True).decision is None


@pytest.mark.parametrize("held", ["old token", "new token"])
def test_undo_of_an_edit_asks_the_earlier_revision_again(held: str) -> None:
    case = Case()
    old = case.token
    case.decide("edit", edit=OTHER, hold=5)
    assert case.state.revision.text == OTHER
    assert case.decide("undo", token=old if held == "old token" else case.token).refusal is None
    assert (case.status, case.request.version) == ("pending", 3)
    assert (case.request.revision, case.state.revision.text) == (1, FIRST)
    assert case.request.digest == digest(FIRST)
    assert [row.text for row in case.state.revisions] == [FIRST, OTHER]


def test_an_edit_after_an_undone_edit_gets_a_revision_of_its_own() -> None:
    case = Case()
    case.decide("edit", edit=OTHER, hold=5)
    case.decide("undo")
    case.decide("edit", BOB, edit='{"amount":3}')
    assert (case.request.revision, case.state.revision.text) == (3, '{"amount":3}')
    assert case.state.check_due
    assert case.start(verdict=GATED).value is not None


def test_undo_again_answers_the_undo_that_was_recorded() -> None:
    case = reach("held")
    token = case.token
    first = case.decide("undo", token=token)
    again = case.decide("undo", token=token)
    assert (again.value, again.effects) == (first.value, ())


def test_after_an_undo_the_old_token_is_stale_for_others() -> None:
    case = reach("held")
    old = case.token
    case.decide("undo")
    refusal = case.decide("approve", BOB, token=old).refusal
    assert isinstance(refusal, StaleToken)
    assert (refusal.given, refusal.current) == (old, case.token)


# Tokens and bare ids.


@pytest.mark.parametrize("verb", ["approve", "reject", "respond", "cancel"])
@pytest.mark.parametrize("token", ["v0:0000000000000000", "v1:0000000000000000", "v2:{}", "v1", "", "V1:{}"])
def test_a_decision_on_any_other_token_is_stale(verb: Any, token: str) -> None:
    case = Case()
    given = token.format(case.token.partition(":")[2])
    refusal = case.decide(verb, token=given).refusal
    assert isinstance(refusal, StaleToken)
    assert case.state.decisions == ()


@pytest.mark.parametrize("edit", [OTHER, FIRST])
def test_an_edit_on_another_token_is_stale(edit: str) -> None:
    case = Case()
    assert isinstance(case.decide("edit", token="v0:0000000000000000", edit=edit).refusal, StaleToken)
    assert len(case.state.revisions) == 1


def test_the_same_arguments_at_another_version_are_another_question() -> None:
    case = Case(start_within=SECOND)
    first = case.token
    case.decide("approve")
    case.passes(1)
    case.detach()
    assert case.request.digest == digest(FIRST)
    assert isinstance(case.decide("approve", BOB, token=first).refusal, StaleToken)


NOES = {"reject": "rejected", "respond": "responded", "cancel": "cancelled"}


@pytest.mark.parametrize(("verb", "status"), NOES.items())
def test_a_bare_id_is_enough_to_say_no(verb: Any, status: str) -> None:
    case = Case()
    first = case.decide(verb, token=None)
    assert case.status == status
    again = case.decide(verb, token=None)
    assert (again.value, again.effects) == (first.value, ())


@pytest.mark.parametrize("status", ["pending", "held", "approved"])
@pytest.mark.parametrize(("verb", "edit"), [("approve", None), ("edit", OTHER), ("edit", FIRST), ("undo", None)])
def test_a_bare_id_is_not_enough_to_say_what_was_seen(status: Any, verb: Any, edit: str | None) -> None:
    case = reach(status)
    before = case.state
    refusal = case.decide(verb, token=None, edit=edit).refusal
    assert isinstance(refusal, NotAllowed)
    assert "token" in str(refusal)
    assert case.state == before


# The same command again, and commands that only look like it.


def test_another_verb_of_the_same_reviewer_on_the_same_token_is_not_the_same_command() -> None:
    case = reach("approved")
    for verb in ("reject", "respond"):
        assert isinstance(case.decide(verb).refusal, AlreadyDecided)
    assert isinstance(case.decide("edit", edit=OTHER).refusal, AlreadyDecided)


def test_the_same_verb_of_another_reviewer_on_the_same_token_is_not_the_same_command() -> None:
    case = Case()
    token = case.token
    case.decide("approve", token=token)
    refusal = case.decide("approve", BOB, token=token).refusal
    assert isinstance(refusal, AlreadyDecided)
    assert (refusal.decision.by, refusal.decision.standing) == (ALICE, "counts")


def test_the_same_edit_again_is_known_by_its_result() -> None:
    case = Case()
    token = case.token
    first = case.decide("edit", token=token, edit=OTHER).value
    assert case.decide("edit", token=token, edit=OTHER).value == first
    assert isinstance(case.decide("edit", token=token, edit='{"amount":3}').refusal, AlreadyDecided)
    assert isinstance(case.decide("approve", token=token).refusal, AlreadyDecided)
    assert len(case.state.revisions) == 2


def test_an_edit_that_changes_nothing_is_an_approval() -> None:
    case = Case()
    token = case.token
    decision = case.decide("edit", token=token, edit=FIRST).value
    assert decision is not None
    assert (decision.verb, decision.version, decision.revision) == ("approve", 1, 1)
    assert len(case.state.revisions) == 1
    assert not case.state.check_due
    assert case.decide("edit", token=token, edit=FIRST).value == decision
    assert case.decide("approve", token=token).value == decision


def test_an_edit_that_changes_nothing_is_no_repeated_rejection() -> None:
    case = Case()
    token = case.token
    case.decide("reject", token=token)
    assert isinstance(case.decide("edit", token=token, edit=FIRST).refusal, AlreadyDecided)


def test_the_same_command_comes_before_every_refusal() -> None:
    case = Case()
    token = case.token
    decision = case.decide("reject", BOT, token=token).value
    assert case.decide("reject", BOT, token=token).value == decision


def test_the_last_of_two_like_commands_is_the_one_that_is_told() -> None:
    case = Case()
    case.decide("reject", hold=5)
    case.decide("undo")
    second = case.decide("reject", token=None).value
    assert case.decide("reject", token=None).value == second
    assert second is not None
    assert second.version == 2


# Who may.


@pytest.mark.parametrize("by", ["human:bot", "agent:bot", "system:bot", "bot"])
@pytest.mark.parametrize(("verb", "edit"), [("approve", None), ("edit", OTHER), ("edit", FIRST)])
def test_who_asks_does_not_approve_whatever_kind_the_name_has(by: str, verb: Any, edit: str | None) -> None:
    case = Case()
    refusal = case.decide(verb, by, edit=edit).refusal
    assert isinstance(refusal, NotAllowed)
    assert case.state.decisions == ()


def test_who_asks_does_not_undo_anothers_decision() -> None:
    case = reach("held")
    assert isinstance(case.decide("undo", "human:bot").refusal, NotAllowed)
    assert case.status == "held"


@pytest.mark.parametrize(("requester", "by"), [("bot", "human:bot"), ("agent:a:b", "human:a:b"), ("bot", "bot")])
def test_a_principal_without_a_kind_is_its_name(requester: str, by: str) -> None:
    case = Case(requester=requester)
    assert isinstance(case.decide("approve", by).refusal, NotAllowed)


@pytest.mark.parametrize("verb", ["reject", "respond", "cancel"])
def test_who_asks_may_say_no(verb: Any) -> None:
    case = Case()
    assert case.decide(verb, BOT).refusal is None


@pytest.mark.parametrize(("status", "cure"), [("running", "wait for its end"), ("unknown", "settle it")])
def test_who_cannot_cancel_any_more_hears_what_to_do(status: Any, cure: str) -> None:
    assert cure in str(reach(status).decide("cancel").refusal)


# Which refusal comes first.


def test_not_allowed_comes_before_all_others() -> None:
    for status in ("approved", "succeeded", "rejected"):
        case = reach(status)
        assert isinstance(case.decide("approve", BOT, token="v0:0").refusal, NotAllowed)


def test_already_decided_comes_before_a_stale_token() -> None:
    case = reach("approved")
    assert isinstance(case.decide("approve", BOB, token="v0:0").refusal, AlreadyDecided)
    command = Decide(verb="edit", by=BOB, token="v0:0", invalid=("$.amount: no number",))
    assert isinstance(case.say(command).refusal, AlreadyDecided)


def test_a_stale_token_comes_before_an_invalid_edit() -> None:
    command = Decide(verb="edit", by=BOB, token="v0:0", invalid=("$.amount: no number",))
    assert isinstance(Case().say(command).refusal, StaleToken)
    assert isinstance(found_invalid().decide("approve", BOB, token="v0:0").refusal, StaleToken)


def test_an_edit_that_does_not_fit_is_refused_and_leaves_everything_as_it_was() -> None:
    case = Case()
    before = case.state
    refusal = case.say(Decide(verb="edit", by=ALICE, token=case.token, invalid=("$.amount: no number",))).refusal
    assert isinstance(refusal, InvalidEdit)
    assert refusal.errors == ("$.amount: no number",)
    assert case.state == before


def test_a_decision_after_an_overlooked_deadline_is_refused_and_the_deadline_is_stored() -> None:
    case = Case()
    case.passes(3600)
    answer = case.decide("approve")
    assert isinstance(answer.refusal, AlreadyDecided)
    assert (answer.refusal.decision.verb, answer.refusal.decision.by) == ("expire", "system:clock")
    assert case.status == "expired"


def test_the_last_moment_for_a_decision_is_just_before_decide_by() -> None:
    case = Case()
    case.passes(3599.999999)
    assert case.decide("approve").refusal is None


def test_an_expired_request_stays_expired_when_the_clock_steps_back() -> None:
    case = reach("expired")
    case.passes(-7200)
    assert isinstance(case.decide("approve").refusal, AlreadyDecided)
    assert case.status == "expired"


# Commands that contradict themselves.


@pytest.mark.parametrize("verb", ["approve", "reject", "respond", "cancel", "undo"])
def test_only_an_edit_carries_arguments(verb: Any) -> None:
    with pytest.raises(ValueError, match=verb):
        Decide(verb=verb, by=ALICE, token="v1:0", edit=edit_to(OTHER))


def test_an_edit_without_arguments_is_no_approval() -> None:
    with pytest.raises(ValueError, match="edit"):
        Decide(verb="edit", by=ALICE, token="v1:0")


# The check of an edit.


def test_a_revision_found_invalid_cannot_be_approved() -> None:
    verbs: tuple[tuple[Verb, str | None], ...] = (("approve", None), ("edit", OTHER))
    for verb, edit in verbs:
        case = found_invalid()
        refusal = case.decide(verb, BOB, edit=edit).refusal
        assert isinstance(refusal, InvalidEdit)
        assert refusal.errors == INVALID.errors
        assert case.status == "pending"


def test_a_revision_found_invalid_can_be_rejected() -> None:
    case = found_invalid()
    assert case.decide("reject", BOB).refusal is None
    assert case.status == "rejected"


def test_a_revision_found_invalid_can_be_edited() -> None:
    case = found_invalid()
    assert case.decide("edit", BOB, edit=FIRST).refusal is None
    assert (case.status, case.request.revision, case.request.version) == ("approved", 3, 4)
    assert case.start(verdict=GATED).value is not None


def test_the_editor_cannot_bring_a_failed_edit_back_by_repeating_it() -> None:
    case = found_invalid()
    command = case.said[0]
    answer = case.say(command)
    first = case.state.decisions[0]
    assert answer.value == first
    assert decision_model(case.state, first).standing == "overtaken"
    assert case.status == "pending"


def test_an_edit_that_was_never_checked_can_be_approved_again_and_is_still_checked() -> None:
    case = Case(start_within=SECOND)
    case.decide("edit", edit=OTHER)
    case.passes(1)
    case.detach()
    assert case.decide("approve", BOB).refusal is None
    assert (case.status, case.state.revision.text, case.state.check_due) == ("approved", OTHER, True)
    assert case.start().value is None
    assert case.start(verdict=GATED).value is not None


def test_an_edited_request_shows_what_it_was_and_that_its_check_is_due() -> None:
    case = Case()
    before = request_model(case.state, waiting=True)
    assert (before.check_due, before.original) == (False, None)
    case.decide("edit", edit=OTHER)
    after = request_model(case.state, waiting=False)
    assert (after.check_due, after.original, after.args, after.waiter) == (True, FIRST, {"amount": 2}, "gone")
