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
        if (self.verb == "edit") != (self.edit is not None or bool(self.invalid)):
            raise ValueError(f"{self.verb}: an edit comes with the edited arguments, and no other verb does")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """An attempt's own report."""

    token: str
    kind: Literal["returned", "raised"]
    result: str | None = None
    lost: bool = False
    type_name: str | None = None
    message: str | None = None


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
