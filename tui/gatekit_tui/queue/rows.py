"""The list as data: which rows are known, and where a call that left it is still shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gatekit.models import RequestRow

PAGE = 50
"""Rows that are read from the queue at once."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is known of the queue's list at one moment."""

    total: int = 0
    """How many calls wait, or are known to."""
    pages: Mapping[int, tuple[RequestRow, ...]] = field(default_factory=dict[int, tuple[RequestRow, ...]])
    """The pages read so far, by number; page n starts at row n * PAGE."""
    ghost: RequestRow | None = None
    """A call that was decided while it was selected: it stays in its place until the reviewer moves on."""
    ghost_at: int = 0
    """Where the ghost is drawn."""
    cut: bool = False
    """Whether there are more rows than these, which are not read."""

    @property
    def size(self) -> int:
        """How many lines the list has."""
        return self.total + (self.ghost is not None)

    def row(self, line: int) -> RequestRow | None:
        """What is drawn on a line; None where it is not read yet."""
        if self.ghost is not None:
            if line == self.ghost_at:
                return self.ghost
            line -= line > self.ghost_at
        number, offset = divmod(line, PAGE)
        page = self.pages.get(number, ())
        return page[offset] if offset < len(page) else None

    def line_of(self, request_id: str) -> int | None:
        """The line of a call among those that are read."""
        if self.ghost is not None and self.ghost.id == request_id:
            return self.ghost_at
        for number, page in self.pages.items():
            for offset, row in enumerate(page):
                if row.id == request_id:
                    return self.line_at(number * PAGE + offset)
        return None

    def line_at(self, position: int) -> int:
        """The line that shows the queue's row of this position."""
        return position + (self.ghost is not None and position >= self.ghost_at)

    def page_numbers(self, first: int, last: int) -> range:
        """The pages that the lines from `first` to `last` are on."""
        highest = max(0, self.total - 1) // PAGE
        return range(min(max(0, first - 1) // PAGE, highest), min(max(0, last) // PAGE, highest) + 1)


def paged(rows: Sequence[RequestRow], *, cut: bool) -> Rows:
    """A list that was read whole."""
    pages = {number: tuple(rows[number * PAGE : (number + 1) * PAGE]) for number in range(-(-len(rows) // PAGE))}
    return Rows(len(rows), pages, cut=cut)
