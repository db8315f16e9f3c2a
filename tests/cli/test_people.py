"""`gatekit reviewers`, `claim`, `delegate` and `escalate`: who may decide, and who looks at what."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gatekit import Gate, Policy, Stage
from tests.cli.support import ask, raw, run, staged, years_ago

HOSTILE = "\u202eeve\x1b[2J\r\n  stages    done"


def test_reviewers_are_added_listed_changed_and_removed(gate: Gate, queue: Path) -> None:
    gate.count()

    first = run(queue, "reviewers", "add", "zoe", "--role", "finance", "--role", "audit")
    second = run(queue, "reviewers", "add", "ben")
    listed = run(queue, "reviewers")
    changed = run(queue, "reviewers", "add", "zoe", "--role", "legal")
    gone = run(queue, "reviewers", "remove", "ben", "--as", "zoe")

    assert first.stdout.splitlines() == [
        "reviewer: zoe with the roles audit, finance, set by human:ana",
        "From now on nobody else decides in this queue.",
    ]
    assert second.stdout.splitlines() == ["reviewer: ben without a role, set by human:ana"]
    assert listed.stdout.splitlines() == ["NAME ROLES", "ben", "zoe  audit, finance"]
    assert changed.stdout.splitlines() == ["reviewer: zoe with the role legal, set by human:ana"]
    assert gone.stdout.splitlines() == ["removed: ben by human:zoe"]
    assert [(row.name, row.roles) for row in gate.reviewers()] == [("zoe", ("legal",))]
    assert [(event.kind, event.by) for event in gate.events()] == [
        ("reviewer.set", "human:ana"), ("reviewer.set", "human:ana"), ("reviewer.set", "human:ana"),
        ("reviewer.removed", "human:zoe"),
    ]  # fmt: skip


def test_from_the_first_reviewer_on_others_are_refused_until_the_last_is_removed(gate: Gate, queue: Path) -> None:
    request = ask(gate)
    run(queue, "reviewers", "add", "zoe")

    refused = run(queue, "approve", request.id, "--token", request.token)
    last = run(queue, "reviewers", "remove", "zoe")
    done = run(queue, "approve", request.id, "--token", request.token)

    assert (refused.exit_code, done.exit_code) == (1, 0)
    assert "human:ana is no reviewer of this queue; these are: zoe" in refused.stderr
    assert last.stdout.splitlines()[1] == "No reviewer is known any more: from now on anybody may decide."


def test_no_reviewers_are_a_note_and_an_empty_list(gate: Gate, queue: Path) -> None:
    gate.count()

    listed = run(queue, "reviewers")

    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "anybody may decide" in listed.stderr
    assert json.loads(run(queue, "reviewers", "--json").stdout) == []


def test_reviewers_in_json_have_the_fields_of_the_api(gate: Gate, queue: Path) -> None:
    gate.add_reviewer("zoe", roles=["finance"])

    read = json.loads(run(queue, "reviewers", "--json").stdout)

    assert read == [row.to_dict() for row in gate.reviewers()]
    assert read[0].keys() == {"name", "roles", "by", "at"}


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (["reviewers", "add", "human:zoe"], 2, "no reviewer's name"),
        (["reviewers", "add", " "], 2, "no reviewer's name"),
        (["reviewers", "add", "zoe", "--role", "role:finance"], 2, "--role"),
        (["reviewers", "add", "zoe", "--role", " "], 2, "--role"),
        (["reviewers", "remove", f"zo{HOSTILE}"], 1, "`gatekit reviewers` shows them"),
        (["reviewers", "--json", "add", "zoe"], 2, "write the options of `gatekit reviewers add` behind it"),
        (["claim", "01NOSUCH"], 1, "no request"),
        (["delegate", "01NOSUCH", "--to", "bob", "--reason", "x"], 1, "no request"),
        (["delegate", "01NOSUCH", "--to", "bob"], 2, "--reason"),
        (["delegate", "01NOSUCH", "--to", "human:bob", "--reason", "x"], 2, "no reviewer's name"),
        (["delegate", "01NOSUCH", "--to", "bob", "--reason", " "], 2, "takes some words"),
        (["escalate", "01NOSUCH", "--reason", "x"], 1, "no request"),
        (["escalate", "01NOSUCH"], 2, "--reason"),
    ],
)
def test_wrong_use_is_one_message_and_changes_nothing(
    gate: Gate, queue: Path, command: list[str], code: int, told: str
) -> None:
    gate.count()

    result = run(queue, *command)

    assert (result.exit_code, result.stdout, raw(result.stderr)) == (code, "", set())
    assert told in result.stderr
    assert gate.reviewers() == []


def test_a_claim_is_told_and_shown_in_list_and_show(gate: Gate, queue: Path) -> None:
    request, other = ask(gate), ask(gate)

    result = run(queue, "claim", request.id)

    claim = gate.get(request.id).claim
    assert claim is not None
    assert result.stdout.splitlines() == [
        f"claimed: pay {request.id} by human:ana, until {claim.until:%Y-%m-%d %H:%M:%S}Z",
        "Others see it, and may still decide.",
    ]
    head, *lines = run(queue, "list").stdout.splitlines()
    assert head.split() == ["RISK", "CLAIMED", "TOOL", "WHAT", "WAIT", "ID"]
    assert [line.split()[1] for line in lines] == ["ana", "pay"]
    assert lines[1].endswith(other.id)
    assert "  claimed   by human:ana, 0s ago; lapses in 14m" in run(queue, "show", request.id).stdout.splitlines()
    gate.reviewer("ana").approve(request)
    assert "CLAIMED" not in run(queue, "list", "--status", "approved").stdout
    assert "claimed" not in run(queue, "show", request.id).stdout


def test_a_claim_that_has_lapsed_is_shown_nowhere(queue: Path) -> None:
    with years_ago(queue) as gate:
        request = staged(gate, Policy(exclusive_claims=True))
        gate.reviewer("bob").claim(request)

    head = run(queue, "list").stdout.splitlines()[0]
    shown = run(queue, "show", request.id).stdout
    taken = run(queue, "claim", request.id)

    assert head.split() == ["RISK", "TOOL", "WHAT", "WAIT", "ID"]
    assert "human:bob" not in shown
    assert taken.stdout.startswith(f"claimed: pay {request.id} by human:ana")


def test_a_claim_names_who_had_it_and_an_exclusive_one_keeps_others_out(gate: Gate, queue: Path) -> None:
    soft, hard = ask(gate), staged(gate, Policy(exclusive_claims=True))
    for request in (soft, hard):
        gate.reviewer("bob").claim(request)

    taken, refused = run(queue, "claim", soft.id), run(queue, "claim", hard.id)
    decided = run(queue, "approve", hard.id, "--token", hard.token)

    assert taken.stdout.splitlines()[0] == "human:bob had claimed it 0s ago."
    assert (refused.exit_code, decided.exit_code) == (1, 1)
    assert "human:bob has claimed it until" in refused.stderr
    assert "lets nobody else decide meanwhile" in decided.stderr
    assert "nobody else may decide" in " ".join(run(queue, "show", hard.id).stdout.split())
    assert "Nobody else may decide meanwhile." in run(queue, "claim", hard.id, "--as", "bob").stdout


def test_a_part_handed_on_is_told_and_shown_and_lets_the_other_decide(gate: Gate, queue: Path) -> None:
    request = staged(gate, Policy(Stage("owner", "ana")))

    result = run(queue, "delegate", request.id, "--to", "bob", "--reason", "on leave")
    own = run(queue, "approve", request.id, "--token", request.token)
    done = run(queue, "approve", request.id, "--token", request.token, "--as", "bob")

    assert result.stdout == f"handed on: pay {request.id} by human:ana to bob\n"
    assert "  handed on bob decides in place of ana" in run(queue, "show", request.id).stdout.splitlines()
    assert (own.exit_code, done.exit_code) == (1, 0)
    assert "human:ana is not asked here: ana (bob in place of ana) may decide" in own.stderr
    assert 'bob decides in their place: "on leave"' in " ".join(run(queue, "history", request.id).stdout.split())


def test_an_escalation_says_who_was_asked_and_lets_them_decide(gate: Gate, queue: Path) -> None:
    ladder = {timedelta(hours=4): ["dora", "role:director"], timedelta(hours=8): "zoe"}
    request = staged(gate, Policy(Stage("owner", "ana"), escalate_after=ladder))

    before = run(queue, "show", request.id).stdout.splitlines()
    result = run(queue, "escalate", request.id, "--reason", "I am not sure")
    after = run(queue, "show", request.id).stdout.splitlines()
    told = " ".join(run(queue, "history", request.id, columns=200).stdout.split())
    last = run(queue, "escalate", request.id, "--reason", "nobody answers", "--as", "dora")
    done = run(queue, "approve", request.id, "--token", gate.get(request.id).token, "--as", "zoe")

    assert "  escalates to dora, role:director next" in before
    assert result.stdout == f"escalated: pay {request.id} to dora, role:director by human:ana\n"
    assert "  escalates to zoe next" in after
    assert 'by human:ana (dora, role:director may decide too (rung 1): "I am not sure")' in told
    assert last.stdout == f"escalated: pay {request.id} to zoe by human:dora\n"
    assert not any(line.startswith("  escalates") for line in run(queue, "show", request.id).stdout.splitlines())
    assert done.exit_code == 0


def test_an_escalation_that_is_refused_is_one_message_and_changes_nothing(gate: Gate, queue: Path) -> None:
    plain = ask(gate)
    laddered = staged(gate, Policy(Stage("owner", "bob"), escalate_after={timedelta(hours=4): "dora"}))

    nobody = run(queue, "escalate", plain.id, "--reason", "x")
    stranger = run(queue, "escalate", laddered.id, "--reason", "x")
    wordless = run(queue, "escalate", laddered.id, "--reason", " ", "--as", "bob")

    assert [(result.exit_code, result.stdout) for result in (nobody, stranger, wordless)] == [(1, ""), (1, ""), (2, "")]
    assert "its policy names nobody to escalate to: that is Policy(escalate_after=…)" in nobody.stderr
    assert "human:ana is not asked here: bob may decide" in stranger.stderr
    assert "takes some words" in wordless.stderr
    assert [gate.get(request.id) for request in (plain, laddered)] == [plain, laddered]


def test_hostile_names_of_a_ladder_are_printed_visible(gate: Gate, queue: Path) -> None:
    request = staged(gate, Policy(Stage("owner", "ana"), escalate_after={timedelta(hours=4): HOSTILE}))

    results = [
        run(queue, "show", request.id),
        run(queue, "escalate", request.id, "--reason", HOSTILE),
        run(queue, "history", request.id),
    ]

    assert [result.exit_code for result in results] == [0, 0, 0]
    for number, result in enumerate(results):
        assert raw(result.output) == set()
        assert "<U+20" in result.output, number
        assert not any(line.startswith("  stages    done") for line in result.output.splitlines())


def test_hostile_names_and_reasons_are_printed_visible(gate: Gate, queue: Path) -> None:
    request = ask(gate)
    run(queue, "reviewers", "add", "ana", "--role", HOSTILE)
    run(queue, "reviewers", "add", HOSTILE)

    results = [
        run(queue, "reviewers"),
        run(queue, "claim", request.id, "--as", HOSTILE),
        run(queue, "list"),
        run(queue, "show", request.id),
        run(queue, "delegate", request.id, "--to", HOSTILE, "--reason", HOSTILE),
        run(queue, "show", request.id),
        run(queue, "history", request.id),
        run(queue, "reviewers", "add", HOSTILE, "--role", HOSTILE),
        run(queue, "approve", request.id, "--token", request.token, "--as", "carl"),
        run(queue, "reviewers", "remove", HOSTILE),
    ]

    assert [result.exit_code for result in results] == [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    for number, result in enumerate(results):
        assert raw(result.output) == set()
        assert "<U+20" in result.output, number
        assert not any(line.startswith("  stages    done") for line in result.output.splitlines())
