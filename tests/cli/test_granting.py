"""`gatekit allow`, `grants` and `revoke`: what is typed, what is allowed, and what it says before."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gatekit import Gate, Policy, Request, Stage, calling, gated_step
from gatekit.cli.scopes import duration_from, scope_from
from gatekit.errors import UsageError
from tests.cli.support import Risk, ask, raw, run, staged
from tests.cli.test_terminal import answering, at_terminal

HOSTILE = "/srv/\x1b[2J\u202egpj\r\n  covers    calls by anybody"


def asked_again(gate: Gate, *, agent: str = "agent-7", risk: Risk = "medium", **args: Any) -> str:
    """What a call of `pay` by this agent gets: what the tool gives, or the text of a call that waits."""

    def pay(to: str, amount: int, note: str = "") -> str:
        return f"paid {amount} to {to}"

    step = gated_step(pay, gate=gate, risk=risk, wait=0, on_suspend="return")
    with calling(agent=agent):
        return re.sub(r"^This call was not run yet.*", "waits", str(step(**{"to": "bob", "amount": 100, **args})))


def allowed(queue: Path, request: Request, *more: str) -> str:
    """Allow calls like this one, and give the permission's id."""
    result = run(queue, "allow", request.id, "--token", request.token, *more)
    assert result.exit_code == 0, result.output
    found = re.search(r"gatekit revoke (\w{26})", result.stdout)
    assert found
    return found[1]


def test_a_permission_covers_what_its_rules_name_and_nothing_else(gate: Gate, queue: Path) -> None:
    allowed(queue, ask(gate), "--for", "1h", "--scope", "amount<=500", "--scope", "amount>=1", "--scope", "to=b*")

    assert asked_again(gate, to="bea", amount=500) == "paid 500 to bea"
    others: list[dict[str, Any]] = [{"amount": 501}, {"amount": 0}, {"to": "eve"}, {"note": "x"}]
    for other in others:
        assert asked_again(gate, **other) == "waits", other
    assert asked_again(gate, agent="agent-8") == "waits"


def test_a_permission_covers_as_many_calls_as_it_says(gate: Gate, queue: Path) -> None:
    allowed(queue, ask(gate), "--uses", "2", "--within", "all")

    assert [asked_again(gate, agent=f"agent-{no}") for no in range(3)] == ["paid 100 to bob"] * 2 + ["waits"]


def test_to_allow_approves_the_call_and_says_what_is_allowed(gate: Gate, queue: Path) -> None:
    request = ask(gate)

    result = run(
        queue, "allow", request.id, "--token", request.token, "--uses", "3", "--scope", 'note={"any": true}', "--note",
        "known", columns=120,
    )  # fmt: skip

    after = gate.get(request.id)
    assert after.decision is not None
    assert (after.status, after.decision.by, after.decision.note) == ("approved", "human:ana", "known")
    assert result.stdout.startswith(f"approved: pay {request.id} by human:ana\n")
    for line in (
        "  used      0 of 3",
        "  covers    calls by agent:agent-7",
        "  amount    exactly 100",
        "  note      anything",
    ):
        assert line in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        ([], 2, "--for 1h, or for how many calls, --uses 10"),
        (["--for", "soon"], 2, "write 30m, 4h or 2d"),
        (["--for", "0m"], 2, "write 30m, 4h or 2d"),
        (["--for", "400d"], 2, "at most a year"),
        (["--uses", "0"], 2, "0 is not in the range"),
        (["--uses", "1", "--within", "world"], 2, "'world' is not one of"),
        (["--uses", "1", "--within", "run"], 2, "this call belongs to no run"),
        (["--uses", "1", "--scope", "amount"], 2, "says nothing"),
        (["--uses", "1", "--scope", "path=/srv/*"], 2, "no argument 'path'"),
        (["--uses", "1", "--scope", "amount=lots"], 2, "cannot be read as JSON"),
        (["--uses", "1", "--scope", "amount<=lots"], 2, "cannot be read as JSON"),
        (["--uses", "1", "--scope", 'amount<="9"'], 2, "needs a number"),
        (["--uses", "1", "--scope", "amount<=9"], 2, "does not cover the very call"),
        (["--uses", "1", "--scope", "to=x*"], 2, "does not cover the very call"),
        (["--uses", "1", "--scope", "to=b*", "--scope", "to=*"], 2, "to is given twice"),
        (["--uses", "1", "--scope", "amount<=900", "--scope", "amount<=800"], 2, "amount is given twice"),
        (["--uses", "1", "--scope", 'amount={"most": 9}'], 2, "a mapping in a scope is"),
        (["--uses", "1", "--as", "agent-7"], 1, "another person must"),
    ],
)
def test_what_cannot_be_allowed_is_refused_and_approves_nothing(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], code: int, told: str
) -> None:
    request = ask(gate)

    with_token = run(queue, "allow", request.id, "--token", request.token, *typed)
    questions = answering(monkeypatch, "yes")
    at_a_terminal = run(queue, "allow", request.id, *typed)

    for result in (with_token, at_a_terminal):
        assert result.exit_code == code, result.output
        assert told in result.stderr
    assert gate.get(request.id).status == "pending"
    assert gate.grants() == []
    assert len(questions) == (code == 1)


def test_a_permission_is_asked_for_in_plain_words_under_the_call(gate: Gate, queue: Path) -> None:
    request = ask(gate, risk="low")
    at = at_terminal(queue, "allow", request.id, "--for", "4h", "--uses", "3", "--scope", "amount<=500")

    at.wait_for("Type yes to approve it and allow these calls; anything else leaves it waiting: ")
    at.type("yes\n")

    assert at.end() == 0
    told = " ".join(at.seen.split())
    assert "you approve this call, and allow calls by agent:agent-7 of pay, for 4h00 and 3 more times at most" in told
    assert 'amount at most 500 note exactly "" to exactly "bob"' in told
    assert asked_again(gate, amount=7) == "paid 7 to bob"


@pytest.mark.parametrize("said", ["y", "", "pay"])
def test_less_than_the_word_allows_nothing(gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    request = ask(gate, risk="low")
    answering(monkeypatch, said)

    assert run(queue, "allow", request.id, "--uses", "3").exit_code == 1
    assert (gate.get(request.id).status, gate.grants()) == ("pending", [])


def test_without_a_terminal_it_needs_a_token_of_what_is_asked_now(gate: Gate, queue: Path) -> None:
    request = ask(gate)

    without = run(queue, "allow", request.id, "--uses", "1")
    stale = run(queue, "allow", request.id, "--uses", "1", "--token", "v9:beef")
    gate.reviewer("bob").reject(request, reason="no")
    late = run(queue, "allow", request.id, "--uses", "1", "--token", request.token)

    assert [(result.exit_code, gate.grants()) for result in (without, stale, late)] == [(2, []), (1, []), (1, [])]
    assert "then give its --token" in without.stderr
    assert "changed since it was read" in stale.stderr
    assert "already decided: reject by human:bob" in late.stderr


def test_after_ones_own_approval_a_permission_is_asked_for_too(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(gate)
    gate.reviewer("ana").approve(request)
    questions = answering(monkeypatch, "no")

    assert run(queue, "allow", request.id, "--uses", "1").exit_code == 1
    assert (len(questions), gate.grants()) == (1, [])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda gate: ask(gate, risk="critical"), "its risk is critical"),
        (lambda gate: staged(gate, Policy(Stage("two", quorum=2))), "asks more than one person"),
    ],
)
def test_what_always_needs_people_is_refused_before_anybody_is_asked(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch, make: Any, told: str
) -> None:
    request = make(gate)
    questions = answering(monkeypatch, "yes")

    result = run(queue, "allow", request.id, "--uses", "1")

    assert (result.exit_code, questions) == (1, [])
    assert told in result.stderr


def test_grants_lists_what_holds_and_with_all_what_has_ended(gate: Gate, queue: Path) -> None:
    gate.count()
    nothing = run(queue, "grants")
    kept, used_up = allowed(queue, ask(gate), "--for", "1d"), allowed(queue, ask(gate, to="eve"), "--uses", "1")
    asked_again(gate, to="eve")
    revoked = allowed(queue, ask(gate, to="dan"), "--uses", "1")
    gone = run(queue, "revoke", revoked, "--as", "bob")

    holding, whole = run(queue, "grants").stdout, run(queue, "grants", "--all").stdout

    assert (nothing.stdout, nothing.exit_code) == ("", 0)
    assert "No permission holds" in nothing.stderr
    assert gone.stdout == f"revoked: pay {revoked} by human:bob; it was used 0 times\n"
    assert (kept in holding, used_up in holding, revoked in holding) == (True, False, False)
    heads = [line for line in whole.splitlines() if line.startswith("pay  ")]
    assert heads == ["pay  revoked by human:bob, 0s ago", "pay  used up", "pay  active"]
    assert asked_again(gate, to="dan") == "waits"


def test_grants_in_json_have_the_fields_of_the_api(gate: Gate, queue: Path) -> None:
    allowed(queue, ask(gate), "--uses", "1")
    gate.reviewer("bob").revoke(gate.grants()[0])
    allowed(queue, ask(gate), "--for", "2d")
    newest, oldest = gate.grants()

    read = json.loads(run(queue, "grants", "--json").stdout)
    whole = json.loads(run(queue, "grants", "--json", "--all").stdout)

    assert read == {"rows": [newest.to_dict()], "more": False}
    assert whole == {"rows": [newest.to_dict(), oldest.to_dict()], "more": False}


def test_an_unknown_permission_cannot_be_revoked(gate: Gate, queue: Path) -> None:
    ask(gate)

    result = run(queue, "revoke", f"01{HOSTILE}")

    assert (result.exit_code, result.stdout, raw(result.stderr)) == (1, "", set())
    assert "`gatekit grants` shows those there are" in result.stderr


def test_hostile_arguments_agents_and_runs_are_printed_visible(
    gate: Gate, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pay(to: str) -> str:
        return to

    step = gated_step(pay, gate=gate, name=f"pay{HOSTILE}", wait=0, on_suspend="return")
    with calling(agent=f"a{HOSTILE.replace(':', '')}", run=HOSTILE):
        step(HOSTILE)
    request = gate.get(gate.requests()[0].id)
    answering(monkeypatch, request.id[-4:])

    results = [
        run(queue, "allow", request.id, "--for", "1h", "--within", "run", "--as", HOSTILE.replace(":", "")),
        run(queue, "grants"),
        run(queue, "allow", request.id, "--for", f"1h{HOSTILE}"),
        run(queue, "allow", request.id, "--uses", "1", "--scope", HOSTILE),
        run(queue, "revoke", gate.grants()[0].id),
    ]

    assert [result.exit_code for result in results] == [0, 0, 2, 2, 0]
    for result in results:
        assert raw(result.output) == set()
        assert "  covers    calls by anybody" not in result.output.splitlines()
    assert "␛" in results[1].stdout


@pytest.mark.parametrize(
    ("text", "span"),
    [("90s", timedelta(seconds=90)), ("30m", timedelta(minutes=30)), ("4h", timedelta(hours=4)), ("2d", timedelta(2))],
)
def test_a_span_of_time_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert duration_from("--for", text) == span


@pytest.mark.parametrize(
    "text", ["", "4", "h", "4 h", "-1h", "1.5h", "1h30m", "1w", "4H", "٤h", "4h\n", "1" * 20 + "d"]
)
def test_every_other_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no span of time"):
        duration_from("--for", text)


@pytest.mark.parametrize(
    ("typed", "args", "scope"),
    [
        (["path=/srv/*"], {"path": "/srv/a"}, {"path": "/srv/*"}),
        (["path=true"], {"path": "true"}, {"path": "true"}),
        (["force=true"], {"force": True}, {"force": True}),
        (["path=a=b<=c"], {"path": "x"}, {"path": "a=b<=c"}),
        (["n>=1", "n<=1.5"], {"n": 1}, {"n": {"at_least": 1, "at_most": 1.5}}),
        (['path={"any": true}'], {"path": "x"}, {"path": {"any": True}}),
        (["tags=[1]"], {"tags": [1]}, {"tags": [1]}),
        ([], {"n": 1}, {}),
    ],
)
def test_a_rule_is_read_by_what_the_argument_is(typed: list[str], args: dict[str, Any], scope: dict[str, Any]) -> None:
    assert scope_from(typed, args) == scope
