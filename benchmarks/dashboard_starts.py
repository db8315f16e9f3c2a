"""From the start of the dashboard's process to its first row, and the memory it then has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.figures import Aim, Figure
from benchmarks.runs import resident
from benchmarks.scale import Scale
from benchmarks.seats import anything, dashboard, empty_app, first_row
from benchmarks.terminal import NS, Terminal
from benchmarks.timing import MILLI, in_turns


@dataclass(frozen=True, slots=True)
class _Start:
    whole: float
    """Seconds from the start of the process."""
    own: float
    """Seconds from the end of its imports."""
    memory: float
    """Megabytes."""


def measure(scale: Scale, queues: Mapping[int, Path]) -> list[Figure]:
    empty, *ours = _starts(
        scale,
        partial(_started, empty_app, anything, scale.breath),
        *(partial(_started, partial(dashboard, queue), first_row, scale.breath) for queue in queues.values()),
    )
    figures = [_figures(rows, start, empty) for rows, start in zip(queues, ours, strict=True)]
    return [figure for kind in zip(*figures, strict=True) for figure in kind]


def _figures(rows: int, ours: _Start, empty: _Start) -> tuple[Figure, Figure, Figure]:
    return (
        Figure(
            name=f"process start to the first row of {rows:,} ÷ to the empty app's line",
            ours=ours.whole,
            floor=empty.whole,
            unit="s",
            aim=Aim("ratio", "≤", 2),
        ),
        Figure(
            name=f"of that, after the imports, at {rows:,}",
            ours=ours.own * MILLI,
            floor=empty.own * MILLI,
            unit="ms",
            aim=None,
        ),
        Figure(
            name=f"resident memory once drawn, at {rows:,}",
            ours=ours.memory,
            floor=empty.memory,
            unit="MB",
            aim=Aim("ratio", "≤", 2),
        ),
    )


def _starts(scale: Scale, *sides: Callable[[], _Start]) -> list[_Start]:
    """The median of each side's starts, measured in turns."""
    seen: list[list[_Start]] = [[] for _ in sides]
    for side in sides:
        # What the file system and the compiler have to do once is done now.
        side()

    def start(side: Callable[[], _Start], starts: list[_Start]) -> float:
        starts.append(side())
        return starts[-1].whole

    in_turns(scale.starts, *(partial(start, *pair) for pair in zip(sides, seen, strict=True)))
    return [_middle(starts) for starts in seen]


def _middle(starts: Sequence[_Start]) -> _Start:
    return _Start(
        median(start.whole for start in starts),
        median(start.own for start in starts),
        median(start.memory for start in starts),
    )


def _started(
    program: Callable[[], AbstractContextManager[Terminal]], shown: Callable[[str], bool], breath: float
) -> _Start:
    with program() as terminal:
        ready = terminal.until(shown)
        terminal.watch(breath)
        memory = resident(str(terminal.process))
        return _Start((ready - terminal.started) / NS, (ready - terminal.ask("imported")) / NS, memory)
