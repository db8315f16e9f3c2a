"""From permit to outcome: start, give back, finish, lose."""

from __future__ import annotations

from dataclasses import replace

from gatekit.errors import StoreError
from gatekit.machine.clockwork import back_to_review, give_back_start, settle, void_permit
from gatekit.machine.commands import Answer, Finish, Lose, Start, Started
from gatekit.machine.effects import Draft
from gatekit.machine.evidence import flaw_in_rows
from gatekit.machine.plan import plan_of
from gatekit.machine.records import AttemptRecord, State
from gatekit.machine.voting import OPEN, Directory, progress, with_demands
from gatekit.models import Status


def start(state: State, command: Start, now: int, directory: Directory = OPEN) -> Answer[Started]:
    """`approved` to `running`, in one step, right before the call. No value: not now, look at the state."""
    draft = Draft(state, now)
    settle(draft)
    if draft.request.status != "approved" or draft.request.version != command.version:
        return _unchanged(draft)
    flaw = flaw_in_rows(draft.state)
    if flaw is not None:
        # Not even what the clock did: nothing is built on rows that somebody else wrote.
        return Answer(state=state, effects=(), refusal=not_started(flaw))
    used = _used(draft.state, command)
    if used is not None:
        return Answer(state=draft.state, effects=draft.effects(), refusal=not_started(used))
    if not _check(draft, command, directory):
        return _unchanged(draft)
    if command.stale is not None:
        back_to_review(draft, draft.request.requester, command.stale)
        return _unchanged(draft)
    return _started(draft, command)


def not_started(flaw: str) -> StoreError:
    """The refusal of a start that the stored rows do not bear out."""
    return StoreError(f"{flaw}; the tool does not run")


def _unchanged(draft: Draft) -> Answer[Started]:
    return Answer(state=draft.state, effects=draft.effects())


def _check(draft: Draft, command: Start, directory: Directory) -> bool:
    """Store the verdict on edited arguments; False where there is none, or where it sends the request back."""
    if not draft.state.check_due:
        return True
    verdict = command.verdict
    if verdict is None:
        return False
    draft.put_revision(replace(draft.state.revision, verdict=verdict))
    requester = draft.request.requester
    if verdict.errors:
        back_to_review(draft, requester, "the edit does not fit the tool: " + "; ".join(verdict.errors))
        return False
    draft.move(spend=verdict.spend)
    plan = with_demands(draft.state, plan_of(verdict.plan), directory)
    if plan is draft.state.plan:
        return True
    names = ", ".join(stage.name for stage in plan.stages if stage not in draft.state.plan.stages)
    # Kept also where it is met already: should the call come back to review, these arguments ask for it again.
    draft.move(plan=plan.text, stages=len(plan.stages))
    if progress(draft.state).done:
        return True
    # Who said yes to exactly these arguments has done so.
    back_to_review(draft, requester, f"the edited arguments need more: {names}", keeps_votes=True)
    return False


def _used(state: State, command: Start) -> str | None:
    """A token names one attempt for ever: what is sent late for the first must not hit a second."""
    if any(row.token == command.token for row in state.attempts):
        return f"request {state.request.id}: this start was given back and cannot be used again, make a new one"
    return None


def _started(draft: Draft, command: Start) -> Answer[Started]:
    request, permit, decision = draft.request, draft.state.permit, draft.state.decision
    assert permit is not None, "the rows were looked at before"
    assert decision is not None, "the rows were looked at before"
    attempt = AttemptRecord(
        request_id=request.id,
        no=len(draft.state.attempts) + 1,
        token=command.token,
        permit=permit.no,
        owner=command.owner,
        started_at=draft.now,
    )
    draft.put_permit(replace(permit, starts=permit.starts + 1))
    draft.put_attempt(attempt)
    draft.move(status="running", attempt=attempt.no)
    draft.event("started", request.requester, attempt=attempt.no, permit=permit.no)
    started = Started(attempt=attempt.no, token=command.token, revision=draft.state.revision, decision=decision)
    return Answer(state=draft.state, effects=draft.effects(), value=started)


def give_back(state: State, token: str, now: int) -> Answer[None]:
    """A start that landed although the tool was never called: the permit has it back."""
    draft = Draft(state, now)
    attempt, permit = draft.state.attempt, draft.state.permit
    if attempt is not None and permit is not None and attempt.token == token and draft.request.status == "running":
        give_back_start(draft, attempt, permit)
    settle(draft)
    return Answer(state=draft.state, effects=draft.effects())


def finish(state: State, command: Finish, now: int) -> Answer[None]:
    """An attempt's own report. A final state stays: what comes later is noted and changes nothing."""
    draft = Draft(state, now)
    settle(draft)
    attempt = next((row for row in draft.state.attempts if row.token == command.token), None)
    # The same report again, after its answer was lost, is no news; nor is one of an attempt that never was.
    if attempt is not None and attempt.state != command.kind:
        _report(draft, attempt, command)
    return Answer(state=draft.state, effects=draft.effects())


def _report(draft: Draft, attempt: AttemptRecord, command: Finish) -> None:
    status, requester = draft.request.status, draft.request.requester
    last = draft.request.attempt == attempt.no
    open_ended = attempt.state in ("running", "lost")
    if open_ended:
        draft.put_attempt(replace(attempt, state=command.kind, finished_at=draft.now))
    if last and open_ended and status in ("running", "unknown"):
        ended(draft, command)
    elif last and open_ended and status in ("pending", "held", "approved"):
        _reported_while_asked_again(draft, attempt, command)
    else:
        draft.event("late_report", requester, attempt=attempt.no, kind=command.kind)


def _reported_while_asked_again(draft: Draft, attempt: AttemptRecord, command: Finish) -> None:
    if command.kind == "returned":
        void_permit(draft)
        # What ran is what its own permit named, not what was said or asked since.
        own = draft.state.permit_of(attempt)
        draft.move(decision=own.decision, revision=own.revision, digest=own.digest)
        ended(draft, command)
    else:
        record_outcome(draft, command)
        draft.event("reported", draft.request.requester, attempt=attempt.no, type_name=command.type_name)


def record_outcome(draft: Draft, command: Finish) -> None:
    """Keep how the tool ended, whatever state follows from it."""
    draft.move(
        outcome=command.kind,
        result=command.result,
        result_lost=command.lost,
        error_type=command.type_name,
        error_message=command.message,
    )


def ended(draft: Draft, command: Finish) -> None:
    """The last attempt's end. One that raised can be followed by another start, where somebody is there to make it."""
    permit, request = draft.state.permit, draft.request
    record_outcome(draft, command)
    left = permit is not None and permit.left > 0
    if command.kind == "raised" and left and request.status == "running" and command.again:
        draft.move(status="approved")
    else:
        status: Status = "succeeded" if command.kind == "returned" else "failed"
        if left and not command.kept:
            void_permit(draft)
        draft.move(status=status, waiter=None, start_by=None, effective_at=None)
    draft.event(
        "succeeded" if command.kind == "returned" else "failed",
        draft.request.requester,
        attempt=draft.request.attempt,
        type_name=command.type_name,
        again=True if draft.request.status == "approved" else None,
    )


def lose(state: State, command: Lose, now: int) -> Answer[None]:
    """The running attempt will not report: its end is unknown, and nothing runs again by itself."""
    draft = Draft(state, now)
    settle(draft)
    attempt = draft.state.attempt
    if attempt is not None and attempt.token == command.token and draft.request.status == "running":
        draft.put_attempt(replace(attempt, state="lost", finished_at=now))
        draft.move(status="unknown", waiter=None)
        draft.event("unknown", draft.request.requester, attempt=attempt.no, why=command.why)
    return Answer(state=draft.state, effects=draft.effects())
