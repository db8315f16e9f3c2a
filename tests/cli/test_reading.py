"""`list`, `show` and `history`: what is printed, at what width, and that nothing of it is raw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.cli.paint import cells, fit, wrap
from tests.cli.support import ask, raw, run

HOSTILE = "pay\x1b[>q \x1b]0;title\x07 \u202egpj.exe\u200b \x9b2J\r\nid        01FORGED"


def test_a_list_names_risk_tool_description_wait_and_the_whole_id(gate: Gate, queue: Path) -> None:
    request = ask(gate, description="Pay {amount} to {to}", risk="high")

    result = run(queue, "list")

    head, line = result.stdout.splitlines()
    assert head.split() == ["RISK", "TOOL", "WHAT", "WAIT", "ID"]
    assert line.split()[:2] == ["HIGH", "pay"]
    assert line.endswith(request.id)
    assert result.exit_code == 0
    assert result.stderr.startswith("* nobody waits")


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_list_fits_the_line_and_keeps_its_columns(gate: Gate, queue: Path, columns: int) -> None:
    ask(gate, description="short")
    ask(gate, tool="a_tool_with_a_name_that_goes_on_and_on", description="a long text " * 15)
    ask(gate, tool="日本語の道具", description="日本語の説明" * 10)

    lines = run(queue, "list", columns=columns).stdout.splitlines()

    assert max(cells(line) for line in lines) <= columns
    assert {cells(line) for line in lines[1:]} == {min(columns, cells(lines[1]))}


def test_a_list_says_when_there_is_more_and_when_there_is_nothing(gate: Gate, queue: Path) -> None:
    ask(gate)
    ask(gate)

    assert "raise --limit" in run(queue, "list", "--limit", "1").stderr
    nothing = run(queue, "list", "--status", "rejected", "--status", "failed")
    assert nothing.stdout == ""
    assert "No call is rejected or failed" in nothing.stderr


def test_a_list_can_be_narrowed_to_a_tool_and_to_states(gate: Gate, queue: Path) -> None:
    ask(gate, tool="other")
    refused = ask(gate)
    gate.reviewer("bob").reject(refused, reason="no")

    lines = run(queue, "list", "--tool", "pay", "--status", "pending", "--status", "rejected").stdout.splitlines()

    assert [line.split()[1:3] for line in lines] == [["STATUS", "TOOL"], ["rejected", "pay"]]


def test_a_list_in_json_has_the_fields_of_the_api(gate: Gate, queue: Path) -> None:
    request = ask(gate, description=HOSTILE)

    read = json.loads(run(queue, "list", "--json").stdout)

    assert read == gate.requests().to_dict()
    assert read["rows"][0]["id"] == request.id


def test_a_call_is_shown_with_what_runs_before_what_the_agent_says(gate: Gate, queue: Path) -> None:
    request = ask(gate, description="only a look", note="line one\nline two")

    shown = run(queue, "show", request.id).stdout

    for words in (request.id, request.token, "agent:agent-7", "nobody: once approved"):
        assert words in shown
    assert shown.index("amount  100") < shown.index("| only a look")
    assert '"line one\\n' in shown


def test_a_decided_call_is_shown_with_the_edit_and_who_made_it(gate: Gate, queue: Path) -> None:
    request = ask(gate)
    gate.reviewer("bob").edit(request, {"amount": 40}, note="enough")

    shown = run(queue, "show", request.id).stdout

    assert "~ amount  100 → 40" in shown
    assert "edited and approved by human:bob, 0s ago: enough" in shown


def test_a_call_that_is_asked_for_again_is_shown_with_what_was_said_to_it_before(gate: Gate, queue: Path) -> None:
    first, again = ask(gate), ask(gate)
    assert "one like it" not in run(queue, "show", again.id).stdout
    gate.reviewer("bo").reject(first, reason="wrong tag", note="ask ana")

    shown = " ".join(run(queue, "show", again.id).stdout.split())

    assert "one like it, with the same arguments, was rejected by human:bo, 0s ago: wrong tag; ask ana" in shown


def test_a_call_and_its_history_in_json_have_the_fields_of_the_api(gate: Gate, queue: Path) -> None:
    request = ask(gate, note=HOSTILE)

    shown, told = run(queue, "show", "--json", request.id).stdout, run(queue, "history", "--json", request.id).stdout

    assert json.loads(shown) == gate.get(request.id).to_dict()
    assert json.loads(told) == [event.to_dict() for event in gate.history(request.id)]
    assert raw(shown) == set()


def test_a_history_tells_who_did_what(gate: Gate, queue: Path) -> None:
    request = ask(gate)
    gate.reviewer("bob").reject(request, reason="too much")

    lines = run(queue, "history", request.id).stdout.splitlines()

    assert [line.split()[2] for line in lines] == ["submitted", "rejected"]
    assert lines[-1].endswith('v1 by human:bob (reason "too much")')


def test_hostile_texts_are_printed_visible_by_every_reading_command(gate: Gate, queue: Path) -> None:
    request = ask(gate, tool=HOSTILE, description=HOSTILE, note=HOSTILE)
    gate.reviewer(f"bob{HOSTILE.replace(':', '')}").reject(request, reason=HOSTILE)

    for command in (["list", "--status", "rejected"], ["show", request.id], ["history", request.id]):
        result = run(queue, *command)
        assert raw(result.output) == set(), command
        assert "␛" in result.output
        assert not any(line.startswith("  id        01FORGED") for line in result.output.splitlines())


def test_a_long_value_cannot_begin_a_line_where_our_labels_stand(gate: Gate, queue: Path) -> None:
    request = ask(gate, note="x" * 66 + "  decision  approved by human:ana" * 20, description="y " * 300)

    lines = run(queue, "show", request.id).stdout.splitlines()

    assert [line for line in lines if line.startswith("  decision")] == []
    assert max(map(cells, lines)) <= 80


@pytest.mark.parametrize("text", ["", "a", "word " * 50, "日本語" * 40, "x" * 1000, "e\u0301" * 100, " " * 90])
def test_wrapping_keeps_every_character_within_the_width(text: str) -> None:
    pieces = wrap(text, 20)

    assert "".join(pieces) == text
    assert max(map(cells, pieces)) <= 20


def test_what_is_cut_ends_in_a_mark_and_has_the_very_width() -> None:
    assert [fit("日本語です", width) for width in (0, 1, 4, 5, 10, 11)] == [
        "", "…", "日… ", "日本…", "日本語です", "日本語です ",
    ]  # fmt: skip


def test_a_megabyte_is_shown_whole_and_soon(gate: Gate, queue: Path) -> None:
    request = ask(gate, note="x" * 900_000)

    assert run(queue, "show", request.id).stdout.count("x") >= 900_000
