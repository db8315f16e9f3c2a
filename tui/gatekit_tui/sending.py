"""What the reviewer does, on its way to the queue, and what the queue says to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from gatekit.errors import AlreadyDecided, GatekitError, NotAllowed, StaleToken
from gatekit.models import Decision, Request
from gatekit_tui.deliberate import Deliberate
from gatekit_tui.row_text import fate, one_line, person

if TYPE_CHECKING:
    from gatekit import Gate

_YES: Final = frozenset({"approve", "edit", "release", "answer"})


class Sender:
    """Sends in the reviewer's name, one after the other, and tells what came of it.

    `saving` is called with the id of the request while its decision is on its way, and with None after that.
    """

    def __init__(self, screen: Deliberate[None], gate: Gate, name: str, saving: Callable[[str | None], None]) -> None:
        self.screen = screen
        self.gate = gate
        self.reviewer = gate.aio.reviewer(name)
        self._saving = saving

    async def may(self, request: Request, *, yes: bool) -> bool:
        """Whether they may say yes to it, or no, or hand it on; says why where they may not."""
        say = self.screen.review.say
        if not yes and self._yes_costs_more(request):
            return True
        try:
            refusal = await self.reviewer.may(request)
        except GatekitError as error:
            say(f"{request.tool}: {error}", "error")
            return False
        if refusal is not None:
            say(f"{request.tool}: not allowed: {refusal}", "warning")
        return refusal is None

    def _yes_costs_more(self, request: Request) -> bool:
        """Whether the queue may refuse a yes to somebody who may still reject it or hand it on."""
        own = request.requester.partition(":")[2] == self.reviewer.name
        late = request.decide_by is not None and request.decide_by <= self.gate.now()
        return own or late or request.claim is not None

    def send(self, request: Request, deed: Awaitable[object], done: Callable[[], None]) -> None:
        """Send it off; `done` is called once the queue has taken it."""
        self._saving(request.id)
        self.screen.run_worker(self._deliver(request, deed, done), group="decide")

    async def _deliver(self, request: Request, deed: Awaitable[object], done: Callable[[], None]) -> None:
        say = self.screen.review.say
        try:
            made = await deed
            done()
            if isinstance(made, Decision) and made.verb in _YES:
                await self._tell_what_is_left(request)
        except AlreadyDecided as error:
            say(self._lost_to(request, error.decision), "warning")
        except StaleToken:
            say(f"{request.tool} changed since you looked: read it again.", "warning")
        except NotAllowed as error:
            say(f"{request.tool}: not allowed: {error}", "warning")
        except GatekitError as error:
            say(f"{request.tool}: nothing was decided: {error}", "error")
        self._saving(None)

    def _lost_to(self, request: Request, decision: Decision) -> str:
        told = fate("", decision, self.gate.now())
        if decision.by == f"human:{self.reviewer.name}":
            return f"{request.tool}: you have said it already: {told}."
        return f"{request.tool} was decided elsewhere: {told}. Your decision does not count."

    async def _tell_what_is_left(self, request: Request) -> None:
        """One yes of several: who is asked now."""
        after = await self.gate.aio.get(request.id)
        asked = [stage for stage in after.stages if stage.status == "current"]
        if after.status != "pending" or not asked:
            return
        missing = "; ".join(
            f"{one_line(stage.name)}: {', '.join(map(person, stage.reviewers)) or 'any reviewer'}" for stage in asked
        )
        self.screen.review.say(f"Your yes to {request.tool} counts. Still asked: {missing}.")
