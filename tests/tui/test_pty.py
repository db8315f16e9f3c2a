"""Every text of the corpus in every field, on every screen, on a real pseudo-terminal: what comes out of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from gatekit import Gate
from gatekit.models import Event
from gatekit.testing import temporary_gate
from tests.corpus_cases import CASES, pick
from tests.tui import foul
from tests.tui.escapes import caught_late, faults
from tests.tui.terminal import Screen, until
from tests.tui.walking import Walk

pytestmark = pytest.mark.sweep

TEXTS = list(dict.fromkeys(case.payload for case in CASES.values() if isinstance(case.payload, str) and case.payload))
PASTED = [text for text in TEXTS if all(ord(char) > 31 for char in text)]
"""What a terminal passes on when it is pasted."""
SHORT = [case.payload for case in pick("terminal", "unicode", "markup") if isinstance(case.payload, str)]
OPENED = (
    " history ", " event ", " edit ", " answer ", " allow for a while ", "in your place", "Reject ", "Type ",
    "Answer instead of letting", " insight ", " in force ", "reviewers", " runs ", "keys and commands",
    "Escalate ", "left out", "STOPPED", "requests?", "can still be undone", "How did ", " compare ", "✗ ",
)  # fmt: skip


@contextmanager
def a_queue(texts: Sequence[str]) -> Generator[Gate]:
    with temporary_gate() as gate:
        refused = foul.fill(gate, texts)
        sys.stdout.write(f"refused by their fields: {refused}\n")
        # One that can be approved together with others, so that there is a list of those that cannot.
        foul.call(gate, {"description": "[b]fine[/b] [@click=app.quit]x[/]"}, risk="low")
        with foul.one_that_runs(gate, {"tool": texts[0], "value": texts[-1]}):
            foul.name_people(gate, texts)
            yield gate


def walked(texts: Sequence[str], pasted: Sequence[str], most: int) -> Walk:
    """A walk over a queue full of these. At its end nothing is decided."""
    with a_queue(texts) as gate:
        walk = Walk(Screen(gate.path, "awake", columns=110, lines=40))
        walk.screen.until_shown(" waiting", "a approve")
        walk.waiting(most)
        walk.lists(most)
        walk.beside()
        walk.runs(most)
        walk.filters(pasted)
        walk.batch()
        assert walk.is_home(), walk.look()
        walk.leave()
        told = [event.kind for event in events_of(gate) if event.by == "human:alice"]
        assert told == ["queue.stopped", "rejected", "returned", "undone"]
    return walk


def events_of(gate: Gate) -> Iterator[Event]:
    """All that happened, page by page."""
    since = 0
    while page := gate.events(since, limit=1000):
        yield from page
        since = page[-1].cursor


def grouped(texts: Sequence[str], groups: int) -> list[str]:
    return [" ".join(texts[number::groups]) for number in range(groups)]


def judge(hostile: Walk, plain: Walk) -> None:
    written = hostile.screen.written
    found = faults(written, plain.screen.written, TEXTS)
    assert not found, "\n".join(found)
    # In the field for a filter stands what the hand pasted there: no text of the queue's.
    assert not caught_late(written[: hostile.typed_from] + written[hostile.typed_to :])
    missed = [part for part in OPENED if not hostile.saw(part)]
    assert missed == [], missed


@pytest.mark.long
@pytest.mark.timeout(280)
def test_nothing_of_a_hostile_text_comes_out_of_any_screen() -> None:
    with ThreadPoolExecutor() as threads:
        plain = threads.submit(walked, ["one", "two"], ["three"], 1)
        judge(walked(grouped(SHORT, 2), PASTED[::20], 1), plain.result())


@pytest.mark.long
@pytest.mark.timeout(1700)
@pytest.mark.parametrize("half", [0, 1])
def test_nothing_of_any_text_in_any_field_comes_out_of_any_screen(half: int) -> None:
    plain = walked(["one", "two"], ["three"], 1)
    judge(walked(TEXTS[half::2], PASTED[half::2], 12), plain)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_without_the_layers_the_same_judge_finds_what_comes_out() -> None:
    with a_queue(["one", "two"]) as gate:
        plain = Screen(gate.path)
        plain.until_shown(" waiting", "a approve")
        plain.close()
    with a_queue(SHORT) as gate:
        bare = Screen(gate.path, "bare")
        until(lambda: (bare.look(), len(bare.written) > 5000)[1], bare.look)
        time.sleep(1)
        bare.look()
        bare.child.close(force=True)
    found = faults(bare.written, plain.written, SHORT)
    assert any("sequence" in fault for fault in found), found
    assert any(fault.startswith("U+") for fault in found), found
