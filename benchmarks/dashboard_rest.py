"""What the dashboard costs and writes while nobody does anything, and what it writes for a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import time_ns

from benchmarks.figures import Aim, Figure
from benchmarks.scale import Scale
from benchmarks.seats import SIZE, WIDE, anything, dashboard, empty_app, first_row, wait_since
from benchmarks.terminal import NS, Terminal

_Program = Callable[[], AbstractContextManager[Terminal]]

_HOURS = 3 * 3600 * 1_000_000
"""Microseconds."""
_QUIET = 0.4
"""Seconds without a byte, after which a key has had its effect."""
_HELPS = 3


@dataclass(frozen=True, slots=True)
class _Rest:
    cpu: float
    """Percent of a core."""
    written: float
    """Bytes a second."""


def measure(scale: Scale, queues: Mapping[int, Path]) -> list[Figure]:
    few, most = scale.few, max(queues)
    floors = {size: _rest(scale, partial(empty_app, size=size), anything) for size in (SIZE, WIDE)}
    rests = [
        *(_over(scale, queues[few], few, size, "hours", floors[size]) for size in (SIZE, WIDE)),
        *(_over(scale, queues[few], few, size, "seconds", floors[size]) for size in (SIZE, WIDE)),
        _over(scale, queues[most], most, SIZE, "hours", floors[SIZE]),
    ]
    wait_since(queues[few], time_ns() // 1000 - _HOURS)
    keys = [figure for size in (SIZE, WIDE) for figure in _keys(scale, queues[few], size)]
    return [*(cpu for cpu, _ in rests), *(written for _, written in rests), *keys]


def _over(scale: Scale, queue: Path, rows: int, size: tuple[int, int], age: str, floor: _Rest) -> tuple[Figure, Figure]:
    """The figures over a queue whose calls have waited for so long."""
    wait_since(queue, time_ns() // 1000 - (_HOURS if age == "hours" else 0))
    ours = _rest(scale, partial(dashboard, queue, size=size), first_row)
    told = f"{_by(size)}, {rows:,} that wait for {age}"
    name = f"idle CPU, {told} ÷ the empty app"
    return (
        Figure(name=name, ours=ours.cpu, floor=floor.cpu, unit="%", aim=Aim("ours", "≤", 0.5)),
        Figure(
            name=f"written in an idle second, {told}",
            ours=ours.written,
            floor=floor.written,
            unit="B",
            aim=Aim("ours", "≤", 200),
        ),
    )


def _rest(scale: Scale, program: _Program, shown: Callable[[str], bool]) -> _Rest:
    with program() as terminal:
        terminal.until(shown)
        # A long list is counted some seconds after it is shown, and then once more.
        terminal.watch(3 * scale.breath)
        before = terminal.ask("cpu")
        came = terminal.watch(scale.still)
        used = terminal.ask("cpu") - before
    return _Rest(100 * used / (scale.still * NS), came / scale.still)


def _keys(scale: Scale, queue: Path, size: tuple[int, int]) -> tuple[Figure, Figure]:
    key, screen = _written(scale, partial(dashboard, queue, size=size), first_row)
    bare_key, bare_screen = _written(scale, partial(empty_app, size=size), anything)
    return (
        Figure(name=f"written for a `j`, {_by(size)}", ours=key, floor=bare_key, unit="B", aim=None),
        Figure(
            name=f"written for the screen of `?`, {_by(size)} ÷ an empty screen",
            ours=screen,
            floor=bare_screen,
            unit="B",
            aim=None,
        ),
    )


def _written(scale: Scale, program: _Program, shown: Callable[[str], bool]) -> tuple[float, float]:
    """Bytes for a `j`, and for the screen that `?` opens: the median of each."""
    with program() as terminal:
        terminal.until(shown)
        terminal.watch(scale.breath)
        keys = [_written_for(terminal, "j") for _ in range(scale.presses)]
        screens = []
        for _ in range(min(_HELPS, scale.presses)):
            screens.append(_written_for(terminal, "?"))
            _written_for(terminal, "\x1b")
    return median(keys), median(screens)


def _written_for(terminal: Terminal, key: str) -> int:
    terminal.press(key)
    return terminal.until_quiet(_QUIET)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
