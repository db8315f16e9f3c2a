"""What the decisions of a queue say of its reviewing: few numbers, and none that flatters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

from gatekit.clock import to_datetime
from gatekit.models import Stats, ToolStats, Verb

HASTY: Final = 2_000_000
"""Microseconds from the question to the answer: who is quicker has hardly read it."""
BUCKETS: Final = 24
"""Parts into which the time that is looked at is cut."""
_YES: Final[frozenset[Verb]] = frozenset({"approve", "edit", "answer", "release"})


class Said(NamedTuple):
    """One human's decision on a request."""

    tool: str
    verb: Verb
    asked_at: int
    at: int


def summarise(said: Sequence[Said], *, since: int, now: int, waiting: int, oldest: int | None, cut: bool) -> Stats:
    """The numbers over the decisions after `since`, all together and by tool, the most decided first."""
    by_tool: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        by_tool[one.tool].append(one)
    tools = [_of(tool, rows, since, now) for tool, rows in by_tool.items()]
    return Stats(
        since=to_datetime(since),
        at=to_datetime(now),
        waiting=waiting,
        oldest=None if oldest is None else to_datetime(oldest),
        cut=cut,
        all=_of("", said, since, now),
        tools=tuple(sorted(tools, key=lambda row: (-row.decided, row.tool))),
    )


def _of(tool: str, said: Sequence[Said], since: int, now: int) -> ToolStats:
    took = [one.at - one.asked_at for one in said]
    return ToolStats(
        tool=tool,
        decided=len(said),
        approved=sum(one.verb in _YES for one in said),
        hasty=sum(span < HASTY for span in took),
        median=median(took) / 1e6 if took else None,
        trend=_trend((one.at for one in said), since, now),
    )


def _trend(moments: Iterable[int], since: int, now: int) -> tuple[int, ...]:
    counts = [0] * BUCKETS
    width = max(1, now - since)
    for moment in moments:
        counts[min(BUCKETS - 1, max(0, (moment - since) * BUCKETS // width))] += 1
    return tuple(counts)
