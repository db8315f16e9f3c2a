"""Tools that pay, and what their calls came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gatekit import Gate, Suspended, calling, gated_step
from gatekit.models import Request

HOUR: Final = 3600
DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY


class Till:
    """A gated tool `pay` that keeps a diary of the amounts that it really paid."""

    def __init__(self, gate: Gate, *, name: str = "pay", **options: Any) -> None:
        self.paid: list[int] = []
        self.gate = gate
        self.name = name
        self._calls = 0

        def pay(amount: int, vip: bool = False) -> str:
            self.paid.append(amount)
            return f"paid {amount}"

        self.step: Callable[..., str] = gated_step(pay, gate=gate, name=name, wait=0, tell_edits=False, **options)

    def asks(self, amount: int, vip: bool = False, *, call_id: str | None = None) -> Request:
        """A call that must wait; what is asked of the reviewers."""
        assert self.called(amount, vip, call_id=call_id) == "waits"
        return self.open[-1]

    def called(self, amount: int, vip: bool = False, *, call_id: str | None = None, agent: str = "bot") -> str:
        """What the call returns; `waits` where it is not decided."""
        self._calls += 1
        try:
            with calling(call_id=call_id or f"call-{self._calls}", agent=agent):
                return self.step(amount, vip)
        except Suspended:
            return "waits"

    @property
    def open(self) -> list[Request]:
        """Its pending requests, those that are due first first, then in the order in which they came."""
        return [self.gate.get(row.id) for row in self.gate.requests(tool=self.name, limit=1000)]


def stages(request: Request) -> dict[str, str]:
    """How far each stage is."""
    return {stage.name: stage.status for stage in request.stages}


def kinds(gate: Gate, request: Request) -> list[str]:
    return [event.kind for event in gate.history(request.id)]
