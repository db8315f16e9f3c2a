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
    waiters: int = 10_000
    """Calls that wait at once in one process."""
    runs: int = 10_000
    """Durable runs that wait at once."""
    steps: int = 1_000
    """Steps of one run."""


NORMAL_IDLE = 5.0
LONG_IDLE = 60.0
