"""From a key to a stored decision: the questions it costs, and what was typed so far.

The forms are imported when they are opened: the first picture does not wait for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from gatekit.display import friction
from gatekit.models import Change, Decision, Request
from gatekit_tui.decide.sending import Sender
from gatekit_tui.frame.ask import AskScreen, ReasonScreen, word_for
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.study import Study

if TYPE_CHECKING:
    from gatekit_tui.decide.settle import Settlement
    from gatekit_tui.edit.answer import Answer
    from gatekit_tui.request.fields import Raw


class Decider:
    """Decides in the reviewer's name on the requests that were drawn, each standing for its token."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._screen = sender.screen
        self._gate = sender.gate
        self._reviewer = sender.reviewer
        self._drafts: dict[tuple[str, str], str] = {}
        self._answers: dict[tuple[str, str], dict[str, Raw]] = {}
        self._reasons: dict[str, str] = {}
        self._responses: dict[str, str] = {}
        self._settlements: dict[str, tuple[str, str]] = {}

    @property
    def drafts(self) -> list[object]:
        """The edits and answers that were begun and neither sent nor undone."""
        return [*self._drafts.items(), *self._answers.items()]

    def costs_a_word(self, seen: Study, *, shown_all: bool) -> bool:
        """Whether a yes to it takes more than a key."""
        return friction(seen.request.risk, hidden=seen.hidden, shown_all=shown_all) != "key"

    def approve(self, seen: Study, *, shown_all: bool) -> None:
        """Approve, or release, after the word that the call's risk costs."""
        request = seen.request
        word = word_for(friction(request.risk, hidden=seen.hidden, shown_all=shown_all), request.tool, request.id)
        if word is None:
            self._send(request, self._yes(request))
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
                self._send(request, self._yes(request))

        self._screen.app.push_screen(ask, answered)

    def _yes(self, request: Request) -> Awaitable[Decision]:
        return self._reviewer.release(request) if request.kind == "pause" else self._reviewer.approve(request)

    def _change(self, request: Request, args: dict[str, Any]) -> Awaitable[Decision]:
        if request.kind == "pause":
            return self._reviewer.release(request, payload=args["payload"])
        return self._reviewer.edit(request, args, replace=True)

    def retry(self, seen: Study) -> None:
        """Let it run once more, after a word: what the last attempt did is not known."""
        request = seen.request
        why = ["Its last attempt may have done its work, and a process that only sleeps may still do it."]
        self._ask_about(seen, f"Run {request.tool} again?", why, "run it again", lambda: self._reviewer.retry(request))

    def declare_lost(self, seen: Study) -> None:
        """Give up an attempt that hangs."""
        request = seen.request
        why = ["Its process is not stopped and may still act. The call goes to the list of those to settle."]
        self._ask_about(
            seen, f"Give {request.tool} up for lost?", why, "give it up", lambda: self._reviewer.declare_lost(request)
        )

    def settle(self, seen: Study) -> None:
        """Say how it ended."""
        from gatekit_tui.decide.settle import SettleScreen

        request = seen.request
        screen = SettleScreen(request.tool, self._settlements.get(request.id, ("", "")))

        def answered(said: Settlement | None) -> None:
            self._settlements[request.id] = screen.fields
            if said is None:
                return
            title = f"Settle {request.tool} for good?"
            self._ask_about(seen, title, (), "store this", lambda: self._settled(request, said), said.lines())

        self._screen.app.push_screen(screen, answered)

    def _settled(self, request: Request, said: Settlement) -> Awaitable[Decision]:
        if said.error is not None:
            return self._reviewer.settle(request, error=said.error)
        return self._reviewer.settle(request, result=said.result)

    def _ask_about(
        self,
        seen: Study,
        title: str,
        why: Sequence[str],
        act: str,
        decide: Callable[[], Awaitable[Decision]],
        lines: Sequence[Inked] = (),
    ) -> None:
        request = seen.request
        cost = friction(request.risk, hidden=seen.hidden, shown_all=True)
        word = word_for(cost, request.tool, request.id) or "yes"

        def answered(yes: bool | None) -> None:
            if yes:
                self._send(request, decide())

        self._screen.app.push_screen(AskScreen(title, why=why, lines=lines, word=word, act=act), answered)

    def reject(self, seen: Study) -> None:
        """Reject, with a reason."""
        request = seen.request
        screen = ReasonScreen(
            f"Reject {request.tool}?", self._reasons.get(request.id, ""), said=tuple(self._sender.reasons)
        )

        def answered(reason: str | None) -> None:
            self._reasons[request.id] = screen.text
            if reason:
                self._sender.note_reason(reason)
                self._send(request, self._reviewer.reject(request, reason=reason))

        self._screen.app.push_screen(screen, answered)

    def respond(self, seen: Study) -> None:
        """Answer the agent instead of letting the call run."""
        request = seen.request
        screen = ReasonScreen(
            f"Answer instead of letting {request.tool} run?",
            self._responses.get(request.id, ""),
            placeholder="the agent gets this in place of a result",
            hint="Enter answers, and the call does not run; Esc goes back.",
        )

        def answered(text: str | None) -> None:
            self._responses[request.id] = screen.text
            if text:
                self._send(request, self._reviewer.respond(request, text))

        self._screen.app.push_screen(screen, answered)

    def edit(self, seen: Study, *, shown_all: bool) -> None:
        """Edit the arguments, and approve what they then are."""
        from gatekit_tui.edit.edit import EditScreen

        request = seen.request
        key = (request.id, request.token)
        screen = EditScreen(
            seen,
            self._drafts.get(key),
            self._checker(request),
            shown_all=shown_all,
            schema=lambda: self._gate.aio.schema(request),
        )

        def answered(args: dict[str, Any] | None) -> None:
            self._drafts.pop(key, None)
            if screen.draft is not None:
                self._drafts[key] = screen.draft
            if args is not None:
                self._send(request, self._change(request, args))

        self._screen.app.push_screen(screen, answered)

    def answer(self, seen: Study, *, shown_all: bool) -> None:
        """Answer a question."""
        from gatekit_tui.edit.answer import AnswerScreen

        request = seen.request
        key = (request.id, request.token)
        screen = AnswerScreen(seen, self._answers.get(key), self._answer_checker(request), shown_all=shown_all)

        def answered(answer: Answer | None) -> None:
            self._answers[key] = screen.raw
            if screen.is_as_it_was:
                del self._answers[key]
            if answer is not None:
                self._send(request, self._reviewer.answer(request, answer.value))

        self._screen.app.push_screen(screen, answered)

    def _checker(self, request: Request) -> Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]:
        async def check(args: dict[str, Any]) -> tuple[Change, ...]:
            return await self._gate.aio.check_edit(request, args, replace=True)

        return check

    def _answer_checker(self, request: Request) -> Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]:
        async def check(answer: dict[str, Any]) -> tuple[Change, ...]:
            return await self._gate.aio.check_edit(request, answer)

        return check

    def _send(self, request: Request, decision: Awaitable[Decision]) -> None:
        def done() -> None:
            self._drafts.pop((request.id, request.token), None)
            self._answers.pop((request.id, request.token), None)
            self._reasons.pop(request.id, None)
            self._responses.pop(request.id, None)
            self._settlements.pop(request.id, None)

        self._sender.send(request, decision, done)
