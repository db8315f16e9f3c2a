"""Every hostile input that a call, a decision or an id can carry, through the real gate and a real queue file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gatekit import Gate, Suspended, UsageError, calling, gated_step
from tests.corpus_cases import CASES, Case, pick
from tests.gate.helpers import approve, deciding, only_request

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    case
    for case in pick("types", "numbers_json", "size", "unicode", "terminal", "markup", "injection")
    if {"args", "args.value"} & set(case.targets)
]
NAMES = [case for case in pick("terminal", "markup", "unicode", "injection") if isinstance(case.payload, str)]
PREDICATES, DESCRIPTIONS, IDS = pick("predicate"), pick("description"), pick("ids")
EDITS = pick("edit", "numbers_json", target="edit")
JOBS = [
    *(f"argument/{case.id}" for case in ARGUMENTS),
    *(f"names/{case.id}" for case in NAMES),
    *(f"predicate/{case.id}" for case in PREDICATES),
    *(f"description/{case.id}" for case in DESCRIPTIONS),
    *(f"edit/{case.id}" for case in EDITS),
    *(f"ids/{case.id}" for case in IDS),
    "conflict/aliasing-010",
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    queue = tmp_path_factory.mktemp("corpus") / "queue.db"
    ran = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("corpus_worker.py")), str(queue), *JOBS],
        capture_output=True,
        text=True,
        timeout=55,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return {row["job"]: row for row in rows}


def cases(found: list[Case]) -> Any:
    return pytest.mark.parametrize("case", found, ids=lambda case: case.id)


@cases(ARGUMENTS)
def test_an_argument_is_refused_with_nothing_queued_or_runs_once_exactly(case: Case, seen: dict[str, Any]) -> None:
    row = seen[f"argument/{case.id}"]
    if "REFUSED_SUBMIT" in case.expect:
        assert (row["how"], row["exact"], row["queued"]) == ("refused", False, False)
    else:
        assert (row["how"], row["exact"], row["queued"]) == ("collected", True, True)


@cases(NAMES)
def test_a_text_is_kept_to_the_letter_in_every_field(case: Case, seen: dict[str, Any]) -> None:
    row = seen[f"names/{case.id}"]
    assert row["how"] == "kept"
    assert row["found"] == 1, "the tool filter compares, it does not match patterns"


@cases(PREDICATES)
def test_a_faulty_predicate_never_lets_the_call_run(case: Case, seen: dict[str, Any]) -> None:
    row = seen[f"predicate/{case.id}"]
    if case.id == "predicate-010":
        # It changes its mind: this call was allowed by its first word, and nobody asks a second time.
        assert (row["how"], row["ran"]) == ("ran", [5])
        return
    assert row["ran"] == []
    if case.id == "predicate-012":
        assert row["how"] == "KeyboardInterrupt"
    elif case.id == "predicate-006":
        assert row["how"] == "UsageError", "an async predicate on a sync tool is refused at decoration"
    else:
        assert row["how"] == "gated"
        assert row["reasons"]


@cases(DESCRIPTIONS)
def test_a_faulty_description_still_gates_the_call(case: Case, seen: dict[str, Any]) -> None:
    row = seen[f"description/{case.id}"]
    assert (row["how"], row["ran"]) == ("gated", [])


@cases(EDITS)
def test_an_edit_that_does_not_fit_is_refused_and_the_request_stays(case: Case, seen: dict[str, Any]) -> None:
    row = seen[f"edit/{case.id}"]
    if "REFUSED_DECIDE" in case.expect:
        assert row["how"] in ("InvalidEdit", "UsageError")
        assert (row["status"], row["ran"]) == ("pending", [])
    else:
        assert (row["how"], row["status"]) == ("accepted", "approved")
        assert row["ran"] == [["ann", row["args"]["amount"]]]


@cases(IDS)
def test_an_id_that_names_nothing_open_is_refused_and_nothing_moves(case: Case, seen: dict[str, Any]) -> None:
    row = seen[f"ids/{case.id}"]
    expected = "AlreadyDecided" if case.payload == "<decided>" else "RequestNotFound"
    assert row["seen"] == [expected] * 4
    assert row["unchanged"]


def test_no_case_was_left_out(seen: dict[str, Any]) -> None:
    assert seen.keys() == set(JOBS)
    assert len(JOBS) > 130


# Aliasing: each case is a story, so each has a driver of its own


def test_aliasing_000_the_caller_changes_a_list_after_the_call_was_queued(gate: Gate) -> None:
    items, ran = [1, 2], []

    @gated_step(gate=gate)
    def pay(items: list[int]) -> None:
        ran.append(items)

    def change_then_approve(reviewer: Any, request: Any) -> object:
        items.append(99)
        return reviewer.approve(request)

    with deciding(gate, change_then_approve):
        pay(items)
    assert ran == [[1, 2]]
    assert only_request(gate, "succeeded").args == {"items": [1, 2]}


def test_aliasing_002_the_predicate_changes_what_it_is_given(gate: Gate) -> None:
    ran = []

    def predicate(args: Any) -> bool:
        args.items.append(99)
        return True

    @gated_step(gate=gate, requires_approval=predicate)
    def pay(items: list[int]) -> None:
        ran.append(items)

    with deciding(gate, approve):
        pay([1, 2])
    assert ran == [[1, 2]]


def test_aliasing_002_the_same_where_the_predicate_lets_it_pass(gate: Gate) -> None:
    ran = []

    @gated_step(gate=gate, requires_approval=lambda args: bool(args.items.append(99)))
    def pay(items: list[int]) -> None:
        ran.append(items)

    pay([1, 2])
    assert ran == [[1, 2]]


def test_aliasing_004_the_tool_changes_its_arguments(gate: Gate) -> None:
    @gated_step(gate=gate)
    def pay(items: list[int]) -> list[int]:
        items.append(99)
        return items

    with deciding(gate, approve):
        assert pay([1, 2]) == [1, 2, 99]
    assert only_request(gate, "succeeded").args == {"items": [1, 2]}


def test_aliasing_006_one_list_passed_twice_is_two_lists(gate: Gate) -> None:
    ran = []

    @gated_step(gate=gate)
    def pay(a: list[int], b: list[int]) -> None:
        a.append(3)
        ran.append((a, b))

    one = [1, 2]
    with deciding(gate, approve):
        pay(one, one)
    assert ran == [([1, 2, 3], [1, 2])]


def test_aliasing_008_a_thread_changes_the_arguments_while_they_are_taken(gate: Gate) -> None:
    stop = threading.Event()
    items = [[0] * 50 for _ in range(50)]

    def shuffle() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            items[number % 50] = [number] * 50

    ran: list[Any] = []

    @gated_step(gate=gate, wait=0)
    def pay(items: list[list[int]]) -> None:
        ran.append(items)

    thread = threading.Thread(target=shuffle)
    thread.start()
    try:
        for _ in range(8):
            try:
                pay(items)
            except UsageError:
                continue
            except Suspended as error:
                request = gate.get(error.request_id)
                gate.reviewer("bob").approve(request)
                approved = request.args["items"]
                with calling(call_id=request.call_id):
                    gated_step(pay.__wrapped__, gate=gate, wait=0)(approved)  # type: ignore[attr-defined]
                assert ran.pop() == approved
    finally:
        stop.set()
        thread.join()


def test_aliasing_010_a_key_that_comes_back_with_other_arguments(seen: dict[str, Any]) -> None:
    assert seen["conflict/aliasing-010"] == {"job": "conflict/aliasing-010", "how": "refused", "ran": []}
    assert "NO_RUN" in CASES["aliasing-010"].expect
