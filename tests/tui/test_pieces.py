"""The pure parts: spans, rows, the words of a call, the panels, the filter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from gatekit.display import visible
from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, StoreBusy, StoreError
from gatekit.models import Request
from gatekit_tui.frame.filters import VisibleFilter
from gatekit_tui.frame.row_text import head_spans
from gatekit_tui.frame.spans import Inked, fit, length, spread, wrap, wrap_inked
from gatekit_tui.frame.theme import GATEKIT, theme_for
from gatekit_tui.queue import panels
from gatekit_tui.queue.lanes import Wish
from gatekit_tui.queue.rows import PAGE, Rows
from gatekit_tui.queue.top_text import Top, top_spans
from gatekit_tui.request.detail_text import draw_body
from gatekit_tui.request.heading_text import draw_heading
from gatekit_tui.request.study import study

NOW = datetime(2026, 1, 1, tzinfo=UTC)
shown = st.text(max_size=200).map(lambda text: visible(text)[0])
"""Text as it is when it comes to be drawn."""


@given(shown, st.integers(0, 60))
def test_a_fitted_text_has_exactly_the_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width


@given(shown, st.integers(2, 60))
def test_wrapping_keeps_every_character_and_the_width(text: str, width: int) -> None:
    pieces = wrap(text, width)
    assert "".join(pieces) == text
    assert all(cell_len(piece) <= width for piece in pieces)


@given(st.lists(shown, max_size=4), st.integers(2, 60))
def test_wrapping_inked_text_keeps_every_character_and_the_width(texts: list[str], width: int) -> None:
    line: Inked = tuple((text, "text") for text in texts)
    rows = wrap_inked(line, width)
    assert "".join(text for row in rows for text, _ in row) == "".join(texts)
    assert all(length(row) <= width for row in rows)


def test_wrapping_a_megabyte_is_linear() -> None:
    pieces = wrap("word " * 200_000, 80)
    assert len(pieces) < 14_000


def test_words_stay_whole_where_they_can() -> None:
    assert wrap("send the whole invoice", 12) == ["send the ", "whole ", "invoice"]


@given(st.integers(4, 200))
def test_the_head_is_as_wide_as_the_list(width: int) -> None:
    assert length(head_spans(width, "WAIT")) >= width - 1 or width < 24


def test_the_right_side_goes_where_there_is_no_room() -> None:
    left: Inked = (("left", "text"),)
    assert spread(left, (("right", "text"),), 12) == (("left", "text"), ("   ", "rule"), ("right", "text"))
    assert spread(left, (("right", "text"),), 10) == left


foreign = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)


@given(
    foreign, foreign, foreign, st.dictionaries(foreign, foreign | st.lists(foreign, max_size=2)), st.integers(22, 200)
)
def test_no_line_of_a_call_is_wider_than_its_pane_and_none_is_cut(
    tool: str, run: str, description: str, args: dict[str, Any], width: int
) -> None:
    request = made_request(tool=tool, run=run, description=description, _args=json.dumps(args))
    seen = study(request)
    body = draw_body(seen, width)
    lines = (*draw_heading(request, width, NOW), *body.lines)
    assert all(length(line) <= width for line in lines)
    drawn = "".join(text.strip(" ") for line in body.lines[: body.arguments_end] for text, _ in line)
    for line in seen.drawing.lines:
        assert line.text.replace(" ", "") in drawn.replace(" ", "")
    assert all(visible(text)[1] == 0 for line in lines for text, _ in line)


def made_request(**fields: Any) -> Request:
    given = {
        "id": "01KDVDNA00MBZYM59NFKP9JGYE", "tool": "t", "status": "pending", "_args": "{}", "description": "",
        "risk": "low", "reasons": ("because",), "run": None, "call_id": "c", "requester": "agent:a",
        "created_at": NOW, "decide_by": None, "start_by": None, "effective_at": None, "version": 1, "revision": 1,
        "digest": "ab", "token": "v1:ab", "decision": None, "attempt": None, "outcome": None, "waiter": "gone",
        "hidden": 0,
    }  # fmt: skip
    return Request(**{**given, **fields})


def test_pages_of_the_lines_in_sight_and_no_others_are_wanted() -> None:
    rows = Rows(total=10 * PAGE)
    assert list(rows.page_numbers(0, 10)) == [0]
    assert list(rows.page_numbers(PAGE - 5, PAGE + 5)) == [0, 1]
    assert list(rows.page_numbers(9 * PAGE + 5, 12 * PAGE)) == [9]
    assert list(Rows().page_numbers(0, 10)) == [0]


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (QueueNotFound("/srv/a.db"), ("NO QUEUE", "/srv/a.db", "--queue")),
        (NotAQueue("/srv/a.db", "no tables"), ("NOT A QUEUE", "no tables", "--queue")),
        (SchemaTooNew("/srv/a.db", 9, 1), ("NEWER QUEUE", "pip install -U")),
        (StoreBusy("/srv/a.db", 5), ("BUSY", "tried again")),
        (StoreError("disk \x1b[2J full"), ("QUEUE FAILED", "disk ␛[2J full", "gatekit doctor")),
    ],
)
def test_each_unusable_queue_is_told_with_its_cure(error: StoreError, parts: tuple[str, ...]) -> None:
    text = "\n".join("".join(span for span, _ in line) for line in panels.unusable(error))
    assert all(part in text for part in parts), text


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=50))
def test_nothing_gets_through_the_filter(text: str) -> None:
    (segment,) = VisibleFilter().apply([Segment(text)], Color(0, 0, 0))
    assert len(segment.text) == len(text)
    assert all(visible(f"x{char}") == (f"x{char}", 0) for char in segment.text)


@given(shown.filter(lambda text: text != ""))
def test_the_filter_leaves_alone_what_is_visible(text: str) -> None:
    segments = [Segment(text)]
    assert VisibleFilter().apply(segments, Color(0, 0, 0)) == segments


def test_a_terminal_without_colours_gets_its_own() -> None:
    assert theme_for({}) == GATEKIT.name
    assert theme_for({"NO_COLOR": ""}) == GATEKIT.name
    assert theme_for({"NO_COLOR": "1"}) == "ansi-dark"
    assert theme_for({"TERM": "linux"}) == "ansi-dark"


@pytest.mark.parametrize("width", [40, 60, 80, 110, 160])
def test_how_fresh_the_picture_is_and_who_one_is_is_said_before_anything_else(width: int) -> None:
    top = Top(Wish(), total=10, in_lane=10, unknown=1, critical=3, held="1 held · u: 5s", who="alice", stale=14.0)
    line = "".join(text for text, _ in spread(*top_spans(top, width), width))
    assert length(((line, "text"),)) <= width
    assert "stale 14s" in line
    assert "alice" in line
    assert ("1 held" in line) is (width >= 60)
    assert ("to settle" in line) is (width >= 110)


@pytest.mark.parametrize("width", [40, 60, 160])
def test_who_may_not_decide_reads_it_on_the_narrowest_screen(width: int) -> None:
    line = "".join(text for text, _ in spread(*top_spans(Top(Wish(), who="alice", read_only=True), width), width))
    assert "READ ONLY" in line
    assert "●" in line


@pytest.mark.parametrize(
    ("width", "shown"), [(60, "queue.db"), (62, "approvals/queue.db"), (75, "/srv/prod/approvals/queue.db")]
)
def test_the_queue_is_named_as_fully_as_there_is_room(width: int, shown: str) -> None:
    left, _ = top_spans(Top(Wish(), total=2, queue="/srv/prod/approvals/queue.db", who="al"), width)
    line = "".join(text for text, _ in left)
    assert f"review  {shown}  " in line
    assert "2 waiting" in line


def test_a_name_of_a_queue_cannot_act_on_the_terminal() -> None:
    line = "".join(text for text, _ in top_spans(Top(Wish(), queue="/srv/\x1b[2J.db", who="al"), 160)[0])
    assert "\x1b" not in line
    assert "[2J.db" in line


@pytest.mark.parametrize("width", [80, 160])
def test_what_is_urgent_stands_with_the_list_that_holds_it(width: int) -> None:
    left, _ = top_spans(Top(Wish(), total=12, critical=2, due=10, who="al"), width)
    assert "12 waiting · 2 critical · 10+ due ▲" in "".join(text for text, _ in left)


def test_a_picture_that_is_fresh_leaves_room_for_more() -> None:
    top = Top(Wish(), total=10, in_lane=10, unknown=1, critical=3, who="alice")
    line = "".join(text for text, _ in spread(*top_spans(top, 80), 80))
    assert all(part in line for part in ("10 waiting", "3 critical", "1 to settle: ]", "alice", "● live")), line
