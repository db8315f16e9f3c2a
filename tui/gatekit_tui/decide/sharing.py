"""What a reviewer does with a request besides deciding it once: take it, share it out, allow its like for a while.

The forms are imported when they are opened: the first picture does not wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekit.display import friction
from gatekit.models import Request
from gatekit_tui.decide.sending import Sender
from gatekit_tui.frame.ask import word_for
from gatekit_tui.request.study import Study

if TYPE_CHECKING:
    from gatekit_tui.decide.delegate import Handover
    from gatekit_tui.decide.lasting import Draft, Permit
    from gatekit_tui.decide.unsent import Kept
    from gatekit_tui.edit.begun import Begun
    from gatekit_tui.frame.reason import Said


class Sharer:
    """Claims, delegates, escalates and allows in the reviewer's name; what was typed is kept until it was sent."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._permits: Kept[Begun[Draft]] = sender.unsent.kind()
        self._handovers: Kept[Handover] = sender.unsent.kind()
        self._doubts: Kept[str] = sender.unsent.kind()

    def claim(self, seen: Study) -> None:
        """Take it to look at it."""
        request = seen.request
        self._sender.send(request, self._claim(request), lambda: None)

    async def _claim(self, request: Request) -> Request:
        taken = await self._sender.reviewer.claim(request)
        if taken.claim is not None:
            say = self._sender.screen.review.say
            say(f"{request.tool} is yours until {taken.claim.until:%H:%M:%S} UTC; others see it.")
        return taken

    def delegate(self, seen: Study) -> None:
        """Hand one's part of it to somebody else."""
        from gatekit_tui.decide.delegate import DelegateScreen

        request = seen.request
        screen = DelegateScreen(request.tool, self._handovers.get(request.id))

        def given(handover: Handover) -> None:
            deed = self._sender.reviewer.delegate(request, to=handover.to, reason=handover.reason)
            self._sender.send(request, deed, lambda: self._handed_on(request, handover))

        self._sender.fill_in(screen, self._handovers, request.id, lambda: screen.unsent, given)

    def _handed_on(self, request: Request, handover: Handover) -> None:
        self._handovers.drop(request.id)
        self._sender.screen.review.say(f"{handover.to} decides on {request.tool} in your place.")

    def escalate(self, seen: Study) -> None:
        """Let those decide too, now, whom its policy would ask later."""
        from gatekit_tui.frame.reason import ReasonScreen

        request = seen.request
        people = ", ".join(request.escalates_to)
        screen = ReasonScreen(
            f"Escalate {request.tool}? From now on these may decide too: {people}",
            self._doubts.get(request.id) or "",
            placeholder="why? it stands in the history",
            hint="Enter asks them too; Esc goes back.",
        )

        def given(said: Said) -> None:
            deed = self._sender.reviewer.escalate(request, reason=said.text)
            self._sender.send(request, deed, lambda: self._escalated(request, people))

        self._sender.fill_in(screen, self._doubts, request.id, lambda: screen.text or None, given)

    def _escalated(self, request: Request, people: str) -> None:
        self._doubts.drop(request.id)
        self._sender.screen.review.say(f"{people}: asked about {request.tool} too, from now on.")

    def allow(self, seen: Study, *, shown_all: bool) -> None:
        """Approve it, and its like for a while."""
        from gatekit_tui.decide.allow import MOST_ARGUMENTS, AllowScreen

        request, say = seen.request, self._sender.screen.review.say
        if request.risk == "critical":
            say("A call of critical risk needs a human each time: it cannot be allowed for a while.", "warning")
            return
        if len(request.args) > MOST_ARGUMENTS:
            say(f"Too many arguments for a form: use  gatekit allow {request.id}", "warning")
            return
        # A permission is at least as much as the approval that it holds.
        cost = friction(request.risk, hidden=seen.hidden, shown_all=shown_all)
        word = word_for(cost, request.tool, request.id)
        screen = AllowScreen(request, self._permits.get(request.id), word)

        def given(permit: Permit) -> None:
            self._sender.send(request, self._allow(request, permit), lambda: self._allowed(request))

        self._sender.fill_in(screen, self._permits, request.id, lambda: screen.unsent, given)

    async def _allow(self, request: Request, permit: Permit) -> object:
        return await self._sender.reviewer.allow(
            request, for_=permit.for_, uses=permit.uses, scope=permit.scope, within=permit.within
        )

    def _allowed(self, request: Request) -> None:
        self._sender.unsent.decided(request.id)
        self._sender.screen.review.say("Approved, and allowed for a while: P lists what is allowed, and takes it back.")
