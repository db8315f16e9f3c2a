"""Agents and a reviewer on one queue are killed, stopped and set going again at random moments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.figures import Figures
from tests.crash.foreman import Tally, start, total

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def play(folder: Path, seeds: tuple[int, ...], rounds: int) -> Tally:
    return total([start("tests.crash.fleet", str(folder / f"{seed}"), str(seed), str(rounds)) for seed in seeds])


@pytest.mark.sweep
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_in_90_rounds_of_crash_and_resume_nothing_is_lost_or_runs_twice(seed: int, tmp_path: Path) -> None:
    tally = play(tmp_path, (seed,), 90)
    assert tally.wrong == []
    assert tally.points["rounds"] == 90
    assert tally.points["event unknown"], "nobody was hit in the middle of a tool"
    assert tally.points["event run.interrupted"], "nobody was hit in the middle of a run"


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_in_10000_random_rounds_nothing_is_lost_or_runs_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = Figures(capsys)
    tally = play(tmp_path, (11, 12), 5000)
    figures.tell(wrong=len(tally.wrong), **{name.replace(" ", "_"): count for name, count in tally.points.items()})
    assert tally.wrong == [], tally.points
    assert tally.points["rounds"] == 10_000
    for met in (
        "event unknown",
        "event late_report",
        "event retried",
        "event settled",
        "event edited",
        "event run.interrupted",
    ):
        assert tally.points[met] > 10, tally.points
