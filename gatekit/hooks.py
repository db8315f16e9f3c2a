"""What happens at the moment when a call starts to wait: the line that tells where to review, and the hook."""

from __future__ import annotations

import logging
import os
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from gatekit.display import dashboard_is_running, visible

if TYPE_CHECKING:
    from gatekit.gate import Gate
    from gatekit.models import Request

_log: Final = logging.getLogger("gatekit")
_log.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call that is about to wait: handed to `pending_hook`."""

    gate: Gate
    request: Request


class OnPending(Protocol):
    """Takes the place of waiting; tests and adapters provide it."""

    def check(self, gate: Gate) -> None:
        """Called before anything is queued; raises for a queue that it must not touch."""
        ...

    def __call__(self, call: PendingCall) -> None:
        """Called once for each call before it waits; may decide it through the reviewer's API."""
        ...


pending_hook: Final[ContextVar[OnPending | None]] = ContextVar("gatekit_on_pending", default=None)
"""What stands in for waiting in this context."""


def announce(call: PendingCall) -> None:
    """Say once that a call waits and how to review it: one WARNING, and one line if stderr is a terminal."""
    request, path = call.request, call.gate.path
    what = "waits for an answer" if request.kind == "question" else "waits for approval"
    if request.status == "unknown":
        what = "ended in a way that is not known: settle or retry it"
    line = f"{visible(request.tool)[0]} {what} ({request.id}). Review: gatekit review --queue {visible(path)[0]}"
    _log.warning(line, extra={"request_id": request.id, "queue": path})
    if not dashboard_is_running():
        _tell_terminal(line)


def _tell_terminal(line: str) -> None:
    try:
        if sys.stderr is not None and sys.stderr.isatty():
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - the one line that says where to review
    except (OSError, ValueError):
        # Closed, gone, or of an encoding that lacks a character: nobody reads it there, and the log has the line.
        return


def requester_name(agent: str | None) -> str:
    """Who asks: the agent that was named, else the script that runs."""
    return f"agent:{agent or _script() or 'python'}"


def _script() -> str:
    # An embedded interpreter has no arguments; and a file's name need not be text that can be stored.
    argv: list[str] = getattr(sys, "argv", [])
    return os.path.basename(argv[0]).encode("utf-8", "backslashreplace").decode() if argv else ""
