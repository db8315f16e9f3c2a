"""The reviewer's verbs, from code, sync and async, and the lists they choose from."""

from __future__ import annotations

import multiprocessing
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from gatekit import Gate, Request, Suspended, UsageError, calling, gated_step
from gatekit.errors import (
    AlreadyDecided,
    InvalidEdit,
    NotAllowed,
    NotAQueue,
    QueueNotFound,
    RequestNotFound,
    RunNotFound,
    SchemaTooNew,
    StaleToken,
)
from gatekit.testing import FakeClock, MemoryStore, temporary_gate
from tests.gate.helpers import only_request


def waiting(gate: Gate, amount: int = 5, **identity: Any) -> Request:
    """A request that waits, its caller gone."""

    @gated_step(gate=gate, wait=0)
    def pay(amount: int, to: str = "ann") -> str:
        return f"paid {amount} to {to}"

    with calling(**identity), pytest.raises(Suspended) as raised:
        pay(amount)
    return gate.get(raised.value.request_id)


def test_an_id_alone_does_not_say_what_was_seen(gate: Gate) -> None:
    request = waiting(gate)
    bob = gate.reviewer("bob")
    for act in (lambda: bob.approve(request.id), lambda: bob.edit(request.id, {}), lambda: bob.undo(request.id)):
        with pytest.raises(UsageError, match="say what you saw"):
            act()
    assert bob.approve(request.id, token=request.token).token == request.token


def test_an_old_token_is_stale(gate: Gate) -> None:
    request = waiting(gate)
    with pytest.raises(StaleToken):
        gate.reviewer("bob").approve(request.id, token="v1:0000000000000000")
    assert gate.get(request.id).status == "pending"


def test_the_same_command_again_gives_the_recorded_decision(gate: Gate) -> None:
    bob = gate.reviewer("bob")
    approved, edited, rejected = waiting(gate), waiting(gate), waiting(gate)
    assert bob.approve(approved) == bob.approve(approved)
    assert bob.edit(edited, {"amount": 6}) == bob.edit(edited, {"amount": 6})
    assert bob.reject(rejected, reason="no") == bob.reject(rejected.id, reason="no")
    with pytest.raises(AlreadyDecided) as raised:
        bob.edit(edited, {"amount": 7})
    assert raised.value.decision.verb == "edit"
    assert pickle.loads(pickle.dumps(raised.value)).decision == raised.value.decision


def test_who_asks_does_not_approve_but_may_withdraw(gate: Gate) -> None:
    request = waiting(gate, agent="robot")
    robot = gate.reviewer("robot")
    for act in (lambda: robot.approve(request), lambda: robot.edit(request, {"amount": 1})):
        with pytest.raises(NotAllowed, match="another person"):
            act()
    assert robot.cancel(request, reason="not needed").verb == "cancel"


def test_an_edit_merges_or_replaces_and_says_what_it_changed(gate: Gate) -> None:
    bob = gate.reviewer("bob")
    first, second = waiting(gate), waiting(gate)
    changes = gate.check_edit(first, {"amount": 6})
    assert [(change.path, change.kind, change.before, change.after) for change in changes] == [
        ("$.amount", "changed", 5, 6)
    ]
    bob.edit(first, {"amount": 6})
    bob.edit(second, {"amount": 7, "to": "eve"}, replace=True)
    assert gate.get(first.id).args == {"amount": 6, "to": "ann"}
    assert gate.get(second.id).args == {"amount": 7, "to": "eve"}
    assert gate.get(first.id).check_due


def test_an_invalid_edit_is_refused_last(gate: Gate) -> None:
    bob, ann = gate.reviewer("bob"), gate.reviewer("ann")
    request = waiting(gate)
    with pytest.raises(InvalidEdit) as raised:
        bob.edit(request, {"amount": "6"})
    assert any("amount" in error for error in raised.value.errors)
    assert gate.get(request.id).status == "pending"
    ann.approve(request)
    with pytest.raises(AlreadyDecided):
        bob.edit(request, {"amount": "6"})


def test_an_edit_that_changes_nothing_is_an_approval(gate: Gate) -> None:
    request = waiting(gate)
    assert gate.reviewer("bob").edit(request, {"amount": 5}).verb == "approve"
    assert not gate.get(request.id).check_due


def test_a_held_decision_can_be_undone_and_counts_when_its_time_has_come() -> None:
    clock = FakeClock()
    gate = Gate._over(MemoryStore(clock), clock)
    bob = gate.reviewer("bob", hold=5)
    request = waiting(gate)
    decision = bob.edit(request, {"amount": 6})
    held = gate.get(request.id)
    assert held.status == "held"
    assert held.effective_at == decision.effective_at == gate.now() + timedelta(seconds=5)
    with pytest.raises(NotAllowed, match="only human:bob"):
        gate.reviewer("ann").undo(held)
    bob.undo(request)
    again = gate.get(request.id)
    assert (again.status, again.version, again.revision, again.args["amount"]) == ("pending", 3, 1, 5)
    assert bob.edit(request, {"amount": 6}).standing == "undone"
    bob.approve(again)
    clock.advance(5)
    assert gate.get(request.id).status == "approved"
    with pytest.raises(AlreadyDecided):
        bob.undo(again)


def _hold_and_die(queue: str, request_id: str) -> None:
    gate = Gate(queue, create=False)
    gate.reviewer("bob", hold=0.3).approve(gate.get(request_id))


def test_a_hold_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    with Gate(tmp_path / "queue.db") as gate:
        request = waiting(gate, call_id="c1")
        process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(gate.path, request.id))

        @gated_step(gate=gate)
        def pay(amount: int, to: str = "ann") -> str:
            return f"paid {amount} to {to}"

        process.start()
        with calling(call_id="c1"):
            assert pay(5) == "paid 5 to ann"
        process.join(20)
        kinds = [event.kind for event in gate.history(request.id)]
        assert kinds.index("approved") < kinds.index("effective") < kinds.index("started")


def test_cancel_respond_and_reject_take_a_bare_id(gate: Gate) -> None:
    bob = gate.reviewer("bob")
    assert bob.cancel(waiting(gate).id).verb == "cancel"
    assert bob.respond(waiting(gate).id, "ask first").text == "ask first"
    assert bob.reject(waiting(gate).id, reason="no").reason == "no"


@pytest.mark.parametrize("words", ["", "  ", None, 7])
def test_a_rejection_needs_words(gate: Gate, words: Any) -> None:
    request = waiting(gate)
    with pytest.raises(UsageError):
        gate.reviewer("bob").reject(request, reason=words)
    assert gate.get(request.id).status == "pending"


@pytest.mark.parametrize("name", ["", " ", "human:bob", "x" * 501, None, 7])
def test_a_name_that_is_none_is_refused(gate: Gate, name: Any) -> None:
    with pytest.raises(UsageError):
        gate.reviewer(name)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_aio_has_the_same_names_awaited(gate: Gate, backend: str) -> None:
    request = waiting(gate)

    async def main() -> None:
        aio = gate.aio
        bob = aio.reviewer("bob")
        assert await aio.count("pending") == 1
        assert await aio.position(request.id) == 0
        assert [row.id for row in await aio.requests("pending")] == [request.id]
        assert [one.id for one in await bob.pending()] == [request.id]
        assert (await bob.approve(await aio.get(request.id))).verb == "approve"
        assert [event.kind for event in await aio.history(request.id)] == ["submitted", "approved"]
        assert aio.now() == gate.now() or aio.now() > request.created_at

    anyio.run(main, backend=backend)


def test_the_list_is_paged_by_key_and_by_offset(gate: Gate) -> None:
    ids = [waiting(gate, amount).id for amount in range(7)]
    first = gate.requests(limit=3)
    assert ([row.id for row in first], first.more) == (ids[:3], True)
    second = gate.requests(limit=3, after=first[-1].key)
    assert [row.id for row in second] == ids[3:6]
    assert [row.id for row in gate.requests(limit=2, before=second[-1].key)] == ids[3:5]
    last = gate.requests(limit=3, offset=6)
    assert ([row.id for row in last], last.more) == (ids[6:], False)
    assert gate.count(at_most=4) == 4
    assert gate.position(ids[5]) == 5
    assert [row.id for row in gate.requests(tool="nothing")] == []


@pytest.mark.parametrize(
    "options",
    [
        {"status": "open"},
        {"status": ()},
        {"order": "name"},
        {"after": "x"},
        {"after": "1:2", "before": "1:2"},
        {"offset": -1},
        {"limit": 0},
        {"limit": True},
    ],
)
def test_a_list_that_cannot_be_is_refused(gate: Gate, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        gate.requests(**options)


def test_watch_gives_what_happens_from_now_or_from_a_cursor(gate: Gate) -> None:
    first = waiting(gate)
    events = gate.watch()
    gate.reviewer("bob").approve(first)
    assert next(iter(events)).kind == "approved"
    assert [event.kind for event in zip_two(gate.watch(0))] == ["submitted", "approved"]


def zip_two(events: Any) -> list[Any]:
    iterator = iter(events)
    return [next(iterator), next(iterator)]


def test_an_unknown_request_is_not_found(gate: Gate) -> None:
    for act in (gate.get, gate.history, gate.position):
        with pytest.raises(RequestNotFound):
            act("01J00000000000000000000000")


def test_the_default_gate_is_where_a_step_without_one_goes(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    from gatekit import set_default

    set_default(gate)
    try:

        @gated_step(wait=0)
        def pay(amount: int) -> None: ...

        with pytest.raises(Suspended):
            pay(5)
        assert only_request(gate).tool == "pay"
    finally:
        set_default(None)


def test_a_gate_finds_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEKIT_QUEUE", raising=False)
    assert Gate().path == str(tmp_path / "gatekit.db")
    monkeypatch.setenv("GATEKIT_QUEUE", "other.db")
    assert Gate().path == str(tmp_path / "other.db")
    assert Gate("sqlite:///a.db").path == str(tmp_path / "a.db")
    assert Gate(f"sqlite:///{tmp_path}/a.db").path == str(tmp_path / "a.db")
    for wrong in ("postgresql://host/db", "https://host", "", ":memory:", "sqlite://", "a\0b"):
        with pytest.raises(UsageError):
            Gate(wrong)
    with pytest.raises(QueueNotFound):
        Gate("missing.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_queue_says_so_and_is_not_touched(tmp_path: Path) -> None:
    import sqlite3

    text, foreign, newer = tmp_path / "text", tmp_path / "foreign.db", tmp_path / "newer.db"
    text.write_text("hello " * 300)
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    with Gate(newer) as gate:
        waiting(gate)
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    for path, error in ((text, NotAQueue), (foreign, NotAQueue), (newer, SchemaTooNew)):
        before = path.read_bytes()
        gate = Gate(path)
        with pytest.raises(error):
            gate.events()
        gate.close()
        assert path.read_bytes() == before


def test_a_closed_gate_says_so(gate: Gate) -> None:
    gate.close()
    gate.close()
    with pytest.raises(UsageError, match="closed"):
        gate.events()


def test_an_id_that_no_queue_can_hold_is_not_found() -> None:
    with temporary_gate() as gate:
        for ask in (gate.get, gate.history, gate.reviewer("alice").claim):
            with pytest.raises(RequestNotFound):
                ask("\ud800")
        for about in (gate.run("\ud800").row, gate.run("\ud800").steps):
            with pytest.raises(RunNotFound):
                about()
