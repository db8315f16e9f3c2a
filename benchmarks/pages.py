"""(d) A page of 50 among very many pending requests, beside the bare statement; and the dashboard over them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import anyio

from benchmarks import raw
from benchmarks.figures import Aim, Figure
from benchmarks.filling import filled
from benchmarks.scale import Scale
from benchmarks.timing import MILLI, in_turns
from gatekit import Gate
from gatekit_tui import ReviewApp
from gatekit_tui.queue.queue_list import QueueList

_PAGE = 50
_COLUMNS = (
    "id, tool, status, description, risk, run, requester, created_at, decide_by, effective_at, version, digest, hidden,"
    " waiter, due, pos"
)
_BARE = (
    f"SELECT {_COLUMNS} FROM requests WHERE status = 'pending' AND (due, pos) > (?, ?) ORDER BY due, pos LIMIT {_PAGE}"
)
_SIZE = (120, 40)
_LOOK = 0.002
_PATIENCE = 30.0
"""Seconds."""


def measure(scale: Scale, folder: Path) -> list[Figure]:
    few, many = folder / "few.db", folder / "many.db"
    with filled({few: scale.few, many: scale.many}):
        return [*_pages(scale, many), _dashboard(scale, few, many)]


def _pages(scale: Scale, path: Path) -> list[Figure]:
    connection = raw.connect(path)
    deep = f"SELECT due, pos FROM requests WHERE pos = {scale.many - 2 * _PAGE}"
    due, pos = connection.execute(deep).fetchone()
    try:
        with Gate(path, create=False) as gate:

            def page(name: str, after: str | None, key: tuple[int, int]) -> Figure:
                ours, floor = in_turns(
                    scale.rounds,
                    partial(_timed, lambda: len(gate.requests(limit=_PAGE, after=after).rows)),
                    partial(_timed, lambda: len(connection.execute(_BARE, key).fetchall())),
                )
                name = f"{name} page of {_PAGE} at {scale.many:,} ÷ the bare statement"
                return Figure(name=name, ours=ours * MILLI, floor=floor * MILLI, unit="ms", aim=Aim("ours", "≤", 0.5))

            return [page("first", None, (0, 0)), page("deep", f"{due}:{pos}", (due, pos))]
    finally:
        connection.close()


def _timed(read: Callable[[], int]) -> float:
    started = perf_counter()
    found = read()
    taken = perf_counter() - started
    if found != _PAGE:
        raise AssertionError(f"a page of {found} rows, not {_PAGE}")
    return taken


def _dashboard(scale: Scale, few: Path, many: Path) -> Figure:
    ours, floor = in_turns(scale.starts, lambda: anyio.run(_ready, many), lambda: anyio.run(_ready, few))
    name = f"dashboard ready at {scale.many:,} rows ÷ at {scale.few:,}"
    return Figure(name=name, ours=ours, floor=floor, unit="s", aim=Aim("ratio", "≤", 1.2))


async def _ready(path: Path) -> float:
    """Seconds until the dashboard shows the first rows."""
    with Gate(path, create=False) as gate:
        started = perf_counter()
        app = ReviewApp(gate, "bench")
        async with app.run_test(size=_SIZE) as pilot:
            with anyio.fail_after(_PATIENCE):
                while not _shows_rows(app):  # noqa: ASYNC110 - the dashboard tells nobody that it is ready
                    await anyio.sleep(_LOOK)
            await pilot.pause()
            return perf_counter() - started


def _shows_rows(app: ReviewApp) -> bool:
    return any(found.rows.row(0) is not None for found in app.screen.query(QueueList))
