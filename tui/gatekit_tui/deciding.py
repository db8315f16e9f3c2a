"""From a key to a stored decision: the questions it costs, what was typed so far, what the queue says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gatekit.display import friction
from gatekit.errors import AlreadyDecided, GatekitError, StaleToken
from gatekit.models import Change, Decision, Request
from gatekit_tui.ask import AskScreen, ReasonScreen, word_for
from gatekit_tui.deliberate import Deliberate
from gatekit_tui.detail_text import Study
from gatekit_tui.edit import LARGEST, EditScreen
from gatekit_tui.row_text import fate

if TYPE_CHECKING:
    from gatekit import Gate


class Decider:
    """Decides in the reviewer's name on the requests that were drawn, each standing for its token.

    `saving` is called with the id of the request while its decision is on its way, and with None after that.
    """

    def __init__(self, screen: Deliberate[None], gate: Gate, name: str, saving: Callable[[str | None], None]) -> None:
        self._screen = screen
        self._gate = gate
        self._reviewer = gate.aio.reviewer(name)
        self._saving = saving
        self._drafts: dict[tuple[str, str], str] = {}
        self._reasons: dict[str, str] = {}

    @property
    def has_drafts(self) -> bool:
        """Whether an edit was begun and neither sent nor undone."""
        return bool(self._drafts)

    def approve(self, seen: Study, *, shown_all: bool) -> None:
        """Approve, after the word that the call's risk costs."""
        request = seen.request
        word = word_for(friction(request.risk, hidden=seen.hidden, shown_all=shown_all), request.tool, request.id)
        if word is None:
            self._send(request, self._reviewer.approve(request))
            return
        why: list[str] = []
        if seen.hidden:
            why.append(f"Its texts hold {seen.hidden} hidden character{'' if seen.hidden == 1 else 's'}.")
        if not shown_all:
            why.append("You have not seen all of its arguments: Esc, then o opens them.")
        ask = AskScreen(f"Approve {request.tool}?  {request.risk} risk", why=why, word=word)

        def answered(yes: bool | None) -> None:
            if yes:
                self._send(request, self._reviewer.approve(request))

        self._screen.app.push_screen(ask, answered)

    def reject(self, seen: Study) -> None:
        """Reject, with a reason."""
        request = seen.request
        screen = ReasonScreen(f"Reject {request.tool}?", self._reasons.get(request.id, ""))

        def answered(reason: str | None) -> None:
            self._reasons[request.id] = screen.text
            if reason:
                self._send(request, self._reviewer.reject(request, reason=reason))

        self._screen.app.push_screen(screen, answered)

    def edit(self, seen: Study, *, shown_all: bool) -> None:
        """Edit the arguments, and approve what they then are."""
        request = seen.request
        if len(request.args_text) > LARGEST:
            self._screen.review.say(f"Too large for a text field: use  gatekit edit {request.id} NAME=VALUE", "warning")
            return
        key = (request.id, request.token)
        screen = EditScreen(seen, self._drafts.get(key), self._checker(request), shown_all=shown_all)

        def answered(args: dict[str, Any] | None) -> None:
            self._drafts.pop(key, None)
            if screen.draft is not None:
                self._drafts[key] = screen.draft
            if args is not None:
                self._send(request, self._reviewer.edit(request, args, replace=True))

        self._screen.app.push_screen(screen, answered)

    def _checker(self, request: Request) -> Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]:
        async def check(args: dict[str, Any]) -> tuple[Change, ...]:
            return await self._gate.aio.check_edit(request, args, replace=True)

        return check

    def _send(self, request: Request, decision: Awaitable[Decision]) -> None:
        self._saving(request.id)
        self._screen.run_worker(self._deliver(request, decision), group="decide")

    async def _deliver(self, request: Request, decision: Awaitable[Decision]) -> None:
        say = self._screen.review.say
        try:
            await decision
            self._drafts.pop((request.id, request.token), None)
            self._reasons.pop(request.id, None)
        except AlreadyDecided as error:
            told = fate("", error.decision, self._gate.now())
            say(f"{request.tool} was decided elsewhere: {told}. Your decision does not count.", "warning")
        except StaleToken:
            say(f"{request.tool} changed since you looked: read it again.", "warning")
        except GatekitError as error:
            say(f"{request.tool}: nothing was decided: {error}", "error")
        self._saving(None)
