"""How people decide, as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gatekit.display._cells import cells, fit, under
from gatekit.display._text import ago
from gatekit.display._visible import visible
from gatekit.models import Stats, ToolStats

FEWEST: Final = 5
"""Decisions below which a share says nothing: one more or less would move it by a fifth and more."""
_COUNTED_TO: Final = 100_000
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_NONE: Final = "·"
_COLUMNS: Final = ("DECIDED", "APPROVED", "MEDIAN", "UNDER 2S")
_WIDEST_TOOL: Final = 20
_LABEL: Final = 12


def draw_stats(stats: Stats, within: str, width: int) -> list[str]:
    """All together, then a line for each tool. `within` is the time as it was asked for."""
    everything, lines = stats.all, list[str]()
    told = [("waiting", _waiting(stats)), ("decided", _decided(stats, within))]
    if everything.decided:
        told += [
            ("half within", _seconds(everything)),
            ("approved", _of(everything, everything.approved)),
            ("under 2 s", _hasty(everything)),
            ("when", sparkline(everything.trend)),
        ]
    for label, text in told:
        lines += under(label, text, width, column=_LABEL)
    return [*lines, "", *_table(stats.tools, width)] if stats.tools else lines


def sparkline(counts: Sequence[int]) -> str:
    """A block for each number, as high as it is beside the greatest; a dot for none.

    >>> sparkline([0, 1, 4, 8])
    '·▁▄█'
    """
    most = max(counts, default=0)
    return "".join(_BLOCKS[-(-count * len(_BLOCKS) // most) - 1] if count else _NONE for count in counts)


def _waiting(stats: Stats) -> str:
    if stats.oldest is None:
        return "nothing"
    count = f"{stats.waiting:,}" + (" or more" if stats.waiting >= _COUNTED_TO else "")
    return f"{count}, the oldest for {ago((stats.at - stats.oldest).total_seconds())}"


def _decided(stats: Stats, within: str) -> str:
    if not stats.all.decided:
        return f"nothing by people in the last {within}"
    cut = f"; there were more, only the newest {stats.all.decided:,} count" if stats.cut else ""
    return f"{stats.all.decided:,} by people in the last {within}{cut}"


def _seconds(row: ToolStats) -> str:
    return "-" if row.median is None else ago(row.median)


def _of(row: ToolStats, count: int) -> str:
    share = f", {_share(row, count)}" if row.decided >= FEWEST else f"; a share needs {FEWEST} decisions"
    return f"{count:,} of {row.decided:,}{share}"


def _share(row: ToolStats, count: int) -> str:
    return f"{100 * count / row.decided:.0f} %" if row.decided >= FEWEST else "-"


def _hasty(row: ToolStats) -> str:
    if not row.hasty:
        return "none"
    return f"{_of(row, row.hasty)}: a sign of rubber-stamping"


def _table(rows: Sequence[ToolStats], width: int) -> list[str]:
    numbers = sum(map(len, _COLUMNS)) + len(_COLUMNS)
    tool = max(4, min(_WIDEST_TOOL, width - numbers, max(cells(visible(row.tool)[0]) for row in rows)))
    trend = tool + numbers + 1 + max(len(row.trend) for row in rows) <= width
    lines = [_line("TOOL", _COLUMNS, "WHEN" if trend else "", tool)]
    for row in rows:
        cells_of = (f"{row.decided:,}", _share(row, row.approved), _seconds(row), f"{row.hasty:,}")
        lines.append(_line(visible(row.tool)[0], cells_of, sparkline(row.trend) if trend else "", tool))
    return lines


def _line(tool: str, numbers: Sequence[str], trend: str, width: int) -> str:
    told = [number.rjust(len(head)) for number, head in zip(numbers, _COLUMNS, strict=True)]
    return " ".join([fit(tool, width), *told, trend]).rstrip()
