"""Reviewers with stale screens, workers that crash, clocks that jump: commands in any order, watched by a ledger.

The workers keep to two rules that the wrapper keeps: a start is given back only where the tool was not called, and
an attempt reports only what was started. Everything else may come twice, late, out of order, or from somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final, Literal

from gatekit.machine import clockwork
from gatekit.machine.commands import Decide, Edit, Finish, Reconcile, Resolve, Start
from gatekit.machine.effects import Draft
from gatekit.machine.records import State, Verdict
from gatekit.models import Verb
from tests.machine.case import (
    BOT,
    FIRST,
    FOUND,
    GATED,
    OTHER,
    SECOND,
    SETTLED,
    SETTLED_AS_FAILED,
    Case,
    digest,
    edit_to,
)
from tests.machine.ledger import Ledger
from tests.machine.rows import in_order

REVIEWERS: Final = ("human:alice", "human:alice", "human:bob", "human:bot")
TEXTS: Final = (FIRST, OTHER, '{"amount":3}')
GOOD: Final = (GATED, GATED, Verdict(gated=False))
BAD: Final = (None, Verdict(gated=True, errors=("$.amount: no",)))
PERIODS: Final = (None, None, 4 * SECOND, 60 * SECOND)
# More yes than no: what ends a request early hides what would come after.
YES: Final[tuple[Verb, ...]] = ("approve", "edit")
VERBS: Final[tuple[Verb, ...]] = (*YES * 5, "reject", "respond", "cancel", "undo", "release")
PAUSE_VERBS: Final[tuple[Verb, ...]] = ("release", "release", "reject", "cancel", "undo", "approve", "edit", "respond")
WORDS: Final[tuple[Literal["retry", "settle", "declare_lost"], ...]] = ("retry", "retry", "settle", "declare_lost")
ENDS: Final = (SETTLED, SETTLED_AS_FAILED)
FOUND_OUT: Final[tuple[Literal["again", "never", "returned", "raised"], ...]] = (
    *("again", "again", "never", "never"),
    *("returned", "raised"),
)


LENGTH: Final = 60
"""Steps of one history: an attempt that is retried, and raises, takes that many until something else happens to it."""


@dataclass
class Worker:
    """One granted start in the hands of the process that asked for it."""

    token: str
    text: str
    called: bool = False
    over: bool = False


class Storm:
    """One request, everybody at once. Every step takes the chance that it decides by."""

    def __init__(self, chance: Random) -> None:
        self.case = Case(
            requester=chance.choice((BOT, BOT, "agent:alice")),
            expires_after=chance.choice(PERIODS),
            start_within=chance.choice(PERIODS),
            max_starts=chance.choice((1, 1, 2, 3)),
            call_given=chance.random() < 0.7,
            kind="pause" if chance.random() < 0.1 else "call",
        )
        self.ledger = Ledger(self.case.state)
        self.screens = [self.case.token]
        self.versions = [1]
        self.workers: list[Worker] = []
        self.tickets = ["t1"]
        self.number = 0

    # Time.

    def time_passes(self, chance: Random) -> None:
        self.case.passes(chance.choice((0.5, 1, 3)))

    def the_clock_jumps(self, chance: Random) -> None:
        self.case.passes(chance.choice((-30, -2, 30)))

    # Reviewers.

    def a_reviewer_decides_what_is_asked_now(self, chance: Random) -> None:
        verb = self._verb(chance)
        hold = chance.choice((0, 0, 0, 3)) * SECOND
        self._say(Decide(verb=verb, by=_who(chance), token=self.case.token, hold=hold, edit=_edit(verb, chance)))

    def a_reviewer_decides_what_is_on_an_old_screen(self, chance: Random) -> None:
        verb = self._verb(chance)
        token = chance.choice((*self.screens, None, "v9:0000000000000000"))
        self._say(Decide(verb=verb, by=_who(chance), token=token, edit=_edit(verb, chance)))

    def a_reviewer_has_second_thoughts(self, chance: Random) -> None:
        """What can be undone is undone: by anybody, on any screen."""
        if self.case.status == "pending":
            verb = chance.choice(
                (*YES, "reject", "respond") if self.case.request.kind == "call" else ("release", "reject")
            )
            command = Decide(
                verb=verb, by="human:bob", token=self.case.token, hold=3 * SECOND, edit=_edit(verb, chance)
            )
            self._say(command)
        token = chance.choice((self.case.token, self.case.token, *self.screens))
        self._say(Decide(verb="undo", by=chance.choice(("human:bob", *REVIEWERS)), token=token))

    def a_command_comes_again(self, chance: Random) -> None:
        if self.case.said:
            self._say(chance.choice(self.case.said))

    def _verb(self, chance: Random) -> Verb:
        return chance.choice(VERBS if self.case.request.kind == "call" else PAUSE_VERBS)

    def _say(self, command: Decide) -> None:
        before = self._before()
        answer = self.case.say(command)
        after, settled = self.case.state, self._settled(before)
        if answer.value is not None:
            self.ledger.decided(command, answer.value, settled, after, self.case.now)
        else:
            assert answer.refusal is not None
            assert after == settled, "a refused command changed something"
            self.ledger.refused(answer.refusal, after)
        self._after(before)

    # Those who judge an attempt.

    def a_reviewer_speaks_of_the_last_attempt(self, chance: Random) -> None:
        self._speak(self._word(chance, self.case.request.attempt or 0))

    def a_reviewer_speaks_of_any_attempt(self, chance: Random) -> None:
        self._speak(self._word(chance, chance.choice((0, 1, 2, 3, 9))))

    def a_word_comes_again(self, chance: Random) -> None:
        if self.case.resolved:
            self._speak(chance.choice(self.case.resolved))

    def _word(self, chance: Random, attempt: int) -> Resolve:
        verb = chance.choice(WORDS)
        outcome = chance.choice(ENDS) if verb == "settle" else None
        return Resolve(verb=verb, by=_who(chance), attempt=attempt, outcome=outcome)

    def _speak(self, command: Resolve) -> None:
        before = self._before()
        answer = self.case.word(command)
        after, settled = self.case.state, self._settled(before)
        if answer.value is not None:
            self.ledger.resolved(command, answer.value, settled, after, self.case.now)
        else:
            assert answer.refusal is not None
            assert after == settled, "a refused word changed something"
            self.ledger.word_refused(command, answer.refusal, settled, after)
        self._after(before)

    def the_agent_finds_out(self, chance: Random) -> None:
        """Of the last attempt, or of an older one. That it never ran is said only where its tool was not called."""
        before = self._before()
        if not before.attempts:
            return
        last = before.attempt or before.attempts[-1]
        attempt = chance.choice((last, last, chance.choice(before.attempts)))
        worker = next(one for one in self.workers if one.token == attempt.token)
        kind = chance.choice(FOUND_OUT)
        if kind == "never" and worker.called:
            return
        self.case.reconcile(kind, attempt=attempt.no)
        worker.over = worker.over or (kind == "never" and self.case.state != before)
        command = Reconcile(attempt=attempt.no, kind=kind, outcome=FOUND.get(kind))
        # What is found out comes first; only then the clock is asked again.
        self.ledger.reconciled(command, attempt.token, self._settled(before), self.case.state)
        self._after(before)

    def _settled(self, state: State) -> State:
        draft = Draft(state, self.case.now)
        clockwork.settle(draft)
        return in_order(draft.state)

    # Those who wait.

    def a_process_attaches(self, chance: Random) -> None:
        self.number += 1
        self.tickets.append(f"t-{self.number}")
        self._do(lambda: self.case.attach("process-9", self.tickets[-1]))

    def a_process_goes(self, chance: Random) -> None:
        ticket = chance.choice(self.tickets)
        self._do(lambda: self.case.detach(ticket))

    def a_wait_is_interrupted(self, chance: Random) -> None:
        ticket = chance.choice(self.tickets)
        waiting = self.case.request.ticket == ticket and not self.case.request.call_given
        self._do(lambda: self.case.withdraw(ticket))
        if waiting:
            assert self.case.status not in ("pending", "held", "approved"), "nobody can collect it any more"

    # Those who run.

    def a_worker_starts(self, chance: Random) -> None:
        version = self.case.request.version
        for _ in range(chance.choice((1, 1, 2))):
            stale = "the price went up" if chance.random() < 0.1 else None
            self._start(version, self._new_token(), chance.choice((*GOOD, *GOOD, *BAD)), stale)

    def a_worker_starts_with_old_knowledge(self, chance: Random) -> None:
        token = chance.choice([*(worker.token for worker in self.workers), self._new_token()])
        self._start(chance.choice(self.versions), token, chance.choice((*GOOD, *BAD)))

    def _new_token(self) -> str:
        self.number += 1
        return f"a-{self.number}"

    def _start(self, version: int, token: str, verdict: Verdict | None, stale: str | None = None) -> None:
        before = self._before()
        answer = self.case.start(token, version=version, verdict=verdict, stale=stale)
        if answer.value is not None:
            command = Start(version=version, token=token, owner="process-1", verdict=verdict, stale=stale)
            self.ledger.started(command, answer.value, self.case.state, self.case.now)
            self.workers.append(Worker(token, answer.value.revision.text))
        self._after(before)

    def a_worker_calls_the_tool(self, chance: Random) -> None:
        for worker in _some(chance, (one for one in self.workers if not one.called and not one.over)):
            worker.called = True
            self.ledger.called(worker.token, worker.text)

    def a_start_is_given_back(self, chance: Random) -> None:
        """By its worker, which then never calls the tool; also twice, and also, wrongly, after its report."""
        for worker in _some(chance, (one for one in self.workers if one.over or not one.called)):
            before = self._before()
            self.case.give_back(worker.token)
            if not worker.over and before.request.status == "running" and _last(before) == worker.token:
                self.ledger.gave_back(worker.token)
            worker.over = True
            self._after(before)

    def a_worker_reports(self, chance: Random) -> None:
        for worker in _some(chance, (one for one in self.workers if one.called or one.over)):
            worker.over = True
            self._report(worker.token, chance)

    def a_stranger_reports(self, chance: Random) -> None:
        self._report("a-none", chance)

    def _report(self, token: str, chance: Random) -> None:
        before = self._before()
        returned = chance.random() < 0.3
        raised = Finish(token=token, kind="raised", again=chance.random() < 0.7)
        self.case.finish(Finish(token=token, kind="returned", result="7") if returned else raised)
        self.ledger.reported(token, "returned" if returned else "raised", self._settled(before), self.case.state)
        self._after(before)

    def an_attempt_is_given_up(self, chance: Random) -> None:
        """Its process looks dead; it may be only asleep, and go on later."""
        for worker in _some(chance, self.workers):
            self._do(partial(self.case.lose, worker.token))

    # Before and after every step.

    def _do(self, step: Callable[[], object]) -> None:
        before = self._before()
        step()
        self._after(before)

    def _before(self) -> State:
        self.ledger.looks(self.case.now)
        return self.case.state

    def _after(self, before: State) -> None:
        after = self.case.state
        self.ledger.saw(before, after, self.case.now)
        if after.request.token not in self.screens:
            self.screens.append(after.request.token)
        if after.request.version not in self.versions:
            self.versions.append(after.request.version)
        assert after.request.digest == digest(after.revision.text), "what is shown is not what is asked"


def _who(chance: Random) -> str:
    return chance.choice(REVIEWERS)


def _edit(verb: Verb, chance: Random) -> Edit | None:
    edits = verb == "edit" or (verb == "release" and chance.random() < 0.5)
    return edit_to(chance.choice(TEXTS)) if edits else None


def _some(chance: Random, workers: Iterable[Worker]) -> list[Worker]:
    """One of them, most often the latest; none where there is none."""
    found = list(workers)
    return [chance.choice((found[-1], chance.choice(found)))] if found else []


def _last(state: State) -> str | None:
    return None if state.attempt is None else state.attempt.token


Step = Callable[[Storm, Random], None]

STEPS: Final[tuple[Step, ...]] = (
    *(Storm.a_reviewer_decides_what_is_asked_now,) * 4,
    *(Storm.a_worker_starts,) * 4,
    *(Storm.a_worker_calls_the_tool,) * 3,
    *(Storm.a_worker_reports,) * 2,
    *(Storm.a_start_is_given_back,) * 3,
    *(Storm.time_passes,) * 3,
    Storm.the_clock_jumps,
    Storm.a_reviewer_decides_what_is_on_an_old_screen,
    Storm.a_reviewer_has_second_thoughts,
    Storm.a_command_comes_again,
    Storm.a_process_attaches,
    Storm.a_process_goes,
    Storm.a_wait_is_interrupted,
    Storm.a_worker_starts_with_old_knowledge,
    Storm.a_stranger_reports,
    *(Storm.an_attempt_is_given_up,) * 2,
    *(Storm.a_reviewer_speaks_of_the_last_attempt,) * 4,
    *(Storm.the_agent_finds_out,) * 2,
    Storm.a_reviewer_speaks_of_any_attempt,
    Storm.a_word_comes_again,
)
