"""Friction, short texts, spans of time, and the flag that a dashboard is running."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import ago, dashboard_is_running, dashboard_running, friction, shorten
from gatekit.models import RISKS, Risk


@pytest.mark.parametrize(("risk", "cost"), [("low", "key"), ("medium", "key"), ("high", "yes"), ("critical", "name")])
def test_the_more_there_is_to_lose_the_more_an_approval_costs(risk: Risk, cost: str) -> None:
    assert friction(risk, hidden=0, shown_all=True) == cost


@pytest.mark.parametrize("risk", RISKS)
def test_hidden_characters_or_unseen_arguments_cost_the_tools_name(risk: Risk) -> None:
    assert friction(risk, hidden=1, shown_all=True) == "name"
    assert friction(risk, hidden=0, shown_all=False) == "name"


def test_a_risk_that_is_not_known_costs_the_most() -> None:
    assert friction("harmless", hidden=0, shown_all=True) == "name"  # type: ignore[arg-type]


def test_a_cut_says_how_much_it_cut() -> None:
    assert shorten("abc", 3) == ("abc", 0)
    assert shorten("abcd", 3) == ("abc… 1 more character", 1)
    assert shorten("x" * 5000, 0) == ("… 5,000 more characters", 5000)


@given(st.text(), st.integers(-3, 50))
def test_what_is_kept_and_what_is_cut_make_the_whole(text: str, limit: int) -> None:
    short, cut = shorten(text, limit)
    assert short.startswith(text[: len(text) - cut])
    assert cut == max(0, len(text) - max(0, limit))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (0.9, "0s"), (41, "41s"), (60, "1m"), (3599, "59m"), (3840, "1h04"), (86400, "1d00"),
     (183_600, "2d03"), (8_640_000, "100d")],
)  # fmt: skip
def test_a_span_is_told_in_its_own_unit(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_span_never_takes_more_than_five_characters(seconds: float) -> None:
    assert len(ago(seconds)) <= 5


def test_the_flag_is_up_while_any_dashboard_runs_and_down_after_a_crash() -> None:
    assert not dashboard_is_running()
    with dashboard_running():
        with pytest.raises(ZeroDivisionError), dashboard_running():
            raise ZeroDivisionError
        assert dashboard_is_running()
    assert not dashboard_is_running()
