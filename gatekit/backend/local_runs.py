"""`LocalRuns`: durable runs over a store on this machine. Every intent is one job in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from gatekit import owner
from gatekit.backend.runs import NewRun, Taken
from gatekit.backend.sweeping import sweep_attempts
from gatekit.backend.tx import Refused, RunsQuery, Store, Tx, stored
from gatekit.errors import NotAllowed, RunConflict, RunNotFound
from gatekit.ids import could_be_id
from gatekit.machine import attempts, runs
from gatekit.machine.commands import Decide
from gatekit.machine.deciding import decide
from gatekit.machine.projection import event_model, run_model, step_model
from gatekit.machine.records import RunRecord, State
from gatekit.machine.runs import RunAnswer, RunEnd
from gatekit.models import Event, RunRow, RunState, Status, StepRow
from gatekit.reply import Reply
from gatekit.waiting import Waiting

T = TypeVar("T")
_BATCH: Final = 100
CLOSED: Final = "its gate was closed"
_BLOCKED: Final[frozenset[Status]] = frozenset({"pending", "held", "running", "unknown"})
"""The states of a step in which its run cannot go on."""
_MAY_REPORT: Final[frozenset[Status]] = frozenset({"running", "unknown"})
_OPEN: Final[frozenset[Status]] = frozenset({"pending", "held", "approved"})
_SPENT: Final[frozenset[Status]] = frozenset({"failed", "rejected", "responded", "expired", "cancelled"})
"""The ends of a step after which only a new one can lead further."""


class LocalRuns:
    """The runs of a queue in a store of this machine."""

    def __init__(self, store: Store, waiting: Waiting) -> None:
        self._store = store
        self._waiting = waiting
        self._executing: dict[str, str] = {}
        """The runs that are executed by this gate, by the token of the execution."""

    def begin(self, run: NewRun) -> Reply[RunRow]:
        def job(tx: Tx, now: int) -> RunRow | Refused:
            present = tx.run(run.id)
            if present is not None:
                return run_model(present)
            if tx.steps(run.id):
                return Refused(RunConflict(run.id, "as the name of other calls, by calling(run=…)"))
            record = RunRecord(
                id=run.id,
                workflow=run.workflow,
                text=run.text,
                digest=run.digest,
                requester=run.requester,
                created_at=now,
                updated_at=now,
            )
            return run_model(stored(tx, runs.begin(record)).run)

        return self._store.write(job)

    def take(self, run_id: str, token: str, *, asked: bool = False) -> Reply[Taken | RunRow]:
        def job(tx: Tx, now: int) -> Taken | RunRow | Refused:
            run = tx.run(run_id)
            if run is None:
                return Refused(RunNotFound(run_id))
            answer = runs.take(run, owner.current().text, token, now, takes_over=_is_gone(run, asked=asked))
            # Taken up while nothing may start, it would only come to its next step and stop there.
            if not answer.moved or tx.stop() is not None:
                return run_model(run)
            if run.status == "running":
                # A step that its process was at ends with it, and is seen so by the one that takes over.
                sweep_attempts(tx, now)
            owner.living.add(token)
            self._executing[token] = run.id
            stored(tx, answer)
            steps = tuple(map(step_model, tx.steps(run_id)))
            run = answer.run
            return Taken(run=run_model(run), token=token, steps=steps, retried=run.retried, loose=frozenset(run.loose))

        return self._store.write(job)

    def suspend(self, run_id: str, token: str, waiting_for: Sequence[str]) -> Reply[RunRow]:
        def change(tx: Tx, run: RunRecord, now: int) -> RunAnswer:
            self._let_go(token)
            states = tx.statuses(waiting_for)
            ready = any(status not in _BLOCKED for status in states.values())
            unknown = not ready and "unknown" in states.values()
            return runs.suspend(run, token, waiting_for, now, ready=ready, unknown=unknown)

        return self._change(run_id, change)

    def end(self, run_id: str, token: str, command: RunEnd) -> Reply[RunRow]:
        def change(tx: Tx, run: RunRecord, now: int) -> RunAnswer:
            # Not before: a thread that asked for the run meanwhile would take it for given up.
            self._let_go(token)
            states = (tx.state(request_id) for request_id in command.behind)
            own = (state.request.id for state in states if state is not None and state.request.run == run.id)
            return runs.end(run, token, command, now, error_request=next(own, None))

        return self._change(run_id, change)

    def break_off(self, run_id: str, token: str, why: str) -> Reply[None]:
        self._let_go(token)

        def job(tx: Tx, now: int) -> None:
            run = tx.run(run_id)
            if run is not None and runs.holds(run, token):
                stored(tx, runs.interrupt(run, now, why))

        return self._store.write(job)

    def cancel(self, run_id: object, by: str, reason: str | None, token: str | None = None) -> Reply[RunRow]:
        def change(tx: Tx, run: RunRecord, now: int) -> RunAnswer:
            if token is not None and not runs.holds(run, token):
                return RunAnswer(run=run)
            answer = runs.cancel(run, by, reason, now)
            if answer.moved:
                withdraw_steps(tx, run.id, by, "its run was cancelled", now)
            return answer

        return self._change(run_id, change)

    def reopen(self, run_id: object, by: str) -> Reply[RunRow]:
        def change(tx: Tx, run: RunRecord, now: int) -> RunAnswer:
            failed = None if run.error_request is None else tx.state(run.error_request)
            loose = () if failed is None else _steps_after(tx, run, failed)
            if run.status == "failed" and failed is not None and attempts.has_starts_left(failed):
                stored(tx, attempts.start_again(failed, by, now))
                return runs.reopen(run, by, now, again=_withdrawn_steps(tx, run), loose=loose)
            return runs.reopen(run, by, now, again=_spent_steps(tx, run, failed), loose=loose)

        return self._change(run_id, change)

    def delete(self, run_id: object, by: str) -> Reply[None]:
        def job(tx: Tx, now: int) -> Refused | None:
            run = _known(tx, run_id)
            if isinstance(run, Refused):
                return run
            if (doubtful := next((step for step in tx.steps(run.id) if step.status in _MAY_REPORT), None)) is not None:
                why = f"its step {doubtful.name!r} is {doubtful.status}: settle it first"
                return Refused(NotAllowed(f"run {run.id} cannot be deleted, {why}"))
            answer = stored(tx, runs.delete(run, by, now))
            return None if answer.refusal is None else Refused(answer.refusal)

        return self._store.write(job)

    def get(self, run_id: object) -> Reply[RunRow]:
        return self._about(run_id, lambda tx, run: run_model(run))

    def list(self, query: RunsQuery) -> Reply[Sequence[RunRow]]:
        return self._store.read(lambda tx, now: [run_model(run, place) for place, run in tx.runs(query)])

    def steps(self, run_id: object) -> Reply[Sequence[StepRow]]:
        return self._about(run_id, lambda tx, run: [step_model(step) for step in tx.steps(run.id)])

    def history(self, run_id: object) -> Reply[Sequence[Event]]:
        return self._about(run_id, lambda tx, run: [event_model(event) for event in tx.run_history(run.id)])

    def ready(self, workflows: Collection[str], limit: int) -> Reply[Sequence[RunRow]]:
        def job(tx: Tx, now: int) -> Sequence[RunRow]:
            if tx.stop() is not None:
                return []
            found = (tx.run(run_id) for run_id in tx.ready_runs(workflows, limit))
            return [run_model(run) for run in found if run is not None]

        return self._store.read(job)

    def mark_strange(self, workflows: Collection[str], reason: str) -> Reply[int]:
        def job(tx: Tx, now: int) -> int:
            marked = 0
            for run_id in tx.strange_runs(workflows, _BATCH):
                run = tx.run(run_id)
                if run is not None:
                    why = f"{reason} has no workflow {run.workflow!r}: resume the run in a program that has it"
                    marked += stored(tx, runs.without_code(run, now, why)).moved
            return marked

        return self._store.write(job)

    def wait(self, run_id: str, while_in: frozenset[RunState], seconds: float | None) -> Reply[bool]:
        reply = self._waiting.wait_run(run_id, while_in, seconds)
        self._store.stir()
        return reply

    def close(self) -> None:
        """Leave the runs that this gate executes to others: it cannot say any more how they go on."""
        for token, run_id in list(self._executing.items()):
            self.break_off(run_id, token, CLOSED)

    def _let_go(self, token: str) -> None:
        owner.living.discard(token)
        self._executing.pop(token, None)

    def _change(self, run_id: object, change: Callable[[Tx, RunRecord, int], RunAnswer]) -> Reply[RunRow]:
        def job(tx: Tx, now: int) -> RunRow | Refused:
            run = _known(tx, run_id)
            if isinstance(run, Refused):
                return run
            answer = stored(tx, change(tx, run, now))
            return run_model(answer.run) if answer.refusal is None else Refused(answer.refusal)

        return self._store.write(job)

    def _about(self, run_id: object, look: Callable[[Tx, RunRecord], T]) -> Reply[T]:
        def job(tx: Tx, now: int) -> T | Refused:
            run = _known(tx, run_id)
            return run if isinstance(run, Refused) else look(tx, run)

        return self._store.read(job)


def withdraw_steps(tx: Tx, run_id: str, by: str, reason: str, now: int) -> None:
    """Cancel what a run has asked and not started."""
    for step in tx.steps(run_id):
        state = tx.state(step.request_id) if step.status in _OPEN else None
        if state is not None:
            command = Decide(verb="cancel", by=by, token=None, reason=reason)
            stored(tx, decide(state, command, now))


def _spent_steps(tx: Tx, run: RunRecord, failed: State | None) -> Sequence[str]:
    """The step that made the run fail, where it cannot go on by itself, and what the run withdrew because of it."""
    if failed is None or failed.request.status not in _SPENT:
        return ()
    return tuple(dict.fromkeys((runs.name_of(failed.request.call_id), *_withdrawn_steps(tx, run))))


def _steps_after(tx: Tx, run: RunRecord, failed: State) -> Sequence[str]:
    """The steps that the run made once this one had failed."""
    names = [step.name for step in tx.steps(run.id)]
    return names[names.index(failed.request.call_id) + 1 :]


def _withdrawn_steps(tx: Tx, run: RunRecord) -> Sequence[str]:
    cancelled = [tx.state(step.request_id) for step in tx.steps(run.id) if step.status == "cancelled"]
    return [runs.name_of(state.request.call_id) for state in cancelled if state is not None and _withdrew_itself(state)]


def _withdrew_itself(state: State) -> bool:
    return state.decision is not None and state.decision.by == state.request.requester


def _is_gone(run: RunRecord, *, asked: bool) -> bool:
    gone = run.owner is None or owner.has_given_up(run.owner, run.token)
    return gone is True or (asked and gone is None)


def _known(tx: Tx, run_id: object) -> RunRecord | Refused:
    run = tx.run(run_id) if could_be_id(run_id) else None
    return Refused(RunNotFound(run_id)) if run is None else run
