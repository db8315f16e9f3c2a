"""Measuring two things in turns, and what to make of many measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median

MICRO = 1e6
MILLI = 1e3


def in_turns(rounds: int, *sides: Callable[[], float]) -> list[float]:
    """The median of what each side answers. The order is reversed every round: no side always has the warmer cache."""
    taken: list[list[float]] = [[] for _ in sides]
    for number in range(rounds):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        for index in order:
            taken[index].append(sides[index]())
    return [median(one) for one in taken]


def percentile(values: Sequence[float], percent: float) -> float:
    """The least of the values that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
