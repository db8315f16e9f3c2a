"""The key guard: no decision by a key that was pressed before its picture, or by no hand at all."""

from __future__ import annotations

import pytest

from gatekit_tui.frame.guard import BURST, BURST_KEYS, DEAD, KeyGuard
from tests.tui.calls import Queue
from tests.tui.desk import sit_down

pytestmark = pytest.mark.sweep

LONG = 60.0
"""Seconds in which a hand can look: a loaded machine takes up a key late, and it counts from when it was pressed."""


class Hand:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_keys_are_dead_right_after_a_change_and_alive_later() -> None:
    clock = Hand()
    guard = KeyGuard(clock)
    guard.key(0)
    assert guard.dead
    clock.seconds += DEAD
    guard.key(1)
    assert not guard.dead
    guard.change()
    assert guard.dead


def test_a_key_counts_from_when_it_was_pressed_however_late_it_is_looked_at() -> None:
    clock = Hand()
    guard = KeyGuard(clock)
    clock.seconds += 10
    guard.change()
    clock.seconds += 5
    guard.key(0, late=4.8)
    assert guard.dead
    guard.key(5, late=4.5)
    assert not guard.dead
    guard.press(late=4.8)
    assert guard.dead


def test_what_changes_after_a_key_was_pressed_makes_that_key_dead() -> None:
    clock = Hand()
    guard = KeyGuard(clock)
    clock.seconds += 10
    guard.key(0)
    assert not guard.dead
    clock.seconds += 1
    guard.change()
    clock.seconds += 10
    assert guard.dead


def test_a_burst_makes_keys_dead_and_a_fast_typist_does_not() -> None:
    clock = Hand()
    guard = KeyGuard(clock)
    clock.seconds += 1
    for number in range(20):
        guard.key(number * 0.02)
    assert not guard.dead
    for number in range(BURST_KEYS + 1):
        guard.key(1 + number * BURST / 10)
    assert guard.dead


@pytest.mark.anyio
async def test_a_key_in_the_first_moment_decides_nothing(queue: Queue) -> None:
    request_id = queue.add(risk="low")
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        await desk.press("a")
        await desk.settled()
        assert "Too soon" in desk.toasts()
        assert queue.verb(request_id) is None
        clock.seconds += LONG
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "approve")


@pytest.mark.anyio
async def test_a_key_meant_for_the_screen_before_does_not_confirm_the_question_after_it(queue: Queue) -> None:
    request_id = queue.add(risk="high")
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        clock.seconds += LONG
        await desk.press("a")
        await desk.until_shown("Type yes")
        await desk.type("yes")
        await desk.press("enter")
        await desk.settled()
        assert queue.verb(request_id) is None
        clock.seconds += LONG
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "approve")


@pytest.mark.anyio
async def test_a_call_that_changes_under_the_eyes_makes_its_keys_dead(queue: Queue) -> None:
    request_id = queue.add(risk="low")
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        clock.seconds += LONG
        queue.change(request_id)
        await desk.until_shown("· v3")
        await desk.press("a")
        await desk.settled()
        assert queue.verb(request_id) is None


@pytest.mark.anyio
@pytest.mark.parametrize("reply", ["P>|tmuxa3.3", "azzzzzz", "zzzza", "[0na;"])
async def test_keys_that_come_in_one_burst_decide_nothing(queue: Queue, reply: str) -> None:
    request_id = queue.add(risk="low")
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        clock.seconds += 10
        for char in reply:
            desk.hit(char)
        await desk.settled()
        clock.seconds += 10
        await desk.settled()
        assert queue.verb(request_id) is None


@pytest.mark.anyio
async def test_the_terminal_getting_the_focus_makes_keys_dead(queue: Queue) -> None:
    from textual.events import AppFocus

    request_id = queue.add(risk="low")
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        clock.seconds += 10
        desk.app.post_message(AppFocus())
        await desk.pilot.pause()
        await desk.press("a")
        await desk.settled()
        assert queue.verb(request_id) is None
