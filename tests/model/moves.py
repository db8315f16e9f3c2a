"""Everything that can happen next, to one request: people, clocks, processes. Each calls the machine itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from gatekit.machine import attempts, clockwork, deciding, entering, running
from gatekit.machine.commands import Answer, Decide, Finish, Lose, Reconcile, Resolve, Start, Started
from gatekit.machine.effects import Draft
from gatekit.machine.records import State, Verdict
from gatekit.models import FINAL, Verb
from tests.machine.case import ALICE, BOB, BOT, FIRST, GATED, OTHER, digest, edit_to
from tests.model import promises
from tests.model.bounds import TEXTS, Bounds
from tests.model.notes import Notes

HUMANS: Final = (ALICE, BOB)
MISFIT: Final = Verdict(gated=True, errors=("$.amount: no",))
Note = Callable[[Notes, promises.Step], Notes]


@dataclass(frozen=True, slots=True)
class Move:
    """One transaction, or what happens beside the queue."""

    label: str
    cause: str
    run: Callable[[State, int], Answer[Any]]
    note: Note
    dead: str = ""
    """The attempt whose process is taken for dead."""


def quiet(notes: Notes, step: promises.Step) -> Notes:
    return notes


def look(state: State, now: int) -> Answer[None]:
    """Any page, look-up or sweep: what is overdue is stored."""
    draft = Draft(state, now)
    clockwork.settle(draft)
    return Answer(state=draft.state, effects=draft.effects())


def again(state: State, text: str, now: int) -> Answer[None]:
    """The same call once more, from a program that may have changed its mind; the wrapper compares with the first."""
    if state.revisions[0].text != text:
        return look(state, now)
    return entering.attach(state, "process-2", "t2", now)


def runs(started: Started) -> str:
    """The digest of what a worker calls the tool with, once it was granted a start: the stored text, nothing else."""
    return digest(started.revision.text)


def report(kind: str, token: str, *, retries: bool = False) -> Finish:
    if kind == "returned":
        return Finish(token=token, kind="returned", result="7")
    return Finish(token=token, kind="raised", type_name="OSError", message="no", again=retries)


def around(state: State, notes: Notes, bounds: Bounds) -> Iterator[Move]:
    """What people, time and strangers can do, whatever the workers do."""
    yield Move("somebody looks", "clock", lambda state, now: look(state, now), quiet)
    yield from _words(state, notes, bounds)
    for row in notes.tokens:
        yield _lose(row.name)
    if state.attempts:
        yield from _resolutions(state, bounds)
    yield from _findings(state, notes, bounds)
    for name in ("none", *(row.name for row in notes.tokens if row.state == "back")):
        yield finish(report("returned", name))
    for text in (FIRST, OTHER):
        yield Move(f"the agent calls again with {text}", "attach", partial(_again, text), quiet)
    if not bounds.call_given:
        yield Move("the wait is interrupted", "decide", partial(_withdraw, "t1"), _withdrawn)
        yield Move("the process stops waiting", "clock", partial(_detach, "t1"), quiet)


def _again(text: str, state: State, now: int) -> Answer[None]:
    return again(state, text, now)


def _withdraw(ticket: str, state: State, now: int) -> Answer[None]:
    return entering.withdraw(state, ticket, now)


def _detach(ticket: str, state: State, now: int) -> Answer[None]:
    return entering.detach(state, ticket, now)


def _withdrawn(notes: Notes, step: promises.Step) -> Notes:
    old = step.before.request
    if old.ticket == "t1" and not old.call_given:
        status = step.after.request.status
        assert status not in ("pending", "held", "approved"), "I4: withdrawn, and nobody can collect it any more"
    return notes


# What people say.


def _words(state: State, notes: Notes, bounds: Bounds) -> Iterator[Move]:
    if not bounds.reviewers:
        return
    current = state.request.token
    screens = notes.shown if bounds.thorough or state.request.status not in FINAL else _said_on(notes, current)
    for who in people(state, bounds):
        for token in screens:
            yield from _of(who, token, bounds, fresh=token == current)
        yield _decide("reject", who, None)
        yield _decide("cancel", who, None)
        yield _decide("approve", who, None)
    yes, edit = _verbs(bounds)
    yield _decide(yes, "human:bot", current)
    yield _decide("undo", "human:bot", current)
    yield _decide("cancel", BOT, None)
    if bounds.revisions > 1:
        yield _decide(edit, "human:bot", current, edit=OTHER)


def _said_on(notes: Notes, current: str) -> tuple[str, ...]:
    return tuple({current: None, **{row.token: None for row in notes.acks}})


def people(state: State, bounds: Bounds) -> tuple[str, ...]:
    """They differ in nothing but their names: the second comes in when the first has spoken."""
    spoken = any(row.by == ALICE for row in state.decisions)
    return HUMANS[: bounds.reviewers] if spoken else HUMANS[:1]


def _of(who: str, token: str, bounds: Bounds, *, fresh: bool) -> Iterator[Move]:
    yes, edit = _verbs(bounds)
    for hold in bounds.hold_for() if fresh else (0,):
        yield _decide(yes, who, token, hold=hold)
        if fresh or bounds.thorough:
            yield _decide("reject", who, token, hold=hold)
        if bounds.revisions > 1:
            for text in TEXTS if fresh else TEXTS[1:]:
                yield _decide(edit, who, token, hold=hold, edit=text)
    if fresh:
        yield _decide("respond", who, token)
        yield _decide("release" if bounds.kind == "call" else "approve", who, token)
    if bounds.hold:
        yield _decide("undo", who, token)


def _verbs(bounds: Bounds) -> tuple[Verb, Verb]:
    return ("approve", "edit") if bounds.kind == "call" else ("release", "release")


def _decide(verb: Verb, by: str, token: str | None, *, hold: int = 0, edit: str | None = None) -> Move:
    command = Decide(verb=verb, by=by, token=token, hold=hold, edit=None if edit is None else edit_to(edit))
    on = "by id" if token is None else token[:6]
    label = f"{by} {verb} {on}{' to ' + edit if edit else ''}{' held' if hold else ''}"
    run = lambda state, now: deciding.decide(state, command, now)  # noqa: E731
    return Move(label, "decide", run, lambda notes, step: promises.decided(notes, command, step))


def _resolutions(state: State, bounds: Bounds) -> Iterator[Move]:
    for who in (*people(state, bounds), "human:bot"):
        for attempt in range(1, len(state.attempts) + 1):
            for verb in bounds.resolves:
                # Anybody may declare it lost: that the one who asks may too adds nothing but states.
                if verb != "declare_lost" or who != "human:bot":
                    for kind in ("returned", "raised") if verb == "settle" else (None,):
                        outcome = None if kind is None else report(kind, "")
                        yield _resolve(Resolve(verb=verb, by=who, attempt=attempt, outcome=outcome))


def _resolve(command: Resolve) -> Move:
    kind = f" as {command.outcome.kind}" if command.outcome else ""
    label = f"{command.by} {command.verb} attempt {command.attempt}{kind}"
    run = lambda state, now: attempts.resolve(state, command, now)  # noqa: E731
    return Move(label, "resolve", run, lambda notes, step: promises.resolved(notes, command, step))


# What processes do.


def _lose(token: str) -> Move:
    return Move(
        f"{token} is given up: its process looks dead",
        "lose",
        lambda state, now: running.lose(state, Lose(token=token, why="its process died"), now),
        lambda notes, step: promises.lost(notes, token, step),
        dead=token,
    )


def _findings(state: State, notes: Notes, bounds: Bounds) -> Iterator[Move]:
    for row in state.attempts:
        token = notes.token(row.token)
        for kind in bounds.findings:
            # What the far side tells is true: a tool that was never called has not ended.
            if kind in ("again", "never") or (token is not None and token.called):
                outcome = report(kind, row.token) if kind in ("returned", "raised") else None
                yield _reconcile(Reconcile(attempt=row.no, kind=kind, outcome=outcome), row.token)


def _reconcile(command: Reconcile, token: str) -> Move:
    return Move(
        f"the agent finds out of attempt {command.attempt}: {command.kind}",
        "reconcile",
        lambda state, now: attempts.reconcile(state, command, now),
        lambda notes, step: promises.reconciled(notes, command, step),
        dead=token if command.kind == "never" else "",
    )


def start(version: int, token: str, verdict: Verdict | None, stale: str | None) -> Move:
    command = Start(version=version, token=token, owner="", verdict=verdict, stale=stale)
    checked = "" if verdict == GATED else f", its check says {'nothing' if verdict is None else 'invalid'}"
    return Move(
        f"a worker starts v{version} as {token}{checked}{', revalidation refuses' if stale else ''}",
        "start",
        lambda state, now: running.start(state, command, now),
        lambda notes, step: promises.started(notes, command, step),
    )


def starts(state: State, notes: Notes, bounds: Bounds) -> Iterator[Move]:
    """What an idle worker can ask for: any version it may have read, under a fresh token or, late, a used one."""
    request, fresh = state.request, f"a{len(notes.tokens) + 1}"
    for version in range(1, request.version):
        yield start(version, fresh, GATED, None)
    yield start(request.version, fresh, GATED, None)
    if request.status in ("approved", "held"):
        if state.check_due and bounds.misfits:
            yield start(request.version, fresh, None, None)
            yield start(request.version, fresh, MISFIT, None)
        if bounds.stale:
            yield start(request.version, fresh, GATED, "the price changed")
        for row in notes.tokens:
            yield start(request.version, row.name, GATED, None)


def give_back(token: str) -> Move:
    return Move(
        f"{token} is given back: the tool was not called",
        "give_back",
        lambda state, now: running.give_back(state, token, now),
        lambda notes, step: promises.gave_back(notes, token, step),
    )


def finish(command: Finish) -> Move:
    return Move(
        f"{command.token} reports that it {command.kind}{' and may be tried again' if command.again else ''}",
        "finish",
        lambda state, now: running.finish(state, command, now),
        lambda notes, step: promises.reported(notes, command.token, command.kind, step),
    )


def lose_itself(token: str) -> Move:
    return replace(_lose(token), label=f"{token} was interrupted in the tool", dead="")
