"""What an onlooker notes of one request, as a value that can be part of a state.

It is `tests.machine.ledger` once more in a form that can be hashed: learned only from answers, from the versions
that were seen and from the tool's own calls. `promises` holds the machine against it.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from gatekit.machine.records import DecisionRecord, State
from gatekit.models import FINAL, Status
from tests.model.bounds import Bounds
from tests.model.canon import outlives_its_start

YES = ("approve", "edit", "retry")


class Ack(NamedTuple):
    """A decision that somebody was told of."""

    no: int
    verb: str
    by: str
    token: str
    version: int
    revision: int
    digest: str
    attempt: int | None


def ack_of(row: DecisionRecord) -> Ack:
    return Ack(row.no, row.verb, row.by, row.token, row.version, row.revision, row.digest, row.attempt)


class Vote(NamedTuple):
    """What was said to one version."""

    version: int
    verb: str
    by: str
    digest: str
    asked: str
    """The digest that was asked before it: what an undo goes back to."""
    since: int
    until: int | None
    """For a yes: when it must have started."""
    effective: bool = False
    undone: bool = False
    over: bool = False
    """Asked again since, or seen too late to start."""

    @property
    def allows(self) -> bool:
        return self.verb in YES and not self.undone


class Token(NamedTuple):
    """A start that was granted, and what became of it."""

    name: str
    vote: int
    called: bool = False
    state: Literal["open", "back", "returned", "raised"] = "open"


class Notes(NamedTuple):
    decide_by: int | None
    shown: tuple[str, ...]
    """Every token that was ever on a screen."""
    acks: tuple[Ack, ...] = ()
    votes: tuple[Vote, ...] = ()
    tokens: tuple[Token, ...] = ()
    overdue: int = 0
    """The version whose time to decide was seen to be over."""

    def token(self, name: str) -> Token | None:
        return next((row for row in self.tokens if row.name == name), None)

    def with_token(self, name: str, **changes: Any) -> Notes:
        tokens = tuple(row._replace(**changes) if row.name == name else row for row in self.tokens)
        return self._replace(tokens=tokens)

    def with_vote(self, index: int, **changes: Any) -> Notes:
        votes = tuple(row._replace(**changes) if no == index else row for no, row in enumerate(self.votes))
        return self._replace(votes=votes)

    def standing(self, vote: int) -> int:
        """The starts under a vote that were not given back."""
        return sum(row.vote == vote and row.state != "back" for row in self.tokens)

    @property
    def started(self) -> int:
        return sum(row.state != "back" for row in self.tokens)

    @property
    def called(self) -> int:
        return sum(row.called for row in self.tokens)

    @property
    def lasting(self) -> int:
        """How many of the votes kept the request alive: what `Bounds.votes` limits."""
        return sum(row.verb in YES or row.undone or not row.effective for row in self.votes)

    def said(self, attempt: int, verb: str) -> bool:
        return any((row.attempt, row.verb) == (attempt, verb) for row in self.acks)


def looked(notes: Notes, status: Status, version: int, now: int) -> Notes:
    """Somebody looks, so what time has done by now is seen, whatever the clock says later."""
    late = notes.decide_by is not None and now >= notes.decide_by
    last = len(notes.votes) - 1
    if status == "pending":
        return notes._replace(overdue=version) if late else notes
    if status not in ("held", "approved") or last < 0:
        return notes
    vote = notes.votes[last]
    if status == "held" and now >= vote.since:
        notes = notes.with_vote(last, effective=True)
    elif status == "held":
        return notes
    if vote.allows and vote.until is not None and now >= vote.until:
        notes = notes.with_vote(last, over=True)
        return notes._replace(overdue=version) if late else notes
    return notes


def asked_again(notes: Notes, decide_by: int | None) -> Notes:
    """A new version is asked: nothing that was allowed so far counts any more."""
    votes = tuple(vote._replace(over=True) for vote in notes.votes)
    return notes._replace(votes=votes, decide_by=decide_by)


def tidy(notes: Notes, state: State, bounds: Bounds) -> Notes:
    """Without what cannot matter any more, as `canon` does it for the state."""
    request = state.request
    asked = request.status in ("pending", "held")
    kept = asked or outlives_its_start(request)
    votes = tuple(_tidy(vote, bounds, ended=request.status in FINAL) for vote in notes.votes)
    shown = notes.shown if request.token in notes.shown else (*notes.shown, request.token)
    overdue = notes.overdue if notes.overdue == request.version else 0
    decide_by = bounds.cap(notes.decide_by) if kept else None
    return notes._replace(votes=votes, shown=shown, overdue=overdue, decide_by=decide_by)


def _tidy(vote: Vote, bounds: Bounds, *, ended: bool) -> Vote:
    if vote.over or vote.undone:
        return vote._replace(since=0, until=None, effective=True)
    since = 0 if vote.effective else vote.since
    return vote._replace(since=since, until=None if ended else bounds.cap(vote.until))
