"""`Backend`: the whole intents, each one transaction; data in, data out, errors of our own tree.

Everything above this line (gate, reviewer, CLI, dashboard, testing) sees only this protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from gatekit.backend.rules import NewGrant, RulesBackend
from gatekit.backend.runs import RunsBackend
from gatekit.backend.tx import PageQuery
from gatekit.errors import StoreError
from gatekit.filters import Filter
from gatekit.machine.commands import Claim, Decide, Delegate, Escalate, Finish, Reconcile, Resolve, Start, Started
from gatekit.machine.plan import DEFAULT, Plan
from gatekit.machine.records import Verdict
from gatekit.models import Decision, Event, Grant, Kind, Page, Request, ReviewVerb, Risk, Stats, Status
from gatekit.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that enters the queue, whole: what the agent's process knows of it."""

    request_id: str
    """Chosen by the caller, so that a call which is interrupted while it enters can still be withdrawn."""
    tool: str
    run: str
    call_id: str | None
    """The given id; None where the request's own stands for it."""
    requester: str
    text: str
    digest: str
    schema: str
    """The JSON Schema of the arguments, and the digest it is kept under."""
    schema_digest: str
    description: str
    risk: Risk
    reasons: tuple[str, ...]
    hidden: int
    verdict: Verdict
    ticket: str
    """Names this wait among all waits of the process."""
    waits: bool
    """False where the process will not wait at all."""
    max_starts: int = 1
    kind: Kind = "call"
    start_within: int | None = None
    """Microseconds from an approval to the last moment for a start."""
    execution: str | None = None
    """The token of the run's execution that makes the call; one that no longer holds the run is refused."""
    preview: str | None = None
    """What the agent shows of it beside the arguments, as JSON."""
    plan: Plan = DEFAULT
    """What the step's policy demands of it."""
    expires_after: int | None = None
    """Microseconds that it may stay undecided."""
    allowed_by: str | None = None
    """The rule, as `policy:name`, that lets it run although it is gated."""
    spending: Spending | None = None
    """What it takes of its step's budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A call's part of a budget."""

    amount: str
    """As a decimal number."""
    field: str | None
    """The argument that says so; None: each call counts as one."""
    limit: str
    per: int
    """Microseconds; what was allowed longer ago no longer counts."""
    decides: bool
    """Whether the budget alone decides if a human is asked; else it is only shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A request with its first arguments: what a repeated call is compared with."""

    request: Request
    first_text: str


class Fenced(StoreError):
    """The run of this call is executed by another process by now, or is over: this one may start nothing more."""


STOPPED: Final[frozenset[Status]] = frozenset({cast(Status, "stopped")})
"""What `wait` says of an approved request while nothing starts: not a state of its own."""


class Stopped(StoreError):
    """The queue is stopped: nothing starts until that is lifted."""


class Backend(Protocol):
    """A queue, as the rest of gatekit sees it. Every method is one transaction."""

    @property
    def path(self) -> str: ...

    @property
    def runs(self) -> RunsBackend:
        """What can be asked of the queue about durable runs."""
        ...

    @property
    def rules(self) -> RulesBackend:
        """What can be asked of the queue about reviewers, standing permissions and the stop."""
        ...

    def find(self, run: str, tool: str, call_id: str, execution: str | None = None) -> Reply[Found | None]:
        """The request with this identity; one read, creating nothing. `call_id` may be a request's own id.

        `execution` is as in `Call`; raises `UsageError` for a durable run without one.
        """
        ...

    def submit(self, call: Call) -> Reply[Found]:
        """Insert the call, or find the one with its identity, untouched."""
        ...

    def submit_allowed(self, call: Call, token: str) -> Reply[Found]:
        """Keep a call that needed nobody, approved by its predicate and started under `token` at once."""
        ...

    def attach(self, request_id: str, ticket: str) -> Reply[Request]:
        """This process waits for the request from now on."""
        ...

    def detach(self, request_id: str, ticket: str) -> Reply[Request]:
        """This process waits no longer for a decision; a request that has one by now is left as it is."""
        ...

    def withdraw(self, request_id: str, ticket: str) -> Reply[None]:
        """A wait was interrupted. Harmless where the request never came to be, or another waits by now."""
        ...

    def decide(self, request_id: object, command: Decide) -> Reply[Decision]:
        """A decision; raises the errors below `ReviewError`."""
        ...

    def resolve(self, request_id: object, command: Resolve) -> Reply[Decision]:
        """A human's word on an attempt; raises the errors below `ReviewError`."""
        ...

    def allow(self, request_id: object, command: Decide, grant: NewGrant) -> Reply[Grant]:
        """Approve the request and give a standing permission for calls like it, in one; raises like `decide`."""
        ...

    def may(self, request_id: object, verb: ReviewVerb | None, by: str) -> Reply[str | None]:
        """Why this person may not do that to the request now; None: they may. No verb: say yes to it."""
        ...

    def claim(self, request_id: object, command: Claim) -> Reply[Request]:
        """Take the request to look at it; raises the errors below `ReviewError`."""
        ...

    def delegate(self, request_id: object, command: Delegate) -> Reply[Request]:
        """Hand one's part of the request on; raises the errors below `ReviewError`."""
        ...

    def escalate(self, request_id: object, command: Escalate) -> Reply[Request]:
        """Ask those whom the next rung of its ladder names; raises the errors below `ReviewError`."""
        ...

    def reconcile(self, request_id: str, command: Reconcile) -> Reply[Request]:
        """What the agent's process found out of an attempt whose end is unknown."""
        ...

    def start(self, request_id: str, command: Start, execution: str | None = None) -> Reply[Started | Request]:
        """Start, or the request as it is where it cannot start now. `execution` is as in `Call`.

        Raises `Stopped` while the queue is stopped.
        """
        ...

    def give_back(self, request_id: str, token: str) -> Reply[None]:
        """The start of this token never called the tool. Harmless where there was no such start."""
        ...

    def finish(self, request_id: str, command: Finish) -> Reply[Request]:
        """An attempt's own report."""
        ...

    def lose(self, request_id: str, token: str, why: str) -> Reply[Request]:
        """The attempt's end is not known."""
        ...

    def wait(self, request_id: str, while_in: frozenset[Status], seconds: float | None) -> Reply[Status | None]:
        """Answers when the request is in none of these states, with its state; None when the time is over."""
        ...

    def get(self, request_id: object) -> Reply[Request]:
        """One request; raises `RequestNotFound`."""
        ...

    def schema(self, request_id: str) -> Reply[str]:
        """The JSON Schema that the arguments of this request must fit."""
        ...

    def page(self, query: PageQuery) -> Reply[Page]: ...

    def count(self, statuses: tuple[Status, ...], at_most: int, where: Filter | None = None) -> Reply[int]:
        """How many lines fit, counted no further than `at_most`, of those that one page would look at."""
        ...

    def position(self, request_id: str) -> Reply[int]: ...

    def history(self, request_id: object) -> Reply[Sequence[Event]]: ...

    def events(self, since: int, limit: int) -> Reply[Sequence[Event]]:
        """Events after the cursor `since`, oldest first."""
        ...

    def next_events(self, since: int) -> Reply[Sequence[Event]]:
        """Like `events`, but answers only when there is at least one."""
        ...

    def stats(self, seconds: float) -> Reply[Stats]:
        """What the decisions of so many last seconds say."""
        ...

    def last_approved(self, request_id: object) -> Reply[Request | None]:
        """The other call of the same tool that a person allowed last; None where nobody did."""
        ...

    def last_refused(self, request_id: object) -> Reply[Request | None]:
        """The other request of the same tool and agent that a person turned down last, not long ago; or None."""
        ...

    def cursor(self) -> Reply[int]:
        """The cursor of the last event."""
        ...

    def sweep(self) -> Reply[int]:
        """Settle what is overdue and what dead processes left; answers how many requests moved."""
        ...

    def close(self) -> None: ...
