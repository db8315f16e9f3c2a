"""The switch that stops everything: why, and are you sure; and the same to let calls start again."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from gatekit.errors import GatekitError
from gatekit.models import Stop
from gatekit_tui.decide.sending import Sender
from gatekit_tui.frame.ask import AskScreen
from gatekit_tui.frame.row_text import one_line, person
from gatekit_tui.frame.stop_banner import stop_words

if TYPE_CHECKING:
    from gatekit_tui.decide.unsent import Kept
    from gatekit_tui.frame.reason import Said

LIFT_WORD = "lift"
"""What has to be typed to let calls start again."""


class Stopper:
    """Stops the queue and lifts that again."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._reasons: Kept[str] = sender.unsent.kind()

    def turn(self, stopped: Stop | None) -> None:
        """The other way round than it is."""
        if stopped is None:
            self._ask_why()
        else:
            self._ask_to_lift(stopped)

    def _ask_why(self) -> None:
        from gatekit_tui.frame.reason import ReasonScreen

        screen = ReasonScreen(
            "Stop the queue? Nothing that reaches it starts any more, in any process.",
            self._reasons.get("") or "",
            placeholder="why? every reviewer reads it",
            hint="Enter goes on; Esc goes back.",
        )

        def given(said: Said) -> None:
            self._confirm(said.text)

        self._sender.fill_in(screen, self._reasons, "", lambda: screen.text or None, given)

    def _confirm(self, reason: str) -> None:
        ask = AskScreen(
            "Stop everything?",
            why=["What runs goes on; what is approved waits until this is lifted."],
            lines=[(("why: ", "label"), (one_line(reason), "text"))],
            word=None,
            act="stop the queue",
        )
        self._sender.screen.app.push_screen(ask, lambda yes: self._do(self._stop(reason)) if yes else None)

    def _ask_to_lift(self, stopped: Stop) -> None:
        ask = AskScreen(
            "Let calls start again?",
            why=[stop_words(stopped).strip(), "What was approved meanwhile may start at once."],
            word=LIFT_WORD,
            act="let them start",
        )
        self._sender.screen.app.push_screen(ask, lambda yes: self._do(self._lift(stopped)) if yes else None)

    def _do(self, deed: Awaitable[str]) -> None:
        self._sender.screen.run_worker(self._deliver(deed), group="decide")

    async def _stop(self, reason: str) -> str:
        stopped = await self._sender.reviewer.stop(reason)
        self._reasons.drop("")
        if stopped.reason != reason:
            return f"It was stopped already by {person(stopped.by)}: {stopped.reason}"
        return "The queue is stopped: S lets it go on."

    async def _lift(self, seen: Stop) -> str:
        # What was read is what is lifted: another's stop may have come in its place.
        stopped = await self._sender.gate.aio.stopped()
        if stopped is not None and stopped != seen:
            return f"It is stopped anew by {person(stopped.by)}: {stopped.reason}. Look again."
        lifted = await self._sender.reviewer.lift()
        return "Calls start again." if lifted else "Somebody else let calls start again already."

    async def _deliver(self, deed: Awaitable[str]) -> None:
        say = self._sender.screen.review.say
        try:
            say(await deed)
        except GatekitError as error:
            say(f"Nothing changed: {error}", "error")
