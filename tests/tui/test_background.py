"""What stands beside a request in its picture: how it differs from the call before, and what happened to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import draw_arguments
from gatekit.models import Change
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.strip import strip_lines
from gatekit_tui.request.compared import FIRST, compared
from gatekit_tui.request.detail_text import draw_body
from gatekit_tui.request.study import study
from tests.tui.calls import Queue
from tests.tui.desk import sit_down
from tests.tui.test_looking import run_and_approve
from tests.tui.test_pieces import made_request

values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)
arguments = st.dictionaries(st.text(max_size=2), values, max_size=4)


def text_of(lines: tuple[Inked, ...]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


@given(arguments, arguments)
def test_what_is_not_marked_was_drawn_so_before(now: dict[str, Any], then: dict[str, Any]) -> None:
    before = made_request(_args=json.dumps(then))
    drawing = draw_arguments(now)
    found = compared(drawing, before, ())

    def unmarked(lines: Any) -> list[tuple[str, str]]:
        told, path = [], ""
        for line in lines:
            path = line.path or path
            if path not in found.paths:
                told.append((path, line.text))
        return sorted(told)

    assert set(unmarked(drawing.lines)) <= set(unmarked(draw_arguments(then).lines))
    assert (found.paths == frozenset()) or now != then


def test_a_mark_moves_no_line() -> None:
    request = made_request(_args=json.dumps({"a": "x" * 90, "b": [1, 2], "n" * 40: "long\nlines"}))
    seen = study(request)
    before_it = made_request(_args='{"b":[1,3]}')
    marked = replace(seen, compared=compared(seen.drawing, before_it, ()))
    plain, others = draw_body(seen, 60).lines, draw_body(marked, 60).lines
    assert len(plain) == len(others)
    assert text_of(others).count("≠ ") == 3
    for before, after in zip(plain, others, strict=True):
        if not text_of((after,)).startswith(" arguments "):
            assert text_of((after,)).replace("≠", " ") == text_of((before,))


def test_the_note_says_how_many_differ() -> None:
    before = made_request()
    change = Change(path="$.a", kind="removed", before=1)
    assert FIRST.note == "no call of it was approved before"
    assert compared(draw_arguments({}), before, ()).note == "as in the last approved call"
    assert compared(draw_arguments({}), before, (change,)).note.startswith("≠ 1 differs")
    assert compared(draw_arguments({}), before, (change,) * 1200).note.startswith("≠ 1,200 differ ")


@pytest.mark.anyio
@pytest.mark.sweep
async def test_a_call_says_how_it_differs_from_the_last_approved_one_and_hears_of_a_newer(queue: Queue) -> None:
    request_id = queue.add(path="/srv/a")
    async with sit_down(queue.gate, size=(110, 30)) as desk:
        await desk.until_shown("no call of it was approved before", "  submitted it, to")
        queue.decide(request_id, "reject", reason="not\x1bnow")
        await desk.until_shown("rejected it: not␛now")
    await run_and_approve(queue, "/srv/b")
    async with sit_down(queue.gate, size=(110, 30)) as desk:
        await desk.until_shown("Nothing is waiting", "last decision  write_file  approved by ana")
        queue.add(path="/srv/b")
        await desk.until_shown("as in the last approved call")
        queue.advance(1)
        second = queue.add(path="/srv/c", more=[1])
        await desk.until_shown("2 waiting")
        await desk.press("j")
        await desk.until(lambda: desk.chosen() == second)
        await desk.until_shown("≠ 2 differ", "≠ path", "≠ more[0]")


@pytest.mark.anyio
async def test_a_request_that_cannot_be_compared_cannot_be_displayed(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_and_approve(queue, "/srv/b")
    queue.add(path="/srv/c")

    def compare(*_: object) -> None:
        raise ValueError("no comparison today")

    monkeypatch.setattr(queue.gate, "compare", compare)
    async with sit_down(queue.gate, size=(110, 30)) as desk:
        await desk.until_shown("cannot display", "no comparison today")


def test_the_strip_has_what_happened_last_and_counts_the_rest(queue: Queue) -> None:
    request_id = queue.add()
    for _ in range(3):
        queue.change(request_id)
    request = queue.gate.get(request_id)
    events = queue.gate.history(request_id)
    assert len(events) > 5
    told = text_of(strip_lines(events, request)).split("\n")
    assert told[0] == f"⋮ {len(events) - 5} earlier"
    assert len(told) == 6
    assert text_of(strip_lines(events[:2], request)).count("\n") == 1
