"""What the reviewer does, on its way to the queue, and what the queue says to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
from textual.screen import Screen

from gatekit.errors import AlreadyDecided, GatekitError, NotAllowed, StaleToken
from gatekit.models import Decision, Request, ReviewVerb
from gatekit_tui.decide.held import Held, HeldOne
from gatekit_tui.decide.unsent import Kept, Unsent
from gatekit_tui.frame.deliberate import Deliberate
from gatekit_tui.frame.row_text import fate, one_line, person

if TYPE_CHECKING:
    from gatekit import Gate

T = TypeVar("T")
D = TypeVar("D")
_YES: Final = frozenset({"approve", "edit", "release", "answer"})
_REASONS: Final = 5
"""Reasons that are kept to be given again."""
Deed = Callable[[Request], Awaitable[object]]


class Sender:
    """Sends in the reviewer's name and tells what came of it.

    `hold` is how many seconds a decision can be undone; `saving` is called with the ids of the requests whose
    decisions are on their way, whenever these change.
    """

    def __init__(
        self,
        screen: Deliberate[None],
        gate: Gate,
        name: str,
        hold: float,
        saving: Callable[[frozenset[str]], None],
    ) -> None:
        self.screen = screen
        self.gate = gate
        self.reviewer = gate.aio.reviewer(name, hold=hold)
        self.held = Held()
        self.unsent = Unsent()
        self.reasons: deque[str] = deque(maxlen=_REASONS)
        """What the reviewer gave as reasons, the newest first."""
        self._saving = saving
        self._on_the_way: frozenset[str] = frozenset()

    def note_reason(self, reason: str) -> None:
        """Keep it to be given again."""
        if reason in self.reasons:
            self.reasons.remove(reason)
        self.reasons.appendleft(reason)

    async def may(self, request: Request, verb: ReviewVerb) -> bool:
        """Whether they may do that to it; says why where they may not."""
        say = self.screen.review.say
        try:
            refusal = await self.reviewer.may(request, verb=verb)
        except GatekitError as error:
            say(f"{request.tool}: {error}", "error")
            return False
        if refusal is not None:
            say(f"{request.tool}: not allowed: {refusal}", "warning")
        return refusal is None

    def fill_in(
        self,
        form: Screen[T],
        kept: Kept[D],
        about: str,
        typed: Callable[[], D | None],
        given: Callable[[T], None],
    ) -> None:
        """Open a form over the list, and pass on what it gives, if anything. What is `typed` there is kept."""

        def answered(answer: T | None) -> None:
            kept.close(about)
            if answer is not None:
                given(answer)

        kept.open(about, typed)
        self.screen.app.push_screen(form, answered)

    def decide(self, request: Request, decision: Awaitable[object]) -> None:
        """Send off what decides it: once the queue has taken it, nothing is left to be typed about it."""
        self.send(request, decision, lambda: self.unsent.decided(request.id))

    def send(self, request: Request, deed: Awaitable[object], done: Callable[[], None]) -> None:
        """Send it off; `done` is called once the queue has taken it."""
        self._go(frozenset({request.id}))
        self.screen.run_worker(self._deliver(request, deed, done), group="decide")

    async def send_all(self, requests: Sequence[Request], deed: Deed) -> list[str | None]:
        """Do the same to all of them at once; for each why it was not done, or None. Undone together."""
        told: list[str | None] = [None] * len(requests)
        held: list[HeldOne] = []

        async def one(place: int, request: Request) -> None:
            try:
                made = await deed(request)
            except GatekitError as error:
                told[place] = self._why_not(request, error)
            else:
                self.unsent.decided(request.id)
                if found := HeldOne.of(request, made, self.gate.now()):
                    held.append(found)

        ids = frozenset(request.id for request in requests)
        self._go(ids)
        try:
            async with anyio.create_task_group() as group:
                for place, request in enumerate(requests):
                    group.start_soon(one, place, request)
        finally:
            self._came(ids)
        self.held.add(held)
        return told

    async def _deliver(self, request: Request, deed: Awaitable[object], done: Callable[[], None]) -> None:
        try:
            made = await deed
            done()
        except GatekitError as error:
            told = f"{request.tool}: {self._why_not(request, error)}"
            is_usual = isinstance(error, (AlreadyDecided, StaleToken, NotAllowed))
            self.screen.review.say(told, "warning" if is_usual else "error")
        else:
            await self._note(request, made)
        finally:
            self._came(frozenset({request.id}))

    async def _note(self, request: Request, made: object) -> None:
        """What was stored can be undone, or others are asked now. Whatever fails here, it is stored."""
        if held := HeldOne.of(request, made, self.gate.now()):
            self.held.add([held])
        elif isinstance(made, Decision) and made.verb in _YES:
            try:
                await self._tell_what_is_left(request)
            except GatekitError as error:
                self.screen.review.say(f"Your yes to {request.tool} is stored. Who is asked now is not known: {error}")

    def _why_not(self, request: Request, error: GatekitError) -> str:
        match error:
            case AlreadyDecided():
                told = fate("", error.decision, self.gate.now())
                if error.decision.by == f"human:{self.reviewer.name}":
                    return f"you have said it already: {told}"
                return f"it was decided elsewhere: {told}. Your decision does not count"
            case StaleToken():
                return "it changed since you looked: read it again"
            case NotAllowed():
                return f"not allowed: {error}"
            case _:
                return f"nothing was decided: {error}"

    def stir(self) -> None:
        """Have the screen look at the queue again."""
        self._saving(self._on_the_way)

    def _go(self, request_ids: frozenset[str]) -> None:
        self._on_the_way |= request_ids
        self._saving(self._on_the_way)

    def _came(self, request_ids: frozenset[str]) -> None:
        self._on_the_way -= request_ids
        self._saving(self._on_the_way)

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
