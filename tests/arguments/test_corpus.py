"""Every hostile input that concerns arguments, through the real thing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from gatekit.arguments.edits import apply_edit, changes_of
from gatekit.arguments.parameters import Parameters
from gatekit.errors import InvalidEdit, UsageError
from tests.corpus_cases import CASES, Case, pick

ROOT = Path(__file__).parents[2]
CALLS = [
    case
    for case in pick("size", "numbers_json", "types", "unicode")
    if case.py is not None and {"args", "args.value"} & set(case.targets)
]
TEXTS = [case for case in pick("terminal", "markup", "unicode", "injection") if case.py is None]
EDITS = [case for case in pick("numbers_json", "edit", target="edit") if case.id not in ("edit-010", "edit-014")]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[dict[str, str]]]:
    worker = Path(__file__).with_name("corpus_worker.py")
    ran = subprocess.run(
        [sys.executable, str(worker), *(case.id for case in CALLS)],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = defaultdict(list)
    for line in ran.stdout.splitlines():
        row = json.loads(line)
        found[row["id"]].append(row)
    return found


@pytest.mark.parametrize("case", CALLS, ids=lambda case: case.id)
def test_a_hostile_argument_is_refused_or_kept_exactly(case: Case, outcomes: dict[str, Any]) -> None:
    expected = "refused" if "REFUSED_SUBMIT" in case.expect else "exact"
    assert {row["outcome"] for row in outcomes[case.id]} == {expected}, outcomes[case.id]


def test_a_refusal_names_the_path(outcomes: dict[str, Any]) -> None:
    said = {case: [row["said"] for row in rows] for case, rows in outcomes.items()}
    assert said["numbers_json-000"][1] == "tool: v: nan is no JSON number: pass None or text instead"
    assert all("v.me" in text or "kwargs.me" in text for text in said["types-014"])


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case.id)
def test_a_hostile_text_is_kept_exactly_as_value_and_as_key(case: Case) -> None:
    def tool(value: str, anything: dict[str, object]) -> None: ...

    parameters = Parameters.of(tool, tool="tool")
    values = {"value": case.payload, "anything": {case.payload: [case.payload]}}
    snapshot = parameters.snapshot(values)
    assert snapshot.text.isascii()
    assert not any(ord(character) < 32 or ord(character) == 127 for character in snapshot.text)
    assert parameters.rebuild(snapshot.text, None) == values


def pay(to: str, amount: int) -> None: ...


def anything(v: object = None, a: object = None) -> None: ...


def edit(changes: Any, tool: Any = pay, **before: Any) -> Any:
    parameters = Parameters.of(tool, tool="pay")
    text = parameters.snapshot(before or {"to": "bob", "amount": 100}).text
    if isinstance(changes, str):
        changes = changes_of(changes)
    return apply_edit(tool="pay", text=text, schema_text=parameters.schema_text, changes=changes, replace=False)


@pytest.mark.parametrize("case", EDITS, ids=lambda case: case.id)
def test_a_hostile_edit_is_refused_or_kept_exactly(case: Case) -> None:
    changes = case.build()
    if "REFUSED_DECIDE" in case.expect:
        with pytest.raises(InvalidEdit) as refused:
            edit(changes) if isinstance(changes, dict) else edit(changes, anything, v=1, a=1)
        assert all(refused.value.errors)
    else:
        edited = edit(changes)
        assert json.loads(edited.text) == {"to": "bob", "amount": 100} | changes


def test_an_edit_that_equals_the_original_changes_nothing() -> None:
    assert CASES["edit-010"].expect == ("QUEUED_EXACT",)
    assert not edit({"to": "bob", "amount": 100}).changed


# The cases of aliasing, as far as they are about arguments.


def collect(items: list[object], more: list[object]) -> None: ...


def test_the_caller_changes_a_list_after_the_call() -> None:
    items: list[object] = [1]
    snapshot = Parameters.of(collect, tool="collect").snapshot({"items": items, "more": []})
    items.append(2)
    assert snapshot.values["items"] == [1]
    assert snapshot.fresh()["items"] == [1]
    assert json.loads(snapshot.text)["items"] == [1]


def test_predicate_and_tool_change_what_they_are_given() -> None:
    parameters = Parameters.of(collect, tool="collect")
    snapshot = parameters.snapshot({"items": [[1]], "more": []})
    view = parameters.view(snapshot.fresh())
    view.items[0].append("by the predicate")
    snapshot.fresh()["items"][0].append("by the tool")
    assert snapshot.fresh()["items"] == [[1]]
    assert snapshot.values["items"] == [[1]]
    assert json.loads(snapshot.text)["items"] == [[1]]


def test_one_list_that_is_passed_twice_becomes_two() -> None:
    shared: list[object] = [1]
    values = Parameters.of(collect, tool="collect").snapshot({"items": shared, "more": shared}).fresh()
    values["items"].append(2)
    assert values["more"] == [1]


def test_a_thread_that_changes_arguments_meanwhile_gets_a_refusal_or_one_consistent_snapshot() -> None:
    parameters = Parameters.of(collect, tool="collect")
    live: list[Any] = [{"n": 0, "again": 0} for _ in range(40)]
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            for item in live:
                item["n"] = item["again"] = number
                item[f"k{number % 7}"] = number
                item.pop(f"k{(number + 3) % 7}", None)
            live.append({"n": number, "again": number}) if number % 2 else live.pop()

    thread = threading.Thread(target=change)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        for _ in range(100):
            try:
                snapshot = parameters.snapshot({"items": live, "more": []})
            except UsageError:
                continue
            assert snapshot.values == json.loads(snapshot.text) == snapshot.fresh()
            assert parameters.rebuild(snapshot.text, None) == snapshot.values
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert parameters.snapshot({"items": live, "more": []}).values["items"] == live


def test_the_same_key_with_other_arguments_is_not_the_same_call() -> None:
    parameters = Parameters.of(pay, tool="pay")
    first = parameters.snapshot({"to": "bob", "amount": 100}).text
    assert parameters.matches(parameters.snapshot({"to": "bob", "amount": 100}), first)
    assert not parameters.matches(parameters.snapshot({"to": "bob", "amount": 101}), first)
