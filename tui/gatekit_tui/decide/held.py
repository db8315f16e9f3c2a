"""The reviewer's own decisions that do not count yet: what the undo key takes back, and when it is too late. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from gatekit.display import ago
from gatekit.models import Decision, Request

TOLD_FOR: Final = timedelta(seconds=30)
"""For how long the undo key says what became of what it can no longer take back."""


@dataclass(frozen=True, slots=True)
class HeldOne:
    """One decision that can still be undone."""

    request_id: str
    tool: str
    until: datetime

    @classmethod
    def of(cls, request: Request, decision: object, now: datetime) -> Self | None:
        """What a verb gave, if it can be undone."""
        if not isinstance(decision, Decision) or decision.effective_at is None or decision.effective_at <= now:
            return None
        return cls(request.id, request.tool, decision.effective_at)


class Held:
    """What was decided together is taken back together; the last goes first."""

    def __init__(self) -> None:
        self._groups: list[tuple[HeldOne, ...]] = []
        self._over: tuple[HeldOne, ...] = ()

    def add(self, group: Iterable[HeldOne]) -> None:
        """Remember what one key, or one batch, decided."""
        if found := tuple(group):
            self._groups.append(found)

    def drop(self, request_ids: Collection[str]) -> None:
        """Forget these: they were taken back."""
        kept = (tuple(one for one in group if one.request_id not in request_ids) for group in self._groups)
        self._groups = [group for group in kept if group]

    def last(self, now: datetime) -> tuple[HeldOne, ...]:
        """What the next undo takes back."""
        self._let_go(now)
        return self._groups[-1] if self._groups else ()

    def over(self, now: datetime) -> tuple[HeldOne, ...]:
        """What could be undone last, where that is over since a moment and nothing else can be."""
        self._let_go(now)
        is_late = not self._groups and any(one.until > now - TOLD_FOR for one in self._over)
        return self._over if is_late else ()

    def _let_go(self, now: datetime) -> None:
        for group in self._groups:
            if over := tuple(one for one in group if one.until <= now):
                self._over = over
        self._groups = [left for group in self._groups if (left := tuple(one for one in group if one.until > now))]

    def all(self, now: datetime) -> tuple[HeldOne, ...]:
        """Everything that can still be undone."""
        self._let_go(now)
        return tuple(one for group in self._groups for one in group)


def held_words(held: Collection[HeldOne], now: datetime) -> str:
    """How many, and for how long: `2 held · u: 4s`."""
    if not held:
        return ""
    left = max((one.until - now).total_seconds() for one in held)
    return f"{len(held)} held · u: {ago(left)}"
