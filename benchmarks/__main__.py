"""`python -m benchmarks`: measure everything and print the table."""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import dashboard, enqueue, pages, passing, runs, sweeping, waiters, waking
from benchmarks.figures import Figure, table
from benchmarks.scale import LONG_IDLE, NORMAL_IDLE, Scale, scale_of
from gatekit.display import dashboard_running

_SECTIONS = (
    ("(a) a call that needs no approval ÷ the bare call", passing.measure),
    ("(b) into the queue", enqueue.measure),
    ("(c) from the deciding COMMIT to the waiter", waking.measure),
    ("(d) reading a long queue", pages.measure),
    ("(e) many calls that wait in one process", waiters.measure),
    ("(f) durable runs", runs.measure),
    ("(g) settling what is overdue", sweeping.measure),
    ("(h) the dashboard ÷ an empty Textual app", dashboard.measure),
)


def main(arguments: list[str]) -> None:
    """Print the table, or with `--json` one object."""
    options = _parser().parse_args(arguments)
    sections = run(scale_of(idle=options.idle, long=options.long), options.dir)
    print(_as_json(sections) if options.json else f"{_setting(options.dir)}\n\n{table(sections)}")


def run(scale: Scale, folder: Path) -> list[tuple[str, list[Figure]]]:
    """Every section, on the disk of `folder`, where nothing is left."""
    with TemporaryDirectory(prefix="gatekit-bench-", dir=folder) as place, dashboard_running():
        return [(title, measure(scale, Path(place))) for title, measure in _SECTIONS]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What gatekit costs, beside the floor.")
    parser.add_argument("--dir", type=Path, default=Path.cwd(), help="a directory on the disk to measure (default: .)")
    parser.add_argument("--idle", type=_seconds, help=f"seconds of nothing before the first wake ({NORMAL_IDLE:g})")
    parser.add_argument("--long", action="store_true", help=f"{LONG_IDLE:g} seconds of nothing, and longer queues")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and a day")
    return seconds


def _setting(folder: Path) -> str:
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}"
    return f"{versions}; files in {folder}"


def _as_json(sections: list[tuple[str, list[Figure]]]) -> str:
    shown = {title: [figure.as_json() for figure in figures] for title, figures in sections}
    versions = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "system": platform.system()}
    return json.dumps({**versions, "sections": shown}, indent=2, ensure_ascii=False)


if __name__ == "__main__":
    main(sys.argv[1:])
