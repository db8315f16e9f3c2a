"""`gatekit stop` and `gatekit sweep`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gatekit import Gate, Policy, Stage
from tests.cli.support import ask, raw, run, staged, years_ago
from tests.cli.test_terminal import at_terminal

HOSTILE = "panic\x1b[2J\u202e\r\n  decision  approved"


def test_a_stop_is_told_kept_and_lifted(gate: Gate, queue: Path) -> None:
    gate.count()

    before = run(queue, "stop")
    done = run(queue, "stop", "--reason", "a leak")
    during = run(queue, "stop")
    again = run(queue, "stop", "--reason", "another", "--as", "bob")
    lifted = run(queue, "stop", "--lift", "--as", "bob")
    after = run(queue, "stop", "--lift")

    assert (before.stdout, before.exit_code) == ("Calls start.\n", 0)
    assert done.stdout.startswith(f"stopped: nothing in {queue} starts any more.")
    assert (during.stdout, during.exit_code) == ("STOPPED by human:ana, 0s ago: a leak.\n", 1)
    assert (again.stdout, again.exit_code) == ("It was stopped before, by human:ana, 0s ago: a leak. That stands.\n", 0)
    assert lifted.stdout.splitlines() == [
        "lifted by human:bob: calls start again.",
        "It was stopped by human:ana, 0s ago: a leak.",
    ]
    assert (after.stdout, after.exit_code) == ("Nothing was stopped: calls start.\n", 0)
    assert [(event.kind, event.by) for event in gate.events()] == [
        ("queue.stopped", "human:ana"), ("queue.lifted", "human:bob"),
    ]  # fmt: skip


def test_an_approval_says_that_nothing_starts_while_the_queue_is_stopped(gate: Gate, queue: Path) -> None:
    request = ask(gate)
    run(queue, "stop", "--reason", "a leak")

    result = run(queue, "approve", request.id, "--token", request.token)

    assert result.stdout.splitlines()[1] == (
        "The queue is stopped by human:ana, 0s ago: a leak. It starts when that is lifted."
    )
    assert gate.get(request.id).status == "approved"


def test_list_and_show_warn_first_while_the_queue_is_stopped(gate: Gate, queue: Path) -> None:
    request = ask(gate)
    commands = (["list"], ["show", request.id], ["list", "--json"], ["show", "--json", request.id])
    quiet = [run(queue, *command) for command in commands]
    run(queue, "stop", "--reason", "a leak")

    told = [run(queue, *command) for command in commands]

    assert [result.output.splitlines()[0][:7] == "STOPPED" for result in told] == [True, True, False, False]
    assert "gatekit stop --lift" in " ".join(told[0].stderr.split())
    assert [result.output.splitlines()[0][:7] == "STOPPED" for result in quiet] == [False] * 4
    assert [result.exit_code for result in told] == [0] * 4


def test_review_warns_before_the_dashboard_opens(gate: Gate, queue: Path) -> None:
    gate.stop("a leak")
    at = at_terminal(queue, "review")

    at.wait_for("STOPPED by")
    at.wait_for("a leak; nothing starts")
    at.child.close(force=True)


def test_the_stop_in_json_has_the_fields_of_the_api_or_is_null(gate: Gate, queue: Path) -> None:
    gate.count()

    free = run(queue, "stop", "--json")
    stop = gate.stop("a leak")
    stopped = run(queue, "stop", "--json")

    assert (json.loads(free.stdout), free.exit_code) == (None, 0)
    assert (json.loads(stopped.stdout), stopped.exit_code) == (stop.to_dict(), 1)


@pytest.mark.parametrize(
    "args",
    [
        ["--reason", "x", "--lift"],
        ["--reason", " "],
        ["--json", "--lift"],
        ["--json", "--reason", "x"],
        ["--as", "a:b", "--lift"],
    ],
)
def test_a_wrong_stop_stops_nothing(gate: Gate, queue: Path, args: list[str]) -> None:
    gate.count()

    result = run(queue, "stop", *args)

    assert (result.exit_code, result.stdout, gate.stopped()) == (2, "", None)


def test_a_hostile_reason_is_printed_visible(gate: Gate, queue: Path) -> None:
    request = ask(gate)

    results = [
        run(queue, "stop", "--reason", HOSTILE, "--as", HOSTILE),
        run(queue, "stop", "--reason", "x"),
        run(queue, "stop"),
        run(queue, "stop", "--json"),
        run(queue, "list"),
        run(queue, "show", request.id),
        run(queue, "approve", request.id, "--token", request.token),
        run(queue, "stop", "--lift"),
    ]

    for result in results:
        assert raw(result.output) == set()
        assert not any(line.startswith("  decision  approved") for line in result.stderr.splitlines())
    assert "panic␛[2J" in results[2].stdout


def test_a_sweep_settles_what_is_overdue_and_says_how_many(queue: Path) -> None:
    with years_ago(queue) as gate:
        for _ in range(120):
            staged(gate, Policy(), expires_after=timedelta(hours=1))
        kept = staged(gate, Policy())

    first, second = run(queue, "sweep"), run(queue, "sweep")

    assert (first.stdout, second.stdout) == ("settled: 120\n", "nothing was overdue\n")
    with Gate(queue) as gate:
        assert (gate.count("expired"), gate.get(kept.id).status) == (120, "pending")


def test_a_sweep_in_json_says_how_many(queue: Path) -> None:
    ladder = {timedelta(hours=4): "dora"}
    with years_ago(queue) as gate:
        escalated = staged(gate, Policy(Stage("owner", "bob"), escalate_after=ladder))
        staged(gate, Policy(on_expiry="approve"), expires_after=timedelta(hours=1))

    first, second = run(queue, "sweep", "--json"), run(queue, "sweep", "--json")

    assert [json.loads(result.stdout) for result in (first, second)] == [{"moved": 2}, {"moved": 0}]
    with Gate(queue) as gate:
        assert gate.get(escalated.id).stages[0].reviewers == ("bob", "dora")
        assert gate.count("approved") == 1


def test_a_sweep_makes_no_queue(queue: Path) -> None:
    assert run(queue, "sweep").exit_code == 3
    assert not queue.exists()
