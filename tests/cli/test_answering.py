"""`gatekit answer`: what is typed, what it means, what it asks, and what `show` says of it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field, create_model

from gatekit import Gate, Policy, Request, Stage
from gatekit.cli.answers import Wanted, answer_from, wanted_of
from gatekit.errors import UsageError
from tests.cli.support import ask, confirmation, question, raw, run
from tests.cli.test_terminal import answering, at_terminal

HOSTILE = "eu\x1b[2J\u202e\r\n  decision  approved"


class Tuning(BaseModel):
    lr: float = Field(gt=0)
    epochs: int
    optimizer: Literal["adam", "sgd"] = "adam"
    label: Optional[str] = None  # noqa: UP045 - the form as users write it
    shuffle: bool = False
    tags: list[str] = []


FORM = ["lr=0.5", "epochs=4", "optimizer=sgd", "label=night run", "shuffle=yes", 'tags=["a"]']
FILLED = {"lr": 0.5, "epochs": 4, "optimizer": "sgd", "label": "night run", "shuffle": True, "tags": ["a"]}


def answered(gate: Gate, request: Request) -> object:
    after = gate.get(request.id)
    assert after.status == "answered"
    return after.args["answer"]


@pytest.mark.parametrize(
    ("asked", "typed", "value"),
    [
        ({"type": bool}, ["yes"], True),
        ({"type": bool}, ["false"], False),
        ({"type": bool}, ["No"], False),
        ({"type": str}, ["yes"], "yes"),
        ({"type": str}, ["some words = {1}"], "some words = {1}"),
        ({"type": int}, ["--", "-5"], -5),
        ({"type": float}, ["0.25"], 0.25),
        ({"choices": ("eu", "us")}, ["us"], "us"),
        ({"choices": ("eu",)}, ["eu"], "eu"),
        ({"choices": ("true", "12")}, ["12"], "12"),
        ({"choices": ("eu", "us", "asia"), "many": True}, ["us", "eu"], ["us", "eu"]),
        ({"type": Tuning}, FORM, FILLED),
        ({"type": Tuning}, ["label=null", *FORM[:3], *FORM[4:]], {**FILLED, "label": None}),
        ({"choices": ("eu", "us"), "many": True}, ["--json-value", "[]"], []),
        ({"choices": (HOSTILE, "us")}, ["--json-value", json.dumps(HOSTILE)], HOSTILE),
        ({"type": Tuning}, ["--json-value", json.dumps(FILLED)], FILLED),
    ],
)
def test_an_answer_is_what_the_question_makes_of_the_words(
    gate: Gate, queue: Path, asked: dict[str, Any], typed: list[str], value: object
) -> None:
    request = question(gate, **asked)

    result = run(queue, "answer", request.id, "--token", request.token, "--note", "looked", *typed)

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"answered: ask {request.id} by human:ana\n")
    assert answered(gate, request) == value
    assert type(answered(gate, request)) is type(value)
    decision = gate.get(request.id).decision
    assert decision is not None
    assert decision.note == "looked"


@pytest.mark.parametrize(
    ("asked", "typed", "code", "told"),
    [
        ({"type": bool}, ["maybe"], 2, "maybe is neither yes nor no"),
        ({"type": bool}, ["yes", "no"], 2, "takes one value, not 2"),
        ({"type": str}, ["two", "words"], 2, "put one of several words in quotes"),
        ({"type": str}, [], 2, "answer takes VALUE"),
        ({"type": str}, ["x", "--json-value", '"x"'], 2, "answer takes VALUE"),
        ({"type": str}, ["--json-value", "x"], 2, "cannot be read as JSON"),
        ({"type": str}, ["--json-value", "7"], 1, "the answer does not fit"),
        ({"type": int}, ["many"], 2, "many is no number"),
        ({"type": int}, ["true"], 2, "true is no number"),
        ({"type": int}, ["1.0"], 1, "the answer does not fit"),
        ({"type": float}, ["NaN"], 2, "NaN is no number"),
        ({"choices": ("eu", "us")}, ["asia"], 2, "asia is none of eu, us"),
        ({"choices": ("eu", "us"), "many": True}, ["eu", "asia"], 2, "asia is none of eu, us"),
        ({"choices": ("eu", "us"), "many": True}, ["eu", "eu"], 1, "the answer does not fit"),
        ({"type": Tuning}, FORM[1:], 2, "give lr=… too"),
        ({"type": Tuning}, [*FORM, "lr=1"], 2, "lr is given twice"),
        ({"type": Tuning}, [*FORM, "speed=1"], 2, "the form has no field speed; it has lr, epochs, optimizer"),
        ({"type": Tuning}, ["lr"], 2, "write NAME=VALUE"),
        ({"type": Tuning}, ["lr=-1", *FORM[1:]], 1, "lr"),
        ({"type": Tuning}, [*FORM[:-1], "tags=a"], 2, "write 'tags=\"a\"'"),
        ({"type": Tuning}, [*FORM[:2], "optimizer=none", *FORM[3:]], 2, "none is none of adam, sgd"),
    ],
)
def test_what_is_no_answer_is_refused_and_the_question_stays_open(
    gate: Gate, queue: Path, asked: dict[str, Any], typed: list[str], code: int, told: str
) -> None:
    request = question(gate, **asked)

    result = run(queue, "answer", request.id, "--token", request.token, *typed)

    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize("make", [ask, confirmation])
def test_what_is_no_question_cannot_be_answered(gate: Gate, queue: Path, make: Any) -> None:
    request = make(gate)

    result = run(queue, "answer", request.id, "--token", request.token, "yes")

    assert result.exit_code == 1
    assert "approve it" in result.stderr
    assert gate.get(request.id).status == "pending"


def test_without_a_terminal_an_answer_needs_a_token_of_what_is_asked_now(gate: Gate, queue: Path) -> None:
    request = question(gate, type=bool)

    without = run(queue, "answer", request.id, "yes")
    stale = run(queue, "answer", request.id, "yes", "--token", "v9:beef")

    assert (without.exit_code, stale.exit_code) == (2, 1)
    assert f"read `gatekit show {request.id}`, then give its --token" in without.stderr
    assert "changed since it was read" in stale.stderr
    assert gate.get(request.id).status == "pending"


def test_a_second_answer_is_told_of_the_first(gate: Gate, queue: Path) -> None:
    request = question(gate, choices=("eu", "us"))
    gate.reviewer("bob").answer(request, "eu")

    result = run(queue, "answer", request.id, "us", "--token", request.token)

    assert result.exit_code == 1
    assert "already decided: answer by human:bob" in result.stderr


def test_an_answer_is_asked_for_under_the_question(gate: Gate, queue: Path) -> None:
    request = question(gate, "Which region?", choices=("eu", "us"), risk="low", details={"free": 3})
    at = at_terminal(queue, "answer", request.id, "us")

    at.wait_for("Type y to give this answer; anything else leaves it waiting: ")
    at.type("y\n")

    assert at.end() == 0
    assert 0 < at.seen.index('"Which region?"') < at.seen.index("your answer:") < at.seen.index('answer  "us"')
    assert "details.free  3" in at.seen
    assert answered(gate, request) == "us"


@pytest.mark.parametrize("said", ["", "us", "n"])
def test_an_answer_that_is_not_confirmed_is_not_given(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    request = question(gate, choices=("eu", "us"))
    answering(monkeypatch, said)

    result = run(queue, "answer", request.id, "us")

    assert result.exit_code == 1
    assert f"not answered: {request.id} still waits" in result.stderr
    assert gate.get(request.id).to_dict() == request.to_dict()


def test_an_answer_that_does_not_fit_is_refused_before_anything_is_asked(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = question(gate, type=int)
    questions = answering(monkeypatch, "yes")

    assert run(queue, "answer", request.id, "1.5").exit_code == 1
    assert questions == []


def test_a_later_stage_approves_the_answer_and_is_asked_with_it(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy(Stage("first", "ana"), Stage("second", "bob"))
    request = question(gate, choices=("eu", "us"), policy=policy)
    questions = answering(monkeypatch, "yes")

    first = run(queue, "answer", request.id, "us")
    second = run(queue, "approve", request.id, "--as", "bob")

    assert first.stdout.splitlines()[-1] == "It still waits: 1 of 2 stages done; second: bob may decide."
    assert 'this is asked, and this is the answer so far\n  answer  "us"' in second.stdout
    assert ["give this answer" in questions[0], "approve this answer" in questions[1]] == [True, True]
    assert answered(gate, request) == "us"


def test_a_question_that_nobody_answered_cannot_be_approved(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = question(gate)
    questions = answering(monkeypatch, "yes")

    result = run(queue, "approve", request.id)

    assert (result.exit_code, questions) == (1, [])
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize(("said", "status"), [("yes", "answered"), ("", "pending")])
def test_a_confirmation_is_asked_about_before_it_is_given(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, said: str, status: str
) -> None:
    request = confirmation(gate, details={"version": 2})
    questions = answering(monkeypatch, said)

    result = run(queue, "approve", request.id)

    assert ["Type y to say yes to this" in text for text in questions] == [True]
    assert "details.version  2" in result.stdout
    assert gate.get(request.id).status == status


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"type": bool}, ["yes or no"]),
        ({"type": int}, ["a whole number"]),
        ({"choices": ("eu", "us")}, ["one of:", "  eu", "  us"]),
        ({"choices": ("eu", "us"), "many": True}, ["any of:", "  eu", "  us"]),
        (
            {"type": Tuning},
            [
                "lr         a number",
                "optimizer  one of adam, sgd",
                "label      a text, or null",
                "tags       a JSON value",
            ],
        ),
    ],
)
def test_a_question_is_shown_with_what_it_takes(
    gate: Gate, queue: Path, asked: dict[str, Any], shown: list[str]
) -> None:
    request = question(gate, **asked)

    lines = run(queue, "show", request.id, columns=200).stdout.splitlines()

    assert lines[0] == "question ask  MED  pending"
    told = lines[lines.index("answer it with") + 1 :]
    assert [line.strip() for line in told if line.strip() in map(str.strip, shown)] == list(map(str.strip, shown))
    assert told[-1].startswith(f"    gatekit answer {request.id} ")


def test_the_shown_command_answers_when_it_is_pasted(gate: Gate, queue: Path) -> None:
    for choice in ("it's $(here)", "-v", "eu", HOSTILE):
        request = question(gate, choices=(choice, "other"))
        command = run(queue, "show", request.id, columns=300).stdout.splitlines()[-1]

        result = run(queue, "answer", "--token", request.token, *shlex.split(command)[2:])

        assert result.exit_code == 0, result.output
        assert answered(gate, request) == choice


def test_an_answered_question_is_shown_with_its_answer_and_not_with_how_to_answer(gate: Gate, queue: Path) -> None:
    request = question(gate, choices=("eu", "us"))
    gate.reviewer("bob").answer(request, "us", note="nearer")

    shown = run(queue, "show", request.id).stdout

    assert "this is asked, and this is the answer\n" in shown
    assert 'answer  "us"' in shown
    assert "answered by human:bob, 0s ago: nearer" in shown
    assert "answer it with" not in shown


def test_hostile_choices_prompts_and_fields_are_printed_visible(gate: Gate, queue: Path) -> None:
    form = create_model("form", name=(str, Field(alias=HOSTILE)))

    choices = (HOSTILE, "us")
    kinds: list[dict[str, Any]] = [{"choices": choices}, {"choices": choices, "many": True}, {"type": form}]
    for asked in kinds:
        request = question(gate, HOSTILE, **asked)
        for command in (["show"], ["answer", "--token", request.token, f"x{HOSTILE}"], ["answer", HOSTILE]):
            result = run(queue, command[0], request.id, *command[1:])
            assert raw(result.output) == set(), command
            assert not any(line.startswith("  decision") for line in result.output.splitlines())


def test_a_field_that_may_be_missing_takes_null_and_one_with_parts_takes_json() -> None:
    schema = {
        "$defs": {"Inner": {"type": "object", "properties": {"k": {"type": "integer"}}}},
        "properties": {
            "answer": {
                "type": "object",
                "properties": {
                    "n": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "inner": {"anyOf": [{"$ref": "#/$defs/Inner"}, {"type": "null"}]},
                    "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                },
            }
        },
    }
    wanted = wanted_of(schema)

    assert wanted == Wanted(
        "form", fields=(("n", Wanted("whole", optional=True)), ("inner", Wanted("json")), ("either", Wanted("json")))
    )
    assert answer_from(wanted, ["n=null", 'inner={"k": 1}', 'either="x"']) == {
        "n": None,
        "inner": {"k": 1},
        "either": "x",
    }
    with pytest.raises(UsageError, match="no number"):
        answer_from(wanted, ["n=", "inner=null", "either=1"])
