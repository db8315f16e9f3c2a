"""A process that plays its share of the cases of one scenario, forking for each: `python -m tests.crash.foreman`.

It is started with the library of `shim` loaded, so that each fork can be armed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.crash import shim
from tests.crash.cases import prepare, try_out, warm_up

ROOT: Final = Path(__file__).parents[2]
_ENOUGH: Final = 3
"""Failures after which a foreman stops: they will be of one kind."""


@dataclass(slots=True)
class Tally:
    """What came of all cases."""

    points: Counter[str] = field(default_factory=Counter)
    """How often each thing was done: of a sweep the kills by way."""
    wrong: list[str] = field(default_factory=list)

    def add(self, other: dict[str, Any]) -> None:
        self.points.update(other["points"])
        self.wrong += other["wrong"]


def sweep_of(scenario: str, folder: Path, *, sample: int | None = None, foremen: int = 2) -> Tally:
    """Kill a scenario at every point in every way, or at about `sample` cases spread evenly over them."""
    shares = [[str(folder / str(share)), scenario, str(share), str(foremen)] for share in range(foremen)]
    return total([start("tests.crash.foreman", *share, str(sample or 0), **shim.loaded()) for share in shares])


def start(module: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A program of these tests."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def total(programs: Sequence[subprocess.Popen[str]]) -> Tally:
    """What several foremen found; a foreman that breaks is a failure too."""
    tally = Tally()
    try:
        for program in programs:
            out, err = program.communicate()
            if program.returncode:
                tally.wrong.append(f"a foreman broke: {err}")
            else:
                tally.add(json.loads(out.splitlines()[-1]))
    finally:
        for program in programs:
            program.kill()
    return tally


def main(folder: str, scenario: str, share: int, foremen: int, sample: int) -> None:
    """Play the share of one foreman, and print what came of it."""
    os.makedirs(folder)
    warm_up(os.path.join(folder, "warm"))
    template = prepare(folder, scenario)
    whole = try_out(os.path.join(folder, "whole"), scenario, 0, "before", template)
    tally = Tally(wrong=list(whole.wrong))
    cases = _sampled(whole.calls, sample) if sample else _all(whole.calls)
    for number, (at, how) in enumerate(cases):
        if number % foremen != share or len(tally.wrong) >= _ENOUGH:
            continue
        verdict = try_out(os.path.join(folder, f"{at}-{how}"), scenario, at, how, template)
        tally.points[how] += verdict.killed
        tally.wrong += [f"{scenario}, killed {how} call {at}: {text} (in {folder})" for text in verdict.wrong]
    sys.stdout.write(json.dumps({"points": tally.points, "wrong": tally.wrong}) + "\n")


def _all(calls: int) -> Iterator[tuple[int, shim.Kill]]:
    """Every point, and some beyond the last: threads do not make the same number of calls each time."""
    for at in range(1, calls + 10):
        for how in shim.KILLS:
            yield at, how


def _sampled(calls: int, sample: int) -> Iterator[tuple[int, shim.Kill]]:
    """So many cases, spread evenly over the points, in one way after the other."""
    for number in range(sample):
        yield 1 + number * calls // sample, shim.KILLS[number % len(shim.KILLS)]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(text) for text in sys.argv[3:]))
