"""A durable run, pure: who executes it, what it waits for, how it ends. Its steps are requests of their own.

Safety never rests on who holds a run: a step starts at most once by its own permit. The token of an execution only
keeps one that was taken for dead from queueing and starting more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gatekit.errors import GatekitError, NotAllowed
from gatekit.machine.effects import AppendEvent, DeleteRun, Effect, InsertRun, UpdateRun, event_data
from gatekit.machine.records import EventRecord, RunRecord
from gatekit.models import RUN_OVER, RunStatus

LATER: Final = "~"
"""Stands between a step's name and a number where the step is made anew after it had failed."""
_AGAIN: Final = re.compile(rf"{LATER}\d+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswer:
    """The run as it is now and what to write. `moved` is False where nothing was done; a refusal says why."""

    run: RunRecord
    effects: tuple[Effect, ...] = ()
    refusal: GatekitError | None = None

    @property
    def moved(self) -> bool:
        return bool(self.effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How an execution came to its end."""

    status: RunStatus
    """`succeeded`, `failed`, `cancelled` or `needs-review`."""
    reason: str | None = None
    result: str | None = None
    lost: bool = False
    error_type: str | None = None
    behind: tuple[str, ...] = ()
    """Of one that failed: the requests whose ends made it fail, the nearest first."""


def begin(run: RunRecord) -> RunAnswer:
    """A new run, ready to be taken."""
    return RunAnswer(run=run, effects=(InsertRun(run), _event(run, "run.started", run.requester, run.created_at)))


def take(run: RunRecord, owner: str, token: str, now: int, *, takes_over: bool) -> RunAnswer:
    """A process takes the run up: one that is ready, or, with `takes_over`, one whose process is gone."""
    can = run.ready if run.status in ("waiting", "needs-review") else run.status == "running" and takes_over
    if not can:
        return RunAnswer(run=run)
    taken = replace(
        run,
        status="running",
        owner=owner,
        token=token,
        executions=run.executions + 1,
        ready=False,
        waiting_for=(),
        reason=None,
    )
    kind = "run.taken" if run.executions == 0 else "run.resumed"
    return _moved(run, taken, kind, run.requester, now, execution=taken.executions)


def suspend(
    run: RunRecord, token: str, waiting_for: Sequence[str], now: int, *, ready: bool, unknown: bool
) -> RunAnswer:
    """The execution stops, because these requests are undecided or their outcome is unknown; it holds nothing."""
    if not holds(run, token):
        return RunAnswer(run=run)
    stopped = replace(
        run,
        status="needs-review" if unknown else "waiting",
        reason="how a step ended is not known: settle it or retry it" if unknown else None,
        owner=None,
        token=None,
        ready=ready,
        waiting_for=tuple(waiting_for),
    )
    kind = "run.needs_review" if unknown else "run.waiting"
    return _moved(run, stopped, kind, run.requester, now, waiting_for=list(waiting_for), reason=stopped.reason)


def end(run: RunRecord, token: str, command: RunEnd, now: int, *, error_request: str | None) -> RunAnswer:
    """The execution came to an end; what an execution that no longer holds the run says of it changes nothing.

    `error_request` is the step, among what is behind a failure, that `reopen` tries again.
    """
    if not holds(run, token):
        return RunAnswer(run=run)
    ended = replace(
        run,
        status=command.status,
        reason=command.reason,
        result=command.result,
        result_lost=command.lost,
        error_type=command.error_type,
        error_request=error_request,
        owner=None,
        token=None,
        ready=False,
    )
    kind = f"run.{command.status.replace('-', '_')}"
    return _moved(run, ended, kind, run.requester, now, reason=command.reason, type_name=command.error_type)


def interrupt(run: RunRecord, now: int, why: str) -> RunAnswer:
    """The process that executes it died, or broke off: any other can take it up."""
    if run.status != "running":
        return RunAnswer(run=run)
    broken = replace(run, status="waiting", owner=None, token=None, ready=True)
    return _moved(run, broken, "run.interrupted", run.requester, now, why=why)


def without_code(run: RunRecord, now: int, reason: str) -> RunAnswer:
    """A process that looks for work has no workflow of this name; one that has it can still take it."""
    if run.status != "waiting" or not run.ready:
        return RunAnswer(run=run)
    return _moved(
        run, replace(run, status="needs-review", reason=reason), "run.needs_review", run.requester, now, reason=reason
    )


def reopen(run: RunRecord, by: str, now: int, *, again: Sequence[str], loose: Sequence[str]) -> RunAnswer:
    """A failed run, or one that needs a review, may go on.

    `again` names the steps that are to be made anew, `loose` those that followed the failure, as what makes up for it
    does: they are not done twice, and a run that comes through this time does not make them.
    """
    if run.status not in ("failed", "needs-review"):
        return RunAnswer(run=run)
    opened = replace(
        run,
        status="waiting",
        ready=True,
        reason=None,
        error_type=None,
        error_request=None,
        retried=(*run.retried, *again),
        loose=tuple(dict.fromkeys((*run.loose, *loose))),
    )
    return _moved(run, opened, "run.reopened", by, now, again=list(again) or None)


def cancel(run: RunRecord, by: str, reason: str | None, now: int) -> RunAnswer:
    """The run ends here, wherever it is executed."""
    if run.status == "cancelled":
        return RunAnswer(run=run)
    if run.status in RUN_OVER:
        return RunAnswer(run=run, refusal=NotAllowed(f"run {run.id} has {run.status}: there is nothing to cancel"))
    ended = replace(run, status="cancelled", reason=reason, owner=None, token=None, ready=False, waiting_for=())
    return _moved(run, ended, "run.cancelled", by, now, reason=reason)


def delete(run: RunRecord, by: str, now: int) -> RunAnswer:
    """Forget a run that is over, with all that its steps left."""
    if run.status not in RUN_OVER:
        return RunAnswer(run=run, refusal=NotAllowed(f"run {run.id} is {run.status}: cancel it before you delete it"))
    event = _event(run, "run.deleted", by, now, status=run.status)
    return RunAnswer(run=run, effects=(DeleteRun(run.id), event))


def holds(run: RunRecord, token: str) -> bool:
    """Whether this execution is the one in progress."""
    return run.status == "running" and run.token == token


def generation(name: str, again: int) -> str:
    """The call id of a step that was made anew so many times."""
    return f"{name}{LATER}{again + 1}" if again else name


def name_of(call_id: str) -> str:
    """The step's own name. Tools that the body calls itself may have the sign in theirs, before a `#`."""
    return _AGAIN.sub("", call_id)


def _moved(before: RunRecord, after: RunRecord, kind: str, by: str, now: int, **data: Any) -> RunAnswer:
    run = replace(after, updated_at=now)
    update = UpdateRun(run, before.status, before.executions)
    return RunAnswer(run=run, effects=(update, _event(run, kind, by, now, **data)))


def _event(run: RunRecord, kind: str, by: str, now: int, **data: Any) -> AppendEvent:
    return AppendEvent(
        EventRecord(
            kind=kind,
            request_id="",
            call_id="",
            tool=run.workflow,
            run=run.id,
            by=by,
            at=now,
            version=run.executions,
            digest=run.digest,
            data=event_data(data),
        )
    )
