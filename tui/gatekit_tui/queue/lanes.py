"""The lists that a reviewer goes between, and what of a list is wanted: a filter, an order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gatekit.models import Order, Status
from gatekit_tui.frame.spans import Inked


@dataclass(frozen=True, slots=True)
class Lane:
    """One list: the requests in some states."""

    statuses: tuple[Status, ...]
    counted: str
    """What stands behind their number in the top bar."""
    empty: str
    """What is said where there are none."""
    hint: str
    orders: tuple[Order, ...] = ("due",)
    """How they can be sorted; the first is how they are."""


_ORDERS: Final[tuple[Order, ...]] = ("due", "oldest", "risk")
WAITING: Final = Lane(("pending",), "waiting", "Nothing is waiting.", "New calls appear here by themselves.", _ORDERS)
TO_SETTLE: Final = Lane(
    ("unknown",),
    "to settle",
    "Nothing is to settle.",
    "A call whose process died while its tool ran appears here by itself.",
    _ORDERS,
)
RUNNING: Final = Lane(("running",), "running", "Nothing runs.", "A call appears here while its tool runs.")
HELD: Final = Lane(
    ("held",), "held", "Nothing is held.", "A decision stands here until it counts: u takes your own back."
)
DECIDED: Final = Lane(
    ("approved", "succeeded", "failed", "rejected", "responded", "answered", "cancelled"),
    "decided",
    "Nothing was decided yet.",
    "What was decided last appears here first.",
    ("decided",),
)
EXPIRED: Final = Lane(
    ("expired",), "expired", "Nothing has expired.", "What nobody decided in time appears here.", ("decided",)
)
LANES: Final = (WAITING, TO_SETTLE, RUNNING, HELD, DECIDED, EXPIRED)
ORDER_WORDS: Final[dict[Order, str]] = {
    "due": "due first",
    "oldest": "oldest first",
    "risk": "riskiest first",
    "decided": "decided last first",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the queue the reviewer wants to see."""

    lane: Lane = WAITING
    where: str = ""
    """A filter, as `gate.requests` takes it; empty: all."""
    order: Order = "due"

    @property
    def is_whole(self) -> bool:
        """Whether it is the list as the queue keeps it, in which any line can be gone to at once."""
        return not self.where and self.order == "due"

    @property
    def is_plain(self) -> bool:
        """Whether nothing is filtered out and the order is the usual one."""
        return not self.where and self.order == self.lane.orders[0]

    def next_order(self) -> Order:
        """The order after this one, round and round."""
        orders = self.lane.orders
        return orders[(orders.index(self.order) + 1) % len(orders)]


def beside(lane: Lane, step: int) -> Lane:
    """The list before or behind this one, round and round."""
    return LANES[(LANES.index(lane) + step) % len(LANES)]


def unknown_note(lane: Lane, unknown: int) -> Inked:
    """What the top bar says of outcomes that nobody settled, where they are not in sight."""
    return () if lane is TO_SETTLE or not unknown else ((f" · {unknown} to settle: ]", "warn"),)
