"""Every benchmark in a tiny form: that it runs and what it prints, never how long anything took."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import __main__ as program
from benchmarks import (
    dashboard,
    dashboard_lock,
    dashboard_rest,
    dashboard_starts,
    dashboard_turns,
    enqueue,
    pages,
    passing,
    runs,
    sweeping,
    waiters,
    waking,
)
from benchmarks.figures import Aim, Figure, table
from benchmarks.scale import Scale, scale_of
from benchmarks.seats import row_of
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
    still=0.2,
    breath=0.3,
    presses=1,
    landings=1,
    locked=1.2,
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
        pytest.param(waiters, 6, id="waiters", marks=pytest.mark.long),
        pytest.param(runs, 6, id="runs", marks=pytest.mark.long),
        pytest.param(dashboard_turns, 4, id="turns", marks=pytest.mark.sweep),
    ],
)
def test_a_section_measures_all_its_figures(section: ModuleType, count: int, tmp_path: Path) -> None:
    check(section.measure(TINY, tmp_path), count)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("part", "few", "many", "count"),
    [
        pytest.param(dashboard_lock, 100, 100, 1, id="lock", marks=pytest.mark.long),
        pytest.param(dashboard_starts, 100, 100, 3, id="starts", marks=pytest.mark.long),
        pytest.param(dashboard_starts, 100, 300, 6, id="starts-over-two-queues", marks=pytest.mark.long),
        pytest.param(dashboard_rest, 100, 300, 14, id="rest", marks=pytest.mark.long),
    ],
)
def test_a_part_of_the_dashboards_section_measures_all_its_figures(
    part: ModuleType, few: int, many: int, count: int, tmp_path: Path
) -> None:
    scale = replace(TINY, few=few, many=many)
    with dashboard.queues(scale, tmp_path) as queues:
        check(part.measure(scale, queues), count)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("▌ LOW  pay            pay(amount=5)      3s", True),
        ("  LOW  repay          repay(amount=5)    3s", False),
        (" pay                                  01M8 · v1", False),
    ],
)
def test_a_row_of_a_tool_is_its_risk_and_its_name(line: str, shown: bool) -> None:
    assert row_of("pay", f" gatekit review\n{line}\n") is shown


@pytest.mark.parametrize(("long", "most", "still"), [(False, 0, 8), (True, 1_000_000, 30)])
def test_only_the_long_form_opens_a_million_requests(long: bool, most: int, still: float) -> None:
    scale = scale_of(idle=None, long=long)

    assert (scale.most, scale.still) == (most, still)


def check(figures: list[Figure], count: int) -> None:
    assert len(figures) == count
    for figure in figures:
        # Of something as small as this a share of a core, a thread or a page of memory can be none at all.
        least = 0 if figure.unit in ("%", "", "KB", "B") else 1e-9
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
