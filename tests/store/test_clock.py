from __future__ import annotations

import pytest

from gatekit.testing import FakeClock


def test_both_clocks_move_when_time_passes_and_one_when_it_is_set() -> None:
    clock = FakeClock(start=1_000_000)
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (3_500_000, 2.5)
    clock.jump(-2)
    assert (clock.now(), clock.monotonic()) == (1_500_000, 2.5)


def test_time_does_not_pass_backwards() -> None:
    with pytest.raises(ValueError, match=r"jump\(\)"):
        FakeClock().advance(-1)


def test_who_subscribed_is_called_after_the_move_until_it_unsubscribes() -> None:
    clock = FakeClock(start=0)
    seen: list[int] = []
    forget = clock.on_jump(lambda: seen.append(clock.now()))
    clock.advance(1)
    clock.jump(1)
    forget()
    forget()
    clock.advance(1)
    assert seen == [1_000_000, 2_000_000]
