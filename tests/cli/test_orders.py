"""`gatekit list --order`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.backend.paging import look_up
from gatekit.models import ORDERS
from tests.cli.support import ask, raw, run


def listed(queue: Path, *words: str) -> list[str]:
    return [row["tool"] for row in json.loads(run(queue, "list", "--json", *words).stdout)["rows"]]


def test_a_list_comes_in_the_order_that_is_named(gate: Gate, queue: Path) -> None:
    ask(gate, tool="low", risk="low")
    ask(gate, tool="critical", risk="critical")
    ask(gate, tool="high", risk="high")
    assert listed(queue) == listed(queue, "--order", "oldest") == ["low", "critical", "high"]
    assert listed(queue, "--order", "risk") == ["critical", "high", "low"]
    assert listed(queue, "--order", "risk", "--where", "risk<critical") == ["high", "low"]
    assert listed(queue, "--order", "risk", "--tool", "low") == ["low"]
    assert listed(queue, "--order", "decided") == []


def test_what_was_decided_last_is_listed_first_whatever_became_of_it(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatekit.backend.local.look_up", partial(look_up, looked_at=1))
    for tool in ("one", "two", "three"):
        ask(gate, tool=tool)
    ann = gate.reviewer("ann")
    one, two, _ = ann.pending()
    ann.reject(two, reason="no")
    ann.approve(one)
    assert listed(queue, "--order", "decided") == ["one", "two"]
    assert listed(queue, "--order", "decided", "--status", "rejected") == ["two"]
    assert "There may be more than these 1" in run(queue, "list", "--order", "decided", "--limit", "1").stderr
    assert "three" not in run(queue, "list", "--order", "decided").stdout


def test_another_order_is_wrong_use_and_the_four_are_named(gate: Gate, queue: Path) -> None:
    ask(gate)
    result = run(queue, "list", "--order", "\x1b[2Jnewest")
    assert result.exit_code == 2
    assert raw(result.stderr) == set()
    assert all(order in result.stderr for order in ORDERS)


def test_a_list_of_what_is_pending_by_decision_is_wrong_use(gate: Gate, queue: Path) -> None:
    ask(gate)
    result = run(queue, "list", "--order", "decided", "--status", "pending")
    assert result.exit_code == 2
    assert "what is pending has no decision" in result.stderr
