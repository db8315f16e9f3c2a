"""`LocalBackend`: the machine over a store on this machine. Every intent is one job in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from gatekit import owner
from gatekit.backend.admitting import admit, directory_of
from gatekit.backend.base import Call, Fenced, Found, Stopped
from gatekit.backend.granting import allowed
from gatekit.backend.local_rules import LocalRules
from gatekit.backend.local_runs import CLOSED, LocalRuns
from gatekit.backend.paging import count, look_up, text_of
from gatekit.backend.rules import NewGrant
from gatekit.backend.sweeping import sweep, sweep_due, sweep_once
from gatekit.backend.tx import HANDED_ON, HandedOn, PageQuery, Refused, Store, Tx, stored
from gatekit.clock import Clock, span, to_datetime
from gatekit.errors import NotAllowed, RequestNotFound, StoreError, UsageError
from gatekit.filters import Filter
from gatekit.ids import could_be_id
from gatekit.insight import summarise
from gatekit.machine import attempts, claims, deciding, entering, running, runs
from gatekit.machine.commands import (
    Answer,
    Claim,
    Decide,
    Delegate,
    Escalate,
    Finish,
    Lose,
    Reconcile,
    Resolve,
    Start,
    Started,
)
from gatekit.machine.evidence import flaw_in_history
from gatekit.machine.may import may
from gatekit.machine.projection import decision_model, event_model, request_model
from gatekit.machine.records import DecisionRecord, RequestRecord, RevisionRecord, RowRecord, State, token_of
from gatekit.machine.voting import OPEN
from gatekit.models import UNDECIDED, Decision, Event, Grant, Page, Request, RequestRow, ReviewVerb, Stats, Status
from gatekit.reply import Reply
from gatekit.waiting import Waiting

T = TypeVar("T")
_MOST_SAID: Final = 10_000
_MOST_WAITING: Final = 100_000
_REFUSED_WITHIN: Final = span(86_400)
_PENDING: Final[frozenset[Status]] = frozenset({"pending"})
_NAMED_LIKE_A_RUN: Final = "make the call as one of its steps, or give calling(run=…) another id"


class LocalBackend:
    """A queue in a store of this machine."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._waiting = Waiting(clock, self.sweep)
        self._runs = LocalRuns(store, self._waiting)
        self._rules = LocalRules(store)
        self._sweeping: Reply[int] | None = None
        self._started: dict[str, str] = {}
        """The requests whose tools run by this gate, by the token of the attempt."""
        store.observe(self._waiting)

    @property
    def path(self) -> str:
        return self._store.path

    @property
    def runs(self) -> LocalRuns:
        return self._runs

    @property
    def rules(self) -> LocalRules:
        return self._rules

    # Entering and leaving

    def find(self, run: str, tool: str, call_id: str, execution: str | None = None) -> Reply[Found | None]:
        def job(tx: Tx, now: int) -> Found | Refused | None:
            if execution is None and (fence := _fence(tx, run, None)) is not None:
                return fence
            request_id = tx.find(run, tool, call_id)
            return None if request_id is None else _found(_state(tx, request_id))

        return self._look_up(job)

    def submit(self, call: Call) -> Reply[Found]:
        def job(tx: Tx, now: int) -> Found | Refused:
            fence = _fence(tx, call.run, call.execution)
            return fence or _present(tx, call) or _found(_enter(tx, call, now, admit).state)

        return self._store.write(job)

    def submit_allowed(self, call: Call, token: str) -> Reply[Found]:
        def job(tx: Tx, now: int) -> Found | Refused:
            known = _fence(tx, call.run, call.execution) or _present(tx, call)
            if known is not None:
                return known
            state = _enter(tx, call, now, _let_pass).state
            if tx.stop() is not None:
                return _found(state)
            command = Start(version=1, token=token, owner=owner.current().text)
            self._started[token] = call.request_id
            return _found(stored(tx, running.start(state, command, now)).state)

        return self._store.write(job)

    def attach(self, request_id: str, ticket: str) -> Reply[Request]:
        def change(state: State, now: int) -> Answer[None]:
            return entering.attach(state, owner.current().text, ticket, now)

        return self._move(request_id, change)

    def detach(self, request_id: str, ticket: str) -> Reply[Request]:
        return self._move(request_id, lambda state, now: entering.detach(state, ticket, now))

    def withdraw(self, request_id: str, ticket: str) -> Reply[None]:
        return self._quietly(request_id, lambda state, now: entering.withdraw(state, ticket, now))

    # Deciding and running

    def decide(self, request_id: object, command: Decide) -> Reply[Decision]:
        return self._say(request_id, lambda tx, state, now: deciding.decide(state, command, now, directory_of(tx)))

    def allow(self, request_id: object, command: Decide, grant: NewGrant) -> Reply[Grant]:
        def job(tx: Tx, now: int) -> Grant | Refused:
            state = _known(tx, request_id)
            return state if isinstance(state, Refused) else allowed(tx, state, command, grant, now)

        return self._store.write(job)

    def may(self, request_id: object, verb: ReviewVerb | None, by: str) -> Reply[str | None]:
        def job(tx: Tx, now: int) -> str | Refused | None:
            state = _known(tx, request_id)
            if isinstance(state, Refused):
                return state
            refusal = _step_of_run(tx, state, verb) or may(state, verb, by, now, directory_of(tx))
            return None if refusal is None else str(refusal)

        return self._look_up(job)

    def claim(self, request_id: object, command: Claim) -> Reply[Request]:
        return self._change(request_id, lambda tx, state, now: claims.claim(state, command, now, directory_of(tx)))

    def delegate(self, request_id: object, command: Delegate) -> Reply[Request]:
        return self._change(request_id, lambda tx, state, now: claims.delegate(state, command, now, directory_of(tx)))

    def escalate(self, request_id: object, command: Escalate) -> Reply[Request]:
        return self._change(request_id, lambda tx, state, now: claims.escalate(state, command, now, directory_of(tx)))

    def resolve(self, request_id: object, command: Resolve) -> Reply[Decision]:
        def say(tx: Tx, state: State, now: int) -> Answer[DecisionRecord] | Refused:
            step = _step_of_run(tx, state, command.verb)
            if step is not None:
                return Refused(step)
            answer = attempts.resolve(state, command, now, directory_of(tx))
            run = tx.run(state.request.run) if state.request.run else None
            if run is None or command.verb != "declare_lost" or not answer.effects:
                return answer
            freed = runs.interrupt(run, now, "a step of it was declared lost").effects
            return replace(answer, effects=(*answer.effects, *freed))

        return self._say(request_id, say)

    def reconcile(self, request_id: str, command: Reconcile) -> Reply[Request]:
        return self._move(request_id, lambda state, now: attempts.reconcile(state, command, now))

    def start(self, request_id: str, command: Start, execution: str | None = None) -> Reply[Started | Request]:
        def job(tx: Tx, now: int) -> Started | Request | Refused:
            state = _state(tx, request_id)
            fence = _fence(tx, state.request.run, execution)
            if fence is not None:
                return fence
            stop = tx.stop()
            if stop is not None and state.request.status == "approved":
                return Refused(Stopped(f"{self.path} is stopped by {stop.by}: {stop.reason}; nothing starts"))
            # Who may decide matters only where the check of an edit asks for more.
            directory = OPEN if command.verdict is None else directory_of(tx)
            answer = running.start(state, command, now, directory)
            flaw = None if answer.value is None else flaw_in_history(state, tx.history(request_id))
            if flaw is not None:
                return Refused(running.not_started(flaw))
            stored(tx, answer)
            if answer.refusal is not None:
                return Refused(answer.refusal)
            if answer.value is None:
                return _model(answer.state)
            self._started[command.token] = request_id
            return answer.value

        return self._store.write(job)

    def give_back(self, request_id: str, token: str) -> Reply[None]:
        self._started.pop(token, None)
        return self._quietly(request_id, lambda state, now: running.give_back(state, token, now))

    def finish(self, request_id: str, command: Finish) -> Reply[Request]:
        def change(state: State, now: int) -> Answer[None]:
            # Not before: a report that the queue does not take is made again.
            self._started.pop(command.token, None)
            return running.finish(state, command, now)

        return self._move(request_id, change)

    def lose(self, request_id: str, token: str, why: str) -> Reply[Request]:
        self._started.pop(token, None)
        return self._move(request_id, lambda state, now: running.lose(state, Lose(token=token, why=why), now))

    # Waiting and reading

    def wait(self, request_id: str, while_in: frozenset[Status], seconds: float | None) -> Reply[Status | None]:
        reply = self._waiting.wait(request_id, while_in, seconds)
        self._store.stir()
        return reply

    def next_events(self, since: int) -> Reply[Sequence[Event]]:
        reply = self._waiting.watch(since)
        self._store.stir()
        return reply

    def get(self, request_id: object) -> Reply[Request]:
        def job(tx: Tx, now: int) -> Request | Refused:
            state = _known(tx, request_id)
            return state if isinstance(state, Refused) else _model(state)

        return self._look_up(job)

    def schema(self, request_id: str) -> Reply[str]:
        def job(tx: Tx, now: int) -> str | Refused:
            state = _state(tx, request_id)
            text = tx.schema(state.request.tool, state.revision.schema)
            return text or Refused(StoreError(f"the schema of {state.request.tool} is missing from {self.path}"))

        return self._store.read(job)

    def page(self, query: PageQuery) -> Reply[Page]:
        def job(tx: Tx, now: int) -> Page:
            found = look_up(tx, query, now)
            # One look at each process, not at each line: most lines of a page are waited for by the same few.
            lives = {waiter: _lives(waiter) for waiter in {row.waiter for row in found.rows}}
            rows = tuple(row_model(row, now, waiting=lives[row.waiter]) for row in found.rows)
            return Page(rows=rows, more=found.next is not None, next=found.next)

        return self._look_up(job)

    def count(self, statuses: tuple[Status, ...], at_most: int, where: Filter | None = None) -> Reply[int]:
        tool = None if where is None else where.exact_tool
        query = PageQuery(statuses=statuses, where=where, tool=tool, limit=at_most)
        return self._look_up(lambda tx, now: count(tx, query, now))

    def position(self, request_id: str) -> Reply[int]:
        def job(tx: Tx, now: int) -> int | Refused:
            place = tx.position(request_id)
            return Refused(RequestNotFound(request_id)) if place is None else place

        return self._look_up(job)

    def history(self, request_id: object) -> Reply[Sequence[Event]]:
        def job(tx: Tx, now: int) -> Sequence[Event] | Refused:
            state = _known(tx, request_id)
            if isinstance(state, Refused):
                return state
            return [event_model(event) for event in tx.history(state.request.id)]

        return self._look_up(job)

    def events(self, since: int, limit: int) -> Reply[Sequence[Event]]:
        return self._look_up(lambda tx, now: [event_model(event) for event in tx.events(since, limit)])

    def stats(self, seconds: float) -> Reply[Stats]:
        def job(tx: Tx, now: int) -> Stats:
            since = now - span(seconds)
            said = tx.said(since, _MOST_SAID + 1)
            return summarise(
                said[:_MOST_SAID],
                since=since,
                now=now,
                waiting=tx.count(_PENDING, _MOST_WAITING),
                oldest=tx.oldest_pending(),
                cut=len(said) > _MOST_SAID,
            )

        return self._look_up(job)

    def last_approved(self, request_id: object) -> Reply[Request | None]:
        return self._beside(request_id, lambda tx, request, now: tx.last_allowed(request))

    def last_refused(self, request_id: object) -> Reply[Request | None]:
        return self._beside(request_id, lambda tx, request, now: tx.last_refused(request, now - _REFUSED_WITHIN))

    def cursor(self) -> Reply[int]:
        return self._store.read(lambda tx, now: tx.last_cursor())

    def sweep(self) -> Reply[int]:
        if self._sweeping is not None and not self._sweeping.done:
            # One at a time: several would settle as much in one transaction as all of them together.
            return self._sweeping
        reply: Reply[int] = Reply()
        self._sweeping = reply
        moved: list[int] = []

        def job(tx: Tx, now: int) -> int | HandedOn:
            moved.append(sweep_once(tx, now, sweep))
            if not tx.sated:
                return sum(moved)
            self._store.write(job, reply)
            return HANDED_ON

        return self._store.write(job, reply)

    def close(self) -> None:
        # Whoever waits here can tell the queue nothing any more once they hear of it.
        closed = UsageError("the gate was closed while this call waited: keep it open until its calls are over")
        for request_id in self._waiting.leave(closed):
            self._quietly(request_id, _withdrawn_here)
        for token, request_id in list(self._started.items()):
            self.lose(request_id, token, CLOSED)
        self._runs.close()
        self._store.close()

    # How a job is made of a transition

    def _say(
        self, request_id: object, say: Callable[[Tx, State, int], Answer[DecisionRecord] | Refused]
    ) -> Reply[Decision]:
        def job(tx: Tx, now: int) -> Decision | Refused:
            state = _known(tx, request_id)
            said = state if isinstance(state, Refused) else say(tx, state, now)
            if isinstance(said, Refused):
                return said
            answer = stored(tx, said)
            if answer.value is None:
                assert answer.refusal is not None
                return Refused(answer.refusal)
            return decision_model(answer.state, answer.value)

        return self._store.write(job)

    def _change(self, request_id: object, change: Callable[[Tx, State, int], Answer[None]]) -> Reply[Request]:
        def job(tx: Tx, now: int) -> Request | Refused:
            state = _known(tx, request_id)
            if isinstance(state, Refused):
                return state
            answer = stored(tx, change(tx, state, now))
            return _model(answer.state) if answer.refusal is None else Refused(answer.refusal)

        return self._store.write(job)

    def _move(self, request_id: str, change: Callable[[State, int], Answer[None]]) -> Reply[Request]:
        def job(tx: Tx, now: int) -> Request:
            return _model(stored(tx, change(_state(tx, request_id), now)).state)

        return self._store.write(job)

    def _quietly(self, request_id: str, change: Callable[[State, int], Answer[None]]) -> Reply[None]:
        def job(tx: Tx, now: int) -> None:
            state = tx.state(request_id)
            if state is not None:
                stored(tx, change(state, now))

        return self._store.write(job)

    def _beside(
        self, request_id: object, find: Callable[[Tx, RequestRecord, int], str | None]
    ) -> Reply[Request | None]:
        """Another request, which is looked for by this one."""

        def job(tx: Tx, now: int) -> Request | Refused | None:
            state = _known(tx, request_id)
            if isinstance(state, Refused):
                return state
            found = find(tx, state.request, now)
            other = None if found is None else tx.state(found)
            return None if other is None else _model(other)

        return self._look_up(job)

    def _look_up(self, job: Callable[[Tx, int], T | Refused]) -> Reply[T]:
        """Read; but where something is overdue, settle it first, so that nobody sees what time has undone."""
        reply: Reply[T] = Reply()

        def settled(tx: Tx, now: int) -> T | Refused | HandedOn:
            sweep_once(tx, now, sweep_due)
            if tx.sated:
                # There may be more. In a transaction of its own, so that no start waits behind all of it.
                self._store.write(settled, reply)
                return HANDED_ON
            return job(tx, now)

        def read(tx: Tx, now: int) -> T | Refused | HandedOn:
            if tx.next_due() > now:
                return job(tx, now)
            self._store.write(settled, reply)
            return HANDED_ON

        return self._store.read(read, reply)


def _state(tx: Tx, request_id: str) -> State:
    state = tx.state(request_id)
    if state is None:
        raise StoreError(f"request {request_id} is gone from the queue: somebody else deletes rows")
    return state


def _known(tx: Tx, request_id: object) -> State | Refused:
    state = tx.state(request_id) if could_be_id(request_id) else None
    return Refused(RequestNotFound(request_id)) if state is None else state


def _step_of_run(tx: Tx, state: State, verb: ReviewVerb | None) -> NotAllowed | None:
    """A failed step is tried again by its run alone."""
    if verb != "retry" or state.request.status != "failed" or not state.request.run:
        return None
    run = tx.run(state.request.run)
    if run is None:
        return None
    return NotAllowed(f"it is a step of the run {run.id}: resume the run, which tries it again")


def _fence(tx: Tx, run_id: str, execution: str | None) -> Refused | None:
    """Refuse an execution that no longer holds its run: it was taken for dead, or the run was cancelled.

    Refuse also a call that only bears the name of a durable run: it would be taken for one of its steps.
    """
    run = tx.run(run_id) if run_id else None
    if execution is None:
        return None if run is None else Refused(UsageError(f"{run_id!r} is a durable run: {_NAMED_LIKE_A_RUN}"))
    if run is not None and runs.holds(run, execution):
        return None
    return Refused(Fenced(f"run {run_id} is not executed by this process any more: it may start nothing"))


def _present(tx: Tx, call: Call) -> Found | None:
    # A call without an id of its own has one that was made just now: nobody can have been here with it.
    request_id = None if call.call_id is None else tx.find(call.run, call.tool, call.call_id)
    return None if request_id is None else _found(_state(tx, request_id))


def _let_pass(tx: Tx, call: Call, request: RequestRecord, revision: RevisionRecord, now: int) -> Answer[None]:
    return entering.submit_allowed(request, revision, now)


_Entering = Callable[[Tx, Call, RequestRecord, RevisionRecord, int], Answer[None]]


def _enter(tx: Tx, call: Call, now: int, how: _Entering) -> Answer[None]:
    tx.put_schema(call.tool, call.schema_digest, call.schema)
    waiter = owner.current().text if call.waits else None
    request = RequestRecord(
        id=call.request_id,
        kind=call.kind,
        tool=call.tool,
        run=call.run,
        call_id=call.request_id if call.call_id is None else call.call_id,
        call_given=call.call_id is not None,
        requester=call.requester,
        description=call.description,
        risk=call.risk,
        reasons=call.reasons,
        hidden=call.hidden,
        created_at=now,
        digest=call.digest,
        max_starts=call.max_starts,
        start_within=call.start_within,
        waiter=waiter,
        ticket=call.ticket if call.waits else None,
        preview=call.preview,
        plan=call.plan.text,
        stages=len(call.plan.stages),
        expires_after=call.expires_after,
        decide_by=None if call.expires_after is None else now + call.expires_after,
        spend=None if call.spending is None else call.spending.amount,
        spend_of=None if call.spending is None else call.spending.field,
    )
    revision = RevisionRecord(
        request_id=call.request_id,
        revision=1,
        text=call.text,
        digest=call.digest,
        schema=call.schema_digest,
        by=call.requester,
        at=now,
        verdict=call.verdict,
    )
    return stored(tx, how(tx, call, request, revision, now))


def _withdrawn_here(state: State, now: int) -> Answer[None]:
    """What becomes of a request for which a call of this process waited."""
    request = state.request
    ticket = request.ticket if request.waiter == owner.current().text else None
    return entering.withdraw(state, ticket or "", now)


def _found(state: State) -> Found:
    first = next(row.text for row in state.revisions if row.revision == 1)
    return Found(request=_model(state), first_text=first)


def _model(state: State) -> Request:
    return request_model(state, waiting=_lives(state.request.waiter))


def _lives(waiter: str | None) -> bool:
    return waiter is not None and owner.is_dead(waiter) is not True


def row_model(row: RowRecord, now: int, *, waiting: bool) -> RequestRow:
    """One line of a list."""
    return RequestRow(
        id=row.id,
        kind=row.kind,
        tool=row.tool,
        status=row.status,
        description=row.description[:200],
        cut=len(row.description) > 200,
        risk=row.risk,
        run=row.run or None,
        requester=row.requester,
        created_at=to_datetime(row.created_at),
        decide_by=None if row.decide_by is None else to_datetime(row.decide_by),
        effective_at=None if row.effective_at is None else to_datetime(row.effective_at),
        version=row.version,
        token=token_of(row.version, row.digest),
        hidden=row.hidden,
        waiter="waiting" if waiting else "gone",
        stage="" if row.stages == 1 else f"{row.stage + 1}/{row.stages}",
        claimed_by=row.claimed_by if row.status in UNDECIDED and claims.holds(row.claimed_at, now) else None,
        key=text_of(row.key),
    )
