"""Records as a table of lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink, Inked, fit, wrap_inked

_GAP: Final = 2
_LEAST: Final = 6
"""Cells that a column has at least, where its texts take more."""


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, more: int = 0) -> list[Inked]:
    """The names, the rows, and what of it is not shown. Texts are cut to their column, and columns left out at the
    end, where there is no room for them; `more` rows are known to be left out already.
    """
    fitting = max(1, (width + _GAP) // (_LEAST + _GAP))
    names = [one_line(name) for name in columns[:fitting]]
    cells = [[one_line(row[at]) if at < len(row) else "" for at in range(len(names))] for row in rows]
    natural = [max(map(cell_len, (name, *(row[at] for row in cells)))) for at, name in enumerate(names)]
    widths = _shared(natural, width - _GAP * (len(names) - 1))
    cut = sum(cell_len(row[at]) > wide for row in (names, *cells) for at, wide in enumerate(widths))
    lines = [_row(row, widths, "label" if number == 0 else "text") for number, row in enumerate((names, *cells))]
    return [*lines, *_left_out(cut, len(columns) - len(names), more, width)]


def _shared(natural: Sequence[int], room: int) -> list[int]:
    """What each column gets: what it takes, or an equal share of what the narrow ones leave."""
    left, widths = room, [0] * len(natural)
    by_need = sorted(range(len(natural)), key=lambda at: natural[at])
    for done, at in enumerate(by_need):
        widths[at] = max(1, min(natural[at], left // (len(natural) - done)))
        left -= widths[at]
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], ink: Ink) -> Inked:
    text = (" " * _GAP).join(fit(cell, wide) for cell, wide in zip(cells, widths, strict=True))
    return ((text.rstrip(), ink),)


def _left_out(cut: int, columns: int, rows: int, width: int) -> list[Inked]:
    told = [
        f"{count:,} {what}{'' if count == 1 else 's'} {why}"
        for count, what, why in ((cut, "text", "cut"), (columns, "column", "left out"), (rows, "line", "left out"))
        if count
    ]
    return wrap_inked(((" · ".join(told), "warn"),), width) if told else []
