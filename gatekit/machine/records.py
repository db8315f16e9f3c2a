"""The rows of the queue as values. Times are microseconds since 1970, `None` where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeVar

from gatekit.clock import FAR
from gatekit.machine.plan import Plan, plan_of
from gatekit.models import Kind, Risk, RunStatus, Status, Verb

CLOCK: Final = "system:clock"
"""The principal of what happens because time passed."""
PREDICATE: Final = "policy:predicate"
"""The principal of what a step's own predicate allowed."""
CLAIM_LAPSES: Final = 15 * 60 * 1_000_000
"""Microseconds after which a claim counts no more."""
SILENCE: Final = "policy:silence"
"""The principal of an approval that a policy makes of nobody's having decided in time."""

AttemptState = Literal["running", "returned", "raised", "given_back", "lost"]


_KINDS: Final = frozenset({"human", "agent", "policy", "grant", "system"})


def name_of(principal: str) -> str:
    """The name in `kind:name`, also where the name itself says a kind: the agent `human:alice` is alice."""
    kind, colon, name = principal.partition(":")
    return name_of(name) if colon and kind in _KINDS else principal


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One row of `requests`."""

    id: str
    kind: Kind = "call"
    tool: str
    run: str = ""
    call_id: str
    call_given: bool
    requester: str
    status: Status = "pending"
    description: str
    risk: Risk = "medium"
    reasons: tuple[str, ...] = ()
    hidden: int = 0
    created_at: int
    version: int = 1
    revision: int = 1
    revisions: int = 1
    """How many revisions there are; after an undone edit more than `revision` says."""
    digest: str
    stage: int = 0
    max_starts: int = 1
    expires_after: int | None = None
    """Microseconds a version may stay undecided; a return to review starts them anew."""
    start_within: int | None = None
    decide_by: int | None = None
    start_by: int | None = None
    effective_at: int | None = None
    due: int = FAR
    decision: int | None = None
    """The number of the decision that stands."""
    permit: int | None = None
    attempt: int | None = None
    waiter: str | None = None
    """The process that waits, as `gatekit.owner` writes it."""
    ticket: str | None = None
    """Which of that process's waits it is."""
    outcome: Literal["returned", "raised"] | None = None
    result: str | None = None
    result_lost: bool = False
    error_type: str | None = None
    error_message: str | None = None
    preview: str | None = None
    """What the agent shows of it, as JSON."""
    plan: str = ""
    """What its policy demands, as `Plan.text`."""
    stages: int = 1
    """How many stages that has; `stage` is the first that is open."""
    asked_at: int = 0
    """When the open stage was asked: what escalates and reminds is counted from here."""
    rung: int = 0
    """How many rungs of the ladder were climbed since."""
    reminded: int = 0
    votes_from: int = 0
    """Decisions up to this number are of an earlier round and count no more."""
    claimed_by: str | None = None
    claimed_at: int | None = None
    delegations: tuple[tuple[str, str], ...] = ()
    """Who handed their part on, and to whom."""
    returned: bool = False
    """Whether it came back to the reviewers: silence approves nothing that did."""
    spend: str | None = None
    """What it takes of its step's budget, as a decimal number."""
    spend_of: str | None = None
    """The argument that says so; None: each call counts as one."""
    spend_at: int | None = None
    """When it was allowed to."""

    @property
    def token(self) -> str:
        return token_of(self.version, self.digest)


def token_of(version: int, digest: str) -> str:
    """What a decision must name: the version and the first 16 hex digits of the digest."""
    return f"v{version}:{digest[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the agent's own check says of a revision: gated and why, or invalid and where."""

    gated: bool
    reasons: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    plan: str = ""
    """What the policy demands for these arguments."""
    spend: str | None = None
    """What they take of the step's budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRecord:
    """One row of `revisions`: the arguments at one moment."""

    request_id: str
    revision: int
    text: str
    digest: str
    schema: str
    by: str
    at: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """One row of `decisions`."""

    request_id: str
    no: int
    verb: Verb
    by: str
    at: int
    version: int
    revision: int
    base: int
    """The revision that was asked before an edit; else `revision`."""
    digest: str
    token: str
    stage: int = 0
    note: str | None = None
    reason: str | None = None
    text: str | None = None
    effective_at: int | None = None
    attempt: int | None = None
    """The attempt that a retry, a settlement or a declaration of loss is about."""
    stages: tuple[int, ...] = (0,)
    """The stages for which it was cast."""
    asked_at: int = 0
    """Since when its stage was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRecord:
    """One row of `permits`."""

    request_id: str
    no: int
    decision: int
    version: int
    revision: int
    digest: str
    max_starts: int
    starts: int = 0
    """Starts that were not given back."""
    void: bool = False

    @property
    def left(self) -> int:
        return 0 if self.void else self.max_starts - self.starts


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One row of `attempts`."""

    request_id: str
    no: int
    token: str
    permit: int
    owner: str
    started_at: int
    finished_at: int | None = None
    state: AttemptState = "running"


class RowRecord(NamedTuple):
    """A request as one line of a list; a tuple, because a page of dataclasses costs more than its query."""

    id: str
    kind: Kind
    tool: str
    status: Status
    description: str
    """At most 201 characters: one more than is shown says that it was cut."""
    risk: Risk
    run: str
    requester: str
    created_at: int
    decide_by: int | None
    effective_at: int | None
    version: int
    digest: str
    hidden: int
    waiter: str | None
    stage: int
    stages: int
    claimed_by: str | None
    claimed_at: int | None
    rank: int
    """What the list is ordered by, in the order that was asked for: `due`, `created_at`, the risk, or a moment."""
    pos: int
    """The order among those of the same rank."""

    @property
    def key(self) -> tuple[int, int]:
        """Its place in the list."""
        return self.rank, self.pos


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One row of `events`; the queue numbers them. Of a run's own events `request_id` is empty."""

    kind: str
    request_id: str
    call_id: str
    tool: str
    run: str
    by: str
    at: int
    version: int
    digest: str
    data: str = "{}"
    cursor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerRecord:
    """One row of `reviewers`."""

    name: str
    roles: tuple[str, ...]
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecord:
    """Why nothing may start now, as `meta` keeps it."""

    by: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One row of `runs`."""

    id: str
    workflow: str
    status: RunStatus = "waiting"
    text: str
    """The canonical arguments."""
    digest: str
    requester: str
    created_at: int
    updated_at: int
    ready: bool = True
    """Whether it can go on: nothing that it waits for is left undecided."""
    waiting_for: tuple[str, ...] = ()
    """Ids of requests."""
    retried: tuple[str, ...] = ()
    """Names of steps, once for each time that the run was resumed after they had failed."""
    loose: tuple[str, ...] = ()
    """Call ids of steps that followed a failure which is tried again: a run that goes another way leaves them out."""
    owner: str | None = None
    """The process that executes it, as `gatekit.owner` writes it."""
    token: str | None = None
    """Names the execution in progress: what another one, that was taken for dead, sends late is refused."""
    executions: int = 0
    reason: str | None = None
    result: str | None = None
    result_lost: bool = False
    error_type: str | None = None
    error_request: str | None = None


class StepRecord(NamedTuple):
    """One step in the journal of a run: the request whose call id is the step's name."""

    name: str
    tool: str
    request_id: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the machine has to know of a request."""

    request: RequestRecord
    revisions: tuple[RevisionRecord, ...]
    decisions: tuple[DecisionRecord, ...] = ()
    permits: tuple[PermitRecord, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()

    @property
    def revision(self) -> RevisionRecord:
        """The arguments that are asked now."""
        return next(row for row in self.revisions if row.revision == self.request.revision)

    @property
    def permit(self) -> PermitRecord | None:
        return _numbered(self.permits, self.request.permit)

    @property
    def attempt(self) -> AttemptRecord | None:
        """The last attempt that was not given back."""
        return _numbered(self.attempts, self.request.attempt)

    @property
    def decision(self) -> DecisionRecord | None:
        return _numbered(self.decisions, self.request.decision)

    @property
    def plan(self) -> Plan:
        """What the policy of the request demands."""
        return plan_of(self.request.plan)

    def permit_of(self, attempt: AttemptRecord) -> PermitRecord:
        """The permit under which this attempt started."""
        return next(row for row in self.permits if row.no == attempt.permit)

    @property
    def check_due(self) -> bool:
        return self.revision.verdict is None


_Row = TypeVar("_Row", PermitRecord, AttemptRecord, DecisionRecord)


def _numbered(rows: tuple[_Row, ...], no: int | None) -> _Row | None:
    return None if no is None else next((row for row in rows if row.no == no), None)
