"""What can be asked of the machine: a closed union of commands, and what a command answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from gatekit.errors import GatekitError
from gatekit.machine.effects import Effect
from gatekit.machine.records import DecisionRecord, RevisionRecord, State, Verdict
from gatekit.models import Verb

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """A reviewer's, or the requester's, word on a request. `token` is None where a bare id was given."""

    verb: Verb
    by: str
    token: str | None
    hold: int = 0
    """Microseconds in which the decision can be undone before it counts."""
    note: str | None = None
    reason: str | None = None
    text: str | None = None
    edit: Edit | None = None
    invalid: tuple[str, ...] = ()
    """What is wrong with an edit that does not fit; it is refused for this only where nothing comes before."""

    def __post_init__(self) -> None:
        edits = self.edit is not None or bool(self.invalid)
        if edits != (self.verb in ("edit", "answer")) and self.verb != "release":
            raise ValueError(f"{self.verb}: an edit comes with the edited arguments, and only a release may have them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """A human's word on an attempt: run it again, say how it ended, or give it up for lost."""

    verb: Literal["retry", "settle", "declare_lost"]
    by: str
    attempt: int
    note: str | None = None
    outcome: Finish | None = None
    """How it ended, for a settlement; its token is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """What the agent's own process found out of an attempt whose end is unknown.

    `again`: it is harmless to run the tool once more. `never`: the tool had no effect. Else how it ended.
    """

    attempt: int
    kind: Literal["again", "never", "returned", "raised"]
    outcome: Finish | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A reviewer takes a request to look at it."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """A reviewer hands their part of a request to another."""

    by: str
    to: str
    """A name, without its kind."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """A reviewer asks those whom the next rung of the ladder names, before its time. `token` is as in `Decide`."""

    by: str
    reason: str
    token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The arguments that a reviewer wrote, merged and validated beforehand against the revision they read."""

    text: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The last step before the tool is called. `version` is the one that the caller rebuilt and checked."""

    version: int
    token: str
    owner: str
    verdict: Verdict | None = None
    stale: str | None = None
    """Why the approval no longer holds, in the words of the step's own last look; None: it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """An attempt's own report."""

    token: str
    kind: Literal["returned", "raised"]
    result: str | None = None
    lost: bool = False
    type_name: str | None = None
    message: str | None = None
    again: bool = False
    """For what was raised: whether the caller makes use of a start that its permit has left."""
    kept: bool = False
    """For what was raised otherwise: whether such a start stays, for a run that is resumed by somebody's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose:
    """An attempt whose end nobody will report: its process died, or the tool was interrupted."""

    token: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """What a command leads to: the new state, what to write, and a value or a refusal. Both are stored."""

    state: State
    effects: tuple[Effect, ...]
    value: T | None = None
    refusal: GatekitError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A start that was granted: run exactly `revision.text`."""

    attempt: int
    token: str
    revision: RevisionRecord
    decision: DecisionRecord
