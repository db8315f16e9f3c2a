"""Standing permissions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from gatekit import Gate, gated_step
from gatekit.errors import ReviewError, UsageError
from gatekit.testing import FakeClock
from tests.policy.helpers import HOUR, YEAR, Till


def test_a_permission_that_has_ended_stays_ended_when_the_clock_is_set_back(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), for_=HOUR)
    clock.advance(2 * HOUR)
    assert till.called(5) == "waits"
    clock.jump(-2 * HOUR)
    assert till.called(5) == "waits"


def test_a_permission_does_not_outlast_a_clock_that_is_set_back_a_year(gate: Gate, clock: FakeClock) -> None:
    till = Till(gate)
    gate.reviewer("alice").allow(till.asks(5), for_=HOUR)
    clock.jump(-YEAR)
    clock.advance(2 * HOUR)
    assert till.called(5) == "waits"


def test_an_approval_that_was_taken_back_gives_no_permission(gate: Gate) -> None:
    till = Till(gate)
    request = till.asks(5)
    alice = gate.reviewer("alice", hold=60)
    alice.approve(request)
    alice.undo(gate.get(request.id))
    with pytest.raises(ReviewError):
        alice.allow(request, uses=3)
    assert gate.grants() == []
    assert till.called(5) == "waits"


def test_saying_it_again_does_not_bring_back_a_permission_that_was_revoked(gate: Gate) -> None:
    till = Till(gate)
    request = till.asks(5)
    grant = gate.reviewer("alice").allow(request, uses=3)
    gate.reviewer("bob").revoke(grant)
    gate.reviewer("alice").allow(request, uses=3)
    assert [one.active for one in gate.grants()] == [False]
    assert till.called(5) == "waits"


@pytest.mark.parametrize("path", ["/srv/\u202eb", "/srv/a\u200b", "/srv/\x85"], ids=ascii)
def test_no_pattern_covers_what_cannot_be_seen(gate: Gate, path: str) -> None:
    @gated_step(gate=gate, wait=0, on_suspend="return")
    def remove(path: str) -> str:
        return f"removed {path}"

    remove("/srv/a")
    gate.reviewer("alice").allow(gate.get(next(iter(gate.requests())).id), uses=3, scope={"path": "/srv/*"})
    assert remove("/srv/b") == "removed /srv/b"
    assert not remove(path).startswith("removed")


@pytest.mark.parametrize(
    "options",
    [
        {"for_": "1h"},
        {"for_": math.nan},
        {"for_": math.inf},
        {"for_": True},
        {"uses": 1, "scope": {"amount": object()}},
        {"uses": 1, "scope": ["amount"]},
    ],
    ids=lambda options: "-".join(options),
)
def test_wrong_options_of_allow_are_refused(gate: Gate, options: Mapping[str, Any]) -> None:
    request = Till(gate).asks(5)
    with pytest.raises(UsageError):
        gate.reviewer("alice").allow(request, **options)
    assert gate.get(request.id).status == "pending"
