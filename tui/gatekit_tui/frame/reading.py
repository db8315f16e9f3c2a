"""How far lines were read. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """Lines that came into sight one after the other. What a leap passed over was not read.

    >>> Reading().seen(0, 20).seen(100, 20).to
    20
    >>> Reading().seen(0, 20).seen(19, 20).to
    39
    """

    to: int = 0
    """Every line before this one was in sight."""

    def goes_on_at(self, top: int) -> bool:
        """Whether no line that was not read is before this one."""
        return top <= self.to

    def seen(self, top: int, height: int) -> Reading:
        """So many lines from this one on are in sight: the reading goes on only where it was."""
        return Reading(max(self.to, top + height)) if self.goes_on_at(top) else self
