"""Questions and confirmations: their options, and what they share with calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, Field

import gatekit
from gatekit import Cancelled, Expired, Gate, Policy, Rejected, Responded, Run, Stage, Suspended, calling
from gatekit.errors import AlreadyDecided, CallConflict, InvalidEdit, NotAllowed, UsageError
from gatekit.models import Request
from gatekit.testing import FakeClock, memory_gate
from tests.policy.helpers import HOUR, stages


class Address(BaseModel):
    street: str = Field(min_length=2)
    code: int = Field(ge=1000, le=9999)


class Customer(BaseModel):
    name: str
    address: Address
    tags: list[str] = []


def asked(gate: Gate, prompt: str = "Which?", **options: Any) -> Any:
    try:
        with calling(call_id="q", agent="bot"):
            return gate.ask(prompt, wait=0, **options)
    except Suspended:
        return "waits"


def confirmed(gate: Gate, **options: Any) -> Any:
    try:
        with calling(call_id="c", agent="bot"):
            return gate.confirm("Deploy v2?", wait=0, **options)
    except Suspended:
        return "waits"


def open_one(gate: Gate) -> Request:
    (request,) = gate.reviewer("alice").pending()
    return request


WRONG: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "no prompt": (("",), {}),
    "a prompt of nothing": (("  ",), {}),
    "a prompt that is no text": ((5,), {}),
    "a prompt too long": (("x" * 2001,), {}),
    "many without choices": (("Which?",), {"many": True}),
    "a type and choices": (("Which?", bool), {"choices": ("a",)}),
    "no choices": (("Which?",), {"choices": ()}),
    "a choice twice": (("Which?",), {"choices": ("a", "a")}),
    "an empty choice": (("Which?",), {"choices": ("a", "")}),
    "a choice that is no text": (("Which?",), {"choices": ("a", 5)}),
    "choices as one text": (("Which?",), {"choices": "ab"}),
    "a type that is no form": (("Which?", dict), {}),
    "no type": (("Which?", "bool"), {}),
    "an unknown risk": (("Which?",), {"risk": "enormous"}),
    "no policy": (("Which?",), {"policy": lambda args: None}),
    "a name of nothing": (("Which?",), {"name": " "}),
    "a negative time": (("Which?",), {"expires_after": -1}),
    "a wait that is no time": (("Which?",), {"wait": "1h"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_question_that_cannot_be_is_refused_and_nothing_is_queued(gate: Gate, name: str) -> None:
    given, options = WRONG[name]
    with pytest.raises(UsageError):
        gate.ask(*given, **{"wait": 0, **options})
    assert gate.count() == 0


@pytest.mark.parametrize("details", [{"when": object()}, {5: "x"}, {"x": float("nan")}])
def test_details_that_are_no_json_are_refused(gate: Gate, details: Any) -> None:
    with pytest.raises(UsageError):
        gate.confirm("Deploy?", wait=0, details=details)
    assert gate.count() == 0


def test_what_the_reviewer_sees_of_a_question(gate: Gate, clock: FakeClock) -> None:
    asked(
        gate,
        name="region",
        risk="high",
        details={"load": [1, 2]},
        choices=("eu", "us"),
        expires_after=timedelta(hours=1),
    )
    request = open_one(gate)
    assert (request.kind, request.tool, request.risk, request.description) == ("question", "region", "high", "Which?")
    assert request.args == {"answer": None, "details": {"load": [1, 2]}, "prompt": "Which?"}
    assert request.decide_by is not None
    assert (request.decide_by - gate.now()).total_seconds() == HOUR
    assert gate.schema(request)["properties"]["answer"]["enum"] == ["eu", "us"]


def test_a_form_is_checked_to_its_depths_and_comes_back_as_the_model(gate: Gate) -> None:
    assert asked(gate, type=Customer) == "waits"
    good = {"name": "Ann", "address": {"street": "Elm 5", "code": 1234}, "tags": ["new"]}
    bad: list[Any] = [
        {**good, "address": {"street": "E", "code": 1234}},
        {**good, "address": {"street": "Elm 5", "code": 99}},
        {**good, "address": {"street": "Elm 5", "code": 1234, "door": 3}},
        {**good, "tags": "new"},
        {**good, "name": None},
        [],
        "Ann",
    ]
    for answer in bad:
        with pytest.raises(InvalidEdit):
            gate.reviewer("alice").answer(open_one(gate), answer)
    gate.reviewer("alice").answer(open_one(gate), good)
    assert asked(gate, type=Customer) == Customer(name="Ann", address=Address(street="Elm 5", code=1234), tags=["new"])


def test_a_question_is_answered_once_and_the_same_answer_again_is_no_second(gate: Gate) -> None:
    asked(gate)
    request = open_one(gate)
    decision = gate.reviewer("alice").answer(request, "eu")
    assert gate.reviewer("alice").answer(request, "eu") == decision
    for name, answer in (("alice", "us"), ("bob", "eu"), ("bob", "us")):
        with pytest.raises(AlreadyDecided):
            gate.reviewer(name).answer(request, answer)
    assert asked(gate) == "eu"


def test_asking_again_under_the_same_id_something_else_is_a_conflict(gate: Gate) -> None:
    asked(gate)
    gate.reviewer("alice").answer(open_one(gate), "eu")
    with pytest.raises(CallConflict):
        asked(gate, "Which other?")


def test_verbs_that_are_not_for_questions_say_what_is(gate: Gate) -> None:
    asked(gate)
    request, alice = open_one(gate), gate.reviewer("alice")
    for act in (
        lambda: alice.edit(request, {"prompt": "Why?"}),
        lambda: alice.respond(request, "no"),
        lambda: alice.release(request),
    ):
        with pytest.raises(NotAllowed, match="this is a question: answer it, or reject it"):
            act()
    with pytest.raises(NotAllowed, match="only calls of a tool"):
        alice.allow(request, uses=3)
    assert gate.get(request.id) == request


def test_verbs_that_are_not_for_a_confirmation_say_what_is(gate: Gate) -> None:
    assert confirmed(gate) == "waits"
    request, alice = open_one(gate), gate.reviewer("alice")
    assert (request.kind, request.args) == ("confirm", {"details": {}, "prompt": "Deploy v2?"})
    for act in (
        lambda: alice.edit(request, {"details": {"x": 1}}),
        lambda: alice.answer(request, True),
        lambda: alice.release(request),
    ):
        with pytest.raises(NotAllowed, match="this asks for a yes: approve it, or reject it"):
            act()
    alice.approve(request)
    assert confirmed(gate) is None


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda who, request: who.reject(request, reason="not now"), Rejected),
        (lambda who, request: who.cancel(request, reason="not now"), Cancelled),
    ],
)
def test_a_no_reaches_who_asks_or_wants_a_yes(gate: Gate, act: Any, error: type[Exception]) -> None:
    for ask in (asked, confirmed):
        assert ask(gate) == "waits"
        act(gate.reviewer("alice"), open_one(gate))
        with pytest.raises(error, match="not now"):
            ask(gate)


def test_a_confirmation_can_be_responded_to(gate: Gate) -> None:
    confirmed(gate)
    gate.reviewer("alice").respond(open_one(gate), "after the holidays")
    with pytest.raises(Responded, match="after the holidays"):
        confirmed(gate)


def test_silence_answers_no_question_and_confirms_what_its_policy_lets_it(gate: Gate, clock: FakeClock) -> None:
    silent = Policy(on_expiry="approve")
    assert asked(gate, policy=silent, expires_after=HOUR) == "waits"
    assert confirmed(gate, policy=silent, expires_after=HOUR) == "waits"
    clock.advance(HOUR)
    with pytest.raises(Expired):
        asked(gate, policy=silent, expires_after=HOUR)
    assert confirmed(gate, policy=silent, expires_after=HOUR) is None


def test_the_second_stage_approves_the_answer_or_gives_another_which_the_first_sees_again(gate: Gate) -> None:
    both = Policy(Stage("expert", "erin"), Stage("chief", "cleo"))
    assert asked(gate, policy=both) == "waits"
    with pytest.raises(NotAllowed, match="erin may decide"):
        gate.reviewer("cleo").answer(open_one(gate), "us")
    gate.reviewer("erin").answer(open_one(gate), "eu")
    assert asked(gate, policy=both) == "waits"
    assert open_one(gate).args["answer"] == "eu"
    gate.reviewer("cleo").answer(open_one(gate), "us")
    assert asked(gate, policy=both) == "waits"
    assert stages(open_one(gate)) == {"expert": "current", "chief": "done"}
    gate.reviewer("erin").approve(open_one(gate))
    assert asked(gate, policy=both) == "us"


def test_the_requester_does_not_answer_its_own_question(gate: Gate) -> None:
    asked(gate)
    with pytest.raises(NotAllowed, match="another person must"):
        gate.reviewer("bot").answer(open_one(gate), "eu")


def test_an_answer_that_is_held_can_be_taken_back(gate: Gate, clock: FakeClock) -> None:
    asked(gate)
    alice = gate.reviewer("alice", hold=10)
    alice.answer(open_one(gate), "eu")
    assert asked(gate) == "waits"
    alice.undo(gate.get(gate.requests("held")[0].id))
    assert open_one(gate).args["answer"] is None
    alice.answer(open_one(gate), "us")
    clock.advance(10)
    assert asked(gate) == "us"


def test_a_rule_of_the_gate_adds_its_stage_to_questions_too(gate: Gate) -> None:
    gate.policy("deploy*", Policy(Stage("owner", "olga")))
    with calling(call_id="c"), pytest.raises(Suspended):
        gate.confirm("Deploy?", name="deploy-v2", wait=0)
    request = open_one(gate)
    assert stages(request) == {"owner": "current"}
    with pytest.raises(NotAllowed, match="olga may decide"):
        gate.reviewer("alice").approve(request)


def test_in_a_run_each_question_has_its_name_and_its_place(gate: Gate) -> None:
    @gate.workflow
    def tour(run: Run) -> list[Any]:
        answers: list[Any] = [run.ask("place", "Where to?", choices=("eu", "us"))]
        answers.append(run.ask("days", "How many days?", int, details={"place": answers[0]}))
        run.confirm("book", "Book it?", policy=Policy(Stage("boss", "bea")))
        return answers

    handle = tour.start("t")
    for name, reviewer, answer in (("place", "alice", "us"), ("days", "bob", 5)):
        (row,) = gate.requests()
        assert row.tool == name
        gate.reviewer(reviewer).answer(gate.get(row.id), answer)
        assert handle.resume() == "waiting"
    (row,) = gate.requests(tool="book")
    gate.reviewer("bea").approve(gate.get(row.id))
    assert handle.result(timeout=5) == ["us", 5]
    assert [step.name for step in handle.steps()] == ["place", "days", "book"]


def test_ask_and_confirm_of_the_module_go_to_the_default_gate() -> None:
    with memory_gate() as gate:
        gatekit.set_default(gate)
        try:
            with pytest.raises(Suspended):
                gatekit.ask("Which?", choices=("a", "b"), many=True, name="pick", wait=0)
            with pytest.raises(Suspended):
                gatekit.confirm("Go?", name="go", wait=0, risk="critical")
        finally:
            gatekit.set_default(None)
        assert [(row.tool, row.kind, row.risk) for row in gate.requests()] == [
            ("pick", "question", "medium"),
            ("go", "confirm", "critical"),
        ]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_questions_are_asked_in_coroutines_too(gate: Gate, anyio_backend: str) -> None:
    async def ask() -> Any:
        with calling(call_id="q"):
            return await gate.aio.ask("Which?", choices=("a", "b"), wait=0)

    with pytest.raises(Suspended):
        await ask()
    bob = gate.aio.reviewer("bob")
    (request,) = await bob.pending()
    with pytest.raises(InvalidEdit):
        await bob.answer(request, "z")
    await bob.answer(request, "a")
    assert await ask() == "a"
