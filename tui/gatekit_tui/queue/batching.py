"""Decides on the marked requests together: reads them anew, asks, sends, and tells what came of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import anyio

from gatekit.errors import GatekitError, RequestNotFound
from gatekit.models import Decision, Request
from gatekit_tui.decide.sending import Deed, Sender
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.told import ToldScreen
from gatekit_tui.queue.batch import Sorted, told_lines, told_words, tools_of, why_alone
from gatekit_tui.queue.batch_screen import BatchScreen
from gatekit_tui.queue.marks import MOST, Marks
from gatekit_tui.request.study import Study, study

if TYPE_CHECKING:
    from gatekit_tui.decide.unsent import Kept
    from gatekit_tui.frame.reason import Said


class Batcher:
    """Approves or rejects what is marked. `changed` is called when the marks did."""

    def __init__(self, sender: Sender, marks: Marks, changed: Callable[[], None]) -> None:
        self._sender = sender
        self._screen = sender.screen
        self._marks = marks
        self._changed = changed
        self._reasons: Kept[Said] = sender.unsent.kind()

    def approve(self) -> None:
        """Show all that is marked, and approve what the reviewer then confirms."""
        self._start(self._ask_to_approve)

    def reject(self) -> None:
        """Reject all that is marked, for one reason."""
        self._start(self._ask_to_reject)

    def _start(self, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        say = self._screen.review.say
        if not self._marks:
            say("Nothing is marked: space marks the chosen request, V a range, * all that is in sight.")
        elif len(self._marks) > MOST:
            say(f"{len(self._marks)} are marked: {MOST} are the most for one decision.", "warning")
        else:
            self._screen.latest(ask, "batch")

    async def _marked(self) -> list[tuple[Study, str]]:
        """What is marked, as it is now, with the token that was marked; nothing where it cannot be read."""
        found: list[tuple[Request, str]] = []
        for request_id, token in list(self._marks.items()):
            try:
                found.append((await self._sender.gate.aio.get(request_id), token))
            except RequestNotFound:
                self._marks.drop([request_id])
                self._screen.review.say("A request that was marked was deleted: its mark is gone.", "warning")
            except GatekitError as error:
                self._screen.review.say(str(error), "error")
                return []
        self._changed()
        # Two hundred of them, or a few long ones, would keep the keys waiting.
        return await anyio.to_thread.run_sync(lambda: [(study(request), token) for request, token in found])

    async def _ask_to_approve(self) -> None:
        together: list[Study] = []
        alone: list[tuple[Request, str]] = []
        for seen, token in await self._marked():
            try:
                refusal = await self._sender.reviewer.may(seen.request, verb="approve")
            except GatekitError as error:
                self._screen.review.say(f"Nothing was decided: {error}", "error")
                return
            why = why_alone(seen, token, refusal, self._sender.gate.now())
            if why is None:
                together.append(seen)
            else:
                alone.append((seen.request, why))
        sorted_ = Sorted(tuple(together), tuple(alone))
        if not self._screen.is_active or not (together or alone):
            return
        if not together:
            title: Inked = ((" none of them can be approved with others", "title"),)
            told: list[str | None] = [why for _, why in alone]
            self._screen.app.push_screen(ToldScreen(title, told_lines([one for one, _ in alone], told, "")))
            return
        requests = [seen.request for seen in together]

        def answered(yes: bool | None) -> None:
            if yes:
                self._send(requests, self._sender.reviewer.approve, "approved")

        self._screen.app.push_screen(BatchScreen(sorted_), answered)

    async def _ask_to_reject(self) -> None:
        from gatekit_tui.frame.reason import ReasonScreen, Said

        found = await self._marked()
        if not self._screen.is_active or not found:
            return
        requests = [seen.request for seen, _ in found]
        marked = {seen.request.id: token for seen, token in found}
        count = len(requests)
        kept = self._reasons.get("") or Said("")
        screen = ReasonScreen(
            f"Reject {count} request{'' if count == 1 else 's'}? {tools_of(requests)}",
            kept.text,
            hint=f"Enter rejects all {count}; Esc goes back.",
            said=tuple(self._sender.reasons),
            told=kept.told,
        )

        def given(said: Said) -> None:
            if said.told:
                self._sender.note_reason(said.text)
            self._send(requests, lambda one: self._reject(one, marked[one.id], said), "rejected")

        self._sender.fill_in(
            screen, self._reasons, "", lambda: Said(screen.text, screen.told) if screen.text else None, given
        )

    def _reject(self, request: Request, token: str, said: Said) -> Awaitable[Decision]:
        # The version that was marked: another one the reviewer may not have seen.
        return self._sender.reviewer.reject(request.id, reason=said.reason, note=said.note, token=token)

    def _send(self, requests: list[Request], deed: Deed, done: str) -> None:
        self._screen.run_worker(self._deliver(requests, deed, done), group="decide")

    async def _deliver(self, requests: list[Request], deed: Deed, done: str) -> None:
        told = await self._sender.send_all(requests, deed)
        if done == "rejected" and not all(told):
            self._reasons.drop("")
        self._marks.drop([request.id for request in requests])
        self._changed()
        words = told_words(told, done)
        if any(told):
            lines = told_lines(requests, told, done)
            self._screen.app.push_screen(ToldScreen(((f" {words}", "title"),), lines))
        else:
            self._screen.review.say(f"{words}.")
