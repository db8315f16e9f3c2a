"""What the list reads from the queue: only the pages in sight, and where the chosen request stands now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatekit.errors import RequestNotFound
from gatekit.models import Request, RequestRow, Stop
from gatekit_tui.queue.lanes import DECIDED, WAITING, Wish
from gatekit_tui.queue.rows import PAGE, Rows, paged
from gatekit_tui.request.stages_text import is_due

if TYPE_CHECKING:
    from gatekit import Gate

CHEAP_COUNT = 1000
"""Rows up to which every refresh counts: counting a hundred thousand takes as long as two hundred pages."""
MOST_FOUND = 1000
"""Rows of a filtered or sorted list: nobody reads more, and a narrower filter finds what is behind them."""
_MOST_PAGES = 20
_A_FEW = 100
FIRST = 10
"""Rows that are looked at for how many are critical, and for how many are due at once."""


@dataclass(frozen=True, slots=True)
class View:
    """Where the reviewer stands when a refresh begins."""

    wish: Wish
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
    in_lane: int = 0
    """How many requests the list has without its filter; counted no further than `CHEAP_COUNT`."""
    unknown: int = 0
    """How many outcomes are to settle; counted no further than a hundred."""
    critical: int = 0
    """How many of those that wait are of critical risk, where these are listed; counted no further than `FIRST`."""
    due: int = 0
    """How many of them are due at once; counted no further than `FIRST`."""
    stopped: Stop | None = None
    """Why nothing starts; None: calls start."""
    last: Request | None = None
    """What was decided last, where nothing waits any more."""


class Feed:
    """Reads pages for the list. `total` beyond `CHEAP_COUNT` is what `recount` found last."""

    def __init__(self, gate: Gate) -> None:
        self._queue = gate.aio
        self._now = gate.now
        self._counted = 0
        self.wish = Wish()
        """What is read."""
        self.is_long = False
        """Whether the list has more rows than every refresh counts."""

    @property
    def exact(self) -> bool:
        """Whether the total was counted, or is only known to be that much."""
        return not self.is_long or self._counted >= CHEAP_COUNT

    async def recount(self) -> bool:
        """Count a long list whole, and say whether its length changed. Slow: not to be done for every change."""
        lane = self.wish.lane
        counted = await self._queue.count(lane.statuses, at_most=10**9)
        if lane is not self.wish.lane:
            # Meanwhile the reviewer went to another list, which this number says nothing of.
            return False
        before, self._counted = self._counted, counted
        return before != counted

    def go_to(self, wish: Wish) -> None:
        """Read this from now on."""
        if wish.lane is not self.wish.lane:
            self._counted, self.is_long = 0, False
        self.wish = wish

    async def check(self, where: str) -> None:
        """Raise `UsageError` where a filter cannot be read."""
        await self._queue.requests(status=self.wish.lane.statuses, where=where, limit=1)

    async def row_of(self, wish: Wish, request_id: str) -> RequestRow | None:
        """The line of a request in such a list; None where it is not in it, or too far down to be read."""
        if not wish.is_whole:
            found = await self._found(wish)
            line = found.line_of(request_id)
            return None if line is None else found.row(line)
        place = await self._position(wish, request_id)
        if place is None:
            return None
        page = await self._queue.requests(wish.lane.statuses, offset=place, limit=PAGE)
        return next((row for row in page if row.id == request_id), None)

    async def refresh(self, view: View) -> Fresh:
        """The rows in sight, the chosen request kept on its line of the screen wherever the queue put it."""
        wish = view.wish
        in_lane = await self._total(wish)
        rows = (
            await self._read(wish, Rows(in_lane), view.first, view.last) if wish.is_whole else await self._found(wish)
        )
        rows, cursor, top = await self._place(view, rows)
        if wish.is_whole:
            rows = await self._read(wish, rows, top, top + view.last - view.first)
        return Fresh(
            rows,
            cursor,
            top,
            in_lane,
            unknown=await self._queue.count("unknown", at_most=_A_FEW),
            critical=await self._critical() if wish.lane is WAITING else 0,
            due=await self._due() if wish.lane is WAITING else 0,
            stopped=await self._queue.stopped(),
            last=await self._last_decided() if wish == Wish() and not in_lane else None,
        )

    async def more(self, rows: Rows, first: int, last: int) -> Rows:
        """The same list with the pages of these lines in it too; pages far from them are forgotten."""
        if not self.wish.is_whole:
            return rows
        if len(rows.pages) > _MOST_PAGES:
            near = rows.page_numbers(first - PAGE, last + PAGE)
            kept = {number: page for number, page in rows.pages.items() if number in near}
            rows = Rows(rows.total, kept, rows.ghost, rows.ghost_at)
        return await self._read(self.wish, rows, first, last)

    async def _place(self, view: View, rows: Rows) -> tuple[Rows, int, int]:
        """The rows, with the chosen one among them whether or not it is still there; cursor; first line in sight."""
        if view.chosen is None:
            return rows, view.cursor, view.first
        line = rows.line_of(view.chosen.id)
        if line is None and view.wish.is_whole:
            line = await self._position(view.wish, view.chosen.id)
        if line is None:
            cursor = min(view.cursor, rows.total)
            return Rows(rows.total, rows.pages, view.chosen, cursor, rows.cut), cursor, view.first
        in_sight = view.first <= view.cursor <= view.last
        return rows, line, max(0, view.first + line - view.cursor) if in_sight else view.first

    async def _position(self, wish: Wish, request_id: str) -> int | None:
        try:
            if (await self._queue.get(request_id)).status in wish.lane.statuses:
                return await self._queue.position(request_id)
        except RequestNotFound:
            # It was deleted with its run.
            pass
        return None

    async def _total(self, wish: Wish) -> int:
        total = await self._queue.count(wish.lane.statuses, at_most=CHEAP_COUNT)
        self.is_long = total >= CHEAP_COUNT
        return max(total, self._counted) if self.is_long else total

    async def _critical(self) -> int:
        riskiest = await self._queue.requests(order="risk", limit=FIRST)
        return sum(row.risk == "critical" for row in riskiest)

    async def _due(self) -> int:
        soonest = await self._queue.requests(order="due", limit=FIRST)
        return sum(is_due(row, self._now()) for row in soonest)

    async def _last_decided(self) -> Request | None:
        page = await self._queue.requests(DECIDED.statuses, order="decided", limit=1)
        try:
            return await self._queue.get(page[0].id) if page else None
        except RequestNotFound:
            # It was deleted with its run.
            return None

    async def _found(self, wish: Wish) -> Rows:
        """The first rows that fit; each reading looks at a bounded part of the queue and says where it goes on."""
        found: list[RequestRow] = []
        place: str | None = None
        while True:
            page = await self._queue.requests(
                status=wish.lane.statuses,
                where=wish.where or None,
                order=wish.order,
                after=place,
                limit=MOST_FOUND - len(found),
            )
            found += page
            place = page.next
            if place is None or len(found) >= MOST_FOUND:
                return paged(found, cut=place is not None)

    async def _read(self, wish: Wish, rows: Rows, first: int, last: int) -> Rows:
        pages = dict(rows.pages)
        for number in rows.page_numbers(first, last):
            if rows.total and number not in pages:
                pages[number] = await self._page(wish, number, pages)
        return Rows(rows.total, pages, rows.ghost, rows.ghost_at)

    async def _page(self, wish: Wish, number: int, known: dict[int, tuple[RequestRow, ...]]) -> tuple[RequestRow, ...]:
        # A page after a known one is a seek; only a jump has to count rows off.
        before = known.get(number - 1, ())
        statuses = wish.lane.statuses
        if len(before) == PAGE:
            page = await self._queue.requests(status=statuses, limit=PAGE, after=before[-1].key)
        else:
            page = await self._queue.requests(status=statuses, limit=PAGE, offset=number * PAGE)
        return tuple(page)
