"""One page of the list, and where it goes on. A filter is held against a bounded number of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from gatekit.backend.tx import PageQuery, Tx
from gatekit.machine.records import RowRecord

LOOKED_AT: Final = 20_000
"""Lines that a filter is held against for one page: what no index answers must not hold up other readers."""


class Found(NamedTuple):
    """The lines of a page, and the key to go on from; None: the list ends with them."""

    rows: Sequence[RowRecord]
    next: str | None


def look_up(tx: Tx, query: PageQuery, now: int, *, looked_at: int = LOOKED_AT) -> Found:
    """At most `query.limit` lines. With a filter they may be fewer although the list goes on."""
    query = replace(query, now=now)
    bound = None if query.where is None else tx.bound(query, looked_at)
    rows = tx.page(replace(query, until=bound, limit=query.limit + 1))
    backwards = query.before is not None
    if len(rows) > query.limit:
        kept = rows[-query.limit :] if backwards else rows[: query.limit]
        last = kept[0] if backwards else kept[-1]
        return Found(kept, f"{last.due}:{last.pos}")
    return Found(rows, None if bound is None else f"{bound[0]}:{bound[1]}")
