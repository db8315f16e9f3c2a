"""Edit as JSON: checked while it is typed, shown as a diff by path, and approved as exactly that."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import TextArea

from gatekit_tui.request.draft import DraftError, read_draft, write_draft
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = pytest.mark.sweep

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


async def write(desk: Desk, text: str) -> None:
    if not desk.has("[JSON]"):
        await desk.press("ctrl+t")
    desk.app.screen.query_one("#draft", TextArea).text = text
    await desk.pilot.pause(0.3)


@pytest.mark.anyio
async def test_an_edit_is_checked_shown_as_a_diff_confirmed_and_stored(queue: Queue) -> None:
    request_id = queue.add(path="/srv/a", risk="low")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until_shown("nothing changed")
        await write(desk, '{"path": "/srv/b", "more": null}')
        await desk.until_shown('path "/srv/a" → "/srv/b"', "1 change")
        assert queue.verb(request_id) is None
        await desk.press("ctrl+s")
        await desk.until_shown("with these changes?", 'path "/srv/a" → "/srv/b"')
        await desk.press("enter")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "edit")
        await desk.until_shown("edited and approved by alice", "said of the first version")
    assert queue.args(request_id) == {"path": "/srv/b", "more": None}


WRONG = [
    ('{"path": 5, "more": null}', "path"),
    ('{"path": "x", "more": 1, "force": true}', "force"),
    ('{"path": "x", "path": "y"}', "there twice"),
    ('{"path": NaN}', "not a JSON number"),
    ('{"path": "x"', "line 1"),
    ("[]", "one JSON object"),
]


@pytest.mark.anyio
async def test_what_does_not_fit_is_said_and_cannot_be_sent(queue: Queue) -> None:
    request_id = queue.add(path="/srv/a")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until_shown("nothing changed")
        for text, told in WRONG:
            await write(desk, text)
            await desk.until_shown("✗", told)
            desk.app.clear_notifications()
            await desk.press("ctrl+s")
            await desk.until(lambda: "does not fit" in desk.toasts())
            assert len(desk.app.screen_stack) == 3
    assert queue.verb(request_id) is None


@pytest.mark.anyio
async def test_a_high_risk_edit_costs_the_same_word_as_an_approval(queue: Queue) -> None:
    request_id = queue.add(path="/srv/a", risk="high")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until_shown("nothing changed")
        await write(desk, '{"path": "/srv/b", "more": null}')
        await desk.press("ctrl+s")
        await desk.until_shown("Type yes")
        await desk.type("yes")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "edit")


@pytest.mark.anyio
async def test_a_draft_survives_going_back_and_ctrl_r_takes_it_back(queue: Queue) -> None:
    queue.add(path="/srv/a")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until_shown("nothing changed")
        await write(desk, '{"path": "/srv/half')
        await desk.press("escape", "e")
        await desk.until_shown("/srv/half")
        await desk.press("ctrl+r")
        await desk.until_shown("nothing changed")
        await desk.press("escape", "q")
        await desk.settled()
        assert not desk.app.is_running


@pytest.mark.anyio
async def test_quitting_with_a_draft_takes_a_second_press(queue: Queue) -> None:
    queue.add(path="/srv/a")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until_shown("nothing changed")
        await write(desk, "{}")
        await desk.press("escape", "q")
        await desk.settled()
        assert "not sent yet. Ctrl-Q again" in desk.toasts()
        await desk.press("q")
        await desk.settled()
        assert not desk.app.is_running


@pytest.mark.anyio
async def test_hidden_characters_are_escapes_in_the_editor_and_stay_what_they_are(queue: Queue) -> None:
    request_id = queue.add(tool="send", path="a\u202eb")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until_shown('"a\\u202eb"')
        await write(desk, '{"path": "a\\u202ec", "more": null}')
        await desk.press("ctrl+s")
        await desk.until_shown("Type send", "a<U+202E>c")
        await desk.type("send")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "edit")
    assert queue.args(request_id) == {"path": "a\u202ec", "more": None}


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_draft_reads_back_as_what_was_written(args: dict[str, object]) -> None:
    text = write_draft(args)
    assert text.isascii()
    assert json.dumps(read_draft(text)) == json.dumps(args)


@pytest.mark.parametrize("text", ["", "1", "{'a': 1}", '{"a": 1}x', '{"a": Infinity}', '{"n": ' + "9" * 5000 + "}"])
def test_what_is_no_draft_is_refused(text: str) -> None:
    with pytest.raises(DraftError):
        read_draft(text)


def test_a_draft_nested_without_end_is_refused() -> None:
    with pytest.raises(DraftError, match="too deeply"):
        read_draft('{"a":' * 100_000)
