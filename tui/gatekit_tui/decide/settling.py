"""From a key to what is stored of a call that has started: run it again, give it up, say how it ended.

The form is imported when it is opened: the first picture does not wait for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from gatekit.display import friction
from gatekit.models import Decision, Request
from gatekit_tui.decide.sending import Sender
from gatekit_tui.frame.ask import AskScreen, word_for
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.study import Study

if TYPE_CHECKING:
    from gatekit_tui.decide.settle import Settlement
    from gatekit_tui.decide.unsent import Kept

AT_ONCE: Final = "This counts at once: u does not take it back."


class Settler:
    """Speaks in the reviewer's name about attempts. Each costs a word: none of it is held."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._settlements: Kept[tuple[str, str]] = sender.unsent.kind()

    def retry(self, seen: Study) -> None:
        """Let it run once more, after a word: what the last attempt did is not known."""
        request, reviewer = seen.request, self._sender.reviewer
        why = "Its last attempt may have done its work, and a process that only sleeps may still do it."
        self._ask_about(seen, f"Run {request.tool} again?", [why], "run it again", lambda: reviewer.retry(request))

    def declare_lost(self, seen: Study) -> None:
        """Give up an attempt that hangs."""
        request, reviewer = seen.request, self._sender.reviewer
        why = "Its process is not stopped and may still act. The call goes to the list of those to settle."
        title = f"Give {request.tool} up for lost?"
        self._ask_about(seen, title, [why], "give it up", lambda: reviewer.declare_lost(request))

    def settle(self, seen: Study) -> None:
        """Say how it ended."""
        from gatekit_tui.decide.settle import SettleScreen

        request = seen.request
        screen = SettleScreen(request.tool, self._settlements.get(request.id) or ("", ""))

        def given(said: Settlement) -> None:
            title = f"Settle {request.tool} for good?"
            self._ask_about(seen, title, (), "store this", lambda: self._settled(request, said), said.lines())

        self._sender.fill_in(screen, self._settlements, request.id, lambda: screen.unsent, given)

    def _settled(self, request: Request, said: Settlement) -> Awaitable[Decision]:
        if said.error is not None:
            return self._sender.reviewer.settle(request, error=said.error)
        return self._sender.reviewer.settle(request, result=said.result)

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
                self._sender.decide(request, decide())

        ask = AskScreen(title, why=[*why, AT_ONCE], lines=lines, word=word, act=act)
        self._sender.screen.app.push_screen(ask, answered)
