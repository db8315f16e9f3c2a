"""Policies and stages: who must say yes, and how it is counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gatekit import Budget, Gate, Policy, Stage
from gatekit.errors import UsageError
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, Till, stages

WRONG: dict[str, Callable[[], Any]] = {
    "reviewers=5": lambda: Stage("a", 5),  # type: ignore[arg-type]
    "reviewers=None": lambda: Stage("a", None),  # type: ignore[arg-type]
    "escalate_after=[1]": lambda: Policy(escalate_after=[1]),  # type: ignore[arg-type]
    "escalate_after to None": lambda: Policy(escalate_after={timedelta(1): None}),  # type: ignore[dict-item]
    "remind_every=nan": lambda: Policy(remind_every=math.nan),
    "per=inf": lambda: Budget(5, per=math.inf),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options_are_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError):
        WRONG[name]()


def test_without_separation_one_person_decides_several_parallel_stages(gate: Gate) -> None:
    both = Policy(Stage("a", "alice"), Stage("b", "alice"), parallel=True, separation_of_duties=False)
    till = Till(gate, policy=both)
    gate.reviewer("alice").approve(till.asks(5, call_id="a"))
    if till.open:
        gate.reviewer("alice").approve(till.open[0])
    assert till.called(5, call_id="a") == "paid 5"


def test_without_separation_nobody_counts_twice_for_one_stage(gate: Gate, clock: FakeClock) -> None:
    policy = Policy(
        Stage("board", ["alice", "bob"], quorum=2),
        Stage("legal", "carol"),
        parallel=True,
        separation_of_duties=False,
        escalate_after={timedelta(hours=1): "alice"},
    )
    till = Till(gate, policy=policy)
    gate.reviewer("alice").approve(till.asks(5))
    clock.advance(HOUR + 1)
    gate.reviewer("alice").approve(till.open[0])
    assert stages(till.open[0])["board"] == "current"
