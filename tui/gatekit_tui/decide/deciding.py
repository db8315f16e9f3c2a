"""From a key to a stored decision: the questions it costs, and what was typed so far.

The forms are imported when they are opened: the first picture does not wait for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gatekit.display import friction
from gatekit.models import Change, Decision, Request
from gatekit_tui.decide.sending import Sender
from gatekit_tui.frame.ask import AskScreen, word_for
from gatekit_tui.request.study import Study

if TYPE_CHECKING:
    from gatekit_tui.decide.unsent import Kept
    from gatekit_tui.edit.answer import Answer
    from gatekit_tui.edit.begun import Begun
    from gatekit_tui.frame.reason import Said
    from gatekit_tui.request.fields import Raw


class Decider:
    """Decides in the reviewer's name on the requests that were drawn, each standing for its token."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._screen = sender.screen
        self._gate = sender.gate
        self._reviewer = sender.reviewer
        # By the request, not by its version: what was typed outlives another's edit, or its undoing.
        self._edits: Kept[Begun[str]] = sender.unsent.kind()
        self._answers: Kept[Begun[dict[str, Raw]]] = sender.unsent.kind()
        self._reasons: Kept[Said] = sender.unsent.kind()
        self._responses: Kept[str] = sender.unsent.kind()

    def costs_a_word(self, seen: Study, *, shown_all: bool) -> bool:
        """Whether a yes to it takes more than a key."""
        return friction(seen.request.risk, hidden=seen.hidden, shown_all=shown_all) != "key"

    def approve(self, seen: Study, *, shown_all: bool) -> None:
        """Approve, or release, after the word that the call's risk costs."""
        request = seen.request
        word = word_for(friction(request.risk, hidden=seen.hidden, shown_all=shown_all), request.tool, request.id)
        if word is None:
            self._sender.decide(request, self._yes(request))
            return
        why: list[str] = []
        if seen.hidden:
            why.append(f"Its texts hold {seen.hidden} hidden character{'' if seen.hidden == 1 else 's'}.")
        if not shown_all:
            why.append("You have not seen all of its arguments: Esc, then o opens them.")
        act = "release" if request.kind == "pause" else "approve"
        ask = AskScreen(f"{act.capitalize()} {request.tool}?  {request.risk} risk", why=why, word=word, act=act)

        def answered(yes: bool | None) -> None:
            if yes:
                self._sender.decide(request, self._yes(request))

        self._screen.app.push_screen(ask, answered)

    def _yes(self, request: Request) -> Awaitable[Decision]:
        return self._reviewer.release(request) if request.kind == "pause" else self._reviewer.approve(request)

    def _change(self, request: Request, args: dict[str, Any]) -> Awaitable[Decision]:
        if request.kind == "pause":
            return self._reviewer.release(request, payload=args["payload"])
        return self._reviewer.edit(request, args, replace=True)

    def reject(self, seen: Study) -> None:
        """Reject, with a reason."""
        from gatekit_tui.frame.reason import ReasonScreen, Said

        request = seen.request
        kept = self._reasons.get(request.id) or Said("")
        screen = ReasonScreen(f"Reject {request.tool}?", kept.text, said=tuple(self._sender.reasons), told=kept.told)

        def given(said: Said) -> None:
            # What was kept from one agent is not brought back for another, which would be told.
            if said.told:
                self._sender.note_reason(said.text)
            self._sender.decide(request, self._reviewer.reject(request, reason=said.reason, note=said.note))

        self._sender.fill_in(
            screen, self._reasons, request.id, lambda: Said(screen.text, screen.told) if screen.text else None, given
        )

    def respond(self, seen: Study) -> None:
        """Answer the agent instead of letting the call run."""
        from gatekit_tui.frame.reason import ReasonScreen

        request = seen.request
        screen = ReasonScreen(
            f"Answer instead of letting {request.tool} run?",
            self._responses.get(request.id) or "",
            placeholder="the agent gets this in place of a result",
            hint="Enter answers, and the call does not run; Esc goes back.",
        )

        def given(said: Said) -> None:
            self._sender.decide(request, self._reviewer.respond(request, said.text))

        self._sender.fill_in(screen, self._responses, request.id, lambda: screen.text or None, given)

    def edit(self, seen: Study, *, shown_all: bool) -> None:
        """Edit the arguments, and approve what they then are."""
        from gatekit_tui.edit.edit import EditScreen

        request = seen.request
        screen = EditScreen(
            seen,
            self._edits.get(request.id),
            self._checker(request),
            shown_all=shown_all,
            schema=lambda: self._gate.aio.schema(request),
        )

        def given(args: dict[str, Any]) -> None:
            self._sender.decide(request, self._change(request, args))

        self._sender.fill_in(screen, self._edits, request.id, lambda: screen.unsent, given)

    def answer(self, seen: Study, *, shown_all: bool) -> None:
        """Answer a question."""
        from gatekit_tui.edit.answer import AnswerScreen

        request = seen.request
        kept = self._answers.get(request.id)
        screen = AnswerScreen(seen, kept, self._answer_checker(request), shown_all=shown_all)

        def given(answer: Answer) -> None:
            self._sender.decide(request, self._reviewer.answer(request, answer.value))

        self._sender.fill_in(screen, self._answers, request.id, lambda: screen.unsent, given)

    def _checker(self, request: Request) -> Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]:
        async def check(args: dict[str, Any]) -> tuple[Change, ...]:
            return await self._gate.aio.check_edit(request, args, replace=True)

        return check

    def _answer_checker(self, request: Request) -> Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]:
        async def check(answer: dict[str, Any]) -> tuple[Change, ...]:
            return await self._gate.aio.check_edit(request, answer)

        return check
