"""`may` says beforehand what the machine says afterwards, in the same words."""

from __future__ import annotations

from random import Random
from typing import Any, Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekit.clock import Unsteady
from gatekit.errors import AlreadyDecided, NotAllowed, ReviewError
from gatekit.machine import attempts, claims, deciding
from gatekit.machine.commands import Answer, Claim, Decide, Delegate, Escalate, Finish, Resolve
from gatekit.machine.may import may
from gatekit.machine.plan import Plan
from gatekit.machine.records import State
from gatekit.machine.voting import Directory
from gatekit.models import REVIEW_VERBS, STATUSES, Kind, ReviewVerb, Status, Verb
from tests.machine.case import FIRST, T0, Case, digest, edit_to, reach
from tests.machine.test_policy_votes import LADDERS, PEOPLE, TEXTS, Chamber, chambers, happens

NEW: Final = '{"amount":77}'
"""Arguments that nobody has asked for."""
SETTLED: Final = Finish(token="", kind="returned", result="77")


def said(state: State, verb: ReviewVerb, name: str, now: int, directory: Directory) -> Answer[Any]:
    """What the machine makes of it, on the newest screen."""
    by = f"human:{name}"
    if verb == "claim":
        return claims.claim(state, Claim(by=by), now, directory)
    if verb == "delegate":
        return claims.delegate(state, Delegate(by=by, to="nobody-yet", reason="away"), now, directory)
    if verb == "escalate":
        return claims.escalate(state, Escalate(by=by, reason="away", token=state.request.token), now, directory)
    if verb in ("retry", "settle", "declare_lost"):
        outcome = SETTLED if verb == "settle" else None
        word = Resolve(verb=verb, by=by, attempt=state.request.attempt or 0, outcome=outcome)
        return attempts.resolve(state, word, now, directory)
    edit = edit_to(NEW) if verb in ("edit", "answer") else None
    command = Decide(verb=cast(Verb, verb), by=by, token=state.request.token, edit=edit, reason="no", text="no")
    return deciding.decide(state, command, now, directory)


def agree(state: State, verb: ReviewVerb, name: str, now: int, directory: Directory) -> str:
    """Check that both say the same; answers what it was."""
    beforehand = may(state, verb, f"human:{name}", now, directory)
    answer = said(state, verb, name, now, directory)
    told = f"{verb} by {name}: {beforehand!r}, then {answer.refusal!r}"
    if verb == "delegate" and "is no reviewer" in str(answer.refusal) and "nobody-yet" in str(answer.refusal):
        # It is the taker who is refused, whom `may` does not ask about.
        assert beforehand is None, told
        return "the taker"
    if isinstance(answer.refusal, NotAllowed):
        assert type(beforehand) is NotAllowed, told
        assert str(beforehand) == str(answer.refusal), told
        return "not allowed"
    if isinstance(answer.refusal, AlreadyDecided):
        assert str(beforehand) == str(answer.refusal), told
        return "decided"
    if len(answer.state.decisions) == len(state.decisions) and beforehand is not None:
        # It was said before, maybe by somebody who may say nothing more: nothing is refused, and nothing comes of it.
        assert answer.refusal is None, told
        return "said before"
    assert beforehand is None, told
    assert answer.refusal is None or isinstance(answer.refusal, ReviewError)
    return "allowed"


class Asked(Chamber):
    """A chamber in which, before each thing that happens, somebody asks whether they may do everything."""

    def ask(self, *names: str) -> set[tuple[ReviewVerb, str]]:
        directory = Directory(self.roles)
        return {(verb, agree(self.state, verb, name, self.now, directory)) for verb in REVIEW_VERBS for name in names}


def goes_on(chamber: Chamber, seed: int, steps: int) -> None:
    asked, chance = Asked(policies=chamber.policies, terms=chamber.terms, roles=chamber.roles), Random(seed)
    for _ in range(steps):
        asked.ask(chance.choice(PEOPLE))
        happens(asked, chance)


@settings(max_examples=10, deadline=None)
@given(chamber=chambers(), seed=st.integers(0, 2**32))
def test_in_any_history_one_is_told_beforehand_what_one_would_be_refused(chamber: Chamber, seed: int) -> None:
    goes_on(chamber, seed, 8)


@pytest.mark.sweep
@settings(max_examples=80, deadline=None)
@given(chamber=chambers(), seed=st.integers(0, 2**32))
def test_in_many_histories_one_is_told_beforehand_what_one_would_be_refused(chamber: Chamber, seed: int) -> None:
    goes_on(chamber, seed, 25)


def test_the_histories_reach_every_answer_to_every_verb_of_a_call() -> None:
    """Else the promise above would say little."""
    found: set[tuple[ReviewVerb, str]] = set()
    stages = Plan().stages
    for seed in range(8):
        terms = Plan(exclusive_claims=True, rungs=LADDERS[-1])
        asked = Asked(policies=dict.fromkeys(TEXTS, stages), terms=terms, roles={})
        chance = Random(seed)
        for _ in range(14):
            found |= asked.ask("alice", "bob")
            happens(asked, chance)
    said_by_many: tuple[ReviewVerb, ...] = ("approve", "edit", "reject", "respond", "undo", "cancel", "declare_lost")
    for verb in (*said_by_many, "claim", "delegate", "escalate"):
        assert {(verb, "allowed"), (verb, "not allowed")} <= found, verb
    assert {("approve", "decided"), ("approve", "said before"), ("reject", "decided")} <= found


def test_whoever_voted_may_still_edit_and_a_yes_to_the_same_is_refused() -> None:
    stages = tuple(Plan().stages * 1)
    terms = Plan(keeps_votes=True)
    two = (*stages, type(stages[0])("second"))
    asked = Asked(policies=dict.fromkeys(TEXTS, two), terms=terms, roles={})
    assert asked.says("approve", "alice")
    directory = Directory({})
    assert may(asked.state, "edit", "human:alice", asked.now, directory) is None
    assert isinstance(may(asked.state, "approve", "human:alice", asked.now, directory), AlreadyDecided)
    assert asked.says("edit", "alice", text=TEXTS[1])


@pytest.mark.parametrize("verb", ["approve", "edit", "reject"])
def test_a_yes_after_the_time_to_decide_waits_for_a_steady_clock_and_a_no_does_not(verb: ReviewVerb) -> None:
    plan = Plan(on_expiry="approve")
    case = Case(plan=plan.text, expires_after=5_000_000)
    late = Unsteady(T0 + 60_000_000)
    found = agree(case.state, verb, "alice", late, Directory({}))
    assert found == ("allowed" if verb == "reject" else "not allowed")
    assert digest(FIRST) == case.state.request.digest


@pytest.mark.parametrize("verb", REVIEW_VERBS)
def test_what_time_has_done_counts_before_anybody_has_stored_it(verb: ReviewVerb) -> None:
    case = Case(expires_after=5_000_000)
    assert agree(case.state, verb, "alice", T0 + 6_000_000, Directory({})) in ("decided", "not allowed")


YES: Final[dict[Kind, tuple[ReviewVerb, ...]]] = {
    "call": ("approve",),
    "pause": ("release",),
    # Somebody's answer is approved where a later stage is asked.
    "question": ("answer", "approve"),
    "confirm": ("approve",),
}


@pytest.mark.parametrize("kind", YES)
def test_no_verb_is_the_yes_of_what_is_asked(kind: Kind) -> None:
    state = Case(kind=kind).state
    assert may(state, None, "human:alice", T0) is None
    verbs: tuple[ReviewVerb, ...] = ("approve", "release", "answer")
    assert {verb for verb in verbs if may(state, verb, "human:alice", T0) is None} == {*YES[kind]}
    assert str(may(state, None, "human:bot", T0)) == str(may(state, YES[kind][0], "human:bot", T0)) != "None"


@pytest.mark.parametrize("status", STATUSES)
def test_in_every_state_both_say_the_same_of_every_verb(status: Status) -> None:
    for verb in REVIEW_VERBS:
        for name in ("alice", "bob", "bot"):
            for directory in (Directory({}), Directory({"bob": frozenset()})):
                case = reach(status)
                agree(case.state, verb, name, case.now, directory)


def test_of_an_attempt_one_may_say_what_its_end_leaves_open() -> None:
    def allowed(status: Status) -> set[ReviewVerb]:
        case = reach(status)
        return {verb for verb in REVIEW_VERBS if may(case.state, verb, "human:bob", case.now) is None}

    assert allowed("running") == {"declare_lost"}
    assert allowed("unknown") == {"retry", "settle"}
    assert allowed("failed") == {"retry"}
    assert allowed("succeeded") == set()
    assert allowed("approved") == {"cancel"}
    assert allowed("held") == {"cancel"}, "it is alice's decision"
