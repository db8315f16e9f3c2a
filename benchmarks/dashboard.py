"""(h) The dashboard on a real terminal, beside an empty app of Textual on the same one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import dashboard_lock, dashboard_rest, dashboard_starts, dashboard_turns
from benchmarks.figures import Figure
from benchmarks.filling import filled
from benchmarks.scale import Scale


def measure(scale: Scale, folder: Path) -> list[Figure]:
    with queues(scale, folder) as filled_queues:
        return [
            *dashboard_starts.measure(scale, filled_queues),
            *dashboard_turns.measure(scale, folder),
            *dashboard_rest.measure(scale, filled_queues),
            *dashboard_lock.measure(scale, filled_queues),
        ]


@contextmanager
def queues(scale: Scale, folder: Path) -> Generator[Mapping[int, Path]]:
    """The queues that the dashboard is opened on, by how many requests wait in each."""
    lengths = [rows for rows in (scale.few, scale.many, scale.most) if rows]
    paths = {rows: folder / f"dashboard-{rows}.db" for rows in lengths}
    with filled({path: rows for rows, path in paths.items()}):
        yield paths
