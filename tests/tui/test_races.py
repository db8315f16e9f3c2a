"""A second process changes the selected request between paint and key: never is another one decided."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import pytest

from gatekit.models import Decision, Request
from gatekit.testing import temporary_gate
from gatekit_tui.decide.deciding import Decider
from gatekit_tui.queue.queue_list import QueueList
from gatekit_tui.queue.settings import Settings
from tests.tui.desk import sit_down
from tests.tui.racing import Race, a_rival

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]


def fresh_seed() -> int:
    """A new one each time; `GATEKIT_SEED` repeats one that was printed."""
    given = os.environ.get("GATEKIT_SEED")
    return random.SystemRandom().randrange(10**6) if given is None else int(given)


@asynccontextmanager
async def a_race(seed: int, hold: float) -> AsyncGenerator[Race]:
    sys.stdout.write(f"GATEKIT_SEED={seed}\n")
    with temporary_gate() as gate:
        assert gate.count("pending") == 0, "it is there from the first use on"
        async with a_rival(gate.path) as rival:
            settings = Settings(hold=hold)
            async with sit_down(gate, size=(100, 30), clock=perf_counter, settings=settings) as desk:
                yield Race(desk, gate, rival, random.Random(seed))


def judge(race: Race) -> list[str]:
    return race.log.faults(race.gate, race.ids)


def by_position(decider: Decider, request: Request) -> Awaitable[Decision]:
    """A fault: whatever stands a moment later where the cursor was."""
    queue, cursor = decider._gate.aio, decider._screen.query_one(QueueList).cursor

    async def approve() -> Decision:
        await asyncio.sleep(0.2)
        rows = await queue.requests("pending", limit=50)
        return await decider._reviewer.approve(await queue.get(rows[min(cursor, len(rows) - 1)].id))

    return approve()


def with_a_fresh_token(decider: Decider, request: Request) -> Awaitable[Decision]:
    """Another fault: the right request, in whatever version it is a moment later."""

    async def approve() -> Decision:
        await asyncio.sleep(0.1)
        return await decider._reviewer.approve(await decider._gate.aio.get(request.id))

    return approve()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("fault", "theirs"), [(by_position, "reject"), (with_a_fresh_token, "change")])
async def test_a_dashboard_that_decides_something_else_than_it_drew_is_found_out(
    fault: Any, theirs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Decider, "_yes", fault)
    async with a_race(fresh_seed(), 0) as race:
        for _ in range(30):
            await race.approve_while(theirs, beside=fault is by_position)
            if judge(race):
                return
    raise AssertionError("this judge finds nothing")


@pytest.mark.timeout(120)
async def test_a_decision_without_a_key_is_found_out() -> None:
    async with a_race(fresh_seed(), 0) as race:
        await race.rounds(1)
        (made,) = await race.rival.do(0, "add", 1, "low", None)
        race.ids.append(made)
        assert judge(race) == []
        race.gate.reviewer("alice").approve(race.gate.get(made))
        assert len(judge(race)) == 1


@pytest.mark.timeout(240)
async def test_in_8_interleavings_only_what_was_drawn_is_decided() -> None:
    async with a_race(fresh_seed(), hold=0.5) as race:
        await race.rounds(8)
        faults = judge(race)
        assert not faults, "\n".join(faults)
        assert [p for p in race.log.presses if p.verb == "approve"], "the hand was idle"


@pytest.mark.long
@pytest.mark.timeout(840)
@pytest.mark.parametrize("hold", [0, 0.2, 0.5, 2])
async def test_in_1000_interleavings_only_what_was_drawn_is_decided(hold: float) -> None:
    async with a_race(fresh_seed(), hold) as race:
        for _ in range(25):
            await race.rounds(10)
            faults = judge(race)
            assert not faults, "\n".join(faults)
