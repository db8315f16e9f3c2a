"""The eleven promises under commands in any order: `storm` says what happens, `ledger` what must hold."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekit.models import STATUSES
from tests.machine.storm import LENGTH, STEPS, Storm

chances = st.integers(0, 2**32)


@settings(max_examples=100, deadline=None)
@given(start=chances, plan=st.lists(st.tuples(st.sampled_from(STEPS), chances), min_size=30, max_size=60))
def test_no_order_of_commands_breaks_a_promise(start: int, plan: list[tuple[object, int]]) -> None:
    storm = Storm(Random(start))
    for step, chance in plan:
        step(storm, Random(chance))  # type: ignore[operator]


def weather(seeds: range) -> tuple[set[str], set[str]]:
    """Let so many random histories happen; answers the states and the events that were met."""
    seen: set[str] = set()
    happened: set[str] = set()
    for seed in seeds:
        chance = Random(seed)
        storm = Storm(chance)
        for _ in range(LENGTH):
            chance.choice(STEPS)(storm, chance)
        seen.update(storm.ledger.seen)
        happened.update(storm.case.rows.kinds())
    return seen, happened


def test_six_hundred_storms_break_no_promise_and_go_everywhere() -> None:
    seen, happened = weather(range(600))
    assert seen == set(STATUSES)
    assert {"undone", "effective", "returned", "not_started", "late_report", "released"} <= happened
    assert {"retried", "settled", "again", "reconciled", "reported"} <= happened


@pytest.mark.long
def test_thirty_thousand_storms_break_no_promise() -> None:
    seen, _ = weather(range(1_000, 31_000))
    assert seen == set(STATUSES)
