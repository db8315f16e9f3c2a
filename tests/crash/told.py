"""What a worker reports, one line each, before it goes on: from then on the queue must know it for ever."""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

What = Literal[
    "submitted", "decided", "called", "returned", "raised", "refused", "unknown", "run", "result", "calls", "error"
]


class Told(NamedTuple):
    """One report. `label` is the call it is about, as its arguments name it."""

    what: What
    label: str = ""
    detail: str = ""
    """`decided`: verb, who, token; `called`: the arguments; `returned`, `raised`: with what; `run`, under the
    run's id: its status, `result`: what it returned; `calls`: the count."""

    @property
    def line(self) -> str:
        return json.dumps(self) + "\n"


def parse(line: str) -> Told:
    """The report that a line holds."""
    return Told(*json.loads(line))


def parse_all(text: bytes) -> list[Told]:
    """The reports of a process; the last line can be cut where it was killed."""
    whole, _, _ = text.decode().rpartition("\n")
    return [parse(line) for line in whole.splitlines()]
