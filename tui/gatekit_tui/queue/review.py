"""The reviewer's screen: what its keys do. All store work is awaited: none blocks a key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gatekit.models import ReviewVerb
from gatekit_tui.decide.deciding import Decider
from gatekit_tui.decide.leaving import Leaver
from gatekit_tui.decide.settling import Settler
from gatekit_tui.decide.sharing import Sharer
from gatekit_tui.decide.stopping import Stopper
from gatekit_tui.decide.undoing import Undoer
from gatekit_tui.queue.batching import Batcher
from gatekit_tui.queue.keyed import KeyedScreen
from gatekit_tui.queue.lanes import WAITING
from gatekit_tui.queue.review_keys import LANE_OF, YES
from gatekit_tui.queue.settings import Settings
from gatekit_tui.request.detail import identity
from gatekit_tui.request.study import Study

if TYPE_CHECKING:
    from gatekit import Gate


class ReviewScreen(KeyedScreen):
    """Shows what waits and sends what the reviewer decides."""

    def __init__(self, gate: Gate, reviewer: str, settings: Settings, *, read_only: bool) -> None:
        super().__init__(gate, reviewer, settings, read_only=read_only)
        sender = self._sender
        self._decider = Decider(sender)
        self._batcher = Batcher(sender, self._marks, self._marks_changed)
        self._sharer = Sharer(sender)
        self._stopper = Stopper(sender)
        self._settler = Settler(sender)
        self._undoer = Undoer(sender)
        self._leaver = Leaver(sender, self._undoer)

    def _decide(self, action: str, act: Callable[[Study], None]) -> None:
        """Do it with the drawn request, unless the key came too soon, or what is drawn is not to be trusted."""
        seen = self._drawn_in(LANE_OF[action])
        refused = self._why_not(seen, action)
        if seen is not None and not refused:
            self.deliberately(lambda: act(seen))
            return
        self.review.guard.refuse()
        if refused:
            self.review.say(refused, "warning")

    def _why_not(self, seen: Study | None, action: str) -> str:
        if seen is None or not seen.broken or action not in YES:
            return ""
        if action == "retry":
            return "It cannot be displayed, so it is not run again from here; s settles it."
        return "It cannot be displayed, so it cannot be approved here; r rejects it."

    def _fill_in(self, action: str, verb: ReviewVerb, open_form: Callable[[Study], None]) -> None:
        """The same for what may cost typing, which nobody shall do in vain: first ask whether they may."""

        def ask(seen: Study) -> None:
            # Until it opens, what is typed ahead would decide here.
            self.review.guard.refuse()
            self.latest(partial(self._open_if_allowed, seen, open_form, verb), "may")

        self._decide(action, ask)

    async def _open_if_allowed(self, seen: Study, open_form: Callable[[Study], None], verb: ReviewVerb) -> None:
        if not await self._sender.may(seen.request, verb):
            return
        now = self._drawn_in(WAITING)
        # While the queue was asked the reviewer may have gone on, or another version may have come.
        if self.is_active and now is not None and identity(now) == identity(seen):
            open_form(now)

    def action_approve(self) -> None:
        """Approve the drawn call, with the work that its risk asks for."""
        self._say_yes("approve", "approve")

    def action_release(self) -> None:
        """Let the drawn run go on."""
        self._say_yes("release", "release")

    def _say_yes(self, action: str, verb: ReviewVerb) -> None:
        seen, shown_all = self._detail.study, self._detail.shown_all
        if seen is not None and self._decider.costs_a_word(seen, shown_all=shown_all):
            self._fill_in(action, verb, lambda seen: self._decider.approve(seen, shown_all=shown_all))
        else:
            # The queue itself says at once whether they may.
            self._decide(action, lambda seen: self._decider.approve(seen, shown_all=shown_all))

    def action_answer(self) -> None:
        """Answer the drawn question."""
        shown_all = self._detail.shown_all
        self._fill_in("answer", "answer", lambda seen: self._decider.answer(seen, shown_all=shown_all))

    def action_edit(self) -> None:
        """Edit the arguments of the drawn call."""
        shown_all = self._detail.shown_all
        seen = self._detail.study
        # Of a pause what is edited is its payload, and it is released with that.
        verb: ReviewVerb = "release" if seen is not None and seen.request.kind == "pause" else "edit"
        self._fill_in("edit", verb, lambda seen: self._decider.edit(seen, shown_all=shown_all))

    def action_reject(self) -> None:
        """Reject the drawn request, with a reason."""
        self._fill_in("reject", "reject", self._decider.reject)

    def action_respond(self) -> None:
        """Answer the agent instead of letting the drawn call run."""
        self._fill_in("respond", "respond", self._decider.respond)

    def action_allow(self) -> None:
        """Approve the drawn call, and its like for a while."""
        shown_all = self._detail.shown_all
        self._fill_in("allow", "approve", lambda seen: self._sharer.allow(seen, shown_all=shown_all))

    def action_claim(self) -> None:
        """Take the drawn request to look at it."""
        self._decide("claim", self._sharer.claim)

    def action_delegate(self) -> None:
        """Hand one's part of the drawn request on."""
        self._fill_in("delegate", "delegate", self._sharer.delegate)

    def action_escalate(self) -> None:
        """Let those decide on the drawn request too whom its policy names next."""
        self._fill_in("escalate", "escalate", self._sharer.escalate)

    def action_retry(self) -> None:
        """Let the drawn call run again, though what it did is not known."""
        self._decide("retry", self._settler.retry)

    def action_settle(self) -> None:
        """Say how the drawn call ended."""
        self._decide("settle", self._settler.settle)

    def action_declare_lost(self) -> None:
        """Give up the drawn call, which hangs."""
        self._decide("declare_lost", self._settler.declare_lost)

    def action_approve_marked(self) -> None:
        """Approve what is marked, once all of it was read."""
        self.deliberately(self._batcher.approve)

    def action_reject_marked(self) -> None:
        """Reject what is marked, for one reason."""
        self.deliberately(self._batcher.reject)

    def action_undo(self) -> None:
        """Take back the chosen decision, else the last that does not count yet."""
        if ids := self._undoable():
            self.run_worker(self._undoer.undo(ids), group="decide")

    def action_tell_fate(self) -> None:
        """It is too late to take it back: say what became of it."""
        if over := self._sender.held.over(self._gate.now()):
            self.latest(partial(self._undoer.tell_fate, over), "look")

    def action_stop(self) -> None:
        """Stop the queue, or let it go on."""
        self.deliberately(lambda: self._stopper.turn(self.review.stopped))

    async def action_quit(self) -> None:
        """Leave; what is not sent, and what can still be undone, is asked about."""
        await self._leaver.leave()
