"""`gatekit stats`: the numbers, and that few of them make no share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.cli.paint import cells
from gatekit.display import draw_stats, sparkline
from gatekit.models import Stats, ToolStats
from tests.cli.support import ask, raw, run

HOSTILE = "pay\x1b[>q\u202e\r\nTOOL"


def tool(name: str, decided: int, approved: int = 0, hasty: int = 0, median: float | None = 41.0) -> ToolStats:
    trend = (0,) * 23 + (decided,)
    return ToolStats(
        tool=name, decided=decided, approved=approved, hasty=hasty, median=median if decided else None, trend=trend
    )


def stats(*tools: ToolStats, waiting: int = 0, cut: bool = False, everything: ToolStats | None = None) -> Stats:
    at = datetime(2026, 1, 8, tzinfo=UTC)
    return Stats(
        since=datetime(2026, 1, 1, tzinfo=UTC),
        at=at,
        waiting=waiting,
        oldest=datetime(2026, 1, 7, 21, tzinfo=UTC) if waiting else None,
        cut=cut,
        all=everything or tool("", sum(row.decided for row in tools)),
        tools=tools,
    )


def test_the_numbers_are_told_with_what_they_mean() -> None:
    everything = tool("", 40, approved=38, hasty=4, median=90.0)

    lines = draw_stats(stats(tool("pay", 40, 38, 4), waiting=12, everything=everything), "7d", 80)

    assert [line.strip() for line in lines[:5]] == [
        "waiting     12, the oldest for 3h00",
        "decided     40 by people in the last 7d",
        "half within 1m",
        "approved    38 of 40, 95 %",
        "under 2 s   4 of 40, 10 %: a sign of rubber-stamping",
    ]
    assert lines[-1].split() == ["pay", "40", "95", "%", "41s", "4", "·" * 23 + "█"]


@pytest.mark.parametrize(("decided", "share"), [(4, False), (5, True)])
def test_below_five_decisions_no_share_is_given(decided: int, share: bool) -> None:
    shown = "\n".join(draw_stats(stats(tool("pay", decided, 3), everything=tool("", decided, 3, 1)), "7d", 80))

    assert ("%" in shown) is share
    assert ("a share needs 5 decisions" in shown) is not share
    assert f"3 of {decided}" in shown


def test_what_is_not_there_is_said() -> None:
    assert draw_stats(stats(), "12h", 80) == [
        "  waiting     nothing",
        "  decided     nothing by people in the last 12h",
    ]
    patient = draw_stats(stats(tool("pay", 9), everything=tool("", 9)), "7d", 80)
    assert "  under 2 s   none" in patient
    assert "rubber" not in "".join(patient)


def test_what_was_left_out_is_said() -> None:
    everything = tool("", 10_000, approved=1)
    shown = "\n".join(draw_stats(stats(waiting=100_000, cut=True, everything=everything), "7d", 120))

    assert "100,000 or more, the oldest for" in shown
    assert "there were more, only the newest 10,000 count" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_lines_fit_the_terminal(width: int) -> None:
    rows = [
        tool(name, 1_234, 1, 99) for name in ("日本語の道具の名前", "a_tool_with_a_name_that_goes_on_and_on", "pay")
    ]

    lines = draw_stats(stats(*rows, waiting=3, everything=tool("", 9_999, 1, 99)), "7d", width)

    assert max(map(cells, lines)) <= width
    assert ("█" in lines[-1]) is (width >= 80), "the little picture is left out first"


def test_a_sparkline_tells_none_from_few() -> None:
    assert sparkline([0, 1, 100, 0]) == "·▁█·"
    assert sparkline([0, 0]) == "··"


def test_the_command_counts_what_people_decided(gate: Gate, queue: Path) -> None:
    for _ in range(3):
        gate.reviewer("bob").approve(ask(gate, tool=HOSTILE))
    gate.reviewer("bob").reject(ask(gate), reason="no")
    ask(gate)

    result = run(queue, "stats", "--within", "1h")

    assert result.exit_code == 0
    assert "decided     4 by people in the last 1h" in result.stdout
    assert "approved    3 of 4; a share needs 5 decisions" in result.stdout
    assert "waiting     1, the oldest for" in result.stdout
    assert "␛" in result.stdout
    assert raw(result.stdout) == set()


def test_the_command_in_json_has_the_fields_of_the_api(gate: Gate, queue: Path) -> None:
    gate.reviewer("bob").approve(ask(gate, tool=HOSTILE))

    read = json.loads(run(queue, "stats", "--json").stdout)

    expected = gate.stats().to_dict()
    assert read.keys() == expected.keys()
    assert read["tools"][0]["tool"] == HOSTILE
    assert read["all"] == {**expected["all"], "trend": read["all"]["trend"]}


@pytest.mark.parametrize("within", ["7", "0d", "week", "-1d", "367d", "999999999d"])
def test_a_time_that_is_none_is_refused(gate: Gate, queue: Path, within: str) -> None:
    ask(gate)

    result = run(queue, "stats", f"--within={within}")

    assert result.exit_code == 2
    assert within in result.stderr
