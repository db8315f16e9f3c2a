"""Another process at the same queue: `python rival.py QUEUE`.

It reads orders, one JSON list a line: `[seconds, what, ...]`. It waits so long, does it, and prints the ids of the
requests that came of it, or nothing where the queue refused.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from gatekit import Gate, GatekitError, gated_step


class Rival:
    """An agent that asks, and a reviewer named ana who decides at any moment."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._made = 0

    def add(self, count: int, risk: Any, expires_after: float | None) -> list[str]:
        before = self._waiting()
        for _ in range(count):
            self._made += 1
            name = f"tool{self._made}"
            options: dict[str, Any] = {"risk": risk, "expires_after": expires_after}
            step = gated_step(_nothing, gate=self._gate, name=name, wait=0, on_suspend="return", **options)
            step(path=f"/srv/{name}")
        return [request_id for request_id in self._waiting() if request_id not in before]

    def approve(self, request_id: str) -> None:
        self._gate.reviewer("ana").approve(self._gate.get(request_id))

    def edit(self, request_id: str) -> None:
        self._gate.reviewer("ana").edit(self._gate.get(request_id), {"path": "/elsewhere"})

    def change(self, request_id: str) -> None:
        """Edit it and take that back: it is asked again, as another version."""
        ana = self._gate.reviewer("ana", hold=60)
        ana.edit(self._gate.get(request_id), {"path": "/elsewhere"})
        ana.undo(self._gate.get(request_id))

    def reject(self, request_id: str) -> None:
        self._gate.reviewer("ana").reject(self._gate.get(request_id), reason="no")

    def withdraw(self, request_id: str) -> None:
        self._gate.reviewer("ana").cancel(self._gate.get(request_id))

    def _waiting(self) -> list[str]:
        return [row.id for row in self._gate.requests("pending", order="oldest", limit=1000)]


def _nothing(path: str) -> str:
    return path


def say(line: str) -> None:
    """To whoever gave the order."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(path: str) -> None:
    """Do what is ordered, until nothing more can be."""
    with Gate(path, create=False) as gate:
        rival = Rival(gate)
        say("ready")
        for line in sys.stdin:
            seconds, what, *given = json.loads(line)
            time.sleep(seconds)
            do: Callable[..., list[str] | None] = getattr(rival, what)
            try:
                say(json.dumps(do(*given) or []))
            except GatekitError:
                # Another was faster: that is what a race is.
                say("[]")


if __name__ == "__main__":
    main(sys.argv[1])
