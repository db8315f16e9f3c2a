"""What the dashboard did that its reviewer did not see, did not mean, or that ended it."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from typing import Any

import anyio
import pytest
from textual.widgets import TextArea

from gatekit import Run
from gatekit.errors import StoreBusy, UsageError
from gatekit_tui.queue import feed, following
from gatekit_tui.queue.feed import Feed
from gatekit_tui.queue.lanes import EXPIRED, Wish
from gatekit_tui.queue.review import ReviewScreen
from gatekit_tui.queue.settings import Settings, settings_from
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]


def screen_of(desk: Desk) -> ReviewScreen:
    screen = desk.app.screen_stack[1]
    assert isinstance(screen, ReviewScreen)
    return screen


def read_slowly(screen: ReviewScreen, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Each reading of the list takes so much longer."""
    refresh = screen._feed.refresh

    async def slow(view: Any) -> Any:
        await anyio.sleep(seconds)
        return await refresh(view)

    monkeypatch.setattr(screen._feed, "refresh", slow)


def fail() -> Any:
    """What a busy queue does."""

    async def failing(*args: Any, **kwargs: Any) -> Any:
        raise StoreBusy("queue.db", 5.0)

    return failing


async def test_what_a_leap_to_the_end_passed_over_was_not_read(queue: Queue) -> None:
    request_id = queue.add(tool="first", more=list(range(200)), risk="low")
    async with sit_down(queue.gate, size=(80, 24)) as desk:
        await desk.press("o", "G")
        await desk.settled()
        await desk.press("a")
        await desk.settled()
    assert queue.verb(request_id) is None


async def test_a_range_goes_from_the_marked_call_and_not_from_its_old_line(queue: Queue) -> None:
    ids = [queue.add(tool=name) for name in ("one", "two", "three", "four", "five")]
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("j", "j", "space")
        assert desk.chosen() == ids[3]
        queue.decide(ids[0])
        queue.decide(ids[1])
        await desk.until_shown("3 waiting")
        await desk.press("V")
        assert set(screen_of(desk)._marks) == {ids[2], ids[3]}


@pytest.mark.long
async def test_a_range_does_not_begin_in_another_list(queue: Queue) -> None:
    ids = [
        queue.add(tool=name, risk=risk)
        for name, risk in (("one", "low"), ("two", "low"), ("three", "low"), ("four", "critical"))
    ]
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("space")
        assert desk.chosen() == ids[1]
        await desk.press("f", "f")
        await desk.until(lambda: desk.list.rows.line_of(ids[3]) == 0)
        await desk.press("V")
        assert ids[3] not in screen_of(desk)._marks


async def test_a_batch_that_was_read_on_a_narrow_screen_is_not_read_on_a_wide_one(queue: Queue) -> None:
    ids = [queue.add(path=f"/srv/{number:03}/" + "x" * 120) for number in range(16)]
    seen: set[str] = set()
    async with sit_down(queue.gate, size=(160, 40), settings=Settings(hold=0)) as desk:
        await desk.press("*")
        await desk.pilot.resize_terminal(40, 24)
        await desk.settled()
        await desk.press("A")
        await desk.until_shown("approve 16 calls")
        await desk.type("16")
        await desk.press("enter")
        await desk.until(lambda: "not seen all" in desk.toasts())
        seen |= set(re.findall(r"/srv/(\d+)", desk.text()))
        await desk.press("pagedown")
        await desk.settled()
        seen |= set(re.findall(r"/srv/(\d+)", desk.text()))
        await desk.pilot.resize_terminal(200, 9)
        await desk.settled()
        seen |= set(re.findall(r"/srv/(\d+)", desk.text()))
        assert len(seen) < 16
        await desk.press("enter")
        await desk.settled()
    assert all(queue.verb(one) is None for one in ids)


async def approve_held(desk: Desk, queue: Queue, request_id: str) -> None:
    await desk.until(lambda: desk.chosen() == request_id and desk.drawn())
    await desk.press("a")
    await desk.until(lambda: queue.gate.get(request_id).status == "held")
    await desk.settled()


async def test_an_undo_that_the_queue_could_not_take_can_be_pressed_again(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (queue.add(tool=name, risk="low") for name in ("one", "two", "three"))
    async with sit_down(queue.gate, settings=Settings(hold=60)) as desk:
        for one in (first, second):
            await approve_held(desk, queue, one)
            await desk.press("j")
        await desk.until(lambda: desk.chosen() == third and desk.drawn())
        reviewer = screen_of(desk)._sender.reviewer
        with monkeypatch.context() as patch:
            patch.setattr(type(reviewer), "undo", fail())
            await desk.press("u")
            await desk.until(lambda: "Not taken back" in desk.toasts())
        await desk.press("u")
        await desk.settled()
        assert [queue.gate.get(one).status for one in (first, second)] == ["held", "pending"]


@pytest.mark.long
async def test_who_leaves_taking_back_stays_where_that_failed(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    first = queue.add(tool="one", risk="low")
    async with sit_down(queue.gate, settings=Settings(hold=60)) as desk:
        await desk.press("a")
        await desk.until(lambda: queue.gate.get(first).status == "held")
        await desk.settled()
        await desk.press("q")
        await desk.until_shown("can still be undone")
        reviewer = screen_of(desk)._sender.reviewer
        monkeypatch.setattr(type(reviewer), "undo", fail())
        await desk.press("t")
        await desk.settled()
        assert desk.app.is_running
        assert not desk.app._exit


async def test_ctrl_q_asks_about_held_decisions_too(queue: Queue) -> None:
    first = queue.add(tool="one", risk="low")
    async with sit_down(queue.gate, settings=Settings(hold=60)) as desk:
        await desk.press("a")
        await desk.until(lambda: queue.gate.get(first).status == "held")
        await desk.settled()
        desk.hit("ctrl+q")
        await desk.settled()
        assert not desk.app._exit


async def test_a_busy_queue_in_the_middle_of_a_batch_does_not_end_the_dashboard(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.add(tool="one", risk="low")
    async with sit_down(queue.gate) as desk:
        await desk.press("space")
        reviewer = screen_of(desk)._sender.reviewer
        monkeypatch.setattr(type(reviewer), "may", fail())
        await desk.press("A")
        await desk.settled()
        assert not desk.app._exit
        assert "lock" in desk.toasts() or "busy" in desk.toasts().lower()


@pytest.mark.long
async def test_a_request_that_left_the_filter_but_still_waits_can_be_decided(queue: Queue) -> None:
    first = queue.add(tool="one", risk="low")
    queue.add(tool="two", risk="low")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("3")
        await desk.until_shown("filter claimed:no")
        await desk.settled()
        await desk.press("c")
        await desk.until(lambda: queue.gate.get(first).claim is not None)
        await desk.settled()
        await desk.settled()
        assert desk.chosen() == first
        await desk.press("a")
        await desk.settled()
    assert queue.verb(first) == "approve"


@pytest.mark.long
async def test_going_to_another_list_is_not_undone_by_a_filter_that_is_still_tried(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:

    queue.add(tool="one", risk="low")
    gone_on = anyio.Event()
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        read = screen_of(desk)._feed
        check = read.check

        async def slow(where: str) -> None:
            await gone_on.wait()
            await check(where)

        monkeypatch.setattr(read, "check", slow)
        await desk.press("1")
        await desk.press("]")
        await desk.until_shown("Nothing is to settle")
        gone_on.set()
        await desk.settled()
        assert read.wish.lane.counted == "to settle"


@pytest.mark.long
@pytest.mark.parametrize("key", [",", "shift+a"])
async def test_a_key_that_the_settings_take_does_it(queue: Queue, key: str) -> None:
    request_id = queue.add(risk="low")
    try:
        settings = settings_from({"hold": 0, "keys": {"approve": key}})
    except UsageError:
        return
    async with sit_down(queue.gate, settings=settings) as desk:
        await desk.press("A" if key == "shift+a" else key)
        await desk.settled()
    assert queue.verb(request_id) == "approve"


@pytest.mark.parametrize("key", ["ctrl+j", "ctrl+m", "ctrl+i"])
def test_keys_that_a_terminal_sends_for_enter_or_tab_are_refused_for_deciding(key: str) -> None:
    with pytest.raises(UsageError):
        settings_from({"keys": {"approve": key}})


@pytest.mark.long
async def test_keys_work_after_another_list_was_asked_for_from_the_open_detail(queue: Queue) -> None:
    queue.add(tool="one")
    second = queue.add(tool="two")
    async with sit_down(queue.gate, size=(50, 14)) as desk:
        await desk.press("o")
        await desk.settled()
        await desk.press("f")
        await desk.settled()
        await desk.press("j")
        await desk.settled()
        assert desk.chosen() == second


@pytest.mark.long
async def test_taking_back_a_large_batch_says_so_once(queue: Queue) -> None:
    ids = queue.add_many(30)
    async with sit_down(queue.gate, size=(160, 60), settings=Settings(hold=60)) as desk:
        await desk.press("*", "A")
        await desk.until_shown("approve 30 calls")
        await desk.type("30")
        await desk.press("enter")
        await desk.until(lambda: all(queue.gate.get(one).status == "held" for one in ids))
        await desk.settled()
        before = len(desk.app._notifications)
        await desk.press("u")
        await desk.until(lambda: all(queue.gate.get(one).status == "pending" for one in ids))
        await desk.settled()
        assert len(desk.app._notifications) - before < 5


async def test_a_request_whose_run_is_deleted_while_it_is_chosen_does_not_end_the_dashboard(queue: Queue) -> None:
    def flow(run: Run) -> None:
        run.pause("before", {"x": 1})

    thread = threading.Thread(target=lambda: queue.gate.workflow(name="flow")(flow).start("r1"))
    thread.start()
    thread.join()
    queue.add(tool="other")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        assert desk.list.rows.size == 2
        queue.gate.run("r1").cancel()
        queue.gate.run("r1").delete()
        await desk.until_shown("1 waiting")
        await desk.press("j")
        await desk.until_shown("other")
        assert not desk.app._exit


@pytest.mark.long
async def test_a_batch_that_was_read_page_by_page_is_approved(queue: Queue) -> None:
    ids = queue.add_many(18)
    async with sit_down(queue.gate, size=(160, 40), settings=Settings(hold=0)) as desk:
        await desk.press("*")
        await desk.pilot.resize_terminal(80, 12)
        await desk.settled()
        await desk.press("A")
        await desk.until_shown("approve 18 calls")
        for _ in range(8):
            await desk.press("pagedown")
        await desk.type("18")
        await desk.press("enter")
        await desk.until(lambda: all(queue.verb(one) == "approve" for one in ids))


@pytest.mark.long
async def test_a_slow_queue_that_answers_is_not_an_old_picture(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that takes as long to read as one may look away for the rest: nothing changes, all is read."""
    monkeypatch.setattr(following, "LOOK_AGAIN", 0.3)
    monkeypatch.setattr(following, "STALE", 0.5)
    queue.add(tool="one", risk="low")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        screen = screen_of(desk)
        read_slowly(screen, monkeypatch, 0.13)
        stale = []
        for _ in range(100):
            await desk.pilot.pause(0.02)
            stale.append(screen._follower.stale)
        assert not any(stale)


async def test_a_picture_that_was_never_taken_over_is_old(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who moves all the time while the list takes its time to be read sees an old picture, and is told so."""
    monkeypatch.setattr(following, "STALE", 1.2)
    ids = queue.add_many(60)
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        screen = screen_of(desk)
        read_slowly(screen, monkeypatch, 0.25)
        queue.decide(ids[1])
        for _ in range(55):
            desk.hit("j")
            await desk.pilot.pause(0.04)
        is_taken_over = desk.list.rows.line_of(ids[1]) is None
        assert is_taken_over or screen._follower.stale is not None


@pytest.mark.long
async def test_a_marked_request_that_is_gone_from_the_queue_does_not_hold_up_the_others(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = queue.add(tool="one", risk="low")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("space")
        screen_of(desk)._marks._tokens["01KDVDNA000000000000000000"] = "v2:gone"
        await desk.press("A")
        await desk.until_shown("approve 1 call")
    assert queue.verb(first) is None


@pytest.mark.long
async def test_what_was_left_out_of_a_batch_stays_marked(queue: Queue) -> None:
    plain, high = queue.add(tool="one", risk="low"), queue.add(tool="two", risk="high")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("*", "A")
        await desk.until_shown("approve 1 call", "left out: 1")
        await desk.type("1")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(plain) == "approve")
        await desk.settled()
        assert set(screen_of(desk)._marks) == {high}


@pytest.mark.long
async def test_a_row_that_cannot_be_read_leaves_the_others_alone(queue: Queue) -> None:
    queue.add(tool="one", risk="low")
    bad = queue.add(tool="two", risk="low")
    third = queue.add(tool="three", risk="low")
    connection = sqlite3.connect(queue.gate.path)
    connection.execute("UPDATE requests SET risk = 'odd' WHERE id = ?", (bad,))
    connection.commit()
    connection.close()
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        assert third in [row.id for row in map(desk.list.rows.row, range(3)) if row]


@pytest.mark.long
async def test_a_yes_that_was_stored_is_not_called_undecided(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = queue.add(tool="one", risk="low")
    async with sit_down(queue.gate, settings=Settings(hold=0)) as desk:
        monkeypatch.setattr(screen_of(desk)._sender, "_tell_what_is_left", fail())
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "approve")
        await desk.settled()
        assert "nothing was decided" not in desk.toasts()


@pytest.mark.long
async def test_keys_work_after_the_pane_that_had_the_focus_found_no_room(queue: Queue) -> None:
    queue.add(tool="one")
    second = queue.add(tool="two")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("tab")
        assert desk.detail.has_focus
        await desk.pilot.resize_terminal(50, 14)
        await desk.settled()
        await desk.press("j")
        await desk.settled()
        assert desk.chosen() == second


@pytest.mark.long
async def test_a_count_of_one_list_is_not_told_of_another(queue: Queue) -> None:

    counting = Feed(queue.gate)
    counted = anyio.Event()

    class Slow:
        async def count(self, statuses: Any, *, at_most: int) -> int:
            await counted.wait()
            return 100_000

    counting._queue = Slow()  # type: ignore[assignment]
    async with anyio.create_task_group() as group:
        group.start_soon(counting.recount)
        await anyio.wait_all_tasks_blocked()
        counting.go_to(Wish(EXPIRED, "", "decided"))
        counted.set()
    assert counting._counted == 0


@pytest.mark.long
async def test_a_waiting_request_that_others_push_out_of_a_sorted_list_can_be_decided(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(feed, "MOST_FOUND", 3)
    ids = [queue.add(tool=f"t{number}", risk="low") for number in range(3)]
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("f", "f")
        await desk.until_shown("riskiest first")
        await desk.settled()
        await desk.press("G")
        assert desk.chosen() == ids[2]
        queue.add(tool="urgent", risk="high")
        await desk.until_shown("urgent")
        await desk.settled()
        await desk.until_shown("waits, but not in this list any more")
        await desk.press("a")
        await desk.until(lambda: queue.verb(ids[2]) == "approve")


@pytest.mark.long
async def test_arguments_that_were_read_page_by_page_on_a_small_screen_are_read(queue: Queue) -> None:
    queue.add(tool="one", risk="low", more=["x" * 300] * 4)
    async with sit_down(queue.gate, size=(44, 24)) as desk:
        await desk.press("o", *["pagedown"] * 8)
        await desk.settled()
        assert desk.detail.scroll_offset.y == desk.detail.max_scroll_y
        assert desk.detail.shown_all


@pytest.mark.long
async def test_arguments_that_were_read_by_half_are_not_read_whole_on_a_wide_screen(queue: Queue) -> None:
    queue.add(tool="one", risk="low", more=["x" * 300] * 20)
    async with sit_down(queue.gate, size=(44, 24)) as desk:
        await desk.press("o", "j", "k")
        for _ in range(100):
            desk.hit("j")
        await desk.settled()
        assert not desk.detail.shown_all
        assert desk.detail._reading.to > 50, "what was in sight counts as read"
        await desk.pilot.resize_terminal(240, 24)
        await desk.settled()
        assert not desk.detail.shown_all


async def test_changes_that_are_more_than_their_room_can_be_read_while_the_draft_keeps_the_focus(queue: Queue) -> None:
    queue.add(path="/srv/a", more={f"n{number:02}": number for number in range(30)})
    async with sit_down(queue.gate, size=(100, 24)) as desk:
        await desk.press("e")
        await desk.until_shown("nothing changed")
        await desk.press("ctrl+t")
        draft = desk.app.screen.query_one("#draft", TextArea)
        draft.text = json.dumps({"path": "/srv/a", "more": {f"n{number:02}": -1 for number in range(30)}})
        await desk.until_shown("30 changes", "n00 0 → -1")
        assert not desk.has("n29 29 → -1")
        await desk.press(*["ctrl+pagedown"] * 6)
        await desk.until_shown("n29 29 → -1")
        assert not desk.has("30 changes")
        await desk.press(*["ctrl+pageup"] * 6)
        await desk.until_shown("30 changes")
        assert draft.has_focus
