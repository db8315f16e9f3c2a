"""What a store has to offer: single reads and writes inside one transaction, and two threads to run them on.

`Tx` holds no rule about states: it fetches rows and applies the machine's effects. SQLite and the in-memory queue
of `gatekit.testing` implement it, and one suite of tests drives both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeVar

from gatekit.errors import GatekitError
from gatekit.filters import Filter
from gatekit.insight import Said
from gatekit.machine.effects import Effect
from gatekit.machine.grants import GrantRecord
from gatekit.machine.records import (
    EventRecord,
    RequestRecord,
    ReviewerRecord,
    RowRecord,
    RunRecord,
    State,
    StepRecord,
    StopRecord,
)
from gatekit.models import Order, RunState, RunStatus, Status
from gatekit.reply import Reply

T = TypeVar("T")


Key = tuple[int, int]
"""A line's place in a list: what its order goes by, then what settles which of the same comes first.

`due`: (`due`, `pos`); `oldest`: (`created_at`, `pos`); `risk`: (0 for critical to 3 for low, `pos`); `decided`: (the
moment of the decision that stands, the number of that decision among all).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which lines of the list, from a place or an offset. A place is a `Key`, in every order."""

    statuses: tuple[Status, ...]
    order: Order = "due"
    tool: str | None = None
    after: Key | None = None
    """The line before the first wanted one."""
    before: Key | None = None
    """The line behind the last wanted one; the page still reads forwards."""
    offset: int = 0
    limit: int = 50
    where: Filter | None = None
    """Only lines that fit it."""
    until: Key | None = None
    """The last line that is looked at, in the direction of the page."""
    now: int = 0
    """The moment that `where` counts ages from."""

    @property
    def looks(self) -> bool:
        """Whether lines have to be looked at that may not fit, because no index has only those that do."""
        return self.where is not None or self.order == "decided" or (self.tool is not None and self.order != "due")

    @property
    def downwards(self) -> bool:
        """Whether keys grow smaller in the direction of the page: of decisions the latest come first."""
        return (self.order == "decided") != (self.before is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsQuery:
    """Which lines of the list of runs: the newest first, from a place on."""

    statuses: tuple[RunStatus, ...]
    workflow: str | None = None
    after: int | None = None
    """The number of the line before the first wanted one."""
    limit: int = 50


class Tx(Protocol):
    """One transaction. Reads see the writes made before them in it."""

    sated: bool
    """Whether a whole batch of what is due was settled in it, by whichever gate of this process: the rest waits."""

    def state(self, request_id: str) -> State | None: ...

    def find(self, run: str, tool: str, call_id: str) -> str | None:
        """The id of the request with this identity: one indexed read."""
        ...

    def schema(self, tool: str, digest: str) -> str | None: ...

    def page(self, query: PageQuery) -> Sequence[RowRecord]:
        """At most `limit` lines in list order."""
        ...

    def bound(self, query: PageQuery, rows: int) -> Key | None:
        """The place of the last of so many lines, whether or not they fit; None: there are no more."""
        ...

    def count(self, statuses: Collection[Status], at_most: int) -> int:
        """How many requests are in these states, counted no further than `at_most`."""
        ...

    def count_found(self, query: PageQuery) -> int:
        """How many lines a page that looks at lines would have, if it began at the first."""
        ...

    def position(self, request_id: str) -> int | None:
        """How many lines of its own status come before it in the list; None if there is no such request."""
        ...

    def history(self, request_id: str) -> Sequence[EventRecord]: ...

    def events(self, since: int, limit: int) -> Sequence[EventRecord]:
        """Events with a cursor above `since`, oldest first."""
        ...

    def last_cursor(self) -> int: ...

    def news(self, since: int) -> Iterable[tuple[int, str, str | None, str, Status | None]]:
        """(Cursor, kind, request id or nothing, run or "", status) of all events above `since`, oldest first.

        The status is the one in which the request is now, not that after the event; None: there is no such request.
        Read lazily.
        """
        ...

    def statuses(self, request_ids: Collection[str]) -> Mapping[str, Status]: ...

    def overdue(self, now: int, limit: int) -> Sequence[str]:
        """Ids of requests whose `due` is not after `now`, the most overdue first."""
        ...

    def next_due(self) -> int:
        """The least `due` of all requests, or the far sentinel."""
        ...

    def waiting_owners(self) -> Sequence[str]:
        """The processes, each once, that wait for a call whose id was not given and that has not started."""
        ...

    def waited_for_by(self, owner: str, limit: int) -> Sequence[tuple[str, str]]:
        """(Request id, ticket) of such calls of one process."""
        ...

    def running(self, limit: int) -> Sequence[tuple[str, str, str]]:
        """(Request id, attempt token, owner) of the calls that run now."""
        ...

    def run(self, run_id: str) -> RunRecord | None: ...

    def runs(self, query: RunsQuery) -> Sequence[tuple[int, RunRecord]]:
        """At most `limit` runs, each with its number, which grows in the order of their beginning."""
        ...

    def steps(self, run_id: str) -> Sequence[StepRecord]:
        """The journal of a run: its requests, in the order in which they were made."""
        ...

    def ready_runs(self, workflows: Collection[str], limit: int) -> Sequence[str]:
        """Ids of runs of these workflows that can go on, the oldest first."""
        ...

    def strange_runs(self, workflows: Collection[str], limit: int) -> Sequence[str]:
        """Ids of waiting runs that can go on and are of none of these workflows, the oldest first."""
        ...

    def running_runs(self) -> Sequence[tuple[str, str]]:
        """(Run id, owner) of the runs that are executed now."""
        ...

    def run_states(self, run_ids: Collection[str]) -> Mapping[str, RunState]:
        """Where these runs stand; `ready` for one that can go on."""
        ...

    def run_history(self, run_id: str) -> Sequence[EventRecord]:
        """The events of a run and of its steps, oldest first."""
        ...

    def reviewers(self) -> Sequence[ReviewerRecord]:
        """All whom the queue knows, by name."""
        ...

    def grant(self, grant_id: str) -> GrantRecord | None: ...

    def grants(self, limit: int) -> Sequence[GrantRecord]:
        """The newest standing permissions, whether or not they still permit anything."""
        ...

    def grants_of(self, tool: str) -> Sequence[GrantRecord]:
        """Those for calls of this tool that nobody took back, the oldest first."""
        ...

    def grants_on(self, request_id: str) -> Sequence[GrantRecord]:
        """Those that were given on this request, also if they have ended."""
        ...

    def stop(self) -> StopRecord | None:
        """Why nothing may start; None: it may."""
        ...

    def spent(self, tool: str, since: int) -> Sequence[str]:
        """What calls of this tool took of its budget after the moment `since`, as decimal numbers."""
        ...

    def last_allowed(self, request: RequestRecord) -> str | None:
        """The id of the other call of its tool that a person, or a standing permission, allowed last, and still does.

        A store may look at the newest calls only.
        """
        ...

    def last_refused(self, request: RequestRecord, since: int) -> str | None:
        """The id of the other one of its tool and kind that a person turned down last, after the moment `since`.

        Of its run; where that has none, of its requester. A store may look at the newest only.
        """
        ...

    def said(self, since: int, limit: int) -> Sequence[Said]:
        """The newest decisions that people made after the moment `since`."""
        ...

    def oldest_pending(self) -> int | None:
        """When the request was made that waits longest for a decision; None where none does."""
        ...

    def apply(self, effect: Effect) -> None:
        """Write one effect. An `UpdateRequest` or `UpdateRun` whose row has moved on raises `LostRace`."""
        ...

    def put_schema(self, tool: str, digest: str, text: str) -> None:
        """Keep a tool's schema, once."""
        ...


class Written(Protocol):
    """What a transition answers: it says what to write."""

    @property
    def effects(self) -> tuple[Effect, ...]: ...


W = TypeVar("W", bound=Written)


def stored(tx: Tx, answer: W) -> W:
    """Write what a transition says, and hand it on."""
    for effect in answer.effects:
        tx.apply(effect)
    return answer


class LostRace(Exception):
    """A row had moved on although the transaction held the lock: somebody else writes to the tables."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A job's no: what it wrote before is committed, and the caller gets the error."""

    error: GatekitError


class HandedOn(Enum):
    """What a read job answers that has handed its reply to a write job: whoever ran it leaves the reply alone."""

    HANDED_ON = "handed on"


HANDED_ON: Final = HandedOn.HANDED_ON


class Observer(Protocol):
    """Who wants to know that the queue changed. Called on the reader thread only, never concurrently."""

    def wants(self) -> bool:
        """Whether anybody waits or watches: without, nothing polls and no socket is bound."""
        ...

    def look(self, tx: Tx, now: int) -> float | None:
        """Something may have changed. Returns the seconds after which to look again at the latest."""
        ...

    def fail(self, error: GatekitError) -> None:
        """The queue cannot be read any more: everybody who waits must hear it."""
        ...


class Store(Protocol):
    """One queue, opened: a writer, a reader, and an observer that is told of changes."""

    @property
    def path(self) -> str:
        """Where it is, for messages; `:memory:` if nowhere."""
        ...

    def write(self, job: Callable[[Tx, int], T | Refused | HandedOn], reply: Reply[T] | None = None) -> Reply[T]:
        """Run a job in a write transaction, in the order of the calls; the reply comes after its COMMIT.

        The job's second argument is the time, read after the lock is held. A job may run twice: when a group of
        jobs is rolled back, each is done again alone. One that answers `HANDED_ON` has queued another for its reply.
        """
        ...

    def read(self, job: Callable[[Tx, int], T | Refused | HandedOn], reply: Reply[T] | None = None) -> Reply[T]:
        """Run a job that only reads, beside the writes. `HANDED_ON` leaves the reply to a write that it queued."""
        ...

    def observe(self, observer: Observer) -> None:
        """Tell this observer of changes, from now on."""
        ...

    def stir(self) -> None:
        """Let the observers look soon, whether or not anything changed."""
        ...

    def close(self) -> None:
        """Finish what is queued, then let go of the file. Later calls fail with a `UsageError`."""
        ...
