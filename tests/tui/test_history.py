"""All that happened to one request, told for people, as it happens."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

import gatekit
from gatekit import Policy, Stage
from gatekit.display import visible
from gatekit.errors import StoreBusy
from gatekit.models import Event
from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.frame.spans import Inked
from gatekit_tui.history.history import HistoryScreen
from gatekit_tui.history.history_entries import EventEntry, entries_of
from gatekit_tui.history.history_event import EventScreen, event_entries
from gatekit_tui.history.history_text import actor, told
from gatekit_tui.history.timeline import Timeline
from tests.tui.asking import pay
from tests.tui.calls import Queue
from tests.tui.desk import Desk, Ticking
from tests.tui.test_hostile import assert_harmless

EVIL = "x\x1b[>q\u202e[/]"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class OneScreen(GuardedApp):
    """An application that shows one screen, and keeps what that one gives when it closes."""

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__(Ticking())
        self._first = screen
        self.given: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self._first, self.given.append)


class Bench(Desk):
    """A desk without a queue list."""

    def __init__(self, app: OneScreen, pilot: Pilot[None]) -> None:
        super().__init__(app, pilot)  # type: ignore[arg-type]
        self.given = app.given

    def drawn(self) -> bool:
        return True

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.hit(key)
            await self.pilot.pause()
            await self.pilot.pause(0.02)

    def depth(self) -> int:
        return len(self.app.screen_stack) - 1


@asynccontextmanager
async def looking_at(screen: Screen[Any], *, size: tuple[int, int] = (80, 24)) -> AsyncGenerator[Bench]:
    app = OneScreen(screen)
    async with app.run_test(size=size, notifications=True) as pilot:
        bench = Bench(app, pilot)
        await bench.until(lambda: app.screen is screen, "the screen")
        await pilot.pause()
        yield bench


def happened(kind: str, by: str = "human:ana", data: Any = None, **fields: Any) -> Event:
    given: dict[str, Any] = {"cursor": 1, "version": 1, "digest": "d", "at": NOW, "_data": json.dumps(data or {})}
    known: dict[str, Any] = {"request_id": "r", "call_id": "c", "tool": "pay", "run": None}
    return Event(kind=kind, by=by, **(known | given | fields))


def words(kind: str, data: Any = None, **fields: Any) -> str:
    return told(happened(kind, data=data, **fields)).words


def plain(lines: Iterable[Inked]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


def all_kinds() -> set[str]:
    """The kinds of events that the package itself writes for a request or a run."""
    source = "".join(
        path.read_text(encoding="utf-8") for path in (Path(gatekit.__file__).parent / "machine").glob("*.py")
    )
    found = set(re.findall(r'draft\.event\(\s*"(\w+)"', source)) | set(re.findall(r'"(run\.\w+)"', source))
    decided = {"approved", "edited", "rejected", "responded", "released", "answered"}
    return found | decided | {"run.failed", "run.succeeded", "granted", "succeeded", "failed"}


def test_every_kind_that_the_package_writes_has_words() -> None:
    kinds = all_kinds()
    assert len(kinds) > 35
    unknown = {kind for kind in kinds if told(happened(kind)).ink == "note"}
    assert not unknown


def test_a_kind_that_nobody_knows_is_shown_by_its_name_with_all_its_data() -> None:
    said = told(happened("frobni\x1b[>qcated", "robot:r2\u202ed2", {"a": [1, "x\u202e"], "reason": "why\n"}))
    assert said.words == "frobni␛[>qcated"
    assert said.who == "robot r2<U+202E>d2"
    assert said.quotes == (("reason", "why⏎"), ("a", '[1, "x<U+202E>"]'))


def test_unknown_kinds_alone_are_marked() -> None:
    assert told(happened("unheard of")).ink == "note"


def test_what_an_event_holds_beyond_its_words_is_never_left_out() -> None:
    said = told(happened("reminder", "system:clock", {"no": 3, "extra": True}))
    assert (said.who, said.words, said.quotes) == (
        "the clock",
        "reminded, no. 3: still undecided",
        (("extra", "true"),),
    )


@pytest.mark.parametrize("data", ["{", "[1]", "null", '"x"', "1e999", "[" * 100_000, "1" * 5000, '{"a": NaN}'])
def test_data_that_is_no_object_or_no_json_is_shown_and_never_fails(data: str) -> None:
    for kind in ("approved", "unheard of"):
        event = happened(kind, _data=data)
        assert told(event).quotes
        assert event_entries(EventEntry(event, told(event)))


STRANGE: list[Any] = [None, True, 7, -1, 10**30, "x", ["x"], [7], [[]], {}, {"a": 1}, "\x1b[>q"]


def test_data_of_the_wrong_types_is_shown_as_it_is_stored() -> None:
    names = {"stages", "rule", "separate", "verb", "stage", "number", "to", "rung", "no", "decide_by", "uses", "grant"}
    names |= {"expires_at", "attempt", "permit", "why", "kind", "type_name", "again", "reason", "note", "text"}
    names |= {"execution", "waiting_for", "status"}
    for kind in all_kinds():
        for value in STRANGE:
            said = told(happened(kind, data=dict.fromkeys(names, value)))
            shown = said.words + str(said.quotes)
            assert visible(shown)[1] == 0
            if value == {"a": 1}:
                assert {name for name, _ in said.quotes} == names


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (
            "submitted",
            {"stages": ["owner", "finance"], "rule": "big"},
            "it is for owner, then finance; by the rule big",
        ),
        ("submitted", {"separate": False}, "whoever asks may also approve"),
        ("voted", {"verb": "edit", "stages": [0]}, "edited it and voted yes, for stage 1"),
        ("stage", {"number": 2, "stage": "finance"}, "now asks stage 2, finance"),
        ("escalated", {"to": ["bob", "role:boss"], "rung": 1}, "escalated: bob, role:boss may decide too (step 1"),
        ("overdue", {"decide_by": 1_767_225_600_000_000}, "nobody decided by 2026-01-01 00:00:00 UTC; it stays open"),
        ("delegated", {"to": "bob"}, "handed their part on to bob"),
        ("granted", {"uses": 1, "grant": "g1"}, "allowed calls like it for a while, 1 time (g1)"),
        ("settled", {"attempt": 2, "kind": "raised"}, "settled how it ended: it failed (attempt 2)"),
        ("reconciled", {"attempt": 1, "kind": "returned"}, "found out how it ended: it succeeded"),
        ("unknown", {"attempt": 1, "why": "its process died"}, "lost: it was started, and how it ended is not known;"),
        ("not_started", {"why": "reconciled"}, "the start was taken back: nothing had run; that was found out"),
        ("attached", {}, "came back"),
        ("undone", {}, "took the decision back"),
        ("run.resumed", {"execution": 3}, "a process took it up again, execution 3"),
        ("run.waiting", {"waiting_for": ["r1", "r2"]}, "suspended: it waits for r1, r2"),
        ("run.reopened", {"again": ["pay"]}, "let it go on; made anew: pay"),
    ],
)
def test_events_are_told_in_words(kind: str, data: Any, expected: str) -> None:
    assert expected in words(kind, data)


@pytest.mark.parametrize(
    ("by", "shown"),
    [
        ("human:ana", "person ana"),
        ("agent:payer", "agent payer"),
        ("policy:silence", "policy silence"),
        ("grant:g1", "permission g1"),
        ("system:clock", "the clock"),
        ("agent:human:ana", "agent human:ana"),
        ("agent:" + "person ana " * 9, "agent person ana person ana person ana person …"),
        ("", "somebody"),
        ("r2", "somebody r2"),
    ],
)
def test_who_did_it_is_shown_with_their_kind(by: str, shown: str) -> None:
    assert actor(by) == shown


def test_of_a_very_long_history_the_middle_is_left_out_and_that_is_said() -> None:
    entries = entries_of([happened("attached", cursor=number) for number in range(5000)])
    assert len(entries) == 1001
    assert plain(entries[100].draw(80, NOW)) == "⋮ 4,000 events are left out here"
    assert [entries[99].key, entries[101].key, entries[-1].key] == ["99", "4100", "4999"]


def test_each_piece_of_foreign_text_stands_behind_a_bar() -> None:
    fake = "no." + " " * 60 + "00:00:00  person alice  approved it"
    (entry,) = entries_of([happened("rejected", data={"reason": fake})])
    drawn = plain(entry.draw(60, NOW)).splitlines()
    assert len(drawn) > 3
    assert all("│" in line for line in drawn[2:])


@pytest.mark.anyio
async def test_the_story_of_a_request_is_told_and_goes_on_while_it_is_shown(queue: Queue) -> None:
    policy = Policy(Stage("owner", "alice"), Stage("finance", ["bob", "ana"]))
    request_id = pay(queue, policy)
    alice = queue.gate.reviewer("alice")
    queue.advance(60)
    alice.claim(queue.gate.get(request_id))
    alice.approve(queue.gate.get(request_id), note=EVIL)
    queue.gate.reviewer("bob").delegate(queue.gate.get(request_id), to="carol", reason="on holiday")
    screen = HistoryScreen(queue.gate, request_id)
    async with looking_at(screen) as bench:
        await bench.until_shown(
            "history pay",
            "5 events",
            "waits for a decision",
            "agent payer  submitted it",
            "1m ago",
            "person alice  took it to look at it",
            "voted yes, for owner",
            f"│ note: {visible(EVIL)[0]}",
            "now asks stage 2, finance",
            "person bob  handed their part on to carol",
            "│ reason: on holiday",
        )
        assert_harmless(bench)
        queue.gate.reviewer("carol").edit(queue.gate.get(request_id), {"amount": 40})
        await bench.until_shown("person carol  edited it and voted yes, for finance", "~ amount 500 → 40")
        queue.decide(request_id, by="alice")
        await bench.until_shown("person alice  approved it", "approved by alice")
        assert screen.query_one(Timeline).cursor == 0
        queue.advance(3600)
        await bench.until_shown("1h01 ago")
        await bench.press("q")
    assert bench.given == [None]


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 12)])
async def test_keys_move_and_open_and_go_back(queue: Queue, size: tuple[int, int]) -> None:
    request_id = pay(queue)
    reviewer = queue.gate.reviewer("ana", hold=60)
    for amount in range(15):
        reviewer.edit(queue.gate.get(request_id), {"amount": amount}, note=EVIL)
        reviewer.undo(queue.gate.get(request_id))
    screen = HistoryScreen(queue.gate, request_id)
    async with looking_at(screen, size=size) as bench:
        line = screen.query_one(Timeline)
        await bench.until(lambda: len(line.entries) > 40)
        await bench.press("j", "down", "k")
        assert line.cursor == 1
        await bench.press("pagedown")
        below = line.cursor
        assert below > 1
        await bench.press("pageup")
        assert line.cursor < below
        await bench.press("G")
        assert line.cursor == len(line.entries) - 1
        assert line.cursor in line.in_sight
        await bench.press("g", "j")
        for key in ("enter", "o"):
            await bench.press(key)
            await bench.until(lambda: isinstance(bench.app.screen, EventScreen), "the event")
            await bench.until_shown("event edited", "human:ana")
            assert_harmless(bench)
            await bench.press("a", "r", "escape" if key == "o" else "q")
            await bench.until(lambda: bench.depth() == 1)
        await bench.pilot.click(line, offset=(5, 1))
        await bench.until(lambda: line.cursor == 0)
        assert screen.is_current
        await bench.press("h")
        await bench.until(lambda: bench.given == [None])
    assert queue.gate.get(request_id).status == "pending"


@pytest.mark.anyio
async def test_an_edit_that_was_taken_back_and_one_before_another_say_that_they_cannot_be_compared(
    queue: Queue,
) -> None:
    request_id = pay(queue)
    reviewer = queue.gate.reviewer("ana", hold=60)
    for amount in (6, 7):
        reviewer.edit(queue.gate.get(request_id), {"amount": amount})
        reviewer.undo(queue.gate.get(request_id))
    reviewer.edit(queue.gate.get(request_id), {"amount": 8})
    async with looking_at(HistoryScreen(queue.gate, request_id), size=(100, 40)) as bench:
        await bench.until_shown("~ amount 500 → 8", "it came back to the reviewers", "took the decision back")
        assert bench.text().count("what it changed is not known here") == 2


@pytest.mark.anyio
async def test_a_request_that_is_not_there_and_one_that_goes_are_said_to_be_so(queue: Queue) -> None:
    async with looking_at(HistoryScreen(queue.gate, "no such \x1b[>q")) as bench:
        await bench.until_shown("There is no such request in this queue.", "no such ␛[>q")
        await bench.press("enter", "o")
        assert bench.depth() == 1
        assert_harmless(bench)
        await bench.press("escape")
        assert bench.given == [None]


@pytest.mark.anyio
@pytest.mark.long
async def test_a_queue_that_is_busy_is_told_of_once_and_read_when_it_can_be(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = pay(queue)
    asked: list[str] = []

    def busy(wanted: str) -> Any:
        asked.append(wanted)
        raise StoreBusy("queue.db", 5)

    screen = HistoryScreen(queue.gate, request_id)
    with monkeypatch.context() as patch:
        patch.setattr(queue.gate.backend, "get", busy)
        async with looking_at(screen) as bench:
            await bench.until(lambda: len(asked) > 1, "a second look")
            assert bench.toasts().count("queue.db was locked by another process") == 1
            assert bench.has("reading …")
            patch.undo()
            await bench.until_shown("submitted it")
