"""How a row of the table of docs/states.md is written down as tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from gatekit import errors
from gatekit.machine.commands import Answer
from gatekit.machine.projection import decision_model
from gatekit.models import STATUSES, Status
from tests.machine.case import Case

Event = Callable[[Case], Answer[Any]]


@dataclass(frozen=True)
class To:
    """The request moves to a status, and its version by so many."""

    status: Status
    versions: int = 0

    def __str__(self) -> str:
        return self.status + (f", version + {self.versions}" if self.versions else "")


NOTHING: Final = "no change"
OTHERS: Final = "others"
DECIDED: Final = "AlreadyDecided"
FORBIDDEN: Final = "NotAllowed"


def row(name: str, event: Event, /, **cells: To | str) -> list[Any]:
    """One row of the table; `others` stands for the states that the row does not name."""
    return [
        pytest.param(event, status, cells.get(status, cells.get(OTHERS)), id=f"{name} / {status} -> {cell}")
        for status in STATUSES
        if (cell := cells.get(status, cells.get(OTHERS))) is not None
    ]


def check(case: Case, event: Event, expected: To | str) -> None:
    """Let the event happen, and compare what became of the request."""
    before = case.request
    answer = event(case)
    if isinstance(expected, To):
        assert answer.refusal is None
        assert (case.status, case.request.version) == (expected.status, before.version + expected.versions)
        return
    assert case.request == before
    if expected == NOTHING:
        assert (answer.value, answer.refusal) == (None, None)
    else:
        assert type(answer.refusal) is getattr(errors, expected)
    if isinstance(answer.refusal, errors.AlreadyDecided):
        assert answer.refusal.decision == decision_model(case.state, case.standing)
