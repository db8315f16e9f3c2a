"""The real backend over a real file, and over memory, beside the pure machine: any commands, in any order.

After every command the three must have given the same answer and must hold the same rows and events.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import replace
from operator import methodcaller
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gatekit import owner
from gatekit.arguments.canonical import digest_of
from gatekit.backend.base import Call
from gatekit.backend.local import LocalBackend
from gatekit.backend.local_runs import CLOSED
from gatekit.backend.tx import PageQuery, Store, Tx
from gatekit.clock import FAR
from gatekit.errors import GatekitError
from gatekit.machine import entering
from gatekit.machine.commands import Decide, Edit, Finish, Reconcile, Resolve, Start
from gatekit.machine.effects import (
    AppendEvent,
    Effect,
    InsertDecision,
    PutAttempt,
    PutPermit,
    PutRevision,
    UpdateRequest,
)
from gatekit.machine.records import EventRecord, State, Verdict
from gatekit.models import STATUSES, Kind, Verb
from gatekit.reply import Reply
from gatekit.store import SqliteStore
from gatekit.store.sqlite import SqliteTx
from gatekit.testing import FakeClock, MemoryStore
from tests.store.model_queue import ModelQueue, records
from tests.store.support import Desk

pytestmark = pytest.mark.sweep

SECOND: Final = 1_000_000
BOT: Final = "agent:bot"
TEXTS: Final = ('{"amount":1}', '{"amount":2}', '{"amount":3}')
GATED: Final = Verdict(gated=True)
VERDICTS: Final = (None, GATED, GATED, Verdict(gated=False), Verdict(gated=True, errors=("$.amount: no",)))
MOST: Final = 3
"""Requests in one history: more would each go less far."""

which = st.integers(0, MOST - 1)
reviewers = st.sampled_from(("human:alice", "human:alice", "human:bob", "human:bot"))
tokens = st.sampled_from(("now", "now", "now", "old", None, "v9:0000000000000000"))
holds = st.sampled_from((0, 0, 3 * SECOND))
periods = st.sampled_from((None, None, 4 * SECOND, 60 * SECOND))
late = st.integers(0, 3)
workers = st.sampled_from(("here", "here", "gave up", "gone"))
ends = st.sampled_from(("returned", "lost", "raised", "raised", "again", "again"))
verbs = st.sampled_from(("approve", "edit", "release", "reject", "respond", "cancel", "undo"))
notes = st.sampled_from((None, "why not", "naïve \U0001f600\n"))


class Histories(RuleBasedStateMachine):
    """One queue, kept three times."""

    clean: ClassVar[Path]
    """A folder with an empty queue, to be copied."""
    seen: ClassVar[set[str]]
    """The states that were met, and the kinds of events."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = mkdtemp(prefix="gatekit-", dir=self.clean)
        self.path = os.path.join(self.folder, "queue.db")
        shutil.copy(self.clean / "empty.db", self.path)
        self.clock = FakeClock()
        self.open()
        self.memory_store = MemoryStore(self.clock)
        self.memory = LocalBackend(self.memory_store, self.clock)
        self.here = owner.current().text
        self.gone = replace(owner.current(), started="1").text
        self.model = ModelQueue()
        self.number = 0
        self.screens: dict[str, list[str]] = {}
        self.starts: dict[str, list[str]] = {}
        self.tickets: dict[str, list[str]] = {}

    def open(self) -> None:
        self.store = SqliteStore.at(self.path, create=False, clock=self.clock)
        self.backend = LocalBackend(self.store, self.clock)

    def teardown(self) -> None:
        for names in (self.starts, self.tickets):
            owner.living.difference_update(name for some in names.values() for name in some)
        self.backend.close()
        self.memory.close()
        shutil.rmtree(self.folder)

    # Entering and leaving

    @initialize(call_given=st.booleans(), starts=st.integers(1, 3), within=periods, expires=periods)
    def somebody_calls(self, call_given: bool, starts: int, within: int | None, expires: int | None) -> None:
        call = self.call("c0" if call_given else None, max_starts=starts, start_within=within)
        self.enter(call, expires)

    @precondition(lambda self: len(self.model.rows) < MOST)
    @rule(
        call_id=st.sampled_from((None, "c0", "c1")),
        kind=st.sampled_from(("call", "call", "call", "pause")),
        run=st.sampled_from(("", "run-1")),
        starts=st.integers(1, 3),
        within=periods,
        expires=periods,
        by=st.sampled_from((BOT, BOT, "agent:alice")),
        waits=st.booleans(),
        lives=st.booleans(),
    )
    def a_call_enters(
        self,
        call_id: str | None,
        kind: Kind,
        run: str,
        starts: int,
        within: int | None,
        expires: int | None,
        by: str,
        waits: bool,
        lives: bool,
    ) -> None:
        """It may be the same call again, with its id; and its process may die right behind it."""
        values = {"kind": kind, "run": run, "max_starts": starts, "start_within": within}
        call = self.call(call_id, requester=by, waits=waits, **values)
        with self.process(lives=lives):
            self.enter(call, expires)

    @precondition(lambda self: len(self.model.rows) < MOST)
    @rule(call_given=st.booleans(), starts=st.integers(1, 2), lives=st.booleans())
    def a_call_that_needs_nobody_is_recorded(self, call_given: bool, starts: int, lives: bool) -> None:
        call = self.call("c-free" if call_given else None, max_starts=starts)
        token = self.new("a")
        with self.process(lives=lives) as waiter:
            self.entered(
                call,
                lambda: self.model.submit_allowed(call, waiter, token, self.now),
                lambda backend: backend.submit_allowed(call, token),
            )
        self.starts[call.request_id].append(token)
        owner.living.update([token] if lives else [])

    @rule(at=which, lives=st.booleans())
    def a_process_attaches(self, at: int, lives: bool) -> None:
        request_id, ticket = self.pick(at), self.new("t")
        self.tickets[request_id].append(ticket)
        with self.process(lives=lives) as waiter:
            self.same(
                lambda: self.model.attach(request_id, waiter, ticket, self.now),
                lambda backend: backend.attach(request_id, ticket),
            )

    @rule(at=which, back=late)
    def a_process_goes(self, at: int, back: int) -> None:
        request_id = self.pick(at)
        ticket = self.late(self.tickets[request_id], back)
        self.same(
            lambda: self.model.detach(request_id, ticket, self.now),
            lambda backend: backend.detach(request_id, ticket),
        )

    @rule(at=which, back=late)
    def a_wait_is_interrupted(self, at: int, back: int) -> None:
        request_id = self.pick(at)
        ticket = self.late(self.tickets[request_id], back)
        self.same(
            lambda: self.model.withdraw(request_id, ticket, self.now),
            lambda backend: backend.withdraw(request_id, ticket),
        )

    # Deciding

    @rule(
        at=which, verb=verbs, by=reviewers, token=tokens, back=late, hold=holds, text=st.sampled_from(TEXTS), note=notes
    )
    def a_reviewer_decides(
        self, at: int, verb: Verb, by: str, token: str | None, back: int, hold: int, text: str, note: str | None
    ) -> None:
        edits = verb == "edit" or (verb == "release" and text != TEXTS[0])
        edit = Edit(text=text, digest=digest_of("pay", text)) if edits else None
        said = note if verb == "respond" else None
        self.decide(at, token, back, verb=verb, by=by, hold=hold, note=note, reason=note, text=said, edit=edit)

    @rule(at=which, by=reviewers, token=tokens)
    def a_reviewer_edits_what_does_not_fit(self, at: int, by: str, token: str | None) -> None:
        self.decide(at, token, 0, verb="edit", by=by, invalid=("$.amount: not a number",))

    @rule()
    def a_reviewer_decides_what_is_not_there(self) -> None:
        command = Decide(verb="reject", by="human:alice", token=None)
        self.same(lambda: self.model.decide("none", command, self.now), lambda backend: backend.decide("none", command))

    # Running

    @rule(at=which, text=st.sampled_from(TEXTS), hold=holds, how=ends, who=workers)
    def it_goes_on(self, at: int, text: str, hold: int, how: str, who: str) -> None:
        """The next step of a call that comes to its end, so that most histories lead far."""
        state = self.model.state(self.pick(at))
        match state.request.status:
            case "pending":
                verb: Verb = "release" if state.request.kind == "pause" else "edit"
                edit = Edit(text=text, digest=digest_of("pay", text))
                self.decide(at, "now", 0, verb=verb, by="human:carol", hold=hold, edit=edit)
            case "approved":
                self.start(at, verdict=GATED, who=who)
            case "running":
                self.an_attempt_reports(at, 0, how)
            case "unknown" | "failed":
                self.somebody_speaks_of_an_attempt(at, "retry", "human:carol", 0, how, None)
            case _:
                self.time_passes(3.0)

    @rule(
        at=which,
        off=st.sampled_from((0, 0, -1)),
        verdict=st.sampled_from(VERDICTS),
        stale=st.sampled_from((None, "sold out")),
        again=st.booleans(),
    )
    def a_worker_starts_somehow(
        self, at: int, off: int, verdict: Verdict | None, stale: str | None, again: bool
    ) -> None:
        """On an old version, unchecked, with a token that was used, or on an approval that no longer holds."""
        used = self.starts[self.pick(at)]
        self.start(at, verdict=verdict, off=off, stale=stale, token=used[-1] if again and used else None)

    @rule(at=which, back=late)
    def a_start_is_given_back(self, at: int, back: int) -> None:
        request_id = self.pick(at)
        token = self.late(self.starts[request_id], back)
        self.same(
            lambda: self.model.give_back(request_id, token, self.now),
            lambda backend: backend.give_back(request_id, token),
        )

    @rule(at=which, back=late, how=ends)
    def an_attempt_reports(self, at: int, back: int, how: str) -> None:
        request_id = self.pick(at)
        command = report(self.late(self.starts[request_id], back), how)
        self.same(
            lambda: self.model.finish(request_id, command, self.now),
            lambda backend: backend.finish(request_id, command),
        )

    @rule(at=which, back=late)
    def an_attempt_is_interrupted(self, at: int, back: int) -> None:
        request_id = self.pick(at)
        token = self.late(self.starts[request_id], back)
        self.same(
            lambda: self.model.lose(request_id, token, "interrupted", self.now),
            lambda backend: backend.lose(request_id, token, "interrupted"),
        )

    @rule(
        at=which,
        verb=st.sampled_from(("retry", "retry", "settle", "declare_lost")),
        by=reviewers,
        off=st.sampled_from((0, 0, 0, -1)),
        how=st.sampled_from(("returned", "lost", "raised")),
        note=notes,
    )
    def somebody_speaks_of_an_attempt(self, at: int, verb: Any, by: str, off: int, how: str, note: str | None) -> None:
        request_id = self.pick(at)
        outcome = report("", how) if verb == "settle" else None
        attempt = self.last_attempt(request_id) + off
        command = Resolve(verb=verb, by=by, attempt=attempt, note=note, outcome=outcome)
        self.same(
            lambda: self.model.resolve(request_id, command, self.now),
            lambda backend: backend.resolve(request_id, command),
        )
        self.look(request_id)

    @rule(at=which, kind=st.sampled_from(("again", "never", "returned", "raised")), off=st.sampled_from((0, 0, 0, -1)))
    def a_process_reconciles(self, at: int, kind: Any, off: int) -> None:
        request_id = self.pick(at)
        outcome = report("", kind) if kind in ("returned", "raised") else None
        command = Reconcile(attempt=self.last_attempt(request_id) + off, kind=kind, outcome=outcome)
        self.same(
            lambda: self.model.reconcile(request_id, command, self.now),
            lambda backend: backend.reconcile(request_id, command),
        )

    # Time, and the file

    @rule(seconds=st.sampled_from((0.5, 3.0, 5.0)))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from((-3600.0, -2.0, 70.0)))
    def the_clock_is_set(self, seconds: float) -> None:
        self.clock.jump(seconds)

    @rule()
    def the_queue_is_swept(self) -> None:
        self.same(lambda: self.model.sweep(self.now), lambda backend: backend.sweep())

    @rule(at=which)
    def somebody_looks(self, at: int) -> None:
        self.look(self.pick(at))
        for status in STATUSES:
            found = self.answers(methodcaller("page", PageQuery(statuses=(status,))))
            assert [row.id for row in found.rows] == self.model.listed((status,))
        assert self.answers(lambda backend: backend.count(STATUSES, 100)) == len(self.model.rows)

    @rule()
    def the_file_is_closed_and_opened(self) -> None:
        begun = list(self.backend._started.items())
        self.backend.close()
        assert not os.path.exists(self.path + "-wal"), "the log was left behind"
        for token, request_id in begun:
            self.model.lose(request_id, token, CLOSED, self.now)
            self.memory.lose(request_id, token, CLOSED).wait()
        self.open()

    # What must hold

    @invariant()
    def the_rows_are_the_same(self) -> None:
        for store in (self.store, self.memory_store):
            kept, events, due = _contents(store, list(self.model.rows))
            assert kept == {request_id: rows.state() for request_id, rows in self.model.rows.items()}
            assert [event.cursor for event in events] == list(range(1, len(events) + 1)), "events are numbered in a row"
            for request_id, rows in self.model.rows.items():
                own = [replace(event, cursor=0) for event in events if event.request_id == request_id]
                assert own == rows.events
            assert len(events) == sum(len(rows.events) for rows in self.model.rows.values()), "an event of nobody"
            assert due == self.model.next_due()
        for rows in self.model.rows.values():
            self.seen.update((rows.state().request.status, *rows.kinds()))

    # How it is done

    @property
    def now(self) -> int:
        return self.clock.now()

    def new(self, prefix: str) -> str:
        self.number += 1
        name = f"{prefix}{self.number}"
        if prefix == "t":
            # Every wait here goes on: what was given up in silence is for the tests of the gate.
            owner.living.add(name)
        return name

    def pick(self, at: int) -> str:
        ids = list(self.model.rows)
        return ids[at % len(ids)]

    def late(self, names: list[str], back: int) -> str:
        """One of the names that were given out, most often the last; one that never was, where there is none."""
        return names[-1 - back % min(2, len(names))] if names else "none"

    def last_attempt(self, request_id: str) -> int:
        return self.model.state(request_id).request.attempt or 0

    @contextmanager
    def process(self, *, lives: bool) -> Generator[str]:
        """Be another process, that is dead as soon as it has spoken, or this one."""
        with pytest.MonkeyPatch.context() as patch:
            who = self.here if lives else self.gone
            patch.setattr(owner, "current", lambda: owner.Owner.parse(who))
            yield who

    def call(self, call_id: str | None, **values: Any) -> Call:
        given: dict[str, Any] = {"run": "", "requester": BOT, "waits": True, **values}
        return Call(
            request_id=self.new("R"),
            tool="pay",
            call_id=call_id,
            text=TEXTS[0],
            digest=digest_of("pay", TEXTS[0]),
            schema="{}",
            schema_digest="schema-1",
            description="pay 1",
            risk="high",
            reasons=("big", "new"),
            hidden=1,
            verdict=Verdict(gated=True, reasons=("big",)),
            ticket=self.new("t"),
            **given,
        )

    def enter(self, call: Call, expires: int | None) -> None:
        if expires is None:
            self.entered(
                call,
                lambda: self.model.submit(call, owner.current().text, self.now),
                lambda backend: backend.submit(call),
            )
        else:
            self.enter_with_deadline(call, expires)

    def enter_with_deadline(self, call: Call, expires: int) -> None:
        """By the machine's own hand: no call can set a deadline for deciding yet, and the tables hold one."""
        waiter = owner.current().text
        if self.model.present(call) is not None:
            return
        self.model.submit(call, waiter, self.now, expires_after=expires)
        rows = records(call, waiter, self.now, expires)

        def job(tx: Tx, now: int) -> None:
            tx.put_schema(call.tool, call.schema_digest, call.schema)
            for effect in entering.submit(*rows, now).effects:
                tx.apply(effect)

        self.store.write(job).wait()
        self.memory_store.write(job).wait()
        self.is_known(call)

    def entered(self, call: Call, of_model: Callable[[], Any], of: Callable[[LocalBackend], Reply[Any]]) -> None:
        expected = of_model()
        for backend in (self.backend, self.memory):
            found = of(backend).wait()
            assert (found.request, found.first_text) == (expected, TEXTS[0])
        self.is_known(call)

    def is_known(self, call: Call) -> None:
        for names in (self.starts, self.tickets, self.screens):
            names.setdefault(call.request_id, [])
        self.tickets[call.request_id].append(call.ticket)

    def decide(self, at: int, token: str | None, back: int, **said: Any) -> None:
        request_id = self.pick(at)
        screens, now = self.screens[request_id], self.model.state(request_id).request.token
        shown = {"now": now, "old": self.late(screens, back)}.get(token or "", token)
        screens.append(now)
        command = Decide(token=shown, **said)
        self.same(
            lambda: self.model.decide(request_id, command, self.now),
            lambda backend: backend.decide(request_id, command),
        )

    def start(
        self,
        at: int,
        *,
        verdict: Verdict | None,
        off: int = 0,
        stale: str | None = None,
        token: str | None = None,
        who: str = "here",
    ) -> None:
        request_id = self.pick(at)
        command = Start(
            version=self.model.state(request_id).request.version + off,
            token=token or self.new("a"),
            owner=self.gone if who == "gone" else self.here,
            verdict=verdict,
            stale=stale,
        )
        self.starts[request_id].append(command.token)
        # Of what this process started it knows what it is still at; the rest it gave up without a report.
        owner.living.update([command.token] if who == "here" else [])
        self.same(
            lambda: self.model.start(request_id, command, self.now),
            lambda backend: backend.start(request_id, command),
        )

    def look(self, request_id: str) -> None:
        self.same(lambda: self.model.get(request_id, self.now), lambda backend: backend.get(request_id))

    def same(self, of_model: Callable[[], Any], of: Callable[[LocalBackend], Reply[Any]]) -> None:
        """Ask the machine, the file and the memory."""
        expected = outcome(of_model)
        assert outcome(lambda: of(self.backend).wait()) == expected, "the file answers otherwise"
        assert outcome(lambda: of(self.memory).wait()) == expected, "the memory answers otherwise"

    def answers(self, of: Callable[[LocalBackend], Reply[Any]]) -> Any:
        """What file and memory agree on, after everything overdue was settled in the model too."""
        self.model.settle(self.now)
        found = of(self.backend).wait()
        assert of(self.memory).wait() == found
        return found


def outcome(ask: Callable[[], Any]) -> Any:
    """What was answered, or the refusal: its type and its words."""
    try:
        return ask()
    except GatekitError as error:
        return type(error), str(error)


def report(token: str, how: str) -> Finish:
    match how:
        case "returned":
            return Finish(token=token, kind="returned", result='{"paid":[1,2.5,null]}')
        case "lost":
            return Finish(token=token, kind="returned", lost=True)
        case _:
            return Finish(token=token, kind="raised", type_name="OSError", message="no\x00", again=how == "again")


def _contents(store: Store, request_ids: list[str]) -> tuple[dict[str, State], list[EventRecord], int]:
    def job(tx: Tx, now: int) -> tuple[dict[str, State], list[EventRecord], int]:
        states = {request_id: tx.state(request_id) for request_id in request_ids}
        kept = {request_id: state for request_id, state in states.items() if state is not None}
        for request_id in kept:
            assert tx.history(request_id) == [row for row in tx.events(0, 1 << 30) if row.request_id == request_id]
        return kept, list(tx.events(0, 1 << 30)), tx.next_due()

    return store.read(job).wait()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A place for the files of all histories, in memory where the system has such a place."""
    fast = Path("/dev/shm")
    made = Path(mkdtemp(prefix="gatekit-", dir=fast if os.access(fast, os.W_OK | os.X_OK) else None))
    store = SqliteStore.at(str(made / "empty.db"), create=True, clock=FakeClock())
    store.read(lambda tx, now: None).wait()
    store.close()
    Histories.clean, Histories.seen = made, set()
    yield made
    shutil.rmtree(made)


def drive(histories: int, steps: int, phases: Collection[Phase] = tuple(Phase)) -> None:
    """Make so many random histories; the same ones every time."""
    rules = settings(
        max_examples=histories,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=(HealthCheck.too_slow,),
    )
    run_state_machine_as_test(Histories, settings=rules)


def test_the_real_store_does_what_the_machine_says(folder: Path) -> None:
    drive(40, 25)
    # Which of the rarer states so few histories go through is the draw's luck; the long form asks for all of them.
    assert {"pending", "approved", "running"} <= Histories.seen


# On a busy machine it takes three times as long as on one of its own.
@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_the_real_store_does_what_the_machine_says_in_long_histories(folder: Path) -> None:
    drive(1_000, 60)
    assert set(STATUSES) <= Histories.seen


def forgets_an_event(effect: Effect) -> Effect | None:
    return None if isinstance(effect, AppendEvent) and effect.event.kind == "suspended" else effect


def forgets_who_came_back(effect: Effect) -> Effect | None:
    return _request(effect, call_given=False) if isinstance(effect, UpdateRequest) else effect


def forgets_a_deadline(effect: Effect) -> Effect | None:
    return _request(effect, due=FAR) if isinstance(effect, UpdateRequest) else effect


def forgets_a_remark(effect: Effect) -> Effect | None:
    return InsertDecision(replace(effect.decision, note=None)) if isinstance(effect, InsertDecision) else effect


def forgets_a_verdict(effect: Effect) -> Effect | None:
    return PutRevision(replace(effect.revision, verdict=None)) if isinstance(effect, PutRevision) else effect


def counts_no_start(effect: Effect) -> Effect | None:
    return PutPermit(replace(effect.permit, starts=0)) if isinstance(effect, PutPermit) else effect


def forgets_when_an_attempt_ended(effect: Effect) -> Effect | None:
    return PutAttempt(replace(effect.attempt, finished_at=None)) if isinstance(effect, PutAttempt) else effect


def _request(effect: UpdateRequest, **changes: Any) -> UpdateRequest:
    return replace(effect, request=replace(effect.request, **changes))


FAULTS: Final = (
    forgets_an_event,
    forgets_who_came_back,
    forgets_a_deadline,
    forgets_a_remark,
    forgets_a_verdict,
    counts_no_start,
    forgets_when_an_attempt_ended,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_store_with_a_fault_is_found_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Effect], Effect | None]
) -> None:
    write = SqliteTx.apply

    def apply(tx: SqliteTx, effect: Effect) -> None:
        written = fault(effect)
        if written is not None:
            write(tx, written)

    monkeypatch.setattr(SqliteTx, "apply", apply)
    with pytest.raises(AssertionError):
        drive(100, 15, phases=[Phase.generate])


def test_a_call_that_came_back_by_its_id_is_kept_by_every_store(store: Store, clock: FakeClock) -> None:
    """What the machine says of it, `call_given`, decides whether an interruption withdraws the call."""
    desk, backend = Desk(store), LocalBackend(store, clock)
    request_id = desk.submit(waiter=owner.current().text, ticket="t1")
    backend.attach(request_id, "t2").wait()
    backend.withdraw(request_id, "t2").wait()
    assert desk.status(request_id) == "pending", "the request was withdrawn although its caller can come back"
