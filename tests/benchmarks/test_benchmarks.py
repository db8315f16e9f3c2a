"""Every benchmark in a tiny form: that it runs and what it prints, never how long anything took."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import __main__ as program
from benchmarks import enqueue, pages, passing, runs, sweeping, waiters, waking
from benchmarks.figures import Aim, Figure, table
from benchmarks.scale import Scale
from benchmarks.timing import in_turns, percentile

TINY = Scale(
    idle=0.1,
    rounds=2,
    calls=20,
    commits=2,
    callers=4,
    bursts=1,
    wakes=2,
    lost=1,
    few=100,
    many=300,
    due=250,
    starts=1,
    waiters=20,
    runs=5,
    steps=20,
)


@pytest.mark.parametrize(
    ("section", "count"),
    [
        pytest.param(passing, 3, id="passing"),
        pytest.param(enqueue, 3, id="enqueue"),
        pytest.param(waking, 6, id="waking"),
        pytest.param(pages, 3, id="pages"),
        pytest.param(sweeping, 2, id="sweeping"),
        pytest.param(waiters, 6, id="waiters", marks=pytest.mark.sweep),
        pytest.param(runs, 6, id="runs", marks=pytest.mark.sweep),
    ],
)
def test_a_section_measures_all_its_figures(section: ModuleType, count: int, tmp_path: Path) -> None:
    figures: list[Figure] = section.measure(TINY, tmp_path)

    assert len(figures) == count
    for figure in figures:
        # Of something as small as this a share of a core, a thread or a page of memory can be none at all.
        least = 0 if figure.unit in ("%", "", "KB") else 1e-9
        assert figure.ours >= least
        assert figure.floor is None or figure.floor >= least
        assert (figure.met is None) == (figure.aim is None)


def test_the_benchmarks_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_SECTIONS", program._SECTIONS[:1])

    program.run(TINY, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_the_table_shows_the_floor_beside_each_figure_and_whether_the_aim_is_met() -> None:
    figures = [
        Figure(name="quick", ours=6, floor=2, unit="µs", aim=Aim("ratio", "≤", 5.5)),
        Figure(name="slow", ours=6, floor=2, unit="µs", aim=Aim("ours", "≤", 5)),
        Figure(name="many", ours=6000, floor=2000, unit="/s", aim=Aim("ratio", "≥", 3)),
        Figure(name="seen", ours=1.23456, floor=None, unit="ms", aim=None),
    ]

    lines = [line.split() for line in table([("(x) title", figures)]).splitlines() if line]

    assert lines == [
        ["ours", "floor", "ratio", "aim", "met"],
        ["(x)", "title"],
        ["quick", "6", "µs", "2", "µs", "3×", "≤", "5.5×", "yes"],
        ["slow", "6", "µs", "2", "µs", "3×", "≤", "5", "µs", "NO"],
        ["many", "6,000", "/s", "2,000", "/s", "3×", "≥", "3×", "yes"],
        ["seen", "1.23", "ms", "–", "–"],
    ]


def test_an_aim_for_a_ratio_without_a_floor_is_a_mistake() -> None:
    figure = Figure(name="odd", ours=1, floor=None, unit="s", aim=Aim("ratio", "≤", 1))

    with pytest.raises(ValueError, match="odd: its aim is a ratio"):
        _ = figure.met


def test_json_holds_every_figure_of_every_section(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = Figure(name="quick", ours=6, floor=2, unit="µs", aim=Aim("ratio", "≤", 5.5))
    monkeypatch.setattr(program, "run", lambda scale, folder: [("(x) title", [figure])])

    program.main(["--json"])

    assert json.loads(capsys.readouterr().out)["sections"] == {
        "(x) title": [{"name": "quick", "ours": 6, "floor": 2, "unit": "µs", "ratio": 3, "aim": "≤ 5.5×", "met": True}]
    }


@pytest.mark.parametrize(("arguments", "idle"), [([], 5), (["--long"], 60), (["--long", "--idle", "7"], 7)])
def test_the_time_of_nothing_can_be_chosen(
    arguments: list[str], idle: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scales: list[Scale] = []

    def run(scale: Scale, folder: Path) -> list[tuple[str, list[Figure]]]:
        scales.append(scale)
        return []

    monkeypatch.setattr(program, "run", run)

    program.main(arguments)

    assert [scale.idle for scale in scales] == [idle]
    assert "SQLite" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_that_is_none_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["--idle", seconds])

    assert "--idle" in capsys.readouterr().err


def test_two_sides_are_measured_in_turns_and_no_side_always_comes_first() -> None:
    order: list[str] = []

    def side(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    medians = in_turns(3, lambda: side("a", 1.0), lambda: side("b", 2.0))

    assert medians == [1.0, 2.0]
    assert "".join(order) == "abbaab"


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert percentile(values, 99) == 99.0
    assert percentile(values, 50) == 50.0
    assert percentile([7.0], 99) == 7.0
