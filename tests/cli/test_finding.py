"""`gatekit list --where`: what it finds, and that it goes on until it has its limit or the end."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.backend.paging import look_up
from tests.cli.support import ask, raw, run


def test_a_list_can_be_narrowed_by_a_filter(gate: Gate, queue: Path) -> None:
    ask(gate, tool="deploy_api", risk="high")
    ask(gate, tool="deploy_web")
    ask(gate, risk="critical", note="deploy it")

    def found(where: str) -> list[str]:
        return [line.split()[1] for line in run(queue, "list", "--where", where).stdout.splitlines()[1:]]

    assert found("tool:deploy* risk>=high") == ["deploy_api"]
    assert found("by:agent-7 DEPLOY") == ["deploy_api", "deploy_web", "pay"]
    assert found('"deploy it"') == ["pay"]


def test_a_list_says_that_nothing_fits(gate: Gate, queue: Path) -> None:
    ask(gate)

    result = run(queue, "list", "--where", "risk:critical")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert "No call is pending and fits the filter in" in result.stderr


@pytest.mark.parametrize("where", ["toll:x", "older:soon", 'a "b', "kind:\x1b[2J"])
def test_a_wrong_filter_is_wrong_use(gate: Gate, queue: Path, where: str) -> None:
    ask(gate)

    result = run(queue, "list", "--where", where)

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert raw(result.stderr) == set()


def test_a_filter_by_status_is_led_to_the_lists(gate: Gate, queue: Path) -> None:
    ask(gate)

    result = run(queue, "list", "--where", "status:failed pay")

    assert result.exit_code == 2
    assert "status:failed in the filter: there is no status, for the lists stand for it" in result.stderr
    assert "] goes to the next list" in result.stderr
    assert "gatekit list --status" in result.stderr


def test_a_list_goes_on_until_it_has_its_limit_or_the_end(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatekit.backend.local.look_up", partial(look_up, looked_at=2))
    for number in range(11):
        ask(gate, tool=f"t{number}", risk="high" if number in (4, 9, 10) else "low")

    def listed(*more: str) -> tuple[list[str], bool]:
        read = json.loads(run(queue, "list", "--json", "--where", "risk:high", *more).stdout)
        return [row["tool"] for row in read["rows"]], read["more"]

    assert listed() == (["t4", "t9", "t10"], False)
    assert listed("--limit", "2") == (["t4", "t9"], True)
    assert listed("--limit", "3") == (["t4", "t9", "t10"], False)
    assert "There may be more than these 2" in run(queue, "list", "--where", "risk:high", "--limit", "2").stderr
