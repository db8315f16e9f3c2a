"""What `list`, `show` and `history` say of stages, deadlines, rules and what time did."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from gatekit import Gate, Policy, Stage, calling, gated_step
from gatekit.cli.paint import cells
from gatekit.testing import FakeClock, temporary_gate
from tests.cli.support import ask, confirmation, question, raw, run, staged

STAGES = (
    Stage("manager", "role:manager"),
    Stage("finance", ["carol", "dan", "erin"], quorum=2),
    Stage("ceo", "zoe"),
)
HOSTILE = "boss\x1b[2J\u202e\r\n  decision  approved"


def shown(queue: Path, request_id: str, columns: int = 160) -> list[str]:
    return run(queue, "show", request_id, columns=columns).stdout.splitlines()


def test_a_list_shows_the_stage_where_some_request_has_stages(gate: Gate, queue: Path) -> None:
    one, plain = staged(gate, Policy(*STAGES)), ask(gate)
    gate.reviewer("bob").approve(one)

    head, *lines = run(queue, "list").stdout.splitlines()

    assert head.split() == ["RISK", "STAGE", "TOOL", "WHAT", "WAIT", "ID"]
    by_id = {line.split()[-1]: line.split()[1] for line in lines}
    assert by_id == {one.id: "2/3", plain.id: "pay"}


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_list_with_stages_and_claims_fits_the_line(gate: Gate, queue: Path, columns: int) -> None:
    one = staged(gate, Policy(*STAGES))
    gate.reviewer("日本語の名前です").claim(one)
    ask(gate, tool="a_tool_with_a_name_that_goes_on", description="a long text " * 15)

    head, *lines = run(queue, "list", columns=columns).stdout.splitlines()

    assert head.split() == ["RISK", "STAGE", "CLAIMED", "TOOL", *(["WHAT"] if columns > 60 else []), "WAIT", "ID"]
    assert {cells(line) for line in lines} == {min(columns, cells(lines[0]))}


def test_a_list_says_what_is_asked_for(gate: Gate, queue: Path) -> None:
    question(gate, "Which region?")
    confirmation(gate, "Deploy?")

    lines = run(queue, "list").stdout.splitlines()

    assert ["question: Which region?" in lines[1], "confirm: Deploy?" in lines[2]] == [True, True]


def test_stages_are_shown_with_who_said_yes_and_who_may(gate: Gate, queue: Path) -> None:
    request = staged(gate, Policy(*STAGES))
    gate.reviewer("bob").approve(request)
    gate.reviewer("dan").approve(gate.get(request.id))

    lines = shown(queue, request.id)

    at = lines.index("  stages    done        manager: bob said yes")
    assert lines[at + 1 : at + 3] == [
        "            current     finance: 1 of 2 said yes (dan); carol, dan, erin may decide",
        "            not reached ceo: zoe may decide",
    ]


def test_a_vote_that_was_not_the_last_says_what_is_still_asked(gate: Gate, queue: Path) -> None:
    request = staged(gate, Policy(*STAGES))

    first = run(queue, "approve", request.id, "--token", request.token)
    second = run(queue, "approve", request.id, "--token", gate.get(request.id).token, "--as", "dan")
    wrong = run(queue, "approve", request.id, "--token", gate.get(request.id).token, "--as", "bob")

    assert first.stdout.splitlines()[1:] == [
        "It still waits: 1 of 3 stages done; finance: 0 of 2 said yes; carol, dan, erin may decide."
    ]
    assert "finance: 1 of 2 said yes (dan)" in second.stdout
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "human:bob is not asked here: carol, dan, erin may decide" in wrong.stderr


def test_a_request_that_anybody_decides_is_shown_without_stages_and_deadline(gate: Gate, queue: Path) -> None:
    lines = shown(queue, ask(gate).id)

    assert [line for line in lines if line.startswith(("  stages", "  deadline", "  rule", "  claimed"))] == []


@pytest.mark.parametrize(
    ("means", "told"),
    [
        ("expire", "then it expires: it does not run"),
        ("approve", "then it is approved"),
        ("keep", "then it stays open, marked overdue"),
        ("escalate", "then it is escalated to more people, or expires where all were asked"),
    ],
)
def test_a_deadline_is_shown_with_what_silence_then_means(
    gate: Gate, queue: Path, means: Literal["expire", "approve", "escalate", "keep"], told: str
) -> None:
    policy = Policy(Stage("owner", "bob"), on_expiry=means, escalate_after={timedelta(hours=9): "dora"})
    request = staged(gate, policy, expires_after=timedelta(hours=4))

    (line,) = [line for line in shown(queue, request.id) if line.startswith("  deadline")]

    assert request.decide_by is not None
    assert line == f"  deadline  in 3h59, at {request.decide_by:%Y-%m-%d %H:%M:%S}Z: {told}"


def test_silence_never_answers_a_question(gate: Gate, queue: Path) -> None:
    request = question(gate, policy=Policy(on_expiry="approve"), expires_after=timedelta(hours=4))

    assert [line.endswith("then it expires") for line in shown(queue, request.id) if "deadline" in line] == [True]


def test_the_rule_that_gated_a_call_is_shown(gate: Gate, queue: Path) -> None:
    def free_disk(name: str) -> str:
        return name

    gate.policy("free_*", Policy(Stage("owner", "olga")))
    (step,) = gate.wrap([free_disk], requires_approval=False, wait=0, on_suspend="return")
    step("sda")

    lines = shown(queue, gate.requests()[0].id)

    assert [line for line in lines if line.startswith("  rule")] == ["  rule      free_*"]


def test_the_history_of_a_policy_is_told_in_words() -> None:
    clock = FakeClock()
    policy = Policy(
        *STAGES[:2],
        on_expiry="keep",
        escalate_after={timedelta(hours=4): "role:director"},
        remind_every=timedelta(hours=3),
    )
    with temporary_gate(clock) as gate:
        request = staged(gate, policy, expires_after=timedelta(hours=5))
        gate.reviewer("bob").claim(request)
        gate.reviewer("bob").delegate(request, to="mo", reason="on leave")
        gate.reviewer("mo").approve(request, note="fine")
        for hours in (3, 1, 1):
            clock.advance(hours * 3600)
            gate.backend.sweep().wait()

        told = run(Path(gate.path), "history", request.id, columns=200).stdout

    assert [" ".join(line.split()[2:]) for line in told.splitlines()][:8] == [
        "submitted v1 by agent:agent-7 (stages manager, finance)",
        "claimed v1 by human:bob (looks at it)",
        'delegated v1 by human:bob (mo decides in their place: "on leave")',
        'voted v1 by human:mo (said yes for manager: "fine")',
        "stage v2 by system:clock (now asks stage 2, finance)",
        "reminder v2 by system:clock (reminder 1: still undecided)",
        "escalated v3 by system:clock (role:director may decide too (rung 1))",
        "overdue v3 by system:clock (nobody decided by 2026-01-01 05:00:00Z; it stays open)",
    ]


def test_the_history_of_a_permission_and_of_an_expiry_is_told_in_words() -> None:
    clock = FakeClock()
    with temporary_gate(clock) as gate:
        allowed, expired = staged(gate, Policy()), staged(gate, Policy(), expires_after=timedelta(hours=1))
        grant = gate.reviewer("bob").allow(allowed, uses=2, for_=timedelta(hours=1))
        clock.advance(3600)
        queue = Path(gate.path)
        granted = run(queue, "history", allowed.id, columns=200).stdout.splitlines()
        ended = run(queue, "history", expired.id, columns=200).stdout.splitlines()

    (line,) = [line for line in granted if "granted" in line]
    assert line.endswith(f"(calls like it are allowed 2 times, until 2026-01-01 01:00:00Z by grant {grant.id})")
    assert ended[-1].endswith("(nobody decided in time, the deadline was 2026-01-01 01:00:00Z)")


def test_hostile_stages_rules_and_notes_are_printed_visible(gate: Gate, queue: Path) -> None:
    plain = HOSTILE.replace(":", "")
    request = staged(gate, Policy(Stage(HOSTILE, [plain, f"role:{plain}"]), Stage("b", "bob"), remind_every=1e9))
    gate.reviewer(plain).approve(request, note=HOSTILE)

    results = [run(queue, command, request.id) for command in ("show", "history")]
    refused = run(queue, "approve", request.id, "--token", gate.get(request.id).token, "--as", plain)

    for result in (*results, refused):
        assert raw(result.output) == set()
        assert not any(line.startswith("  decision  approved") for line in result.output.splitlines())
    assert "boss␛[2J" in results[0].stdout
    assert "hidden characters, made visible here" in results[0].stdout
    assert refused.exit_code == 1


def test_a_failed_step_of_a_run_is_said_to_be_tried_again_by_its_run(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(order: str) -> str:
        raise ValueError("no money")

    @gate.workflow
    def refund(run, order: str) -> str:  # type: ignore[no-untyped-def]
        return str(run.step("note", broken, order))

    refund.start("refund 7", order="7")
    (step,) = gate.run("refund 7").steps()

    lines = shown(queue, step.request_id)
    refused = run(queue, "retry", step.request_id, "--attempt", "1")
    monkeypatch.setattr("gatekit.cli.terminal.can_ask", lambda: True)
    at_a_terminal = run(queue, "retry", step.request_id)

    assert lines[-1].split() == ["resume", "its", "run:", "gatekit", "resume", "'refund", "7'"]
    assert not any("gatekit retry" in line for line in lines)
    for result in (refused, at_a_terminal):
        assert (result.exit_code, result.stdout) == (1, "")
        assert "resume the run, which tries it again" in result.stderr
    assert "gatekit resume 'refund 7'" in at_a_terminal.stderr


def test_a_failed_call_of_a_conversation_is_still_tried_again_by_itself(gate: Gate, queue: Path) -> None:
    def broken(order: str) -> str:
        raise ValueError("no money")

    step = gated_step(broken, gate=gate, wait=0, on_suspend="return")
    with calling(agent="agent-7", run="thread-1", call_id="c1"):
        step("7")
    request = gate.get(gate.requests()[0].id)
    gate.reviewer("bob").approve(request)
    with calling(agent="agent-7", run="thread-1", call_id="c1"), pytest.raises(ValueError, match="no money"):
        step("7")

    assert f"gatekit retry {request.id}" in run(queue, "show", request.id).stdout
