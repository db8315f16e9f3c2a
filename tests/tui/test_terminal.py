"""The dashboard on real terminals: what reaches them, what they answer, and what is pasted into them."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.display import visible
from gatekit.testing import temporary_gate
from tests.corpus_cases import pick
from tests.tui import foul
from tests.tui.calls import Queue
from tests.tui.terminal import SEAT, Screen, Tmux, until

pytestmark = pytest.mark.sweep

POINTER = re.compile("\x1b\\]22;[a-z]*\x07")
"""Textual sets the shape of the mouse pointer."""
CSI = re.compile(r"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]")


def test_no_byte_of_a_hostile_text_reaches_the_terminal(queue: Queue) -> None:
    marked = {f"m{number:02}m": case.payload for number, case in enumerate(pick("terminal", "unicode")) if not case.py}
    for mark, payload in marked.items():
        queue.add(tool=mark, path=f"{mark}{payload}", description=f"{mark}{payload}")
    screen = Screen(queue.gate.path)
    screen.until_shown(f"{len(marked)} waiting", '"m00m')
    for mark in list(marked)[1:]:
        screen.child.send("j")
        screen.until_shown(f'"{mark}')
    screen.close()
    for mark, payload in marked.items():
        if visible(payload)[1]:
            assert mark + payload not in screen.written
            assert mark + visible(payload)[0][:12] in screen.written
    rest = POINTER.sub("", CSI.sub("", screen.written))
    left = {char for char in rest if visible(f"x{char}")[1] and char not in "\r\x1b"}
    assert not left, [f"U+{ord(char):04X}" for char in left]
    assert set(re.findall("\x1b.", rest)) <= {"\x1b>", "\x1b=", "\x1b7", "\x1b8"}, set(re.findall("\x1b..", rest))


def test_a_reviewer_leaves_and_the_terminal_is_as_before(queue: Queue) -> None:
    queue.add()
    screen = Screen(queue.gate.path, columns=80, lines=24)
    screen.until_shown("1 waiting")
    screen.close()
    assert screen.child.exitstatus == 0
    for switched_on in ("?1049", "?1000", "?1003", "?2004"):
        if f"\x1b[{switched_on}h" in screen.written:
            assert screen.written.rindex(f"\x1b[{switched_on}l") > screen.written.rindex(f"\x1b[{switched_on}h")


QUERIES = (
    "\x1b[>q",
    "\x1b[5n",
    "\x1b[c",
    "\x1b[>c",
    "\x1b[6n",
    "\x1b[18t",
    "\x1b]10;?\x1b\\",
    "\x1b]11;?\x07",
    "\x1bP$qm\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x9b>q",
)
"""What terminals answer on the keyboard's line."""
TITLE = "\x1b]2;owned\x1b\\"
ORDERS = (TITLE, "\x1b]2;owned\x07", "\x1b]52;c;b3duZWQ=\x1b\\")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: apt-get install tmux")
    tmux = Tmux(tmp_path)
    yield tmux
    tmux("kill-server")


def done_by_alice(gate: Gate) -> list[str]:
    return [event.kind for event in gate.events(limit=1000) if event.by == "human:alice"]


@pytest.mark.timeout(150)
def test_a_call_whose_text_makes_the_terminal_answer_gets_nothing_approved(queue: Queue, tmux: Tmux) -> None:
    texts = [*QUERIES, *ORDERS]
    ids = [
        queue.add(tool=f"t{number}", path=f"x{text}", description=f"pay {text}", run=f"r{text}", agent=text, risk="low")
        for number, text in enumerate(texts)
    ]
    for text in texts:
        foul.run(queue.gate, {"step": text, "run_id": text, "value": text, "error": text})
    tmux.start(sys.executable, str(SEAT), queue.gate.path)
    tmux.until_shown(f"{len(ids) + len(texts)} waiting")
    title = tmux.title()
    for number, request_id in enumerate(ids):
        tmux.until_shown(f"t{number}  ", f"{request_id} ")
        for key, shown in (("o", ""), ("o", ""), ("h", " history "), ("Escape", "waiting")):
            tmux.keys(key)
            tmux.until_shown(shown)
            # What must not come announces itself by nothing: give the terminal the time to answer.
            time.sleep(0.15)
        tmux.keys("j")
    for key, shown in (("U", " runs "), ("o", " run "), ("Escape", " runs "), ("Escape", "waiting"), ("?", "keys and")):
        tmux.keys(key)
        tmux.until_shown(shown)
        time.sleep(0.3)
    tmux.keys("Escape")
    tmux.until_shown("waiting")
    assert done_by_alice(queue.gate) == []
    assert tmux.title() == title
    assert "owned" not in title
    assert tmux("list-buffers") == ""


BURST = "yyyyaaaa"
PASTES = {
    "typed in one burst": ("send-keys", "-l", "-t", "t", BURST),
    "pasted": ("set-buffer", BURST, ";", "paste-buffer", "-t", "t"),
    "pasted in brackets": ("set-buffer", BURST, ";", "paste-buffer", "-p", "-t", "t"),
    "pasted with an end": ("set-buffer", f"{BURST}\n", ";", "paste-buffer", "-t", "t"),
}


@pytest.mark.parametrize(
    "paste",
    [
        pytest.param(keys, id=name, marks=() if name == "typed in one burst" else pytest.mark.long)
        for name, keys in PASTES.items()
    ],
)
@pytest.mark.timeout(150)
def test_a_paste_right_as_a_question_opens_decides_nothing(paste: tuple[str, ...], tmux: Tmux) -> None:
    with temporary_gate() as gate:
        calls = Queue(gate, None)  # type: ignore[arg-type]
        for tool, risk in ((BURST, "critical"), ("one", "high"), ("two", "low"), ("three", "low")):
            calls.add(tool=tool, risk=risk)
        tmux.start(sys.executable, str(SEAT), gate.path)
        tmux.until_shown("4 waiting", "a approve")
        time.sleep(0.5)
        # On each kind of question, and on the list itself; the key and the paste come as one.
        for place, keys, shown in (
            ("g", "a", f"Type {BURST}"),
            ("j", "a", "Type yes"),
            ("j", "r", "Reject two?"),
            ("j", "S", "Stop the queue?"),
            ("j", "", "4 waiting"),
        ):
            tmux.keys("Escape")
            tmux.until_shown("4 waiting", "a approve")
            tmux.keys(place)
            time.sleep(0.5)
            tmux("send-keys", "-t", "t", *([keys] if keys else []), ";", *paste)
            time.sleep(0.8)
            assert done_by_alice(gate) == [], (shown, tmux.screen())
            tmux.keys("Escape")
            time.sleep(0.2)
        check_the_batch(tmux, gate, paste)
        check_leaving(tmux, gate, paste)


def check_the_batch(tmux: Tmux, gate: Gate, paste: tuple[str, ...]) -> None:
    tmux.keys("Escape")
    tmux.until_shown("4 waiting", "a approve")
    time.sleep(0.5)
    tmux.keys("*")
    tmux.until_shown("4 marked")
    time.sleep(0.5)
    tmux("send-keys", "-t", "t", "A", ";", *paste)
    time.sleep(0.8)
    assert done_by_alice(gate) == [], tmux.screen()
    tmux.keys("Escape")


def check_leaving(tmux: Tmux, gate: Gate, paste: tuple[str, ...]) -> None:
    """A rejection by hand shows that the keys are alive; what is pasted as one leaves neither keeps nor undoes it."""
    tmux.until_shown("4 waiting", "a approve")
    time.sleep(0.5)
    tmux.keys("r")
    tmux.until_shown("Enter rejects")
    time.sleep(0.5)
    tmux.keys("n")
    tmux.keys("Enter")
    tmux.until_shown("1 held")
    tmux("send-keys", "-t", "t", "q", ";", *paste)
    until(lambda: done_by_alice(gate) == ["rejected"], lambda: f"{done_by_alice(gate)}\n{tmux.screen()}")
    time.sleep(0.8)
    assert done_by_alice(gate) == ["rejected"], tmux.screen()
    assert "held" in tmux.screen() or "can still be undone" in tmux.screen()


def test_without_the_layers_the_same_text_reaches_the_terminal(queue: Queue, tmux: Tmux) -> None:
    # Alone: the answers to queries would press keys, and might leave.
    queue.add(path=f"x{TITLE}", description=f"pay {TITLE}")
    tmux.start(sys.executable, str(SEAT), queue.gate.path, "bare")
    until(lambda: tmux.title() == "owned", lambda: f"this test would notice nothing: {tmux.screen()}", 50)
