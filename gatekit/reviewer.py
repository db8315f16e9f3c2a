"""The seat of a person who decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from gatekit.arguments import apply_edit
from gatekit.backend.base import Backend
from gatekit.backend.tx import PageQuery
from gatekit.calling import check_name
from gatekit.clock import span
from gatekit.driving import AsyncSeat, Intent, SyncSeat, verb
from gatekit.errors import InvalidEdit, RequestNotFound, UsageError
from gatekit.machine.commands import Decide, Edit
from gatekit.models import Decision, Request, Verb

_LONGEST_TEXT: Final = 20_000
_LONGEST_HOLD: Final = 3600


class HasQueue(Protocol):
    """What a seat needs of its gate."""

    @property
    def backend(self) -> Backend: ...


class _Verbs:
    """The verbs, written once. Each takes the `Request` that was read, which stands for its token, or an id.

    All of them raise `RequestNotFound`, `NotAllowed`, `AlreadyDecided` (which names the decision that won) and
    `StaleToken` (what is asked has changed since it was read). The same command again changes nothing and gives
    the recorded decision.
    """

    def __init__(self, gate: HasQueue, name: str, *, hold: float = 0) -> None:
        check_name("reviewer(name)", name)
        if not isinstance(name, str) or ":" in name or not name.strip():
            raise UsageError(f"{name!r} is no reviewer's name: it takes 1 character or more, and no colon")
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
        seen = _required(request, token)
        read = request if isinstance(request, Request) else (yield from self.gate.backend.get(request))
        schema = yield from self.gate.backend.schema(read.id)
        try:
            edited = apply_edit(
                tool=read.tool, text=read.args_text, schema_text=schema, changes=changes, replace=replace
            )
        except InvalidEdit as error:
            return (yield from _decide(self, "edit", request, seen, note=note, invalid=error.errors))
        edit = Edit(text=edited.text, digest=edited.digest)
        return (yield from _decide(self, "edit", request, seen, note=note, edit=edit))

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


def _said(name: str, value: str) -> str:
    if type(value) is not str or not value.strip():
        raise UsageError(f"{name}= takes some words, not {value!r}")
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
