"""Asking in the program's own terminal: `Gate(prompt=True)`.

The terminal itself is opened, not the program's output, which may be captured. Whoever decides elsewhere meanwhile ends
the question here. Only the words `y` and `yes` approve; a closed input leaves the request in the queue.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import select
import termios
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gatekit.arguments.edits import changes_of
from gatekit.display import dashboard_is_running, draw_arguments, shorten, visible
from gatekit.errors import InvalidEdit, ReviewError, UsageError
from gatekit.hooks import PendingCall
from gatekit.models import UNDECIDED, Request

if TYPE_CHECKING:
    from gatekit.gate import Gate
    from gatekit.reviewer import Reviewer

_DEVICE: Final = "/dev/tty"
_DRAWN: Final = 20_000
"""Characters of arguments that are drawn."""
_LOOK: Final = 0.2
"""Seconds between two looks at whether somebody decided elsewhere: a terminal cannot wait for that too."""
_one_at_a_time: Final = threading.Lock()


class Terminal:
    """The terminal that this process may ask in."""

    def __init__(self, descriptor: int, is_over: Callable[[], bool]) -> None:
        self._descriptor = descriptor
        self._is_over = is_over

    def say(self, text: str) -> None:
        """Write; what is foreign in it was made visible before."""
        os.write(self._descriptor, text.encode("utf-8", "replace"))

    def line(self, question: str) -> str | None:
        """What is typed next, without the line's end; None: nobody types any more, or it is decided elsewhere."""
        # What was typed before the question could be seen is no answer to it.
        termios.tcflush(self._descriptor, termios.TCIFLUSH)
        self.say(question)
        while not select.select([self._descriptor], [], [], _LOOK)[0]:
            if self._is_over():
                self.say("\nit was decided elsewhere\n")
                return None
        typed = os.read(self._descriptor, 65536)
        if not typed:
            self.say("\nit stays in the queue\n")
            return None
        return typed.decode("utf-8", "replace").rstrip("\r\n")


def can_prompt() -> bool:
    """Whether there is a terminal in which somebody would see a question of this process now."""
    if dashboard_is_running():
        return False
    try:
        descriptor = os.open(_DEVICE, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        # In the background a read would stop the whole process.
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(descriptor)


def prompt(call: PendingCall) -> None:
    """Ask here, and decide as the answer says."""
    ended = call.gate.backend.wait(call.request.id, UNDECIDED, None)
    with _one_at_a_time:
        descriptor = os.open(_DEVICE, os.O_RDWR | os.O_NOCTTY)
        try:
            if not ended.done:
                _ask(Terminal(descriptor, lambda: ended.done), call)
        finally:
            ended.abandon()
            os.close(descriptor)


def _ask(terminal: Terminal, call: PendingCall) -> None:
    request = call.request
    terminal.say(_shown(request))
    seat = call.gate.reviewer(_who())
    while True:
        said = terminal.line(_question(request))
        if said is None:
            return
        try:
            if _decide(terminal, call.gate, seat, request, said.strip()):
                return
        except InvalidEdit as error:
            terminal.say(f"{visible(str(error))[0]}\n")
        except ReviewError as error:
            terminal.say(f"{visible(str(error))[0]}\nIt stays in the queue.\n")
            return


def _decide(terminal: Terminal, gate: Gate, seat: Reviewer, request: Request, said: str) -> bool:
    """Whether that was an answer."""
    if request.kind == "question" and said:
        seat.answer(request, _answer(gate, request, said))
        return True
    if request.kind == "question":
        seat.reject(request, reason="no answer at the terminal")
        return True
    if said.lower() in ("y", "yes"):
        seat.approve(request)
        return True
    if said.lower() == "e" and request.kind == "call":
        typed = terminal.line('the changes as JSON, {"amount": 40}: ')
        if typed is None or not typed.strip():
            return False
        seat.edit(request, changes_of(typed))
        return True
    seat.reject(request, reason=said if len(said) > 1 and said.lower() != "no" else "rejected at the terminal")
    return True


def _answer(gate: Gate, request: Request, said: str) -> object:
    """What was typed, as the question wants it: a text, yes or no, else JSON. Raises `InvalidEdit` where none fits."""
    meant: list[object] = [said]
    if said.lower() in _WORDS:
        meant.append(_WORDS[said.lower()])
    with contextlib.suppress(InvalidEdit):
        meant.append(changes_of(f'{{"answer":{said}}}')["answer"])
    for one in meant:
        with contextlib.suppress(InvalidEdit):
            gate.check_edit(request, {"answer": one})
            return one
    return said


def _question(request: Request) -> str:
    if request.kind == "question":
        return "answer (Enter: none): "
    return "approve? [y/N/e to edit] " if request.kind == "call" else "approve? [y/N] "


def _shown(request: Request) -> str:
    lines = [
        "",
        f"{visible(request.tool)[0]} waits for approval ({request.id}), risk {request.risk}",
        f"  it says: {visible(shorten(request.description, 500)[0])[0]}",
    ]
    drawing = draw_arguments(request.args, limit=_DRAWN)
    lines += [f"  {line.path} = {line.text}" if line.path else f"    {line.text}" for line in drawing.lines]
    lines += [f"  beware: {warning}" for warning in drawing.warnings]
    lines += [f"  why: {visible(reason)[0]}" for reason in request.reasons]
    who = [", ".join(stage.reviewers) or "any reviewer" for stage in request.stages if stage.status == "current"]
    lines.append(f"  may approve: {visible('; '.join(who))[0]}")
    if request.decide_by is not None:
        lines.append(f"  until {request.decide_by:%Y-%m-%d %H:%M:%S} UTC; then it {_SILENCE[request.on_expiry]}")
    return "\n".join(lines) + "\n"


_WORDS: Final = {"y": True, "yes": True, "n": False, "no": False}
_SILENCE: Final = {
    "expire": "expires",
    "approve": "is approved",
    "escalate": "goes to somebody else",
    "keep": "stays open",
}


def _who() -> str:
    named = os.environ.get("GATEKIT_REVIEWER")
    try:
        return named or getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("this system does not tell who you are: set $GATEKIT_REVIEWER") from error
