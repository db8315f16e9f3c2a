"""The list: live, pinned to the call's id, and as quick with a hundred thousand rows as with a hundred."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gatekit_tui.queue import feed
from gatekit_tui.request import detail
from gatekit_tui.request.detail_text import Body, draw_body
from tests.tui.calls import Queue
from tests.tui.desk import sit_down

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]


async def test_what_waits_is_listed_and_the_first_call_is_drawn_arguments_before_words(queue: Queue) -> None:
    queue.add(tool="delete_file", path="/srv/x", description="Tidy up", risk="critical")
    queue.add(tool="send_email", path="y", description="Say hello")
    async with sit_down(queue.gate) as desk:
        assert desk.has("2 waiting", "alice", "CRIT delete_file", "Tidy up", "MED  send_email", "Say hello")
        text = desk.text()
        assert text.index('"/srv/x"') < text.index("the agent says") < text.rindex("Tidy up")
        assert "its own words, not checked" in text


async def test_a_call_that_comes_is_listed_by_itself_and_moves_nothing(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate) as desk:
        await desk.press("j")
        assert desk.chosen() == second
        queue.add(tool="newcomer", path="three")
        await desk.until_shown("newcomer", "3 waiting")
        assert desk.chosen() == second
        queue.decide(first)
        await desk.until_shown("2 waiting")
        assert desk.chosen() == second
        await desk.until_shown('"two"')


async def test_a_call_decided_elsewhere_stays_greyed_until_the_reviewer_moves(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate) as desk:
        queue.decide(first, "reject", by="ana", reason="not today")
        await desk.until_shown("rejected by ana: not today")
        assert desk.chosen() == first
        await desk.press("a", "e", "r")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
        assert queue.verb(first) == "reject"
        assert queue.verb(second) is None
        await desk.press("j")
        assert desk.chosen() == second
        assert not desk.has("rejected by ana: not today")


async def test_moving_up_from_a_decided_call_goes_to_the_one_above(queue: Queue) -> None:
    ids = [queue.add(path=str(number)) for number in range(4)]
    async with sit_down(queue.gate) as desk:
        await desk.press("j", "j")
        queue.decide(ids[2])
        await desk.until_shown("approved by ana")
        await desk.press("k")
        assert desk.chosen() == ids[1]
        await desk.press("j")
        assert desk.chosen() == ids[3]
        queue.decide(ids[3])
        await desk.until_shown("approved by ana")
        await desk.press("j")
        assert desk.chosen() == ids[1]


async def test_the_last_call_decided_elsewhere_leaves_an_empty_list_once_left(queue: Queue) -> None:
    only = queue.add()
    async with sit_down(queue.gate) as desk:
        queue.decide(only)
        await desk.until_shown("0 waiting", "approved by ana")
        await desk.press("j")
        await desk.until_shown("Nothing is waiting.")
        assert desk.chosen() is None


async def test_a_call_decided_between_picture_and_key_is_told_and_nothing_else_is_decided(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate) as desk:
        with desk.unaware():
            queue.decide(first, "reject", by="ana", reason="no")
            await desk.press("a")
            await desk.until(lambda: "decided elsewhere: rejected by ana" in desk.toasts())
        assert queue.verb(first) == "reject"
        assert queue.verb(second) is None
        await desk.until_shown("rejected by ana")


async def test_a_call_changed_between_picture_and_key_is_not_approved(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate) as desk:
        assert desk.has("· v1")
        with desk.unaware():
            queue.change(request_id)
            await desk.press("a")
            await desk.until(lambda: "changed since you looked" in desk.toasts())
        assert queue.verb(request_id) is None
        await desk.until_shown("· v3")


async def test_an_empty_queue_says_so_where_it_is_and_what_to_try(queue: Queue) -> None:
    async with sit_down(queue.gate) as desk:
        assert desk.has("Nothing is waiting.", "New calls appear here by themselves.", "gatekit demo")
        assert str(queue.gate.path)[-10:] in desk.text().replace("\n", "").replace(" ", "")
        queue.add(tool="first_ever")
        await desk.until_shown("first_ever", "1 waiting")
        assert not desk.has("Nothing is waiting.")


async def test_going_through_a_long_list_reads_pages_and_never_all_of_it(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CHEAP_COUNT", 100)
    ids = queue.add_many(400)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("400 waiting")
        await desk.press("G")
        await desk.until(lambda: desk.chosen() == ids[-1])
        await desk.press("g")
        await desk.until(lambda: desk.chosen() == ids[0])
        await desk.press("pagedown")
        await desk.until(lambda: desk.chosen() == ids[desk.list.size.height - 1])
        assert len(desk.list.rows.pages) < 6
        await desk.press("G")
        queue.decide(ids[3])
        await desk.until_shown("399 waiting")
        assert desk.chosen() == ids[-1]


async def test_the_chosen_call_keeps_its_line_when_many_above_it_go(queue: Queue) -> None:
    ids = queue.add_many(120)
    async with sit_down(queue.gate) as desk:
        await desk.press("G", "k", "k")
        await desk.until(lambda: desk.chosen() == ids[-3])
        line = next(n for n, text in enumerate(desk.lines()) if text.startswith("▌"))
        for request_id in ids[:60]:
            queue.decide(request_id)
        await desk.until_shown("60 waiting")
        assert desk.chosen() == ids[-3]
        assert desk.lines()[line].startswith("▌")


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (80, 24), (160, 48), (300, 100)])
async def test_every_size_of_terminal_shows_the_list_and_opens_the_call(queue: Queue, size: tuple[int, int]) -> None:
    for number in range(30):
        queue.add(path="x" * 200, description="long " * 50, tool=f"tool_{number}")
    async with sit_down(queue.gate, size=size) as desk:
        assert all(strip.cell_length == size[0] for strip in desk.strips())
        assert desk.has("MED  tool")
        await desk.press("o")
        await desk.until(lambda: not desk.has("MED  tool"))
        assert all(strip.cell_length == size[0] for strip in desk.strips())
        await desk.press("escape")
        await desk.until_shown("MED  tool")


async def test_time_passes_on_the_screen(queue: Queue) -> None:
    queue.add()
    async with sit_down(queue.gate) as desk:
        queue.advance(200)
        await desk.pilot.pause(1.2)
        assert re_wait(desk.row("write_file")) == "3m"
        assert desk.has("waiting 3m")


def re_wait(line: str) -> str:
    return line.replace("█", " ").split()[-1]


async def test_a_large_call_is_drawn_beside_the_loop_also_when_the_screen_changes(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def noted(*args: Any) -> Body:
        threads.append(threading.get_ident())
        return draw_body(*args)

    monkeypatch.setattr(detail, "draw_body", noted)
    queue.add(path="line\n" * (detail.LARGE // 4))
    async with sit_down(queue.gate) as desk:
        await desk.until_shown('path  "line')
        drawn = len(threads)
        await desk.pilot.resize_terminal(100, 40)
        await desk.until(lambda: len(threads) > drawn, "the call is drawn for the new width")
        await desk.until(lambda: desk.detail.virtual_size.height > 1000, "its lines are there")
    assert threading.get_ident() not in threads
