"""What the tests of the stores share: calls that enter a queue, and commands that move them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gatekit.arguments.canonical import digest_of
from gatekit.backend.tx import Refused, Store, Tx
from gatekit.errors import GatekitError
from gatekit.ids import new_id
from gatekit.machine import deciding, entering, running, runs
from gatekit.machine.commands import Answer, Decide, Edit, Finish, Start, Started
from gatekit.machine.effects import Effect, UpdateRequest, UpdateRun, due_of
from gatekit.machine.records import DecisionRecord, RequestRecord, RevisionRecord, RunRecord, State, Verdict
from gatekit.models import Status, Verb

TEXT = '{"path":"/tmp/a"}'
Work = Callable[[Tx, int], Any]


def request(now: int, **changes: Any) -> RequestRecord:
    """A new request; its call has no id of its own unless `call_id` is given."""
    request_id = changes.pop("id", None) or new_id(now)
    tool = changes.setdefault("tool", "delete")
    values: dict[str, Any] = {
        "id": request_id,
        "call_given": "call_id" in changes,
        "call_id": request_id,
        "requester": "agent:tidy",
        "description": "delete a file",
        "created_at": now,
        "digest": digest_of(tool, TEXT),
    }
    return RequestRecord(**(values | changes))


def first_revision(record: RequestRecord, now: int, **changes: Any) -> RevisionRecord:
    """What a request asks for at first."""
    values: dict[str, Any] = {
        "request_id": record.id,
        "revision": 1,
        "text": TEXT,
        "digest": record.digest,
        "schema": "schema-1",
        "by": record.requester,
        "at": now,
        "verdict": None,
    }
    return RevisionRecord(**(values | changes))


def submitting(**changes: Any) -> Work:
    """A job that enters a request and answers its id."""

    def job(tx: Tx, now: int) -> str:
        record = request(now, **changes)
        tx.put_schema(record.tool, "schema-1", "{}")
        revision = first_revision(record, now, verdict=Verdict(gated=True, reasons=("because",)))
        _store(tx, entering.submit(record, revision, now))
        return record.id

    return job


def _store(tx: Tx, answer: Answer[Any]) -> Any:
    for effect in answer.effects:
        tx.apply(effect)
    return answer.value


def new_run(run_id: str, now: int, **changes: Any) -> RunRecord:
    """A run that was just begun."""
    values: dict[str, Any] = {
        "id": run_id,
        "workflow": "migrate",
        "text": "{}",
        "digest": digest_of("migrate", "{}"),
        "requester": "agent:tidy",
        "created_at": now,
        "updated_at": now,
    }
    return RunRecord(**(values | changes))


def state_of(tx: Tx, request_id: str) -> State:
    state = tx.state(request_id)
    assert state is not None
    return state


class Desk:
    """Drives one store by the machine's own functions, each command in its own transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def submit(self, **changes: Any) -> str:
        return self.store.write(submitting(**changes)).wait()

    def state(self, request_id: str) -> State:
        return self.store.read(lambda tx, now: state_of(tx, request_id)).wait()

    def status(self, request_id: str) -> Status:
        return self.state(request_id).request.status

    def decide(self, request_id: str, verb: Verb, by: str = "human:alice", **values: Any) -> DecisionRecord:
        def job(tx: Tx, now: int) -> DecisionRecord | Refused:
            state = state_of(tx, request_id)
            command = Decide(verb=verb, by=by, token=state.request.token, **values)
            answer = deciding.decide(state, command, now)
            _store(tx, answer)
            if answer.refusal is not None:
                return Refused(answer.refusal)
            assert answer.value is not None
            return answer.value

        return self.store.write(job).wait()

    def edit(self, request_id: str, text: str) -> DecisionRecord:
        digest = digest_of(self.state(request_id).request.tool, text)
        return self.decide(request_id, "edit", edit=Edit(text=text, digest=digest))

    def start(self, request_id: str, token: str, owner: str = "host/boot/1/2/3", **values: Any) -> Started | None:
        def job(tx: Tx, now: int) -> Started | None:
            state = state_of(tx, request_id)
            command = Start(version=state.request.version, token=token, owner=owner, **values)
            started: Started | None = _store(tx, running.start(state, command, now))
            return started

        return self.store.write(job).wait()

    def finish(self, request_id: str, token: str, **values: Any) -> None:
        def job(tx: Tx, now: int) -> None:
            _store(tx, running.finish(state_of(tx, request_id), Finish(token=token, **values), now))

        self.store.write(job).wait()

    def change(self, request_id: str, **changes: Any) -> None:
        """Move the request's row without the machine, for states that no command leads to quickly."""

        def job(tx: Tx, now: int) -> None:
            old = state_of(tx, request_id).request
            new = replace(old, **changes)
            new = replace(new, due=changes.get("due", due_of(new)))
            tx.apply(UpdateRequest(new, old.version, old.status))

        self.store.write(job).wait()

    def apply(self, *effects: Effect) -> None:
        """Write these effects in one transaction."""

        def job(tx: Tx, now: int) -> None:
            for effect in effects:
                tx.apply(effect)

        self.store.write(job).wait()

    def begin(self, run_id: str, **changes: Any) -> RunRecord:
        """A new run, in whatever state `changes` says."""

        def job(tx: Tx, now: int) -> RunRecord:
            answer = runs.begin(new_run(run_id, now, **changes))
            for effect in answer.effects:
                tx.apply(effect)
            return answer.run

        return self.store.write(job).wait()

    def run(self, run_id: str) -> RunRecord:
        found: RunRecord | None = self.read(lambda tx, now: tx.run(run_id))
        assert found is not None
        return found

    def change_run(self, run_id: str, **changes: Any) -> RunRecord:
        """Move the run's row, whatever the machine would say of it."""
        old = self.run(run_id)
        new = replace(old, **changes)
        self.apply(UpdateRun(new, old.status, old.executions))
        return new

    def read(self, job: Work) -> Any:
        return self.store.read(job).wait()


class Onlooker:
    """An observer that waits for as long as it is told to, and keeps what it saw."""

    def __init__(self, wish: float | None = None) -> None:
        self.waits = True
        self.wish = wish
        self.looks = 0
        self.cursors: list[int] = []
        self.errors: list[GatekitError] = []
        self.threads: set[str] = set()
        self._changed = threading.Condition()

    def wants(self) -> bool:
        return self.waits

    def look(self, tx: Tx, now: int) -> float | None:
        with self._changed:
            self.looks += 1
            self.cursors.append(tx.last_cursor())
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()
        return self.wish

    def fail(self, error: GatekitError) -> None:
        with self._changed:
            self.errors.append(error)
            self.waits = False
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until the condition holds; it is looked at after each look and failure."""
        with self._changed:
            assert self._changed.wait_for(condition, seconds), (
                f"{self.looks} looks, cursors {self.cursors}, {self.errors}"
            )
