"""Predicates, descriptions and risks are foreign code: whatever they do, a human is asked and told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from gatekit import Gate, Suspended, gated_step
from gatekit.asking import describe, judge, own_description, rate
from tests.gate.helpers import Recorder, only_request


class Liar:
    def __bool__(self) -> bool:
        return False


class Bomb:
    def __bool__(self) -> bool:
        raise ZeroDivisionError


async def coroutine_predicate() -> bool:
    return False


@pytest.mark.parametrize(
    ("predicate", "why"),
    [
        (lambda args: 1 / 0, "raised ZeroDivisionError"),
        (lambda args: args.nothing, "raised AttributeError"),
        (lambda args: None, "returned None"),
        (lambda args: 0, "returned a int"),
        (lambda args: "False", "returned a str"),
        (lambda args: [], "returned a list"),
        (lambda args: Liar(), "returned a Liar"),
        (lambda args: Bomb(), "returned a Bomb"),
        (lambda args: coroutine_predicate(), "returned a coroutine"),
    ],
)
def test_only_true_and_false_count(gate: Gate, predicate: Callable[[Any], Any], why: str) -> None:
    ran = Recorder()

    @gated_step(gate=gate, requires_approval=predicate, wait=0)
    def pay(amount: int) -> None:
        ran(amount)

    with pytest.raises(Suspended):
        pay(1)
    assert ran.calls == []
    assert why in " ".join(only_request(gate).reasons)


def test_a_predicate_that_is_interrupted_stops_the_call(gate: Gate) -> None:
    def interrupted(args: object) -> bool:
        raise KeyboardInterrupt

    ran = Recorder()
    tool = gated_step(lambda_tool(ran), gate=gate, requires_approval=interrupted)
    with pytest.raises(KeyboardInterrupt):
        tool(1)
    assert ran.calls == []


def lambda_tool(ran: Recorder) -> Callable[[int], None]:
    def pay(amount: int) -> None:
        ran(amount)

    return pay


def test_a_predicate_is_asked_once_per_call(gate: Gate) -> None:
    asked = Recorder()

    def predicate(args: Any) -> bool:
        asked(args.amount)
        return True

    with pytest.raises(Suspended):
        gated_step(lambda_tool(Recorder()), gate=gate, requires_approval=predicate, wait=0)(7)
    assert asked.calls == [7]


def test_the_predicate_of_edited_arguments_is_asked_and_kept_and_stops_nothing(gate: Gate) -> None:
    asked, ran = Recorder(), Recorder()

    def predicate(args: Any) -> bool:
        asked(args.amount)
        return True

    from tests.gate.helpers import deciding, edit

    with deciding(gate, edit(amount=10**9)):
        gated_step(lambda_tool(ran), gate=gate, requires_approval=predicate)(7)
    assert asked.calls == [7, 10**9]
    assert ran.calls == [10**9]


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("description", "flaw"),
    [
        (lambda args: 1 / 0, "raised ZeroDivisionError"),
        (lambda args: b"x", "was a bytes"),
        (lambda args: Text("x"), "was a Text"),
        (lambda args: coroutine_predicate(), "was a coroutine"),
        (lambda args: "x" * 5000, "had 5000 characters"),
        (lambda args: "  ", "was empty"),
        (lambda args: "\ud800", "lone surrogate"),
        ("{amount.nothing}", "raised AttributeError"),
    ],
)
def test_a_description_that_fails_gives_way_to_our_own_and_says_so(gate: Gate, description: Any, flaw: str) -> None:
    with pytest.raises(Suspended):
        gated_step(lambda_tool(Recorder()), gate=gate, description=description, wait=0)(7)
    request = only_request(gate)
    assert request.description == "pay(amount=7)"
    assert flaw in " ".join(request.reasons)


def test_a_risk_that_fails_is_the_highest(gate: Gate) -> None:
    assert rate(cast("Any", lambda view: 1 / 0), None)[0] == "critical"
    risk, flaw = rate(lambda view: "huge", None)  # type: ignore[arg-type,return-value]
    assert risk == "critical"
    assert flaw is not None
    assert rate(lambda view: "low", None) == ("low", None)


def test_helpers_of_descriptions() -> None:
    assert judge(False) == (False, ())
    assert own_description("pay", {"to": "x" * 1000}).startswith("pay(to='xxx")
    assert len(own_description("pay", {"to": "x" * 1000})) < 400
    assert describe(None, "pay", {"to": 1}) == ("pay(to=1)", None)
