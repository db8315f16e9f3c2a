"""How much of everything a run measures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    idle: float
    """Seconds of nothing before the first wake."""
    rounds: int = 300
    """Rounds of two sides in turns, where a round is short."""
    calls: int = 200
    """Calls of a tool in one round: so few that most rounds end before another process gets the core."""
    commits: int = 300
    """Enqueues by one caller."""
    callers: int = 100
    bursts: int = 10
    """Rounds in which all callers enqueue."""
    wakes: int = 100
    lost: int = 20
    """Wakes with every nudge lost."""
    few: int = 1_000
    many: int = 100_000
    due: int = 1_000
    """Of the many, those that are overdue."""
    starts: int = 5
    """Starts of the dashboard over each of the two queues."""
    most: int = 0
    """Requests in the longest queue that the dashboard is opened on; 0: there is none so long."""
    still: float = 8.0
    """Seconds for which the dashboard is left alone."""
    breath: float = 2.0
    """Seconds for what a start of the dashboard leaves to do."""
    presses: int = 20
    """Times that each key is pressed."""
    landings: int = 20
    """Calls that appear in the dashboard."""
    locked: float = 2.0
    """Seconds for which another process holds the write lock."""
    waiters: int = 10_000
    """Calls that wait at once in one process."""
    runs: int = 10_000
    """Durable runs that wait at once."""
    steps: int = 1_000
    """Steps of one run."""


NORMAL_IDLE = 5.0
LONG_IDLE = 60.0


def scale_of(*, idle: float | None, long: bool) -> Scale:
    """The scale of a run; `idle` where somebody chose it."""
    if long:
        return Scale(idle=idle or LONG_IDLE, most=1_000_000, still=30.0)
    return Scale(idle=idle or NORMAL_IDLE)
