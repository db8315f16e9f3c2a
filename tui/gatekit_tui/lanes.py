"""The lists that a reviewer goes between: what waits for a decision, what is to settle, what runs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gatekit.models import Status
from gatekit_tui.spans import Inked


@dataclass(frozen=True, slots=True)
class Lane:
    """One list: the requests in one state."""

    status: Status
    counted: str
    """What stands behind their number in the top bar."""
    empty: str
    """What is said where there are none."""
    hint: str


WAITING: Final = Lane("pending", "waiting", "Nothing is waiting.", "New calls appear here by themselves.")
TO_SETTLE: Final = Lane(
    "unknown",
    "to settle",
    "Nothing is to settle.",
    "A call whose process died while its tool ran appears here by itself.",
)
RUNNING: Final = Lane("running", "running", "Nothing runs.", "A call appears here while its tool runs.")
LANES: Final = (WAITING, TO_SETTLE, RUNNING)


def beside(lane: Lane, step: int) -> Lane:
    """The list before or behind this one, round and round."""
    return LANES[(LANES.index(lane) + step) % len(LANES)]


def unknown_note(lane: Lane, unknown: int) -> Inked:
    """What the top bar says of outcomes that nobody settled, where they are not in sight."""
    return () if lane is TO_SETTLE or not unknown else ((f" · {unknown} to settle: ]", "warn"),)
