"""The key guard: no decision by a key that was pressed before its picture, or by no hand at all."""

from __future__ import annotations

import anyio
import pytest

from gatekit_tui.frame.guard import BURST, BURST_KEYS, CALM, DEAD, KeyGuard
from gatekit_tui.queue.review import ReviewScreen
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


def test_what_is_typed_behind_a_refused_key_decides_nothing_until_the_hand_rests() -> None:
    clock = Hand()
    guard = KeyGuard(clock)
    clock.seconds += LONG
    guard.key(clock.seconds)
    guard.refuse()
    for _ in range(20):
        clock.seconds += CALM / 2
        guard.key(clock.seconds)
        assert guard.dead
    clock.seconds += CALM * 1.1
    guard.key(clock.seconds)
    assert not guard.dead
    guard.refuse()
    assert guard.dead
    guard.open()
    clock.seconds += DEAD * 1.1
    guard.key(clock.seconds)
    assert not guard.dead


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
async def test_a_reason_that_is_typed_behind_a_refused_key_approves_nothing(queue: Queue) -> None:
    request_id = queue.add(risk="low")
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        await desk.press("r")
        assert "Too soon" in desk.toasts()
        for char in "bad amount":
            clock.seconds += CALM * 0.8
            desk.hit(char)
            await desk.settled()
        assert queue.verb(request_id) is None
        assert desk.toasts().count("Too soon") == 1


@pytest.mark.anyio
async def test_a_reason_that_is_typed_where_nothing_is_to_decide_approves_nothing(queue: Queue) -> None:
    first = queue.add(risk="low")
    queue.advance(1)
    second = queue.add(risk="low", path="two")
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        queue.decide(first)
        await desk.until_shown("approved by ana")
        clock.seconds += LONG
        for char in "rja":
            clock.seconds += CALM * 0.8
            await desk.press(char)
        assert desk.chosen() == second
        await desk.settled()
        assert queue.verb(second) is None
        clock.seconds += LONG
        await desk.press("a")
        await desk.until(lambda: queue.verb(second) == "approve")


@pytest.mark.anyio
async def test_a_reason_that_is_typed_ahead_of_its_question_approves_nothing(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = queue.add(risk="low")
    clock = Hand()
    asked, answered = anyio.Event(), anyio.Event()

    async def may(*_: object) -> bool:
        asked.set()
        await answered.wait()
        return False

    async with sit_down(queue.gate, clock=clock) as desk:
        screen = desk.app.screen
        assert isinstance(screen, ReviewScreen)
        monkeypatch.setattr(screen._sender, "may", may)
        clock.seconds += LONG
        await desk.press("r")
        await asked.wait()
        for _ in range(2):
            clock.seconds += CALM * 0.8
            await desk.press("a")
            await desk.settled()
            # Refused, for whatever reason: the hand types on.
            answered.set()
        assert queue.verb(request_id) is None
        clock.seconds += LONG
        await desk.press("a")
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
