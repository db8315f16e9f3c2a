"""What the list reads from the queue: only the pages in sight, and where the chosen call stands now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatekit.models import RequestRow, Stop
from gatekit_tui.lanes import WAITING, Lane
from gatekit_tui.rows import PAGE, Rows

if TYPE_CHECKING:
    from gatekit import Gate

CHEAP_COUNT = 1000
"""Rows up to which every refresh counts: counting a hundred thousand takes as long as two hundred pages."""
_MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class View:
    """Where the reviewer stands when a refresh begins."""

    lane: Lane
    rows: Rows
    chosen: RequestRow | None
    cursor: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a refresh found."""

    rows: Rows
    cursor: int
    top: int
    gone: bool
    """Whether the chosen call is no longer in the list."""
    unknown: int
    """How many outcomes are to settle; counted no further than a hundred."""
    stopped: Stop | None
    """Why nothing starts; None: calls start."""


class Feed:
    """Reads pages for the list. `total` beyond `CHEAP_COUNT` is what `recount` found last."""

    def __init__(self, gate: Gate) -> None:
        self._queue = gate.aio
        self._counted = 0
        self.lane = WAITING
        """The list that is read."""
        self.is_long = False
        """Whether the list has more rows than every refresh counts."""

    @property
    def exact(self) -> bool:
        """Whether the total was counted, or is only known to be that much."""
        return not self.is_long or self._counted >= CHEAP_COUNT

    async def recount(self) -> bool:
        """Count a long list whole, and say whether its length changed. Slow: not to be done for every change."""
        before, self._counted = self._counted, await self._queue.count(self.lane.status, at_most=10**9)
        return before != self._counted

    def go_to(self, lane: Lane) -> None:
        """Read this list from now on."""
        self.lane, self._counted, self.is_long = lane, 0, False

    async def refresh(self, view: View) -> Fresh:
        """The rows in sight, the chosen call kept on its line of the screen wherever the queue put it."""
        total = await self._total()
        cursor, top, gone = view.cursor, view.first, False
        rows = await self._read(Rows(total), view.first, view.last)
        if view.chosen is not None:
            line = rows.line_of(view.chosen.id)
            if line is None and (await self._queue.get(view.chosen.id)).status == view.lane.status:
                line = await self._queue.position(view.chosen.id)
            if line is None:
                cursor, gone = min(view.cursor, total), True
                rows = Rows(total, rows.pages, view.chosen, cursor)
            else:
                in_sight = view.first <= view.cursor <= view.last
                top = max(0, view.first + line - view.cursor) if in_sight else view.first
                cursor = line
        unknown = await self._queue.count("unknown", at_most=100)
        stopped = await self._queue.stopped()
        rows = await self._read(rows, top, top + view.last - view.first)
        return Fresh(rows, cursor, top, gone, unknown, stopped)

    async def more(self, rows: Rows, first: int, last: int) -> Rows:
        """The same list with the pages of these lines in it too; pages far from them are forgotten."""
        if len(rows.pages) > _MOST_PAGES:
            near = rows.page_numbers(first - PAGE, last + PAGE)
            kept = {number: page for number, page in rows.pages.items() if number in near}
            rows = Rows(rows.total, kept, rows.ghost, rows.ghost_at)
        return await self._read(rows, first, last)

    async def _total(self) -> int:
        total = await self._queue.count(self.lane.status, at_most=CHEAP_COUNT)
        self.is_long = total >= CHEAP_COUNT
        return max(total, self._counted) if self.is_long else total

    async def _read(self, rows: Rows, first: int, last: int) -> Rows:
        pages = dict(rows.pages)
        for number in rows.page_numbers(first, last):
            if rows.total and number not in pages:
                pages[number] = await self._page(number, pages)
        return Rows(rows.total, pages, rows.ghost, rows.ghost_at)

    async def _page(self, number: int, known: dict[int, tuple[RequestRow, ...]]) -> tuple[RequestRow, ...]:
        # A page after a known one is a seek; only a jump has to count rows off.
        before = known.get(number - 1, ())
        if len(before) == PAGE:
            page = await self._queue.requests(status=self.lane.status, limit=PAGE, after=before[-1].key)
        else:
            page = await self._queue.requests(status=self.lane.status, limit=PAGE, offset=number * PAGE)
        return tuple(page)
