"""Takes back what does not count yet, and says what became of what no longer can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal

from gatekit.errors import AlreadyDecided, GatekitError
from gatekit.models import Decision
from gatekit_tui.decide.held import HeldOne
from gatekit_tui.decide.sending import Sender
from gatekit_tui.frame.row_text import fate, one_line


class Undoer:
    """Undoes in the reviewer's name."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._gate = sender.gate

    def _say(self, told: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        self._sender.screen.review.say(told, severity)

    async def undo(self, request_ids: Collection[str]) -> list[str]:
        """Take back what was decided on these; the ids of those for which that failed, and may work yet."""
        back: list[str] = []
        late: list[str] = []
        failed: list[str] = []
        for request_id in request_ids:
            try:
                request = await self._gate.aio.get(request_id)
                await self._sender.reviewer.undo(request)
                back.append(one_line(request.tool))
            except AlreadyDecided as error:
                late.append(fate("", error.decision, self._gate.now()))
            except GatekitError as error:
                failed.append(request_id)
                self._say(f"Not taken back: {error}", "error")
        self._tell_undone(back, late)
        self._sender.held.drop(set(request_ids) - set(failed))
        self._sender.stir()
        return failed

    def _tell_undone(self, back: Sequence[str], late: Sequence[str]) -> None:
        if len(back) == 1:
            self._say(f"Taken back: {back[0]} waits again.")
        elif back:
            self._say(f"Taken back: {len(back)} calls wait again.")
        if late:
            self._say(f"Too late to take back: {late[0]}{_and_more(late)}.", "warning")

    async def tell_fate(self, over: Sequence[HeldOne]) -> None:
        """Say what became of what was decided together, and cannot be taken back any more."""
        one = over[-1]
        try:
            request = await self._gate.aio.get(one.request_id)
        except GatekitError as error:
            self._say(f"{one.tool}: it cannot be undone any more, and what became of it is not known: {error}", "error")
            return
        told = fate(request.status, self._as_told(request.decision), self._gate.now())
        self._say(f"{one.tool}: {told}: it cannot be undone{_and_more(over)}.", "warning")

    def _as_told(self, decision: Decision | None) -> Decision | None:
        is_mine = decision is not None and decision.by == f"human:{self._sender.reviewer.name}"
        return replace(decision, by="you") if decision is not None and is_mine else decision


def _and_more(all_of_them: Sequence[object]) -> str:
    return f", and {len(all_of_them) - 1} more" if len(all_of_them) > 1 else ""
