"""Whether a request in memory belongs to a page: what SQLite answers in the store of files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gatekit.backend.tx import Key, PageQuery
from gatekit.filters import Filter, Pattern, fits_pattern, needles, small
from gatekit.machine.claims import holds
from gatekit.machine.records import RequestRecord
from gatekit.models import RISKS, UNDECIDED, Order


def rank_of(request: RequestRecord, order: Order) -> int:
    """What a request is ordered by; how it was decided stands elsewhere."""
    if order == "oldest":
        return request.created_at
    return RISKS[::-1].index(request.risk) if order == "risk" else request.due


def is_in_page(key: Key, query: PageQuery) -> bool:
    """Whether a line of this key stands where the page looks, whatever its filter says."""
    place, after, before, until = (_upwards(one, query.order) for one in (key, query.after, query.before, query.until))
    assert place is not None
    return (
        (after is None or place > after)
        and (before is None or place < before)
        and (until is None or (place <= until if before is None else place >= until))
    )


def _upwards(key: Key | None, order: Order) -> Key | None:
    return (-key[0], -key[1]) if key is not None and order == "decided" else key


def is_found(where: Filter, request: RequestRecord, text: str, now: int) -> bool:
    """Whether all holds that the filter says; `text` is the canonical text of the arguments that are asked."""
    return all(_answers(where, request, now)) and all(_holds(word, request, text) for word in where.words)


def _answers(where: Filter, request: RequestRecord, now: int) -> Iterable[bool]:
    age = now - request.created_at
    claimed = request.status in UNDECIDED and holds(request.claimed_at, now)
    yield where.risks is None or request.risk in where.risks
    yield where.tool is None or _is_like(request.tool, [where.tool])
    yield where.run is None or _is_like(request.run, [where.run])
    yield where.by is None or _is_like(request.requester, where.by)
    yield where.kind in (None, request.kind)
    yield where.claimed in (None, claimed)
    yield where.stage is None or (request.stages > 1 and request.stage == where.stage - 1)
    yield where.older is None or age >= round(where.older * 1e6)
    yield where.newer is None or age < round(where.newer * 1e6)
    yield where.expires is None or (
        request.decide_by is not None and request.decide_by <= now + round(where.expires * 1e6)
    )


def _is_like(text: str, patterns: Sequence[Pattern]) -> bool:
    # SQLite's GLOB sees a text up to its first NUL.
    exact = all(len(pattern) == 1 for pattern in patterns)
    return any(fits_pattern(pattern, text if exact else text.partition("\0")[0]) for pattern in patterns)


def _holds(word: str, request: RequestRecord, text: str) -> bool:
    shown = (small(request.tool), small(request.description))
    plain, in_json = needles(word), needles(word, in_json=True)
    return any(one in where for where in shown for one in plain) or any(one in small(text) for one in in_json)
