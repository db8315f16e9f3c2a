"""Many processes on one queue, by the machine's own clock: votes, budgets, permissions and ladders count once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from gatekit import Gate, Policy, Stage, Suspended, calling, gated_step
from tests.policy import programs
from tests.policy.programs import BOARD, LIMIT, QUORUM, VOTED_ON, together

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(120)]


def queued(gate: Gate, calls: int, policy: Policy) -> list[str]:
    step = gated_step(lambda amount: amount, gate=gate, name="pay", policy=policy, wait=0)
    ids = []
    for number in range(calls):
        with pytest.raises(Suspended) as raised, calling(call_id=f"call-{number}"):
            step(number)
        ids.append(raised.value.request_id)
    return ids


def test_eight_processes_vote_on_one_queue_and_each_vote_counts_once(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    with Gate(queue) as gate:
        ids = queued(gate, 12, VOTED_ON)
    taken = together(*((programs.vote, queue, name, ids, "approve") for name in BOARD))
    with Gate(queue, create=False) as gate:
        for request_id in ids:
            request = gate.get(request_id)
            voters = [name for name, ids_of in zip(BOARD, taken, strict=True) if request_id in ids_of]
            assert request.status == "approved"
            assert Counter(f"human:{name}" for name in voters) == Counter(vote.by for vote in request.votes)
            board, chair = request.stages
            assert (len(set(board.by)), len(set(chair.by))) == (QUORUM, 2)
            assert {*board.by, *chair.by} == set(voters)
            assert len(voters) == QUORUM + 2
            kinds = Counter(event.kind for event in gate.history(request_id))
            assert (kinds["voted"], kinds["approved"], kinds["stage"]) == (QUORUM + 1, 1, 1)


def test_where_some_say_yes_and_some_no_each_request_has_one_outcome(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    ids: list[str]
    with Gate(queue) as gate:
        ids = queued(gate, 16, Policy(Stage("board", BOARD, quorum=4)))
    halves = ("approve", "approve", "reject", "approve", "approve", "reject", "approve", "approve")
    orders = [Random(number).sample(ids, len(ids)) for number in range(8)]
    taken = together(
        *((programs.vote, queue, name, order, verb) for name, order, verb in zip(BOARD, orders, halves, strict=True))
    )
    with Gate(queue, create=False) as gate:
        for request_id in ids:
            request = gate.get(request_id)
            no = [
                name
                for name, verb, of in zip(BOARD, halves, taken, strict=True)
                if verb == "reject" and request_id in of
            ]
            yes = [
                name
                for name, verb, of in zip(BOARD, halves, taken, strict=True)
                if verb == "approve" and request_id in of
            ]
            assert (request.status, len(no), len(yes) == 4) in (("rejected", 1, False), ("approved", 0, True))
            endings = [event for event in gate.history(request_id) if event.kind in ("approved", "rejected")]
            assert len(endings) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_a_budget_is_not_overdrawn_by_processes_that_spend_at_once(tmp_path: Path, seed: int) -> None:
    queue = str(tmp_path / "queue.db")
    chance = Random(seed)
    amounts = [[str(Decimal(chance.randint(1, 900)) / 100) for _ in range(20)] for _ in range(4)]
    with Gate(queue) as gate:
        gate.count()
    paid = together(*((programs.pay, queue, each) for each in amounts))
    total = sum((Decimal(amount) for each in paid for amount in each), Decimal(0))
    left = [amount for each, passed in zip(amounts, paid, strict=True) for amount in (Counter(each) - Counter(passed))]
    assert LIMIT - min(map(Decimal, left)) < total <= LIMIT
    with Gate(queue, create=False) as gate:
        assert gate.count("succeeded") == sum(map(len, paid))
        assert gate.count("pending") == 80 - sum(map(len, paid))


def test_a_permission_is_used_as_often_as_it_says_by_processes_that_use_it_at_once(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    with Gate(queue) as gate:
        step = gated_step(lambda path: path, gate=gate, name="send", wait=0)
        with pytest.raises(Suspended):
            step("/srv/a")
        (row,) = gate.requests()
        gate.reviewer("alice").allow(gate.get(row.id), uses=7, within="all")
    assert sum(together(*((programs.send, queue, 5) for _ in range(4)))) == 7
    with Gate(queue, create=False) as gate:
        (grant,) = gate.grants()
        assert (grant.used, grant.active) == (7, False)
        by_grant = [gate.get(row.id).decision for row in gate.requests("succeeded")]
        assert [decision.by for decision in by_grant if decision] == [f"grant:{grant.id}"] * 7


def test_each_rung_is_climbed_once_however_many_processes_look(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    ladder = {timedelta(seconds=0.3): "bob", timedelta(seconds=0.9): "carol"}
    policy = Policy(Stage("boss", "alice"), escalate_after=ladder, remind_every=10)
    with Gate(queue) as gate:
        ids = queued(gate, 20, policy)
    looks = together(*((programs.look, queue, 1.5) for _ in range(4)))
    assert sum(looks) > 8
    with Gate(queue, create=False) as gate:
        for request_id in ids:
            told = [event.data for event in gate.history(request_id) if event.kind == "escalated"]
            assert told == [{"rung": 1, "to": ["bob"]}, {"rung": 2, "to": ["carol"]}]
            assert gate.get(request_id).stages[0].reviewers == ("alice", "bob", "carol")
