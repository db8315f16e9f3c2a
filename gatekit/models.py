"""What gatekit hands out: requests, decisions, attempts, events. Data only; all times are aware UTC datetimes.

Fields have the same names in code, in `--json` output and in the tables of the queue.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args, overload

Risk = Literal["low", "medium", "high", "critical"]
Status = Literal[
    "pending",
    "held",
    "approved",
    "running",
    "unknown",
    "succeeded",
    "failed",
    "rejected",
    "responded",
    "answered",
    "expired",
    "cancelled",
]
_Said = Literal[
    "approve",
    "edit",
    "reject",
    "respond",
    "release",
    "answer",
    "cancel",
    "undo",
    "retry",
    "settle",
    "declare_lost",
]
Verb = Literal[_Said, "expire"]
ReviewVerb = Literal[_Said, "claim", "delegate", "escalate"]
"""What a reviewer can do to a request."""
Kind = Literal["call", "pause", "question", "confirm"]
Order = Literal["due", "oldest", "risk", "decided"]
RunStatus = Literal["running", "waiting", "succeeded", "failed", "cancelled", "needs-review"]

RISKS: Final[tuple[Risk, ...]] = get_args(Risk)
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
REVIEW_VERBS: Final[tuple[ReviewVerb, ...]] = get_args(ReviewVerb)
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
"""How a list of requests can be ordered; see `gate.requests`."""
FINAL: Final[frozenset[Status]] = frozenset(STATUSES[5:])
"""The states that nothing leaves."""
UNDECIDED: Final[frozenset[Status]] = frozenset({"pending", "held"})
"""The states in which no decision has taken effect."""
RunState = RunStatus | Literal["ready"]
"""Where a run stands for somebody who waits for it; `ready` for one that can go on, whatever its status."""
RUN_STATUSES: Final[tuple[RunStatus, ...]] = get_args(RunStatus)
RUN_OVER: Final[frozenset[RunStatus]] = frozenset({"succeeded", "failed", "cancelled"})
"""The states of a run that goes on only if somebody asks for it."""


class _Record:
    """Shared by the models: a plain mapping for JSON."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values; times as ISO 8601 text in UTC."""
        return {
            field.name.lstrip("_"): _plain(getattr(self, field.name.lstrip("_")))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, _Record):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(_Record):
    """What a reviewer, or a rule, said of one version of a request. It never changes."""

    request_id: str
    """The request it decides."""
    verb: Verb
    """What was said."""
    by: str
    """Who said it, as `kind:name`."""
    at: datetime
    """When it was stored."""
    version: int
    """The version that it made its own: for an edit, the one with the edited arguments."""
    revision: int
    """The arguments it is about, as a number."""
    digest: str
    """The arguments it is about, as the digest of their canonical text."""
    token: str
    """What the reviewer had in front of them."""
    stages: tuple[str, ...] = ()
    """The stages of the policy for which it was cast."""
    note: str | None = None
    """A remark for the record."""
    reason: str | None = None
    """Why; given to the program and the model on a rejection."""
    text: str | None = None
    """An answer for the model."""
    effective_at: datetime | None = None
    """Until then it can be undone and does not count; None if it counted at once."""
    permit: int | None = None
    """The number of the permit that it made, if it made one."""
    attempt: int | None = None
    """The attempt that it is about, for `retry`, `settle` and `declare_lost`."""
    standing: Literal["counts", "undone", "overtaken"] = "counts"
    """Whether it is still in force, was undone, or a later version took its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow(_Record):
    """One stage of a request's policy, and how far it is."""

    name: str
    """What the policy calls it."""
    reviewers: tuple[str, ...]
    """Who may decide it: names, and roles as `role:finance`; empty: anybody."""
    quorum: int
    """How many must say yes."""
    by: tuple[str, ...]
    """Who said yes."""
    status: Literal["done", "current", "not reached"]
    """Whether it is met, asked now, or waits for an earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(_Record):
    """Somebody took a request to look at it."""

    by: str
    """Who, as `human:name`."""
    at: datetime
    """When."""
    until: datetime
    """When the claim lapses."""
    exclusive: bool
    """Whether nobody else may decide meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(_Record):
    """One start of the tool under a permit."""

    no: int
    """Its number within the request, from 1."""
    owner: str
    """The process that started it."""
    started_at: datetime
    """When the start was stored."""
    finished_at: datetime | None = None
    """When its outcome was stored."""
    state: Literal["running", "returned", "raised", "given_back", "lost"]
    """How it stands: `given_back` never called the tool, `lost` may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(_Record):
    """How the tool ended."""

    kind: Literal["returned", "raised"]
    """Whether it returned or raised."""
    _value: str | None = None
    lost: bool = False
    """True where the tool returned something that JSON cannot hold."""
    type_name: str | None = None
    """The type of what was raised."""
    message: str | None = None
    """The message of what was raised."""

    @property
    def value(self) -> Any:
        """What the tool returned, as JSON values; None where it raised or was lost."""
        return None if self._value is None else json.loads(self._value)

    @property
    def value_text(self) -> str | None:
        """What the tool returned, as its stored JSON text."""
        return self._value


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview(_Record):
    """What the agent shows of a call beside its arguments; see `gatekit.previews`. Foreign text."""

    kind: Literal["text", "diff", "table", "file"]
    """What it is."""
    text: str = ""
    """The text, or the unified difference."""
    columns: tuple[str, ...] = ()
    """The names of a table's columns."""
    rows: tuple[tuple[str, ...], ...] = ()
    """The lines of a table."""
    more: int = 0
    """How many lines of the table are left out."""
    path: str = ""
    """Where the file is."""
    size: int = 0
    """Its size in bytes."""
    sha256: str = ""
    """Its digest when the call was made."""
    media_type: str = ""
    """What it is said to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(_Record):
    """The durable record of one call that needs a human. Hand it to a reviewer's verbs: it stands for its token."""

    id: str
    """Its identifier."""
    kind: Kind = "call"
    """A `call` of a tool or a `confirm`, which are approved, a `pause`, which is released, a `question`, answered."""
    tool: str
    """The name of the gated step, or of the pause."""
    status: Status
    """Where it stands."""
    _args: str
    description: str
    """What the agent says of the call. Foreign text: the arguments are what runs."""
    risk: Risk
    """How dangerous the step is said to be."""
    reasons: tuple[str, ...]
    """Why a human is asked."""
    run: str | None
    """The run or conversation it belongs to."""
    call_id: str
    """The call's id: the given one, else the request's own."""
    requester: str
    """Who asks, as `kind:name`."""
    created_at: datetime
    """When it was stored."""
    decide_by: datetime | None
    """The last moment for a human's decision."""
    start_by: datetime | None
    """The last moment for an approved call to start."""
    effective_at: datetime | None
    """While held: when the decision takes effect."""
    version: int
    """Counts what changed in what is asked, from 1."""
    revision: int
    """The number of the arguments that are asked, from 1."""
    digest: str
    """The digest of the arguments that are asked."""
    token: str
    """Version and digest in short: what a decision must name."""
    decision: Decision | None
    """The decision that stands, if there is one."""
    max_starts: int = 1
    """How often one approval lets the tool start: 1, and one more for each retry that the step allows."""
    attempt: Attempt | None
    """The last start."""
    outcome: Outcome | None
    """How the tool ended."""
    waiter: Literal["waiting", "gone"]
    """Whether a process waits for it; approving a call that nobody waits for runs nothing until it is made again."""
    hidden: int
    """How many invisible or deceptive characters its texts hold."""
    check_due: bool = False
    """True for edited arguments that the agent has not checked yet."""
    original: str | None = None
    """The canonical text of the first revision, if the arguments were edited."""
    preview: Preview | None = None
    """What the agent shows of it beside the arguments. Foreign text, as the description is."""
    stages: tuple[StageRow, ...] = ()
    """The stages of its policy, in order."""
    votes: tuple[Decision, ...] = ()
    """What was said for it so far and counts."""
    rule: str | None = None
    """The rule of the policy that gated it."""
    on_expiry: Literal["expire", "approve", "escalate", "keep"] = "expire"
    """What happens when nobody has decided by `decide_by`."""
    escalates_to: tuple[str, ...] = ()
    """While it waits: who may decide too after the next escalation; empty: its policy names nobody, or no more."""
    claim: Claim | None = None
    """Who took it, where somebody did."""
    delegations: tuple[tuple[str, str], ...] = ()
    """Who handed their part on, and to whom."""

    @property
    def args(self) -> dict[str, Any]:
        """The arguments that are asked, fresh at each call, as JSON values."""
        loaded: dict[str, Any] = json.loads(self._args)
        return loaded

    @property
    def args_text(self) -> str:
        """The arguments that are asked, as their canonical text."""
        return self._args


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow(_Record):
    """A request as one line of a list: no arguments, the description cut at 200 characters."""

    id: str
    """Its identifier."""
    kind: Kind = "call"
    """A `call` of a tool, a `pause` of a run, a `question` or a `confirm`."""
    tool: str
    """The name of the gated step."""
    status: Status
    """Where it stands."""
    description: str
    """What the agent says of the call, at most 200 characters."""
    cut: bool
    """True where the description was cut."""
    risk: Risk
    """How dangerous the step is said to be."""
    run: str | None
    """The run or conversation it belongs to."""
    requester: str
    """Who asks."""
    created_at: datetime
    """When it was stored."""
    decide_by: datetime | None
    """The last moment for a human's decision."""
    effective_at: datetime | None
    """While held: when the decision takes effect."""
    version: int
    """Counts what changed in what is asked."""
    token: str
    """Version and digest in short."""
    hidden: int
    """How many invisible or deceptive characters its texts hold."""
    waiter: Literal["waiting", "gone"]
    """Whether a process waits for it."""
    stage: str
    """How far its policy is, as `1/3`; empty where one person decides."""
    claimed_by: str | None
    """Who has taken it to look at it, where that has not lapsed."""
    key: str
    """Its place in the list, in the order that was asked for: hand it to `after=` or `before=`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(_Record, Sequence["RequestRow"]):
    """Some lines of a list, in order; a sequence of its rows."""

    rows: tuple[RequestRow, ...]
    """The lines."""
    more: bool
    """True where the list goes on in the direction that was asked for, or may: a filter looks at so many at once."""
    next: str | None = None
    """Where it goes on: hand it to `after=`, or to `before=` where that was asked for. None: here it ends."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RequestRow]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> RequestRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RequestRow, ...]: ...
    def __getitem__(self, index: int | slice) -> RequestRow | tuple[RequestRow, ...]:
        return self.rows[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(_Record):
    """One thing that happened to a request; `cursor` grows with every event of the queue."""

    cursor: int
    """Its place in the queue's history."""
    kind: str
    """What happened: `submitted`, `approved`, `started`, `succeeded`, …"""
    request_id: str
    """To which request; empty for what happened to a run."""
    call_id: str
    """The call's id."""
    tool: str
    """The name of the gated step, or of the workflow."""
    run: str | None
    """The run or conversation."""
    by: str
    """Who did it, as `kind:name`."""
    at: datetime
    """When it was stored."""
    version: int
    """The request's version after it."""
    digest: str
    """The digest of the arguments after it."""
    _data: str = "{}"

    @property
    def data(self) -> dict[str, Any]:
        """More about it, by kind, fresh at each call."""
        loaded: dict[str, Any] = json.loads(self._data)
        return loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(_Record):
    """One difference between two sets of arguments, by path."""

    path: str
    """Where, as `$.amount` or `$.items[2].name`."""
    kind: Literal["added", "removed", "changed"]
    """What became of it."""
    before: Any = None
    """The JSON value before; None where it was added."""
    after: Any = None
    """The JSON value after; None where it was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow(_Record):
    """A durable run of a workflow, as a list shows it."""

    id: str
    """The id it was started under."""
    workflow: str
    """The name of the workflow."""
    status: RunStatus
    """Where it stands."""
    reason: str | None
    """Why it was cancelled, failed or needs a human's look."""
    waiting_for: tuple[str, ...]
    """The requests that must be decided or settled before it can go on."""
    ready: bool
    """True where it can go on and waits only for a process that takes it."""
    requester: str
    """Who started it, as `kind:name`."""
    created_at: datetime
    """When it was started."""
    updated_at: datetime
    """When it last changed."""
    executions: int
    """How often a process took it up."""
    key: str
    """Its place in the list: hand it to `after=`."""
    _args: str
    _result: str | None = None
    result_lost: bool = False
    """True where the workflow returned something that JSON cannot hold."""
    error_type: str | None = None
    """The type of what it raised."""
    error_request: str | None = None
    """The request that made it fail, where it was one."""

    @property
    def args(self) -> dict[str, Any]:
        """The arguments it was started with, fresh at each call, as JSON values."""
        loaded: dict[str, Any] = json.loads(self._args)
        return loaded

    @property
    def args_text(self) -> str:
        """The arguments it was started with, as their canonical text."""
        return self._args

    @property
    def result(self) -> Any:
        """What the workflow returned, as JSON values; None while there is nothing."""
        return None if self._result is None else json.loads(self._result)

    @property
    def result_text(self) -> str | None:
        """What the workflow returned, as its stored JSON text."""
        return self._result


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow(_Record):
    """One step of a run, as its journal keeps it."""

    name: str
    """The name it has in the run."""
    tool: str
    """The function or pause."""
    request_id: str
    """The request that holds its arguments, decisions, attempts and result."""
    status: Status
    """Where it stands."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a step's `reconcile` answers for a call that did happen: the tool's result.

    >>> Ran("refunded 40").result
    'refunded 40'
    """

    result: Any
    """What the tool would have returned."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """What a step's `reconcile` answers for a call that had no effect at all: it may start again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerRow(_Record):
    """A person whom the queue knows as a reviewer."""

    name: str
    """The name."""
    roles: tuple[str, ...]
    """What a policy may ask for as `role:…`."""
    by: str
    """Who added or changed it last, as `kind:name`."""
    at: datetime
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(_Record):
    """A standing permission that a reviewer gave."""

    id: str
    """Its identifier."""
    tool: str
    """The tool whose calls it covers."""
    _scope: str
    run: str | None
    """Only calls of this run; None: of any."""
    requester: str | None
    """Only calls of this agent; None: of any."""
    by: str
    """Who gave it, as `human:name`."""
    at: datetime
    """When."""
    request_id: str
    """The request on which it was given."""
    expires_at: datetime | None
    """When it ends; None: never by itself."""
    uses: int | None
    """How many calls it covers in all; None: any number."""
    used: int
    """How many it has covered."""
    revoked_at: datetime | None
    """When somebody took it back."""
    revoked_by: str | None
    """Who did."""
    active: bool
    """Whether it permits anything now."""

    @property
    def scope(self) -> dict[str, Any]:
        """What each argument may be, fresh at each call."""
        loaded: dict[str, Any] = json.loads(self._scope)
        return loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(_Record):
    """The queue is stopped: nothing that reaches it starts until this is lifted."""

    by: str
    """Who stopped it, as `kind:name`."""
    at: datetime
    """When."""
    reason: str
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStats(_Record):
    """How the calls of one tool were decided by people."""

    tool: str
    """The tool, pause or question; empty for all together."""
    decided: int
    """How many decisions people made."""
    approved: int
    """How many of them said yes, with or without an edit."""
    hasty: int
    """How many came less than two seconds after the question, or after the same person's decision before it.

    A sign of rubber-stamping. The one before it is of another request, of any tool; what a person decided within 0.1
    seconds was decided in one go, and counts as one there.
    """
    median: float | None
    """Seconds from the question to the decision, of the one in the middle; None where there is none."""
    trend: tuple[int, ...]
    """Decisions in each of 24 equal parts of the time, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats(_Record):
    """What the decisions of a queue say of its reviewing."""

    since: datetime
    """Decisions after this moment were looked at."""
    at: datetime
    """When they were."""
    waiting: int
    """How many requests wait for a decision, counted to 100,000."""
    oldest: datetime | None
    """When the one that waits longest was made."""
    cut: bool
    """True where there were more decisions than were looked at: then only the newest count."""
    all: ToolStats
    """All tools together."""
    tools: tuple[ToolStats, ...]
    """By tool, the most decided first."""
