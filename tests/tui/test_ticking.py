"""A picture of times is drawn again as seldom as its words allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gatekit.display import ago
from gatekit_tui.frame.ticking import LATEST, SOONEST, until_change

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [(7, 1), (61, LATEST), (117, 3), (119, 1), (3600, LATEST), (3659.5, 1), (50 * 3600, LATEST)],
)
def test_it_is_due_when_an_age_has_other_words(age: float, seconds: int) -> None:
    now = START + timedelta(seconds=age)

    assert until_change(lambda then: ago((then - START).total_seconds()), now) == seconds


def test_what_time_does_not_change_is_looked_at_now_and_then() -> None:
    assert until_change(lambda _: "always", START) == LATEST > SOONEST
