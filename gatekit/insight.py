"""What the decisions of a queue say of its reviewing: few numbers, and none that flatters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

from gatekit.clock import to_datetime
from gatekit.models import Stats, ToolStats, Verb

HASTY: Final = 2_000_000
"""Microseconds from the question to the answer: who is quicker has hardly read it."""
ONE_GO: Final = 100_000
"""Microseconds between two decisions of a person that one key made: no hand presses two keys for them so fast."""
BUCKETS: Final = 24
"""Parts into which the time that is looked at is cut."""
_YES: Final[frozenset[Verb]] = frozenset({"approve", "edit", "answer", "release"})


class Said(NamedTuple):
    """One human's decision on a request."""

    tool: str
    verb: Verb
    asked_at: int
    at: int
    by: str
    request_id: str


def summarise(said: Sequence[Said], *, since: int, now: int, waiting: int, oldest: int | None, cut: bool) -> Stats:
    """The numbers over the decisions after `since`, all together and by tool, the most decided first."""
    by_tool: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        by_tool[one.tool].append(one)
    hasty = Counter(one.tool for one in _hasty(said))
    tools = [_of(tool, rows, hasty[tool], since, now) for tool, rows in by_tool.items()]
    return Stats(
        since=to_datetime(since),
        at=to_datetime(now),
        waiting=waiting,
        oldest=None if oldest is None else to_datetime(oldest),
        cut=cut,
        all=_of("", said, hasty.total(), since, now),
        tools=tuple(sorted(tools, key=lambda row: (-row.decided, row.tool))),
    )


def _hasty(said: Iterable[Said]) -> Iterator[Said]:
    """What came too soon after the question, or after what the same person decided before."""
    people: dict[str, list[Said]] = defaultdict(list)
    for one in sorted(said, key=lambda one: one.at):
        people[one.by].append(one)
    for rows in people.values():
        go = 0
        for number, one in enumerate(rows):
            if one.at - rows[number - 1].at > ONE_GO:
                go = number
            if one.at - one.asked_at < HASTY or _comes_at_once(one, rows, go):
                yield one


def _comes_at_once(one: Said, rows: Sequence[Said], go: int) -> bool:
    """Whether the go that begins with this number came too soon after a decision on another request.

    Old requests would else be waved through at one a second unseen: each of them was asked long ago.
    """
    for number in range(go - 1, -1, -1):
        if rows[go].at - rows[number].at >= HASTY:
            return False
        if rows[number].request_id != one.request_id:
            return True
    return False


def _of(tool: str, said: Sequence[Said], hasty: int, since: int, now: int) -> ToolStats:
    took = [one.at - one.asked_at for one in said]
    return ToolStats(
        tool=tool,
        decided=len(said),
        approved=sum(one.verb in _YES for one in said),
        hasty=hasty,
        median=median(took) / 1e6 if took else None,
        trend=_trend((one.at for one in said), since, now),
    )


def _trend(moments: Iterable[int], since: int, now: int) -> tuple[int, ...]:
    counts = [0] * BUCKETS
    width = max(1, now - since)
    for moment in moments:
        counts[min(BUCKETS - 1, max(0, (moment - since) * BUCKETS // width))] += 1
    return tuple(counts)
