"""Which keys of the reviewer's screen do something now: what is drawn, how old it is, and what can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.binding import BindingType

from gatekit_tui.decide.held import HeldOne, held_words
from gatekit_tui.decide.sending import Sender
from gatekit_tui.frame.ticking import SOONEST
from gatekit_tui.queue.lanes import WAITING
from gatekit_tui.queue.review_keys import BY_PICTURE, DECIDING, KEYS, LANE_OF, LOOKING, MARKING, speaks_of, speaks_to
from gatekit_tui.queue.settings import Settings
from gatekit_tui.queue.top_text import Top
from gatekit_tui.queue.visiting import VisitingScreen

if TYPE_CHECKING:
    from gatekit import Gate

OLD: Final = "The picture is old: the queue could not be read. Nothing is decided by it."


class KeyedScreen(VisitingScreen):
    """Has the keys, and says which are alive. What they do is not said here."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, gate: Gate, reviewer: str, settings: Settings, *, read_only: bool) -> None:
        super().__init__(gate, reviewer, settings, read_only=read_only)
        self._sender = Sender(self, gate, reviewer, settings.hold, self._mark_saving)
        self._alive: tuple[bool, bool] | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that decide are absent where nobody may, and dead where nothing waits."""
        if action in DECIDING and self._read_only:
            return False
        if action == "tell_fate":
            return not self._undoable() and bool(self._sender.held.over(self._gate.now()))
        if action == "undo":
            return True if self._undoable() else None
        seen = self._detail.study
        if action in LANE_OF and not speaks_to(action, self._feed.wish.lane, seen):
            return False
        if self._follower.stale is not None and self._goes_by_the_picture(action):
            return None
        if action in MARKING:
            return True if self._feed.wish.lane is WAITING else None
        if action in LANE_OF:
            return True if self._drawn_in(LANE_OF[action]) is not None else None
        if action in ("open", "other_pane", "skip"):
            return True if self._list.rows.size else None
        if action in LOOKING:
            return True if speaks_of(action, seen) else None
        return True

    def _told_at_the_top(self) -> Top:
        now = self._gate.now()
        held = held_words(self._sender.held.last(now), now)
        return (
            super()
            ._told_at_the_top()
            .with_own(held=held, marked=len(self._marks), stale=self._follower.stale, paused=self._follower.paused)
        )

    def _write_top(self) -> None:
        super()._write_top()
        # With time alone the picture gets old, and what was held counts.
        alive = self._follower.stale is None, bool(self._undoable())
        if alive != self._alive:
            self._alive = alive
            self.refresh_bindings()

    def on_key(self, event: events.Key) -> None:
        """Say why a key that decides is dead."""
        if self._follower.stale is None:
            return
        one = self.active_bindings.get(event.key)
        if one is not None and self._goes_by_the_picture(one.binding.action):
            self.review.say(OLD, "warning")

    def _goes_by_the_picture(self, action: str) -> bool:
        # To stop everything is right whatever is on the screen.
        return action in BY_PICTURE and (action != "stop" or self.review.stopped is not None)

    def _due_in(self) -> float:
        # The seconds that are left to undo are counted aloud.
        return SOONEST if self._sender.held.last(self._gate.now()) else super()._due_in()

    def _undoable(self) -> tuple[str, ...]:
        """What was decided last; or the chosen decision, where that is another one."""
        now = self._gate.now()
        last = tuple(one.request_id for one in self._sender.held.last(now))
        seen, chosen = self._detail.study, self._list.chosen
        if seen is None or chosen is None or chosen.id != seen.request.id or chosen.id in last:
            return last
        is_mine = seen.request.decision is not None and seen.request.decision.by == f"human:{self._who}"
        is_held = seen.request.status == "held" and HeldOne.of(seen.request, seen.request.decision, now) is not None
        return (chosen.id,) if is_mine and is_held else last
