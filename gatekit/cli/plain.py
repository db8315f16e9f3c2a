"""`gatekit review --plain`: one request after the other as text, for screen readers and simple terminals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import click

from gatekit.cli import terminal
from gatekit.cli.answering import show_answer
from gatekit.cli.answers import Wanted, answer_from, wanted_of
from gatekit.cli.confirming import confirm, show_changes, show_request, tell
from gatekit.cli.deciding import APPROVING
from gatekit.cli.drawing import Shown
from gatekit.cli.editing import Written
from gatekit.cli.edits import split
from gatekit.cli.failing import InvalidAnswer
from gatekit.cli.paint import safe
from gatekit.cli.stopped import warn_if_stopped
from gatekit.errors import GatekitError, InvalidEdit, StoreError
from gatekit.gate import Gate
from gatekit.models import Decision, Kind, Request
from gatekit.reviewer import Reviewer

Verb = Callable[[Request, Shown], Decision | None]

_WORDS: Final[dict[Kind, tuple[str, ...]]] = {
    "call": ("approve", "edit", "reject", "respond"),
    "pause": ("release", "reject"),
    "question": ("answer", "reject"),
    "confirm": ("approve", "reject"),
}
_NAMED: Final = 3
"""So many of the requests that came are named."""
_COUNTED_TO: Final = 1000


class PlainReview:
    """A reviewer at a terminal that shows lines. Nothing is decided by Enter, by the end of input, or by one key."""

    def __init__(self, gate: Gate, seat: Reviewer, *, read_only: bool) -> None:
        self._gate = gate
        self._seat = seat
        self._read_only = read_only
        self._cursor = gate.backend.cursor().wait()
        self._written = Written()
        self._verbs: dict[str, Verb] = {
            "approve": self._approve,
            "release": self._release,
            "edit": self._edit,
            "answer": self._answer,
            "reject": self._reject,
            "respond": self._respond,
        }

    def run(self) -> None:
        """Go through what waits until the reviewer leaves."""
        reading = ", to read only" if self._read_only else ""
        click.echo(f"{safe(self._gate.path)}, as {safe(self._seat.name)}{reading}.")
        place: str | None = None
        while True:
            page = self._gate.requests(after=place, limit=1)
            goes_on = self._one(page[0].id) if page else self._end()
            if not goes_on:
                return
            place = page[0].key if page else None

    def _one(self, request_id: str) -> bool:
        """Show one request and do what is said, until it is done with; False: the reviewer leaves."""
        while True:
            request = self._gate.get(request_id)
            if request.status != "pending":
                return True
            click.echo()
            warn_if_stopped(self._gate)
            shown = show_request(self._gate, request)
            words = self._words(request)
            while (word := self._word(words)) not in ("quit", "next"):
                if self._does(self._verbs[word], request, shown):
                    return True
                now = self._gate.get(request_id)
                if (now.status, now.token) != (request.status, request.token):
                    click.echo(f"It has changed meanwhile: it is {now.status}.")
                    break
            else:
                return word == "next"

    def _words(self, request: Request) -> tuple[str, ...]:
        if self._read_only:
            return ()
        why_not = self._seat.may(request)
        if why_not is not None:
            click.echo(f"You cannot decide this: {safe(why_not)}")
            return ()
        words = _WORDS[request.kind]
        # Somebody answered it, and a later stage is asked.
        return ("approve", *words) if request.kind == "question" and request.original is not None else words

    def _word(self, words: tuple[str, ...]) -> str:
        """One of the words, `next` or `quit`; the end of input is `quit`."""
        every = (*words, "next", "quit")
        while True:
            self._announce()
            said = terminal.ask_or_end(f"Type {', '.join(every[:-1])} or quit: ")
            if said is None:
                return "quit"
            unsent = self._written.unsent() if said == "quit" else ""
            if said in every and not unsent:
                return said
            click.echo(unsent or "Nothing was decided.")

    def _end(self) -> bool:
        click.echo()
        is_empty = not self._gate.count("pending", at_most=1)
        click.echo("Nothing is waiting." if is_empty else f"That was the last one. {self._waiting()}.")
        return self._word(()) == "next"

    def _announce(self) -> None:
        """One line about the requests that came since the last."""
        came: list[str] = []
        while events := self._gate.events(self._cursor, limit=1000):
            self._cursor = events[-1].cursor
            came += [safe(event.tool) for event in events if event.kind == "submitted"]
        if came:
            more = f" and {len(came) - _NAMED:,} more" if len(came) > _NAMED else ""
            click.echo(f"New: {', '.join(came[:_NAMED])}{more}. {self._waiting()}.")

    def _waiting(self) -> str:
        count = self._gate.count("pending", at_most=_COUNTED_TO)
        return f"{count:,}{' or more' if count == _COUNTED_TO else ''} wait now"

    def _does(self, verb: Verb, request: Request, shown: Shown) -> bool:
        """Whether a decision was made; why not is said."""
        try:
            decision = verb(request, shown)
        except StoreError:
            raise
        except (GatekitError, click.ClickException) as error:
            click.echo(safe(error.message if isinstance(error, click.ClickException) else str(error)))
            return False
        if decision is None:
            click.echo("Nothing was decided.")
            return False
        self._written.forget(request)
        tell(self._gate, decision)
        return True

    def _approve(self, request: Request, shown: Shown) -> Decision:
        confirm(request, shown, APPROVING[request.kind])
        return self._seat.approve(request)

    def _release(self, request: Request, shown: Shown) -> Decision:
        confirm(request, shown, "release this pause", undone="released")
        return self._seat.release(request)

    def _edit(self, request: Request, shown: Shown) -> Decision | None:
        wanted = self._written.ask(request)
        if wanted is None:
            return None
        changes, is_all = wanted
        found = self._gate.check_edit(request, changes, replace=is_all)
        shown = show_changes(shown, found)
        confirm(request, shown, "approve it with these changes" if found else "approve this call")
        return self._seat.edit(request, changes, replace=is_all)

    def _answer(self, request: Request, shown: Shown) -> Decision | None:
        wanted = wanted_of(self._gate.schema(request))
        typed = terminal.ask("Your answer: ")
        if not typed:
            return None
        value = _value(wanted, typed)
        try:
            self._gate.check_edit(request, {"answer": value})
            show_answer(value)
            confirm(request, shown, "give this answer", undone="answered")
            return self._seat.answer(request, value)
        except InvalidEdit as error:
            raise InvalidAnswer(error) from error

    def _reject(self, request: Request, shown: Shown) -> Decision | None:
        reason = terminal.ask("Why? Whoever asked is told; nothing typed rejects nothing: ")
        return self._seat.reject(request, reason=reason) if reason else None

    def _respond(self, request: Request, shown: Shown) -> Decision | None:
        text = terminal.ask("What the agent gets instead of a result: ")
        return self._seat.respond(request, text) if text else None


def _value(wanted: Wanted, typed: str) -> object:
    return answer_from(wanted, split(typed) if wanted.kind in ("many", "form") else [typed])
