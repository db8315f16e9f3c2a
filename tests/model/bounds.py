"""How far a search goes: everything that could grow for ever is given a number here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gatekit.machine.records import RequestRecord, State
from gatekit.models import FINAL
from tests.machine.case import FIRST, OTHER, SECOND, T0

TICK: Final = 60 * SECOND
TEXTS: Final = (FIRST, OTHER)
Word = Literal["retry", "settle", "declare_lost"]
Finding = Literal["again", "never", "returned", "raised"]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """One configuration of the model. Times are in ticks; the clock reads any of `instants` at any moment."""

    name: str
    instants: int = 3
    expires_after: int | None = 2
    start_within: int | None = None
    hold: int = 0
    """Ticks for which a reviewer may hold a decision; 0: nobody does."""
    max_starts: int = 1
    votes: int = 2
    """Words that keep a request alive: approvals, edits, retries, and whatever is held."""
    revisions: int = 1
    give_backs: int = 0
    workers: int = 2
    reviewers: int = 2
    """0: nobody says anything."""
    call_given: bool = True
    allowed: bool = False
    """The predicate let it pass: recorded as approved, never pending."""
    kind: Literal["call", "pause"] = "call"
    stale: bool = False
    """Whether the step's own last look may send the request back."""
    misfits: bool = False
    """Whether the agent may find that an edit does not fit, or not have looked."""
    resolves: tuple[Word, ...] = ("settle",)
    """What humans say of an attempt."""
    findings: tuple[Finding, ...] = ()
    """What a process may find out of an attempt whose end is unknown."""
    false_deaths: bool = True
    """Whether a process that lives may be taken for dead."""
    thorough: bool = False
    """Whether every stale screen is tried on what has ended too, or only what was said there and one word more."""
    unsynced: int = 0
    """Commits that a power loss takes back; 0 is `synchronous=FULL`."""

    def cap(self, moment: int | None) -> int | None:
        """A moment that the clock never reads is as good as any other of them."""
        return None if moment is None else min(moment, self.at(self.instants))

    def at(self, instant: int) -> int:
        return T0 + instant * TICK

    def deadline(self, now: int) -> int | None:
        """When what is asked now must be decided."""
        return None if self.expires_after is None else now + self.expires_after * TICK

    def timeless(self, request: RequestRecord) -> bool:
        """Whether nothing that can happen next asks what time it is: the clock may then as well say 0."""
        status = request.status
        if status == "running":
            return request.start_within is None
        return status in FINAL and not (status == "failed" and "retry" in self.resolves)

    def hold_for(self) -> tuple[int, ...]:
        return (0, self.hold * TICK) if self.hold else (0,)

    def within(self, state: State, votes: int) -> bool:
        """Whether the search follows what led here."""
        given_back = sum(row.state == "given_back" for row in state.attempts)
        return votes <= self.votes and state.request.revisions <= self.revisions and given_back <= self.give_backs
