"""One page of the list, and where it goes on. Where lines have to be looked at, these are so many at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from gatekit.backend.tx import Key, PageQuery, Tx
from gatekit.machine.records import RowRecord

LOOKED_AT: Final = 20_000
"""Lines that one page looks at: what no index answers must not hold up other readers."""


class Found(NamedTuple):
    """The lines of a page, and the key to go on from; None: the list ends with them."""

    rows: Sequence[RowRecord]
    next: str | None


def look_up(tx: Tx, query: PageQuery, now: int, *, looked_at: int = LOOKED_AT) -> Found:
    """At most `query.limit` lines. Where lines are looked at they may be fewer although the list goes on."""
    query = replace(query, now=now)
    bound = tx.bound(query, looked_at) if query.looks else None
    rows = tx.page(replace(query, until=bound, limit=query.limit + 1))
    backwards = query.before is not None
    if len(rows) > query.limit:
        kept = rows[-query.limit :] if backwards else rows[: query.limit]
        return Found(kept, text_of(kept[0].key if backwards else kept[-1].key))
    return Found(rows, None if bound is None else text_of(bound))


def count(tx: Tx, query: PageQuery, now: int, *, looked_at: int = LOOKED_AT) -> int:
    """How many lines fit, counted no further than `query.limit`, of those that one page would look at."""
    if not query.looks:
        return tx.count(query.statuses, query.limit)
    query = replace(query, now=now)
    return tx.count_found(replace(query, until=tx.bound(query, looked_at)))


def text_of(key: Key) -> str:
    """A line's place as it is handed out."""
    return f"{key[0]}:{key[1]}"
