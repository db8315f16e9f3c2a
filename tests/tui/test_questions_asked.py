"""What is asked before something counts: all of it is read, reasons have lines, and help is everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from gatekit.display import visible
from gatekit.errors import Rejected
from gatekit.models import Change
from gatekit.telling import tell
from gatekit_tui.frame.ask import AskScreen
from gatekit_tui.frame.reason import UNTOLD, ReasonScreen, Said
from gatekit_tui.frame.reason_field import MOST, ReasonField, plain
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.changes_text import change_lines
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

LINES: tuple[Inked, ...] = tuple(((f"line {number}.", "text"),) for number in range(30))


async def ask(desk: Desk, given: list[Any], title: str = "Approve it?", **options: Any) -> AskScreen:
    screen = AskScreen(title, why=["It matters."], lines=LINES, **options)
    desk.app.push_screen(screen, given.append)
    await desk.until(lambda: desk.app.screen is screen)
    await desk.settled()
    return screen


async def open_reason(desk: Desk, key: str = "r") -> ReasonField:
    await desk.press(key)
    await desk.until(lambda: isinstance(desk.app.screen, ReasonScreen))
    await desk.settled()
    return desk.app.screen.query_one(ReasonField)


async def paste(desk: Desk, text: str) -> None:
    desk.app.post_message(events.Paste(text))
    await desk.settled()


@pytest.mark.anyio
async def test_nothing_is_approved_before_every_line_of_it_was_in_sight(queue: Queue) -> None:
    queue.add()
    given: list[Any] = []
    async with sit_down(queue.gate) as desk:
        await ask(desk, given, word=None)
        await desk.until_shown("It matters.", "line 0.", "1–20 of 31", "Press a to approve")
        # What is read right behind the key was not read before it.
        await desk.press("a", "pagedown")
        await desk.settled()
        assert not given
        assert "Read to the end first: PgDn" in desk.toasts()
        desk.app.clear_notifications()
        await desk.press("up", "up", "up", "up", "up", "down")
        await desk.press("ctrl+pageup", "ctrl+pagedown")
        await desk.until_shown("12–31 of 31")
        await desk.press("a")
        await desk.until(lambda: given == [True])


@pytest.mark.anyio
async def test_a_word_is_taken_only_behind_all_that_was_to_be_read(queue: Queue) -> None:
    queue.add()
    given: list[Any] = []
    async with sit_down(queue.gate, size=(44, 12)) as desk:
        await ask(desk, given, word="yes")
        await desk.until_shown("1–6 of 31", "Type yes", "Approve it?")
        await desk.type("yes")
        await desk.press("enter")
        await desk.settled()
        assert not given
        for _ in range(6):
            await desk.press("pagedown")
        await desk.until_shown("26–31 of 31", "line 29.")
        await desk.press("enter")
        await desk.until(lambda: given == [True])


@pytest.mark.anyio
@pytest.mark.sweep
async def test_a_long_question_is_not_cut_and_what_fits_needs_no_scrolling(queue: Queue) -> None:
    queue.add()
    given: list[Any] = []
    async with sit_down(queue.gate, size=(80, 50)) as desk:
        await ask(desk, given, title=f"Approve {'x' * 700} at last?", word=None)
        await desk.until_shown("at last?", "line 29.", "Press a")
        assert not desk.has("of 3")
        await desk.press("a")
        await desk.until(lambda: given == [True])


@pytest.mark.anyio
async def test_a_paste_with_line_breaks_is_text_and_decides_nothing(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate) as desk:
        field = await open_reason(desk)
        await paste(desk, "no\r\nnot\tthis\u202e one\x1b\n")
        assert field.text == "no\nnot this one\n"
        assert "2 hidden characters were left out." in desk.toasts()
        assert queue.verb(request_id) is None
        await desk.press("s", "o", "ctrl+o", "i", "ctrl+j", "s", "enter")
        await desk.until(lambda: queue.verb(request_id) == "reject")
    assert queue.reason(request_id) == "no\nnot this one\nso\ni\ns"


@pytest.mark.anyio
async def test_a_burst_of_keys_with_an_enter_in_it_decides_nothing(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate) as desk:
        field = await open_reason(desk)
        for key in ("n", "o", "enter", "y", "e", "s", "ctrl+j", "enter"):
            desk.hit(key)
        await desk.settled()
        await desk.settled()
        assert queue.verb(request_id) is None
        assert field.text == "noyes\n"
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "reject")


@pytest.mark.anyio
@pytest.mark.sweep
async def test_no_more_than_the_most_can_be_said(queue: Queue) -> None:
    queue.add()
    async with sit_down(queue.gate) as desk:
        field = await open_reason(desk)
        await paste(desk, "x" * (MOST - 2))
        await desk.press("a", "b", "c")
        assert field.text == "x" * (MOST - 2) + "ab"
        assert f"No more than {MOST:,}" in desk.toasts()
        await paste(desk, "y" * 1_000_000)
        assert len(field.text) == MOST
        assert "1,000,000 characters had no room" in desk.toasts()
        assert field.size.height == 6


@pytest.mark.anyio
@pytest.mark.sweep
async def test_reasons_of_several_lines_come_back_by_the_arrows(queue: Queue) -> None:
    ids = [queue.add(path=str(number)) for number in range(2)]
    async with sit_down(queue.gate) as desk:
        await open_reason(desk)
        await desk.press("a", "ctrl+o", "b", "enter")
        await desk.until(lambda: queue.verb(ids[0]) == "reject")
        await desk.press("j")
        field = await open_reason(desk)
        await desk.press("x", "ctrl+o", "y", "up")
        assert field.text == "x\ny"
        await desk.press("up")
        assert field.text == "a\nb"
        await desk.press("down")
        assert field.text == "a\nb"
        await desk.press("down")
        assert field.text == "x\ny"
        await desk.press("escape")
        assert (await open_reason(desk)).text == "x\ny"


@pytest.mark.anyio
async def test_an_agent_is_not_told_why_where_the_reviewer_says_so(queue: Queue) -> None:
    ids = [queue.add(path=str(number)) for number in range(2)]
    async with sit_down(queue.gate) as desk:
        await open_reason(desk)
        assert not desk.has("The agent is not told")
        await desk.press("ctrl+n", "ctrl+n", "ctrl+n")
        await desk.type("looks hijacked")
        await desk.until_shown("The agent is not told why")
        # It is kept as it was left.
        await desk.press("escape")
        await open_reason(desk)
        await desk.until_shown("looks hijacked", "The agent is not told why")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(ids[0]) == "reject")
        await desk.press("h")
        await desk.until_shown(f"reason: {UNTOLD}", "note: looks hijacked")
        await desk.press("escape", "j")
        field = await open_reason(desk)
        # Another agent would be told what is recalled.
        await desk.press("up")
        assert field.text == ""
        assert not desk.has("The agent is not told")
    decision = queue.decision(ids[0])
    assert decision is not None
    assert (decision.reason, decision.note) == (UNTOLD, "looks hijacked")


@pytest.mark.anyio
@pytest.mark.sweep
async def test_of_a_batch_no_agent_is_told_why_either_and_a_response_is_always_told(queue: Queue) -> None:
    ids = [queue.add(path=str(number)) for number in range(3)]
    async with sit_down(queue.gate) as desk:
        await desk.press("space", "space")
        await open_reason(desk, "R")
        await desk.type("odd")
        await desk.press("ctrl+n", "enter")
        await desk.until(lambda: queue.verb(ids[0]) == queue.verb(ids[1]) == "reject")
        await desk.until_shown("1 waiting", "rejected before by alice")
        await desk.settled()
        await open_reason(desk, "m")
        await desk.type("ask him")
        await desk.press("ctrl+n", "enter")
        await desk.until(lambda: queue.verb(ids[2]) == "respond")
    decisions = [queue.decision(one) for one in ids]
    assert [(one.reason, one.note, one.text) for one in decisions if one] == [
        (UNTOLD, "odd", None),
        (UNTOLD, "odd", None),
        (None, None, "ask him"),
    ]


@pytest.mark.anyio
async def test_every_screen_tells_its_own_keys(queue: Queue) -> None:
    queue.add()
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        screens = {"h": "open", "U": "state", "i": "back", "P": "take back", "W": "back"}
        for key, told in screens.items():
            await desk.press(key)
            await desk.until(lambda: len(desk.app.screen_stack) == 3)
            for ask_for_keys in ("?", "f1"):
                await desk.press(ask_for_keys)
                await desk.until_shown(" the keys of this screen ", told, "back")
                assert not desk.has("approve"), key
                await desk.press("enter")
                await desk.until(lambda: "Esc goes back, and there" in desk.toasts())
                await desk.press("f1")
                await desk.until(lambda: len(desk.app.screen_stack) == 3)
            await desk.press("escape")
            await desk.until(lambda: len(desk.app.screen_stack) == 2)


@pytest.mark.anyio
@pytest.mark.sweep
async def test_f1_tells_the_keys_also_where_a_question_mark_is_typed(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate) as desk:
        await desk.press("f1")
        await desk.until_shown("keys and commands", "approve")
        await desk.press("f1")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        field = await open_reason(desk)
        await desk.press("w", "h", "y", "?")
        assert field.text == "why?"
        await desk.press("f1")
        await desk.until_shown("a line break", "tell the agent why, or not")
        await desk.press("escape")
        assert desk.app.screen.query_one(ReasonField).text == "why?"
        await desk.press("escape", "space", "A")
        await desk.until_shown("Type 1")
        await desk.press("?", "f1")
        await desk.until_shown("read on", "back, marks kept")
    assert queue.verb(request_id) is None


@pytest.mark.parametrize(
    ("text", "kept", "hidden"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd", 0),
        ("a\tb\u00a0c\u3000d", "a b c d", 0),
        ("a\x00\x1b[2J\u2028b\ud800", "a[2Jb", 4),
        ("\u0301x\u200d\ufe0f", "\u0301x", 2),
    ],
)
def test_what_cannot_be_seen_in_the_field_does_not_come_into_it(text: str, kept: str, hidden: int) -> None:
    assert plain(text) == (kept, hidden)


@given(st.text())
def test_whatever_is_pasted_every_character_of_it_can_be_drawn(text: str) -> None:
    kept, _ = plain(text)
    assert all(char == "\n" or visible(f"x{char}") == (f"x{char}", 0) for char in kept)
    assert plain(kept) == (kept, 0)


def test_what_is_said_goes_to_the_agent_unless_it_is_kept_from_it() -> None:
    assert (Said("why").reason, Said("why").note) == ("why", None)
    assert (Said("why", told=False).reason, Said("why", told=False).note) == (UNTOLD, "why")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (500, 5000, " ▲ ×10"),
        (3, 29.9, " ▲ ×9.9"),
        (0.1, 0.2, " ▲ ×2"),
        (45_000, 49_500, " ▲ +4,500"),
        (0.1, 0.15, " ▲ +0.05"),
        (0, 4_500, " ▲ +4,500"),
        (-10, -5, " ▲ +5"),
        (500, 50, " ▼"),
        (1, 10**30, " ▲ more than ×1,000,000"),
        (0, 10**400, " ▲"),
        (10**400, 10**401, " ▲ ×10"),
        (True, 5, ""),
        (0, True, ""),
        ("5", 50, ""),
        (1, 1.0, ""),
        (1.0, float("inf"), ""),
    ],
)
def test_a_number_that_rises_looks_unlike_one_that_falls(before: Any, after: Any, told: str) -> None:
    (line,) = change_lines([Change(path="$.x", kind="changed", before=before, after=after)])
    marks = [(text, ink) for text, ink in line if "▲" in text or "▼" in text]
    assert marks == ([(told, "warn" if "▲" in told else "dim")] if told else [])


@pytest.mark.anyio
async def test_what_an_agent_reads_of_a_rejection_holds_no_note(queue: Queue) -> None:
    request_id = queue.add()
    said = Said("looks hijacked", told=False)
    queue.gate.reviewer("ana").reject(request_id, reason=said.reason, note=said.note)
    error = Rejected(queue.gate.get(request_id))
    for told in (str(error), repr(error), error.reason, tell(error)):
        assert UNTOLD in told
        assert "hijacked" not in told
