"""A request like one that was turned down says so: asked again until somebody is tired, it shall not look new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gatekit_tui.request.heading_text import draw_heading
from gatekit_tui.request.refused import Refused, refused, refused_lines
from tests.tui.calls import Queue
from tests.tui.desk import sit_down
from tests.tui.test_background import text_of
from tests.tui.test_hostile import assert_harmless
from tests.tui.test_pieces import made_request

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVIL = "no\x1b[>q\u202e[/]"


def told(seconds: float, *, verb: str = "reject", said: str = "wrong tag", same: bool = False, width: int = 200) -> str:
    found = Refused("r1", verb, "human:bo", AT, said, same)
    return text_of(tuple(refused_lines(found, width, AT + timedelta(seconds=seconds))))


def test_the_line_says_who_when_and_why_and_whether_the_arguments_are_the_same() -> None:
    assert told(200) == 'rejected before by bo 3m ago: "wrong tag"'
    assert told(200, same=True) == 'rejected before by bo 3m ago, with the same arguments: "wrong tag"'
    assert told(4000, verb="respond", said="use x") == 'answered instead before by bo 1h06 ago: "use x"'
    assert told(200, said="") == "rejected before by bo 3m ago"


def test_its_words_change_by_the_minute() -> None:
    assert {told(seconds) for seconds in (-5, 0, 1, 30, 59)} == {'rejected before by bo <1m ago: "wrong tag"'}
    assert len({told(seconds) for seconds in range(60, 180)}) == 2


def test_foreign_words_are_made_visible_broken_into_lines_and_bounded() -> None:
    lines = refused_lines(Refused("r1", "reject", "human:b\x1bo", AT, EVIL + "\n" + "y" * 9_999, False), 40, AT)
    text = text_of(tuple(lines))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "more characters" in " ".join(text.split())
    assert len(lines) < 9
    assert {ink for line in lines for _, ink in line} == {"warn"}


def test_it_stands_above_a_request_that_waits_and_only_there() -> None:
    found = Refused("r1", "reject", "human:bo", AT, "no", False)
    for status, stands in (("pending", True), ("running", False), ("rejected", False)):
        assert ("rejected before" in text_of(draw_heading(made_request(status=status), 80, AT, found))) == stands


def test_nothing_was_turned_down_before() -> None:
    assert refused(made_request(), None) is None


@pytest.mark.anyio
async def test_a_call_that_was_rejected_a_moment_ago_says_so_and_hears_of_the_next_rejection(queue: Queue) -> None:
    other, first, asked = queue.add(), queue.add(path="/srv/b"), queue.add()
    async with sit_down(queue.gate, size=(200, 30)) as desk:
        await desk.press("G")
        await desk.until(lambda: desk.chosen() == asked and desk.drawn(), "the last call")
        assert not desk.has("rejected before")
        queue.decide(first, "reject", by="bo", reason="wrong\x1b tag")
        await desk.until_shown('rejected before by bo <1m ago: "wrong␛ tag"')
        assert_harmless(desk)
        queue.advance(180)
        queue.decide(other, "reject", by="cy", reason="not now")
        await desk.until_shown('rejected before by cy <1m ago, with the same arguments: "not now"')
        study = desk.detail.study
        queue.add(tool="another")
        await desk.until_shown("2 waiting")
        await desk.settled()
        assert desk.detail.study is study, "it is not drawn anew where nothing of it changed"
        assert desk.chosen() == asked
