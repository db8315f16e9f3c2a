"""Processes forked from this one, which has everything imported: a new worker within milliseconds."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Final

from tests.crash import shim
from tests.crash.stage import Stage
from tests.crash.told import Told, parse_all

HANGS: float = 30.0
"""Seconds after which a process that should have ended is killed."""
_PR_SET_PDEATHSIG: Final = 1
"""From linux/prctl.h."""
Body = Callable[[Stage], None]


class Process:
    """A fork that plays a part on a stage. What it reports comes through a pipe of its own."""

    def __init__(self, folder: str, body: Body, *, hit: shim.Hit | None = None) -> None:
        self._pipe, into = os.pipe()
        self._text = b""
        self.status: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _play(folder, body, into, hit)
        os.close(into)
        os.set_blocking(self._pipe, False)

    @property
    def told(self) -> list[Told]:
        """What it reported so far."""
        self._read()
        return parse_all(self._text)

    @property
    def ended(self) -> bool:
        """Whether it is over; then its id is free again."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._end(status)
        return self.status is not None

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL

    def send(self, number: signal.Signals) -> None:
        """A signal, unless it is over."""
        if not self.ended:
            os.kill(self.pid, number)

    def join(self) -> list[Told]:
        """Wait for its end; what it reported, with an `error` if it neither came to its end nor was killed."""
        until = time.monotonic() + HANGS
        hung = False
        while self.status is None:
            if time.monotonic() > until and not hung:
                hung = True
                os.kill(self.pid, signal.SIGKILL)
            self._wait()
        told = self.told
        if hung:
            told.append(Told("error", "", f"hung after {told}"))
        elif not self.killed and self.status and not any(report.what == "error" for report in told):
            told.append(Told("error", "", f"ended with {self.status}"))
        return told

    def kill(self) -> list[Told]:
        """Kill it, if it is not over, and wait for its end."""
        self.send(signal.SIGKILL)
        return self.join()

    def _wait(self) -> None:
        # The pipe ends with the last thread of the process, so this wakes at its end.
        select.select([self._pipe], [], [], 1.0)
        if self._read():
            _, status = os.waitpid(self.pid, 0)
            self._end(status)

    def _end(self, status: int) -> None:
        self.status = os.waitstatus_to_exitcode(status)
        while not self._read():
            select.select([self._pipe], [], [], 1.0)

    def _read(self) -> bool:
        """Take what is there; whether there will be no more."""
        while self._pipe >= 0:
            try:
                part = os.read(self._pipe, 65536)
            except BlockingIOError:
                return False
            if part:
                self._text += part
            else:
                os.close(self._pipe)
                self._pipe = -1
        return True


def _play(folder: str, body: Body, into: int, hit: shim.Hit | None) -> None:
    """The child's whole life."""
    _die_with_its_parent()
    traced = hit is not None and hit.trace is not None

    def report(told: Told) -> None:
        os.write(into, told.line.encode())
        if traced:
            shim.note(told.line)

    stage = Stage(folder, report)
    code = 1
    try:
        if hit is not None:
            shim.arm(hit)
        body(stage)
        if hit is not None:
            stage.tell("calls", "", str(shim.calls()))
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the foreman must hear of it
        stage.tell("error", "", traceback.format_exc())
    finally:
        sys.stdout.flush()
        os._exit(code)


def _die_with_its_parent() -> None:
    """Else one that is stopped when its foreman is killed stays for ever, and keeps the foreman's output open."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def errors(told: Iterable[Told]) -> list[str]:
    """What processes say of themselves that should not have been."""
    return [report.detail for report in told if report.what == "error"]
