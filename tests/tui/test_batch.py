"""Many calls at once: each marked by its id, all of them to read, none that needs a look of its own."""

from __future__ import annotations

import re

import pytest

from gatekit_tui.queue.batch import item_lines, summary_lines, told_words
from gatekit_tui.queue.settings import Settings
from gatekit_tui.request.study import study
from tests.tui.calls import Queue
from tests.tui.desk import sit_down

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]


async def test_marked_calls_are_approved_behind_their_number_and_nothing_else_is(queue: Queue) -> None:
    ids = [queue.add(path=f"/srv/{number}") for number in range(4)]
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("A")
        await desk.until(lambda: "Nothing is marked" in desk.toasts())
        await desk.press("space", "space")
        assert desk.chosen() == ids[2]
        await desk.until_shown("2 marked")
        await desk.press("A")
        await desk.until_shown("approve 2 calls", '"/srv/0"', '"/srv/1"', "Type 2")
        assert not desk.has('"/srv/2"')
        await desk.type("3")
        await desk.press("enter")
        await desk.settled()
        assert [queue.verb(one) for one in ids] == [None] * 4
        await desk.press("backspace")
        await desk.type("2")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(ids[0]) == queue.verb(ids[1]) == "approve")
        await desk.until(lambda: "2 approved" in desk.toasts())
        assert [queue.verb(one) for one in ids[2:]] == [None, None]
        await desk.until(lambda: not desk.has("2 marked"))


async def test_what_needs_a_look_of_its_own_is_left_out_and_said(queue: Queue) -> None:
    plain = queue.add(tool="fine", risk="low")
    critical = queue.add(tool="drop", risk="critical")
    high = queue.add(tool="deploy", risk="high")
    hidden = queue.add(tool="mail", path="a\u202eb")
    long = queue.add(tool="novel", path="x" * 5000)
    own = queue.add(tool="mine", agent="alice")
    async with sit_down(queue.gate, size=(110, 40)) as desk:
        await desk.press("*", "A")
        await desk.until_shown("approve 1 call", "left out: 5 requests")
        for tool, why in (
            ("drop", "critical risk"),
            ("deploy", "high risk"),
            ("mail", "hidden characters"),
            ("novel", "its arguments are long"),
            ("mine", "not allowed"),
        ):
            assert any(tool in line and why in line for line in desk.lines()), (tool, why)
        await desk.type("1")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(plain) == "approve")
    assert [queue.verb(one) for one in (critical, high, hidden, long, own)] == [None] * 5


async def test_a_call_that_changed_since_it_was_marked_is_neither_approved_nor_rejected(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("space", "space")
        queue.change(first)
        await desk.press("A")
        await desk.until_shown("approve 1 call", "changed since it was marked")
        await desk.press("escape", "R")
        await desk.until_shown("Reject 2 requests?")
        await desk.type("no")
        await desk.press("enter")
        await desk.until_shown("1 rejected, 1 not", "it changed since you looked")
    assert queue.verb(first) is None
    assert queue.verb(second) == "reject"


async def test_one_that_is_decided_while_the_batch_is_read_does_not_hinder_the_others(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("*", "A")
        await desk.until_shown("approve 2 calls")
        queue.decide(first, "reject", by="ana", reason="never")
        await desk.type("2")
        await desk.press("enter")
        await desk.until_shown("1 approved, 1 not", "decided elsewhere: rejected by ana: never")
    assert queue.verb(first) == "reject"
    assert queue.verb(second) == "approve"


async def test_a_batch_is_approved_only_when_its_end_was_in_sight_and_is_taken_back_whole(queue: Queue) -> None:
    ids = queue.add_many(40)
    async with sit_down(queue.gate, size=(80, 12), settings=Settings(hold=5)) as desk:
        await desk.press("*", "G")
        await desk.until(lambda: desk.chosen() == ids[-1])
        await desk.press("V")
        await desk.press("*", "A")
        await desk.until(lambda: len(desk.app.screen_stack) == 3)
        await desk.until_shown("calls", "Type ")
        count = int(re.findall(r"approve (\d+) calls", desk.text())[0])
        assert count > 5
        await desk.type(str(count))
        await desk.press("enter")
        await desk.until(lambda: "You have not seen all of them" in desk.toasts())
        assert all(queue.verb(one) is None for one in ids)
        for _ in range(6):
            await desk.press("pagedown")
        await desk.press("enter")
        await desk.until(lambda: sum(queue.verb(one) == "approve" for one in ids) == count)
        await desk.until_shown(f"{count} held")
        await desk.press("u")
        await desk.until(lambda: all(queue.gate.get(one).status == "pending" for one in ids))


async def test_marks_are_of_calls_and_stay_when_the_list_changes(queue: Queue) -> None:
    first, second = queue.add(path="one"), queue.add(path="two")
    async with sit_down(queue.gate, size=(100, 30)) as desk:
        await desk.press("j", "space")
        queue.decide(first)
        await desk.until_shown("1 waiting")
        await desk.until(lambda: "●" in desk.row("write_file at work"))
        await desk.press("]", "A")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
        await desk.press("[")
        await desk.until_shown("● live", "1 marked", '"two"')
        await desk.settled()
        await desk.press("A")
        await desk.until_shown("approve 1 call", '"two"')
    assert queue.verb(second) is None


def test_every_argument_of_every_call_is_in_the_lines_whole(queue: Queue) -> None:
    ids = [queue.add(path="a\nb\nc", more={"n": number}) for number in (1, 20, 3)]
    seen = [study(queue.gate.get(one)) for one in ids]
    lines = ["".join(text for text, _ in line) for line in item_lines(seen)]
    assert all('path "a\\nb\\nc"' in line for line in lines)
    assert ["more.n 1" in lines[0], "more.n 20" in lines[1], "more.n 3" in lines[2]] == [True] * 3
    summary = ["".join(text for text, _ in line) for line in summary_lines(seen)]
    assert any('the same in all: path "a\\nb\\nc"' in line for line in summary)
    assert any("more.n differs: 1 to 20" in line for line in summary)


def test_the_outcome_is_counted() -> None:
    assert told_words([None, None], "approved") == "2 approved"
    assert told_words([None, "changed"], "approved") == "1 approved, 1 not"
