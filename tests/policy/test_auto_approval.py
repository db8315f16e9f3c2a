"""What passes without a human: only what the program's own rule says, by name; whatever goes wrong asks one."""

from __future__ import annotations

import os
from typing import Any

import pytest

from gatekit import Gate, Policy, Stage, calling, gated_step
from gatekit.errors import UsageError
from tests.policy.helpers import Till


@pytest.mark.parametrize("said", [1, "yes", None, "True", [True]], ids=repr)
def test_only_true_lets_a_call_pass(gate: Gate, said: Any) -> None:
    till = Till(gate, auto_approve_if=lambda args: said)
    assert till.called(5) == "waits"
    assert any("neither True nor False" in reason for reason in till.open[0].reasons)


def test_no_is_no_flaw(gate: Gate) -> None:
    till = Till(gate, auto_approve_if=lambda args: False)
    assert till.asks(5).reasons == ("every call of this tool needs approval",)


def test_every_variable_that_a_rule_names_must_have_one_of_its_values(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till(gate, auto_approve_if={"ENVIRONMENT": "staging", "REGION": ("eu", "us")})
    monkeypatch.setenv("ENVIRONMENT", "staging")
    assert till.called(1) == "waits"
    monkeypatch.setenv("REGION", "asia")
    assert till.called(2) == "waits"
    monkeypatch.setenv("REGION", "us")
    assert till.called(3) == "paid 3"
    monkeypatch.setenv("ENVIRONMENT", "")
    assert till.called(4) == "waits"


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"ENVIRONMENT": None},
        {"ENVIRONMENT": ()},
        {"ENVIRONMENT": [None]},
        {"ENVIRONMENT": 5},
        {5: "x"},
        {"": "x"},
        True,
        "staging",
        5,
    ],
    ids=repr,
)
def test_a_rule_that_says_nothing_or_nothing_that_can_be_is_refused(gate: Gate, rule: Any) -> None:
    with pytest.raises(UsageError, match="auto_approve_if"):
        Till(gate, auto_approve_if=rule)


def test_a_rule_that_cannot_be_called_with_the_arguments_asks_a_human(gate: Gate) -> None:
    till = Till(gate, auto_approve_if=lambda args, more: True)
    assert till.called(5) == "waits"
    assert any("auto_approve_if raised TypeError" in reason for reason in till.open[0].reasons)


def test_nothing_in_the_environment_alone_lets_a_call_pass(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENVIRONMENT", "GATEKIT_AUTO_APPROVE", "GATEKIT_APPROVE", "CI", "GATEKIT_ENVIRONMENT"):
        monkeypatch.setenv(name, "staging")
    assert Till(gate).called(5) == "waits"
    assert "staging" in os.environ.values()


def test_a_rule_sees_copies_and_changes_nothing_of_what_runs(gate: Gate) -> None:
    seen: list[list[int]] = []

    def meddles(args: Any) -> bool:
        args.amounts.append(666)
        return True

    @gated_step(gate=gate, auto_approve_if=meddles, wait=0)
    def pay(amounts: list[int]) -> int:
        seen.append(amounts)
        return sum(amounts)

    assert pay([1, 2]) == 3
    assert seen == [[1, 2]]


def test_what_passes_leaves_a_request_with_its_decision_permit_and_result(gate: Gate) -> None:
    def is_small(args: Any) -> bool:
        return bool(args.amount < 10)

    till = Till(gate, auto_approve_if=is_small)
    assert till.called(5, call_id="a") == "paid 5"
    (row,) = gate.requests("succeeded")
    request = gate.get(row.id)
    assert request.decision is not None
    assert (request.decision.verb, request.decision.by) == ("approve", "policy:is_small")
    assert [event.kind for event in gate.history(row.id)] == ["submitted", "approved", "started", "succeeded"]
    assert till.called(5, call_id="a") == "paid 5"
    assert till.paid == [5]


def test_a_rule_of_the_gate_is_above_a_step_s_automatic_approval(gate: Gate) -> None:
    till = Till(gate, auto_approve_if=lambda: True)
    gate.policy("p*", Policy(Stage("owner", "olga")))
    assert till.called(5) == "waits"


def test_what_its_predicate_lets_pass_is_not_asked_of_the_rule(gate: Gate) -> None:
    def asked(args: Any) -> bool:
        raise AssertionError("asked")

    assert Till(gate, requires_approval=False, auto_approve_if=asked).called(5) == "paid 5"
    assert gate.count() == 0


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_rule_of_an_async_tool_may_be_async(gate: Gate, anyio_backend: str) -> None:
    async def is_small(args: Any) -> bool:
        return bool(args.amount < 10)

    @gated_step(gate=gate, auto_approve_if=is_small, wait=0, on_suspend="return")
    async def pay(amount: int) -> str:
        return "paid"

    assert await pay(5) == "paid"
    with calling(call_id="big"):
        assert await pay(50) != "paid"
