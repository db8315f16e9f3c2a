"""A measured figure, its floor and its aim; and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

_HEADS = ("", "ours", "floor", "ratio", "aim", "met")


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a figure should be: its ratio to the floor, or the figure itself."""

    of: Literal["ratio", "ours"]
    sign: Literal["≤", "≥"]
    bound: float

    def met_by(self, value: float) -> bool:
        return value <= self.bound if self.sign == "≤" else value >= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    name: str
    ours: float
    floor: float | None
    """The same unit, of the least that the same work can cost; None where there is no such thing. 0 gives no ratio."""
    unit: str
    aim: Aim | None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """None where there is no aim."""
        if self.aim is None:
            return None
        measured = self.ours if self.aim.of == "ours" else self.ratio
        if measured is None:
            raise ValueError(f"{self.name}: its aim is a ratio, and it has no floor")
        return self.aim.met_by(measured)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ours": self.ours,
            "floor": self.floor,
            "unit": self.unit,
            "ratio": self.ratio,
            "aim": self._aim_text() or None,
            "met": self.met,
        }

    def cells(self) -> tuple[str, ...]:
        floor = "–" if self.floor is None else f"{_short(self.floor)} {self.unit}"
        ratio = "–" if self.ratio is None else f"{_short(self.ratio)}×"
        met = {True: "yes", False: "NO", None: ""}[self.met]
        return self.name, f"{_short(self.ours)} {self.unit}", floor, ratio, self._aim_text(), met

    def _aim_text(self) -> str:
        if self.aim is None:
            return ""
        return f"{self.aim.sign} {self.aim.bound:g}" + ("×" if self.aim.of == "ratio" else f" {self.unit}")


def table(sections: Sequence[tuple[str, Sequence[Figure]]]) -> str:
    """All figures, one a line, under the titles of their sections."""
    rows = [figure.cells() for _, figures in sections for figure in figures]
    widths = [max(len(row[column]) for row in [_HEADS, *rows]) for column in range(len(_HEADS))]
    lines = [_line(_HEADS, widths)]
    for title, figures in sections:
        lines += ["", title, *(_line(figure.cells(), widths) for figure in figures)]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return f"  {first}  {'  '.join(rest)}".rstrip()


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"
