"""The seat of a person who decides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal, Protocol

from gatekit.arguments.canonical import canonical
from gatekit.arguments.edits import apply_edit
from gatekit.backend.base import Backend
from gatekit.backend.rules import NewGrant
from gatekit.backend.tx import PageQuery
from gatekit.calling import check_name
from gatekit.clock import Clock, seconds_of, span
from gatekit.driving import AsyncSeat, Intent, SyncSeat, verb
from gatekit.errors import InvalidEdit, RequestNotFound, UsageError
from gatekit.ids import new_id
from gatekit.machine.commands import Claim, Decide, Delegate, Edit, Escalate, Finish, Resolve
from gatekit.machine.grants import scope_of
from gatekit.models import REVIEW_VERBS, Decision, Grant, Request, ReviewVerb, Stop, Verb

_LONGEST_TEXT: Final = 20_000
_LONGEST_HOLD: Final = 3600
_LONGEST_GRANT: Final = 366 * 86_400 * 1_000_000
"""Microseconds."""
_UNCHANGED: Final = object()
Within = Literal["run", "agent", "all"]


class HasQueue(Protocol):
    """What a seat needs of its gate."""

    @property
    def backend(self) -> Backend: ...

    @property
    def clock(self) -> Clock: ...


class _Verbs:
    """The verbs, written once. Each takes the `Request` that was read, which stands for its token, or an id.

    All of them raise `RequestNotFound`, `NotAllowed`, `AlreadyDecided` (which names the decision that won) and
    `StaleToken` (what is asked has changed since it was read). The same command again changes nothing and gives
    the recorded decision.
    """

    def __init__(self, gate: HasQueue, name: str, *, hold: float = 0) -> None:
        check_reviewer(name)
        if isinstance(hold, bool) or not isinstance(hold, (int, float)) or not 0 <= hold <= _LONGEST_HOLD:
            raise UsageError(f"hold={hold!r}: it takes seconds from 0 to {_LONGEST_HOLD}")
        self.gate = gate
        self.name: Final = name
        self.hold: Final = float(hold)

    @verb
    def pending(self, *, limit: int = 50) -> Intent[list[Request]]:
        """The requests that wait for a decision, with their arguments, those that are due first first."""
        if type(limit) is not int or not 1 <= limit <= 1000:
            raise UsageError(f"limit={limit!r}: it takes a whole number from 1 to 1000")
        page = yield from self.gate.backend.page(PageQuery(statuses=("pending",), limit=limit))
        found: list[Request] = []
        for row in page:
            request = yield from self.gate.backend.get(row.id)
            if request.status == "pending":
                found.append(request)
        return found

    @verb
    def approve(self, request: Request | str, *, token: str | None = None, note: str | None = None) -> Intent[Decision]:
        """Let the call run with exactly the arguments that were read.

        Args:
            request: what was read, or its id together with `token`.
            token: `request.token`, where an id is given.
            note: a remark for the record.
        """
        return (yield from _decide(self, "approve", request, _required(request, token), note=note))

    @verb
    def edit(
        self,
        request: Request | str,
        changes: Mapping[str, Any],
        *,
        replace: bool = False,
        token: str | None = None,
        note: str | None = None,
    ) -> Intent[Decision]:
        """Change the arguments, then let the call run with them.

        Args:
            request: what was read, or its id together with `token`.
            changes: JSON values by parameter name; what is not named stays.
            replace: True: `changes` are all the arguments.
            token: `request.token`, where an id is given.
            note: a remark for the record.

        Raises:
            InvalidEdit: the edited arguments do not fit the tool; the request stays pending.
        """
        return (yield from _edit(self, "edit", request, _required(request, token), changes, replace=replace, note=note))

    @verb
    def reject(
        self, request: Request | str, *, reason: str, token: str | None = None, note: str | None = None
    ) -> Intent[Decision]:
        """Refuse the call. The program gets `Rejected` with the reason; the tool does not run."""
        return (yield from _decide(self, "reject", request, token, note=note, reason=_said("reason", reason)))

    @verb
    def respond(
        self, request: Request | str, text: str, *, token: str | None = None, note: str | None = None
    ) -> Intent[Decision]:
        """Answer instead of letting the call run: the program gets `Responded`, the model the text."""
        return (yield from _decide(self, "respond", request, token, note=note, text=_said("text", text)))

    @verb
    def release(
        self,
        request: Request | str,
        *,
        payload: object = _UNCHANGED,
        token: str | None = None,
        note: str | None = None,
    ) -> Intent[Decision]:
        """Let a paused run go on, with the payload as it was read, or with this one entirely in its place.

        Args:
            request: the pause that was read, or its id together with `token`.
            payload: a JSON value; not given: what was shown goes on unchanged.
            token: `request.token`, where an id is given.
            note: a remark for the record.

        Raises:
            InvalidEdit: the payload is not JSON; the run goes on waiting.
        """
        seen = _required(request, token)
        if payload is _UNCHANGED:
            return (yield from _decide(self, "release", request, seen, note=note))
        changes = {"payload": payload}
        return (yield from _edit(self, "release", request, seen, changes, replace=True, note=note))

    @verb
    def answer(
        self, request: Request | str, value: object, *, token: str | None = None, note: str | None = None
    ) -> Intent[Decision]:
        """Answer a question.

        Args:
            request: the question that was read, or its id together with `token`.
            value: the answer as a JSON value: True or False, a text, one of the choices, a list of them, or the
                fields of the form.
            token: `request.token`, where an id is given.
            note: a remark for the record.

        Raises:
            InvalidEdit: the answer does not fit the question, which stays open.
        """
        seen = _required(request, token)
        return (yield from _edit(self, "answer", request, seen, {"answer": value}, replace=False, note=note))

    @verb
    def allow(
        self,
        request: Request,
        *,
        for_: float | timedelta | None = None,
        uses: int | None = None,
        scope: Mapping[str, object] | None = None,
        within: Within = "agent",
        note: str | None = None,
    ) -> Intent[Grant]:
        """Approve this call, and calls like it for a while.

        Each use is a decision in the history that names the permission. Calls of critical risk always need a human,
        and so do those whose policy asks more than one person.

        Args:
            request: what was read.
            for_: seconds, or a timedelta, after which the permission ends.
            uses: how many further calls it covers. At least one of the two is needed.
            scope: by argument what it may be: a value, a pattern (`"/srv/*"`; `*` stays within one part of a path,
                `**` does not), a bound (`{"at_most": 100}`, `{"at_least": 1}`), or `{"any": True}`. Every argument
                that is not named must be exactly as in this request.
            within: `"run"`: only calls of this run; `"agent"`: only of this agent; `"all"`: of anybody.
            note: a remark for the record.

        Raises:
            UsageError: the permission would never end, or the scope does not fit the call.
        """
        return (yield from _allow(self, request, for_=for_, uses=uses, scope=scope, within=within, note=note))

    @verb
    def revoke(self, grant: Grant | str) -> Intent[Grant]:
        """Take a standing permission back, also another's: from now on it covers no call, in any process.

        Raises:
            NotAllowed: there is none of this id.
        """
        grant_id = grant.id if isinstance(grant, Grant) else grant
        return (yield from self.gate.backend.rules.revoke(grant_id, f"human:{self.name}"))

    @verb
    def may(self, request: Request | str, verb: ReviewVerb | None = None) -> Intent[str | None]:
        """Why this person may not do that to the request now; None: they may. It decides nothing.

        It says what the verb itself would be refused with, and also where somebody has decided already or this person
        has said it. What the person writes, and to whom they delegate, is not looked at.

        Args:
            request: what was read, or its id.
            verb: `"approve"`, `"edit"`, `"reject"`, `"respond"`, `"release"`, `"answer"`, `"claim"`, `"delegate"`,
                `"escalate"`, `"cancel"`, `"undo"`, `"retry"`, `"settle"` or `"declare_lost"`; not given: a yes,
                whatever it is called for this kind of request.

        Raises:
            RequestNotFound: the queue holds no request of this id.
        """
        if verb is not None and verb not in REVIEW_VERBS:
            raise UsageError(f"verb={verb!r}: it is one of {', '.join(REVIEW_VERBS)}")
        request_id = request.id if isinstance(request, Request) else request
        return (yield from self.gate.backend.may(request_id, verb, f"human:{self.name}"))

    @verb
    def stop(self, reason: str) -> Intent[Stop]:
        """Let no call that reaches the queue start any more, in any process, in this person's name; see `Gate.stop`."""
        return (yield from self.gate.backend.rules.stop(_said("reason", reason), f"human:{self.name}"))

    @verb
    def lift(self) -> Intent[bool]:
        """Let calls start again after a stop; False where nothing was stopped."""
        return (yield from self.gate.backend.rules.lift(f"human:{self.name}"))

    @verb
    def claim(self, request: Request | str) -> Intent[Request]:
        """Take the request to look at it: others see that, and a policy may keep them out. It lapses after 15 min."""
        request_id = request.id if isinstance(request, Request) else request
        return (yield from self.gate.backend.claim(request_id, Claim(by=f"human:{self.name}")))

    @verb
    def delegate(self, request: Request | str, *, to: str, reason: str) -> Intent[Request]:
        """Hand one's part of the request to another person, who then decides in one's place."""
        check_reviewer(to)
        request_id = request.id if isinstance(request, Request) else request
        command = Delegate(by=f"human:{self.name}", to=to, reason=_kept("reason", reason))
        return (yield from self.gate.backend.delegate(request_id, command))

    @verb
    def escalate(self, request: Request | str, *, reason: str) -> Intent[Request]:
        """Let those decide too, from now on, whom the policy's `escalate_after` names next: without waiting for it.

        Whoever is asked now may do this, also while somebody else has claimed it; `request.escalates_to` says who comes
        next. The request gets a new version, and its time to decide stays as it is. Whoever the policy names after
        them is asked in their own time.

        Args:
            request: what was read, or its id. Of several people who read the same, and the clock, only the first
                climbs: the others get `StaleToken`. An id means whatever comes next by now.
            reason: why, kept with the request.

        Raises:
            NotAllowed: the policy names nobody, or all whom it names were asked.
        """
        request_id, token = (request.id, request.token) if isinstance(request, Request) else (request, None)
        command = Escalate(by=f"human:{self.name}", reason=_kept("reason", reason), token=token)
        return (yield from self.gate.backend.escalate(request_id, command))

    @verb
    def retry(self, request: Request | str, *, attempt: int | None = None, note: str | None = None) -> Intent[Decision]:
        """Let a call start anew whose last attempt failed, or ended in a way that is not known.

        That attempt may have acted, and a process that is only paused may still act: look before you do this. It
        needs a call that can be made again, one with an id of its own.

        Args:
            request: what was read, or its id together with `attempt`.
            attempt: `request.attempt.no`, where an id is given.
            note: a remark for the record.
        """
        return (yield from _resolve(self, "retry", request, attempt, note))

    @verb
    def settle(
        self,
        request: Request | str,
        *,
        result: object = _UNCHANGED,
        error: str | None = None,
        attempt: int | None = None,
        note: str | None = None,
    ) -> Intent[Decision]:
        """Say how an attempt ended whose end is not known: with this result, or with this error.

        The program gets the result as if the tool had returned it. What the attempt itself reports later is kept
        and changes nothing.

        Args:
            request: what was read, or its id together with `attempt`.
            result: what the tool returned, as a JSON value.
            error: what went wrong; the call then counts as failed.
            attempt: `request.attempt.no`, where an id is given.
            note: a remark for the record.

        Raises:
            UsageError: neither `result` nor `error`, both, or a result that is not JSON.
        """
        if (result is _UNCHANGED) == (error is None):
            raise UsageError("settle takes result=… for a call that did its work, or error=… for one that failed")
        if error is None:
            outcome = Finish(token="", kind="returned", result=canonical(result))
        else:
            outcome = Finish(token="", kind="raised", type_name="Settled", message=_kept("error", error))
        return (yield from _resolve(self, "settle", request, attempt, note, outcome))

    @verb
    def declare_lost(
        self, request: Request | str, *, attempt: int | None = None, note: str | None = None
    ) -> Intent[Decision]:
        """Give up an attempt that hangs in a process which still lives: its outcome is unknown from now on.

        The process is not stopped and may still act.

        Args:
            request: what was read, or its id together with `attempt`.
            attempt: `request.attempt.no`, where an id is given.
            note: a remark for the record.
        """
        return (yield from _resolve(self, "declare_lost", request, attempt, note))

    @verb
    def cancel(
        self, request: Request | str, *, reason: str | None = None, token: str | None = None
    ) -> Intent[Decision]:
        """Withdraw a call that has not started, decided or not."""
        return (yield from _decide(self, "cancel", request, token, reason=reason))

    @verb
    def undo(self, request: Request | str, *, token: str | None = None, note: str | None = None) -> Intent[Decision]:
        """Take one's own decision back while it is held: the request is asked again.

        Raises:
            AlreadyDecided: too late, it counts.
            NotAllowed: there is nothing to undo, or it is another's.
        """
        return (yield from _decide(self, "undo", request, _required(request, token), note=note))


def _allow(
    seat: _Verbs,
    request: Request,
    *,
    for_: float | timedelta | None,
    uses: int | None,
    scope: Mapping[str, object] | None,
    within: Within,
    note: str | None,
) -> Intent[Grant]:
    if not isinstance(request, Request):
        raise UsageError("allow takes the request that was read: it permits calls like this one")
    _check_text("note", note)
    if for_ is None and uses is None:
        raise UsageError("say for how long, for_=timedelta(hours=1), or for how many calls, uses=10")
    if uses is not None and (type(uses) is not int or uses < 1):
        raise UsageError(f"uses={uses!r}: it takes a whole number from 1")
    seconds = seconds_of("for_", for_)
    lasts = None if seconds is None else span(seconds)
    if lasts is not None and not 0 < lasts <= _LONGEST_GRANT:
        raise UsageError(f"for_={for_!r}: it takes seconds, or a timedelta, above 0 and at most a year")
    if within not in ("run", "agent", "all"):
        raise UsageError(f'within={within!r}: it is "run", "agent" or "all"')
    if within == "run" and request.run is None:
        raise UsageError('within="run": this call belongs to no run')
    if scope is not None and not isinstance(scope, Mapping):
        raise UsageError(f"scope={scope!r}: it says by argument what this may be")
    try:
        meant = scope_of(scope or {}, request.args)
        text = json.dumps(meant, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"scope: {error}") from None
    grant = NewGrant(
        id=new_id(seat.gate.clock.now()),
        scope=text,
        run=request.run if within == "run" else None,
        requester=request.requester if within in ("run", "agent") else None,
        lasts=lasts,
        uses=uses,
        note=note,
    )
    command = Decide(verb="approve", by=f"human:{seat.name}", token=request.token, note=note)
    return (yield from seat.gate.backend.allow(request.id, command, grant))


def _edit(
    seat: _Verbs,
    verb: Verb,
    request: Request | str,
    seen: str,
    changes: Mapping[str, Any],
    *,
    replace: bool,
    note: str | None,
) -> Intent[Decision]:
    """Merge and validate before the decision is sent, so that its transaction only compares and inserts."""
    read = request if isinstance(request, Request) else (yield from seat.gate.backend.get(request))
    schema = yield from seat.gate.backend.schema(read.id)
    try:
        edited = apply_edit(tool=read.tool, text=read.args_text, schema_text=schema, changes=changes, replace=replace)
    except InvalidEdit as error:
        return (yield from _decide(seat, verb, request, seen, note=note, invalid=error.errors))
    edit = Edit(text=edited.text, digest=edited.digest)
    return (yield from _decide(seat, verb, request, seen, note=note, edit=edit))


def _resolve(
    seat: _Verbs,
    verb: Literal["retry", "settle", "declare_lost"],
    request: Request | str,
    attempt: int | None,
    note: str | None,
    outcome: Finish | None = None,
) -> Intent[Decision]:
    _check_text("note", note)
    if isinstance(request, Request):
        request_id, attempt = request.id, 0 if request.attempt is None else request.attempt.no
    elif not isinstance(request, str):
        raise RequestNotFound(request)
    elif type(attempt) is not int:
        raise UsageError("say which attempt you mean: hand over the request that you read, or its id with attempt=")
    else:
        request_id = request
    command = Resolve(verb=verb, by=f"human:{seat.name}", attempt=attempt, note=note, outcome=outcome)
    return (yield from seat.gate.backend.resolve(request_id, command))


def _decide(
    seat: _Verbs,
    verb: Verb,
    request: Request | str,
    token: str | None,
    *,
    note: str | None = None,
    reason: str | None = None,
    text: str | None = None,
    edit: Edit | None = None,
    invalid: tuple[str, ...] = (),
) -> Intent[Decision]:
    if isinstance(request, Request):
        request_id, token = request.id, request.token
    elif isinstance(request, str):
        request_id = request
    else:
        raise RequestNotFound(request)
    for name, value in (("note", note), ("reason", reason), ("text", text)):
        _check_text(name, value)
    command = Decide(
        verb=verb,
        by=f"human:{seat.name}",
        token=token,
        hold=span(seat.hold),
        note=note,
        reason=reason,
        text=text,
        edit=edit,
        invalid=invalid,
    )
    return (yield from seat.gate.backend.decide(request_id, command))


def _required(request: object, token: str | None) -> str:
    if isinstance(request, Request):
        return request.token
    if not isinstance(request, str):
        raise RequestNotFound(request)
    if type(token) is not str or not token:
        raise UsageError("say what you saw: hand over the request that you read, or its id with token=request.token")
    return token


def check_reviewer(name: object) -> None:
    """Refuse what cannot be a reviewer's name."""
    check_name("a reviewer's name", name)
    if not isinstance(name, str) or ":" in name or not name.strip():
        raise UsageError(f"{name!r} is no reviewer's name: it takes 1 character or more, and no colon")


def _said(name: str, value: str) -> str:
    if type(value) is not str or not value.strip():
        raise UsageError(f"{name}= takes some words, not {value!r}")
    return value


def _kept(name: str, value: str) -> str:
    """The same, and such as can be kept. Not asked of a stop, which shall not fail for its words."""
    _check_text(name, _said(name, value))
    return value


def _check_text(name: str, value: str | None) -> None:
    if value is None:
        return
    if type(value) is not str:
        raise UsageError(f"{name}= takes a str, not {type(value).__name__}")
    if len(value) > _LONGEST_TEXT:
        raise UsageError(f"{name}= takes at most {_LONGEST_TEXT} characters, not {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{name}= holds a lone surrogate at character {error.start}: no text can") from error


class Reviewer(_Verbs, SyncSeat):
    """A person who decides; get one from `gate.reviewer("alice")`. The verbs block for one transaction."""


class AsyncReviewer(_Verbs, AsyncSeat):
    """A person who decides; get one from `gate.aio.reviewer("alice")`. The verbs are awaited."""
