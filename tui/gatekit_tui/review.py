"""The reviewer's screen: what its keys do. All store work is awaited: none blocks a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from gatekit_tui.deciding import Decider
from gatekit_tui.detail import identity
from gatekit_tui.detail_text import Study
from gatekit_tui.insight import InsightScreen
from gatekit_tui.keys import KeysScreen
from gatekit_tui.lanes import WAITING
from gatekit_tui.looking import Looker
from gatekit_tui.queue_screen import QueueScreen
from gatekit_tui.review_keys import DECIDING, KEYS, LANE_OF, LOOKING, speaks_of, speaks_to
from gatekit_tui.sending import Sender
from gatekit_tui.sharing import Sharer
from gatekit_tui.standing import GrantsScreen, ReviewersScreen
from gatekit_tui.stopping import Stopper

if TYPE_CHECKING:
    from gatekit import Gate


class ReviewScreen(QueueScreen):
    """Shows what waits and sends what the reviewer decides."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, gate: Gate, reviewer: str, *, read_only: bool) -> None:
        super().__init__(gate, reviewer, read_only=read_only)
        sender = Sender(self, gate, reviewer, self._mark_saving)
        self._decider = Decider(sender)
        self._sharer = Sharer(sender)
        self._stopper = Stopper(sender)
        self._looker = Looker(self, gate)
        self._sender = sender
        self._leaving = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that decide are absent where nobody may, and dead where nothing waits."""
        if action in DECIDING and self._read_only:
            return False
        if action in LANE_OF:
            seen = self._detail.study
            if not speaks_to(action, self._feed.lane, "call" if seen is None else seen.request.kind):
                return False
            return True if self._drawn_in(LANE_OF[action]) is not None else None
        if action in ("open", "other_pane"):
            return True if self._list.rows.size else None
        if action in LOOKING:
            return True if speaks_of(action, self._detail.study) else None
        return True

    def _decide(self, action: str, act: Callable[[Study], None]) -> None:
        """Do it with the drawn request, unless the key came too soon."""
        if seen := self._drawn_in(LANE_OF[action]):
            self.deliberately(lambda: act(seen))

    def _fill_in(self, open_form: Callable[[Study], None], *, yes: bool = True) -> None:
        """The same for what opens a form, which nobody shall fill in in vain: first ask whether they may."""

        def ask(seen: Study) -> None:
            self.run_worker(self._open_if_allowed(seen, open_form, yes), group="may", exclusive=True)

        self._decide("reject", ask)

    async def _open_if_allowed(self, seen: Study, open_form: Callable[[Study], None], yes: bool) -> None:
        if not await self._sender.may(seen.request, yes=yes):
            return
        now = self._drawn_in(WAITING)
        # While the queue was asked the reviewer may have gone on, or another version may have come.
        if self.is_current and now is not None and identity(now) == identity(seen):
            open_form(now)

    def action_approve(self) -> None:
        """Approve the drawn call, with the work that its risk asks for."""
        shown_all = self._detail.shown_all
        self._decide("approve", lambda seen: self._decider.approve(seen, shown_all=shown_all))

    def action_release(self) -> None:
        """Let the drawn run go on."""
        self.action_approve()

    def action_answer(self) -> None:
        """Answer the drawn question."""
        shown_all = self._detail.shown_all
        self._fill_in(lambda seen: self._decider.answer(seen, shown_all=shown_all))

    def action_edit(self) -> None:
        """Edit the arguments of the drawn call."""
        shown_all = self._detail.shown_all
        self._fill_in(lambda seen: self._decider.edit(seen, shown_all=shown_all))

    def action_reject(self) -> None:
        """Reject the drawn call, with a reason."""
        self._fill_in(self._decider.reject, yes=False)

    def action_allow(self) -> None:
        """Approve the drawn call, and its like for a while."""
        shown_all = self._detail.shown_all
        self._fill_in(lambda seen: self._sharer.allow(seen, shown_all=shown_all))

    def action_claim(self) -> None:
        """Take the drawn request to look at it."""
        self._decide("claim", self._sharer.claim)

    def action_delegate(self) -> None:
        """Hand one's part of the drawn request on."""
        self._fill_in(self._sharer.delegate, yes=False)

    def action_retry(self) -> None:
        """Let the drawn call run again, though what it did is not known."""
        self._decide("retry", self._decider.retry)

    def action_settle(self) -> None:
        """Say how the drawn call ended."""
        self._decide("settle", self._decider.settle)

    def action_declare_lost(self) -> None:
        """Give up the drawn call, which hangs."""
        self._decide("declare_lost", self._decider.declare_lost)

    def action_compare(self) -> None:
        """What differs from the last approved call of the same tool."""
        if seen := self._detail.study:
            self.run_worker(self._looker.compare(seen.request), group="look", exclusive=True)

    def action_view(self) -> None:
        """Open the file that the agent shows, in a program of the reviewer's."""
        if seen := self._detail.study:
            self._looker.view(seen.request)

    def action_copy(self) -> None:
        """Copy the arguments as JSON."""
        if seen := self._detail.study:
            self._looker.copy(seen.request)

    def action_insight(self) -> None:
        """How fast and how often calls are approved."""
        self.app.push_screen(InsightScreen(self._gate))

    def action_stop(self) -> None:
        """Stop the queue, or let it go on."""
        self.deliberately(lambda: self._stopper.turn(self.review.stopped))

    def action_grants(self) -> None:
        """What is allowed for a while."""
        self.app.push_screen(GrantsScreen(self._gate, self._who, read_only=self._read_only))

    def action_reviewers(self) -> None:
        """Who may decide."""
        self.app.push_screen(ReviewersScreen(self._gate))

    def action_keys(self) -> None:
        """What each key does."""
        own = {binding.action for binding in (*self._list.BINDINGS, *KEYS) if isinstance(binding, Binding)}
        active = [one for one in self.active_bindings.values() if one.binding.action in own]
        told = [(self.app.get_key_display(one.binding), one.binding.description, one.enabled) for one in active]
        told = list(dict.fromkeys(told))
        self.app.push_screen(KeysScreen(told))

    async def action_quit(self) -> None:
        """Leave; a decision on its way is let arrive first."""
        if on_their_way := [work for work in self.workers if work.group == "decide"]:
            await self.workers.wait_for_complete(on_their_way)
        if self._decider.has_drafts and not self._leaving:
            self.review.say("What you began to write is not sent yet. q again leaves without it.", "warning")
            self._leaving = True
            return
        self.app.exit()
