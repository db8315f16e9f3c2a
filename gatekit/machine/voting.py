"""Who may say yes to what, and how much of what a plan demands was met: pure, and the only place that counts votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gatekit.errors import NotAllowed
from gatekit.machine.plan import ROLE, Plan, StagePlan, covers, narrowed
from gatekit.machine.records import DecisionRecord, State, name_of

_YES: Final = frozenset({"approve", "edit", "release", "answer", "retry"})
"""The verbs that count as a vote for what is asked."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The reviewers that the queue knows, with their roles. While it knows none, anybody may decide."""

    roles: Mapping[str, frozenset[str]]

    def knows(self, name: str) -> bool:
        """Whether this person may decide anything at all."""
        return not self.roles or name in self.roles

    def has_right(self, name: str, stage: StagePlan) -> bool:
        """Whether this person is one of those whom the stage asks."""
        if not self.knows(name):
            return False
        return not stage.reviewers or any(self._is(name, entry) for entry in stage.everybody)

    def _is(self, name: str, entry: str) -> bool:
        if not entry.startswith(ROLE):
            return entry == name
        return not self.roles or entry.removeprefix(ROLE) in self.roles[name]


OPEN: Final = Directory({})
"""A queue that knows no reviewer."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of what a plan demands was met."""

    plan: Plan
    people: tuple[tuple[str, ...], ...]
    """Who counts for each stage."""

    @property
    def done(self) -> bool:
        """Whether nothing is left to ask."""
        return not self.open

    @property
    def open(self) -> tuple[int, ...]:
        """The stages that are asked now."""
        unmet = [index for index, stage in enumerate(self.plan.stages) if len(self.people[index]) < stage.quorum]
        return tuple(unmet if self.plan.parallel else unmet[:1])

    @property
    def first(self) -> int:
        """The first stage that is asked; of one that is done, the last."""
        return self.open[0] if self.open else len(self.plan.stages) - 1

    def counts(self, name: str) -> bool:
        """Whether this person's vote counts for any stage."""
        return any(name in people for people in self.people)


def counted(state: State) -> list[DecisionRecord]:
    """The votes that stand: not undone, of this round, for exactly these arguments unless the plan keeps others."""
    request, plan = state.request, state.plan
    votes = [row for row in state.decisions if row.verb in _YES and row.no > request.votes_from]
    same = [row for row in votes if plan.keeps_votes or row.digest == request.digest]
    return [row for row in same if _stages_of(plan, row) and not _is_undone(state, row)]


def _stages_of(plan: Plan, vote: DecisionRecord) -> tuple[int, ...]:
    asked = [index for index in vote.stages if index < len(plan.stages)]
    return tuple(index for index in asked if _counts_for(plan.stages[index], vote))


def _counts_for(stage: StagePlan, vote: DecisionRecord) -> bool:
    return vote.no > stage.since or name_of(vote.by) in stage.still


def progress(state: State) -> Progress:
    """Give each vote a place in one of the stages that it was cast for, so that as many places as possible are taken.

    A vote for several stages that are asked at once moves to another of them where that lets one more count.
    """
    plan = state.plan
    voters = _voters(plan, counted(state))
    people: list[list[str]] = [[] for _ in plan.stages]
    for voter, stage in sorted(_seated(plan, voters).items()):
        people[stage].append(voters[voter][0])
    return Progress(plan, tuple(map(tuple, people)))


def with_demands(state: State, asked: Plan, directory: Directory) -> Plan:
    """The plan with what is demanded beyond it; the same object where that is nothing. It never demands less.

    A stage that asks fewer of the same people takes the place of the wider one; those who said yes, and are among
    the fewer, have said so.
    """
    plan, stages, people = state.plan, list(state.plan.stages), progress(state).people
    for stage in asked.stages:
        if any(covers(own, stage) for own in stages):
            continue
        place = next((no for no, own in enumerate(stages) if own.name == stage.name), None)
        still = () if place is None else tuple(who for who in people[place] if may_decide(state, directory, who, stage))
        fewer = None if place is None else narrowed(stages[place], stage, len(state.decisions), still)
        if place is None or fewer is None:
            stages.append(stage)
        else:
            stages[place] = fewer
    return plan if tuple(stages) == plan.stages else replace(plan, stages=tuple(stages))


def cast_for(state: State, directory: Directory, name: str) -> tuple[int, ...]:
    """The stages for which this person's yes would count now; none: they are not asked.

    Where stages are asked at once, it may count by letting somebody else's move to another stage.
    """
    plan = state.plan
    if not plan.parallel:
        return tuple(no for no in progress(state).open if may_decide(state, directory, name, plan.stages[no]))
    rights = tuple(no for no, stage in enumerate(plan.stages) if may_decide(state, directory, name, stage))
    before = _voters(plan, counted(state))
    own = [(name, rights)] if plan.separate else [(name, (stage,)) for stage in rights]
    more = [*before, *(voter for voter in own if voter not in before)]
    return rights if len(_seated(plan, more)) > len(_seated(plan, before)) else ()


def may_decide(state: State, directory: Directory, name: str, stage: StagePlan) -> bool:
    """Whether this person decides on the stage, in their own right or in somebody's who handed it on."""
    if not directory.knows(name):
        return False
    handed = state.request.delegations
    if any(giver == name for giver, _ in handed):
        return False
    givers = _givers(handed, name)
    return directory.has_right(name, stage) or any(directory.has_right(giver, stage) for giver in givers)


def stranger(directory: Directory, by: str) -> NotAllowed | None:
    """The refusal of somebody whom the queue does not know as a reviewer; None: it does, or it knows none."""
    if directory.knows(name_of(by)):
        return None
    return NotAllowed(f"{by} is no reviewer of this queue; these are: {', '.join(sorted(directory.roles))}")


def not_asked(state: State, directory: Directory, by: str) -> NotAllowed | None:
    """The refusal of somebody whose yes would count for no stage now; None: it would."""
    if cast_for(state, directory, name_of(by)):
        return None
    return NotAllowed(f"{by} is not asked here: {_who_may(state, directory)} may decide")


def _who_may(state: State, directory: Directory) -> str:
    """Those who may decide now, in words."""
    stages = state.plan.stages
    asked = [", ".join(stages[index].everybody) or "any reviewer" for index in progress(state).open]
    handed = dict(state.request.delegations)
    words = "; ".join(dict.fromkeys(asked)) or "nobody"
    if handed:
        words += " (" + ", ".join(f"{taker} in place of {giver}" for giver, taker in handed.items()) + ")"
    if directory.roles and words == "any reviewer":
        words = ", ".join(sorted(directory.roles))
    return words


def _voters(plan: Plan, votes: Sequence[DecisionRecord]) -> list[tuple[str, tuple[int, ...]]]:
    """Each person once, with the stages of the last vote; without separation once for each stage."""
    if not plan.separate:
        return list({(name_of(row.by), (stage,)): None for row in votes for stage in _stages_of(plan, row)})
    last: dict[str, tuple[int, ...]] = {}
    for row in votes:
        last[name_of(row.by)] = _stages_of(plan, row)
    return list(last.items())


def _givers(handed: Sequence[tuple[str, str]], name: str) -> set[str]:
    """All whose part this person has by now, also over others."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        taker = ahead.pop()
        more = {giver for giver, taken in handed if taken == taker} - found
        found |= more
        ahead += more
    return found


def _seated(plan: Plan, voters: Sequence[tuple[str, tuple[int, ...]]]) -> dict[int, int]:
    """The stage in which each voter counts, by their place in the list."""
    places = [stage for stage, wanted in enumerate(plan.stages) for _ in range(wanted.quorum)]
    taken: dict[int, int] = {}
    for voter in range(len(voters)):
        _seat(voter, voters, places, taken, set())
    return {voter: places[place] for place, voter in taken.items()}


def _seat(
    voter: int,
    voters: Sequence[tuple[str, tuple[int, ...]]],
    places: Sequence[int],
    taken: dict[int, int],
    tried: set[int],
) -> bool:
    # An augmenting path: whoever sits where this one could may move on to another place of theirs.
    for place, stage in enumerate(places):
        if stage not in voters[voter][1] or place in tried:
            continue
        tried.add(place)
        if place not in taken or _seat(taken[place], voters, places, taken, tried):
            taken[place] = voter
            return True
    return False


def _is_undone(state: State, vote: DecisionRecord) -> bool:
    return any(
        row.verb == "undo" and row.no > vote.no and (row.version, row.by) == (vote.version, vote.by)
        for row in state.decisions
    )
