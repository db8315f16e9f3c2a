"""Random policies, and everybody saying anything in any order: a call starts only where its stages' demands were met.

What was met is worked out here a second time, from what people said and had the right to say at that moment, by
trying out who could count for what. Nothing of it is taken from the machine but its answers and its events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekit.machine import claims, deciding, entering, running
from gatekit.machine.clockwork import settle
from gatekit.machine.commands import Answer, Claim, Decide, Delegate, Escalate, Start
from gatekit.machine.effects import Draft
from gatekit.machine.plan import Plan, Rung, StagePlan
from gatekit.machine.records import State, Verdict
from gatekit.machine.voting import Directory
from gatekit.models import Verb
from tests.machine.case import FIRST, HOUR, OTHER, SECOND, T0, digest, edit_to, new_request, new_revision
from tests.machine.rows import Rows

PEOPLE: Final = ("alice", "bob", "carol", "dave", "bot")
"""The last one is also who asks."""
ENTRIES: Final = ("alice", "bob", "carol", "role:x", "role:y")
TEXTS: Final[tuple[str, ...]] = (FIRST, OTHER, '{"amount":3}')
LADDERS: Final = (
    (),
    (),
    (Rung(20 * SECOND, ("dave",)),),
    (Rung(20 * SECOND, ("role:y",)), Rung(50 * SECOND, ("dave",))),
)
DIRECTORIES: Final[tuple[Mapping[str, frozenset[str]], ...]] = (
    {},
    {name: frozenset("x" if name in ("alice", "bob", "bot") else "y") for name in PEOPLE},
    {name: frozenset("xy") for name in ("alice", "carol", "dave")},
)
LENGTH: Final = 30


@dataclass(frozen=True)
class Rights:
    """What decided at one moment who may say what."""

    roles: Mapping[str, frozenset[str]]
    handed: tuple[tuple[str, str], ...]
    escalated: tuple[tuple[str, str], ...]
    """By stage: who may decide it too."""
    separate: bool = True

    def allow(self, name: str, stage: StagePlan) -> bool:
        if any(giver == name for giver, _ in self.handed) or (self.roles and name not in self.roles):
            return False
        mine = {name}
        for _ in self.handed:
            mine |= {giver for giver, taker in self.handed if taker in mine}
        if self.separate:
            # Whoever asks has nothing to hand on.
            mine.discard(PEOPLE[-1])
        asked = {*stage.reviewers, *(who for at, who in self.escalated if at == stage.name)} if stage.reviewers else ()
        return bool(mine) and (not stage.reviewers or any(self._is(one, entry) for one in mine for entry in asked))

    def _is(self, name: str, entry: str) -> bool:
        if not self.roles:
            return entry.startswith("role:") or entry == name
        return name in self.roles and (entry == name or entry.removeprefix("role:") in self.roles[name])


@dataclass
class Said:
    """A yes that the machine took."""

    by: str
    digest: str
    rights: list[Rights]
    """When it was said, and when it was looked at again."""
    void: bool = False


@dataclass
class Chamber:
    """One request of the agent `bot`, its reviewers, and a witness who writes down who said what."""

    policies: Mapping[str, tuple[StagePlan, ...]]
    terms: Plan
    roles: Mapping[str, frozenset[str]]
    rows: Rows = field(default_factory=Rows)
    now: int = T0
    said: list[Said] = field(default_factory=list)
    handed: tuple[tuple[str, str], ...] = ()
    escalated: tuple[tuple[str, str], ...] = ()
    demands: list[tuple[StagePlan, ...]] = field(default_factory=list)
    seen: int = 0
    started: str | None = None

    def __post_init__(self) -> None:
        plan = replace(self.terms, stages=self.policies[FIRST])
        self.demands.append(plan.stages)
        request = new_request(plan=plan.text, stages=len(plan.stages), expires_after=HOUR, start_within=40 * SECOND)
        self._take(entering.submit(request, new_revision(), self.now))

    @property
    def state(self) -> State:
        return self.rows.state()

    @property
    def status(self) -> str:
        return self.state.request.status

    @property
    def rights(self) -> Rights:
        return Rights(self.roles, self.handed, self.escalated, self.terms.separate)

    def _take(self, answer: Answer[Any]) -> Answer[Any]:
        self.rows.apply(answer.effects)
        for event in self.rows.events[self.seen :]:
            self._note(event.kind, event.by, json.loads(event.data))
        self.seen = len(self.rows.events)
        return answer

    def _note(self, kind: str, by: str, data: Mapping[str, Any]) -> None:
        if kind == "escalated":
            # Whoever the ladder names may decide on whatever is open; what that is, is not taken from the machine:
            # at most every stage that is asked at all.
            names = {stage.name for stages in self.demands for stage in stages}
            self.escalated += tuple((name, who) for name in names for who in data["to"])
        elif kind == "delegated":
            self.handed += ((by.removeprefix("human:"), data["to"]),)
        elif kind == "undone":
            last = next(said for said in reversed(self.said) if said.by == by.removeprefix("human:") and not said.void)
            last.void = True
        elif kind == "returned" and data.get("reason") is not None and "need more" not in data["reason"]:
            for said in self.said:
                said.void = True

    def says(self, verb: Verb, name: str, *, text: str | None = None, hold: int = 0, token: str | None = None) -> bool:
        """Whether the machine took it as something new."""
        before, rights = len(self.state.decisions), self.rights
        command = Decide(
            verb=verb,
            by=f"human:{name}",
            token=token or self.state.request.token,
            hold=hold,
            edit=None if text is None else edit_to(text),
            reason="no" if verb == "reject" else None,
        )
        answer = self._take(deciding.decide(self.state, command, self.now, Directory(self.roles)))
        taken = answer.refusal is None and len(self.state.decisions) > before
        if taken and verb in ("approve", "edit"):
            self.said.append(Said(name, self.state.decisions[-1].digest, [rights]))
        return taken

    def starts(self, *, stale: bool = False) -> None:
        state = self.state
        verdict = None
        if state.check_due:
            stages = self.policies[state.revision.text]
            self.demands.append(stages)
            verdict = Verdict(gated=True, plan=replace(self.terms, stages=stages).text)
            for said in self.said:
                said.rights.append(self.rights)
        command = Start(
            version=state.request.version,
            token=f"start-{len(self.rows.events)}",
            owner="process-1",
            verdict=verdict,
            stale="it has changed" if stale else None,
        )
        answer = self._take(running.start(state, command, self.now, Directory(self.roles)))
        if answer.value is None and verdict is not None and self.state.revision.verdict is None:
            # The clock came first: nothing was looked at.
            self.demands.pop()
        if answer.value is not None:
            self.started = answer.value.revision.text

    def claims(self, name: str) -> None:
        self._take(claims.claim(self.state, Claim(by=f"human:{name}"), self.now, Directory(self.roles)))

    def delegates(self, name: str, to: str) -> None:
        command = Delegate(by=f"human:{name}", to=to, reason="away")
        self._take(claims.delegate(self.state, command, self.now, Directory(self.roles)))

    def escalates(self, name: str, token: str | None = None) -> None:
        command = Escalate(by=f"human:{name}", reason="nobody answers", token=token)
        self._take(claims.escalate(self.state, command, self.now, Directory(self.roles)))

    def passes(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.sweep()

    def sweep(self) -> None:
        draft = Draft(self.state, self.now)
        settle(draft)
        self._take(Answer(state=draft.state, effects=draft.effects()))

    def relevant_demands(self) -> list[StagePlan]:
        """What the first arguments asked for, and what those that run do."""
        asked = (self.demands[0], self.policies[self.started or FIRST])
        return [stage for stages in asked for stage in stages]

    def is_borne_out(self) -> bool:
        """Whether different people said yes to what started, for each of its stages as many as it asks for."""
        assert self.started is not None
        wanted = digest(self.started)
        valid = [said for said in self.said if not said.void and (self.terms.keeps_votes or said.digest == wanted)]
        people = sorted({said.by for said in valid})
        if self.terms.separate and "bot" in people:
            return False
        stages = self.relevant_demands()
        names = sorted({stage.name for stage in stages})

        def counts(name: str, stage: StagePlan) -> bool:
            return any(said.by == name and any(then.allow(name, stage) for then in said.rights) for said in valid)

        def met(seated: Mapping[str, Iterable[str]]) -> bool:
            return all(sum(counts(one, stage) for one in seated[stage.name]) >= stage.quorum for stage in stages)

        if not self.terms.separate:
            return met(dict.fromkeys(names, people))
        return any(
            met({name: [one for one, seat in zip(people, seats, strict=True) if seat == name] for name in names})
            for seats in product(names, repeat=len(people))
        )


stages_of_a_policy = st.lists(
    st.builds(
        StagePlan,
        st.sampled_from("abc"),
        st.lists(st.sampled_from(ENTRIES), unique=True, max_size=3).map(tuple),
        st.sampled_from((1, 1, 2)),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda stage: stage.name,
).map(tuple)
terms = st.builds(
    Plan,
    parallel=st.booleans(),
    keeps_votes=st.booleans(),
    exclusive_claims=st.sampled_from((False, False, True)),
    separate=st.sampled_from((True, True, False)),
    on_expiry=st.sampled_from(("expire", "escalate", "keep")),
    rungs=st.sampled_from(LADDERS),
    remind_every=st.sampled_from((None, 30 * SECOND)),
)


def plans(draw: st.DrawFn) -> Plan:
    made = draw(terms)
    return made if made.rungs else replace(made, on_expiry="expire" if made.on_expiry == "escalate" else made.on_expiry)


@st.composite
def chambers(draw: st.DrawFn) -> Chamber:
    first = draw(stages_of_a_policy)
    # Often the other arguments ask fewer of the same people, or more of them: what an edit must not get around.
    others = [draw(narrowed(first) | stages_of_a_policy) for _ in TEXTS[1:]]
    policies: dict[str, tuple[StagePlan, ...]] = dict(zip(TEXTS, (first, *others), strict=True))
    return Chamber(policies=policies, terms=plans(draw), roles=draw(st.sampled_from(DIRECTORIES)))


@st.composite
def narrowed(draw: st.DrawFn, stages: tuple[StagePlan, ...]) -> tuple[StagePlan, ...]:
    made = []
    for stage in stages:
        fewer = draw(st.lists(st.sampled_from(stage.reviewers or ENTRIES), unique=True, min_size=1, max_size=2))
        made.append(StagePlan(stage.name, tuple(fewer), draw(st.sampled_from((stage.quorum, 1, 2)))))
    return tuple(made)


def happens(chamber: Chamber, chance: Random) -> None:
    """One thing more."""
    name, old = chance.choice(PEOPLE), chance.choice((None, None, None, "v1:" + digest(FIRST)[:16]))
    roll = chance.random()
    if roll < 0.45:
        chamber.says("approve", name, hold=chance.choice((0, 0, 0, 5 * SECOND)), token=old)
    elif roll < 0.60:
        chamber.says("edit", name, text=chance.choice(TEXTS), hold=chance.choice((0, 0, 5 * SECOND)), token=old)
    elif roll < 0.62:
        chamber.says("reject", name)
    elif roll < 0.67:
        chamber.says("undo", name)
    elif roll < 0.72:
        chamber.delegates(name, chance.choice(PEOPLE))
    elif roll < 0.75:
        chamber.claims(name)
    elif roll < 0.77:
        chamber.roles = chance.choice(DIRECTORIES)
    elif roll < 0.79:
        chamber.escalates(name, old)
    elif roll < 0.85:
        chamber.passes(chance.choice((1, 6, 21, 45)))
    elif roll < 0.87:
        chamber.starts(stale=True)
    else:
        chamber.starts()


def lives(chamber: Chamber, chance: Random) -> None:
    for _ in range(LENGTH):
        if chamber.started is not None:
            assert chamber.is_borne_out(), story(chamber)
            return
        happens(chamber, chance)


def story(chamber: Chamber) -> str:
    """What happened, for whoever reads that it must not."""
    lines = [f"{chamber.terms}", *(f"{text}: {stages}" for text, stages in chamber.policies.items())]
    lines += [f"{event.kind} {event.by} v{event.version} {event.data}" for event in chamber.rows.events]
    return "\n".join([*lines, f"started {chamber.started}", *map(str, chamber.said)])


@settings(max_examples=150, deadline=None)
@given(chamber=chambers(), seed=st.integers(0, 2**32))
def test_a_call_starts_only_where_the_demands_on_exactly_its_arguments_were_met(chamber: Chamber, seed: int) -> None:
    lives(chamber, Random(seed))


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=5000, deadline=None)
@given(chamber=chambers(), seed=st.integers(0, 2**32))
def test_a_call_starts_only_where_the_demands_were_met_in_five_thousand_histories(chamber: Chamber, seed: int) -> None:
    lives(chamber, Random(seed))


def test_the_histories_reach_starts_of_edited_arguments_and_all_that_can_come_between() -> None:
    """Else the promise above would say nothing."""
    happened: set[str] = set()
    edited = 0
    stages = (StagePlan("a", ("alice", "bob")), StagePlan("b", ("carol", "dave")))
    more = (StagePlan("a", ("bob",)), StagePlan("b", ("carol", "dave")), StagePlan("c"))
    policies: dict[str, tuple[StagePlan, ...]] = {TEXTS[0]: stages, TEXTS[1]: stages, TEXTS[2]: more}
    for seed in range(150):
        chamber = Chamber(policies=policies, terms=Plan(rungs=LADDERS[2], remind_every=30 * SECOND), roles={})
        lives(chamber, Random(seed))
        happened |= set(chamber.rows.kinds())
        edited += chamber.started not in (None, FIRST)
    assert edited
    assert {
        "voted",
        "stage",
        "edited",
        "undone",
        "returned",
        "delegated",
        "claimed",
        "escalated",
        "reminder",
    } <= happened


def enough(stages: Sequence[StagePlan], rights: Rights, people: Sequence[str]) -> bool:
    """Whether there is any way to give each stage its people, and nobody two places."""
    seats = [None, *(stage.name for stage in stages)]
    return any(
        all(
            sum(seat == stage.name and rights.allow(one, stage) for one, seat in zip(people, chosen, strict=True))
            >= stage.quorum
            for stage in stages
        )
        for chosen in product(seats, repeat=len(people))
    )


def enough_in_order(stages: Sequence[StagePlan], rights: Rights, order: Sequence[str], *, separate: bool) -> bool:
    """The same where one stage is asked after the other, and whoever can say yes says it at once."""
    spent: set[str] = set()
    for stage in stages:
        willing = [one for one in order if rights.allow(one, stage) and not (separate and one in spent)]
        if len(willing) < stage.quorum:
            return False
        # In turns, from whoever comes after the one who met the stage before.
        taken = willing[: stage.quorum]
        spent |= set(taken)
        last = order.index(taken[-1]) + 1
        order = [*order[last:], *order[:last]]
    return True


@settings(max_examples=80, deadline=None)
@given(chamber=chambers(), order=st.permutations(PEOPLE[:-1]))
def test_where_enough_people_say_yes_in_whatever_order_the_call_is_approved(chamber: Chamber, order: list[str]) -> None:
    stages, separate = chamber.policies[FIRST], chamber.terms.separate
    rounds = len(stages) * 2
    for _, name in product(range(rounds), order):
        if chamber.status == "pending":
            chamber.says("approve", name)
    if not chamber.terms.parallel:
        expected = enough_in_order(stages, chamber.rights, order, separate=separate)
    elif separate:
        expected = enough(stages, chamber.rights, order)
    else:
        expected = all(sum(chamber.rights.allow(one, stage) for one in order) >= stage.quorum for stage in stages)
    assert (chamber.status == "approved") == expected, story(chamber)


def test_who_could_say_yes_to_two_stages_leaves_the_one_to_whoever_can_say_it_to_no_other() -> None:
    both = (StagePlan("a", ("alice", "bob")), StagePlan("b", ("alice",)))
    chamber = Chamber(policies=dict.fromkeys(TEXTS, both), terms=Plan(parallel=True), roles={})
    assert chamber.says("approve", "alice")
    assert chamber.says("approve", "bob")
    assert chamber.status == "approved"


@settings(max_examples=80, deadline=None)
@given(
    after=st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True).map(sorted),
    every=st.none() | st.integers(3, 40),
    moments=st.lists(st.tuples(st.integers(-60, 60), st.integers(1, 4)), min_size=1, max_size=15),
)
def test_each_rung_is_climbed_and_each_reminder_given_once_however_often_anybody_looks(
    after: list[int], every: int | None, moments: list[tuple[int, int]]
) -> None:
    """The clock is set forwards and backwards; of what was missed only the last counts."""
    ladder = tuple(Rung(seconds * SECOND, (f"chief-{no}",)) for no, seconds in enumerate(after))
    terms = Plan(rungs=ladder, remind_every=None if every is None else every * SECOND, on_expiry="keep")
    stage = (StagePlan("a", ("alice",)),)
    chamber = Chamber(policies=dict.fromkeys(TEXTS, stage), terms=terms, roles={})
    expected: list[tuple[str, int]] = []
    climbed = reminded = 0
    for moved, looks in moments:
        chamber.now += moved * SECOND
        passed = (chamber.now - T0) // SECOND
        due = [no for no, seconds in enumerate(after) if no >= climbed and seconds <= passed]
        if due:
            climbed = due[-1] + 1
            expected.append(("escalated", climbed))
        if every is not None and passed // every > reminded:
            reminded = passed // every
            expected.append(("reminder", reminded))
        for _ in range(looks):
            chamber.sweep()
    told = [
        (event.kind, json.loads(event.data).get("rung") or json.loads(event.data)["no"])
        for event in chamber.rows.events
        if event.kind in ("escalated", "reminder")
    ]
    assert sorted(told) == sorted(expected)


@settings(max_examples=80, deadline=None)
@given(
    after=st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True).map(sorted),
    moments=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2)), min_size=1, max_size=10),
)
def test_the_clock_goes_on_where_a_person_has_climbed_and_a_person_where_the_clock_has(
    after: list[int], moments: list[tuple[int, int]]
) -> None:
    ladder = tuple(Rung(seconds * SECOND, (f"chief-{no}",)) for no, seconds in enumerate(after))
    stage = (StagePlan("a", ("alice",)),)
    chamber = Chamber(policies=dict.fromkeys(TEXTS, stage), terms=Plan(rungs=ladder, on_expiry="keep"), roles={})
    expected: list[tuple[str, list[str]]] = []
    climbed = passed = 0
    for moved, presses in moments:
        chamber.now += moved * SECOND
        passed += moved
        chamber.sweep()
        due = sum(seconds <= passed for seconds in after)
        if due > climbed:
            climbed = due
            expected.append(("system:clock", [f"chief-{climbed - 1}"]))
        for _ in range(presses):
            chamber.escalates("alice")
            if climbed < len(after):
                expected.append(("human:alice", [f"chief-{climbed}"]))
                climbed += 1
    told = [(event.by, json.loads(event.data)["to"]) for event in chamber.rows.events if event.kind == "escalated"]
    assert told == expected
