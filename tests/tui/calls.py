"""A real queue to sit at: adds calls, and decides and changes them from elsewhere."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

import anyio

from gatekit import Gate, calling, gated_step
from gatekit.models import Decision
from gatekit.testing import FakeClock


class Queue:
    def __init__(self, gate: Gate, clock: FakeClock) -> None:
        self.gate = gate
        self.clock = clock

    def add(
        self,
        tool: str = "write_file",
        path: str = "/srv/a",
        description: str | None = None,
        risk: Any = "medium",
        run: str | None = None,
        agent: str | None = None,
        more: Any = None,
    ) -> str:
        """A call that waits, made in a thread of its own, as the tests run in a loop."""
        words = f"{tool} at work" if description is None else description

        @gated_step(gate=self.gate, name=tool, description=lambda args: words, risk=risk, wait=0, on_suspend="return")
        def step(path: str, more: Any = None) -> str:
            return "done"

        def call() -> None:
            with calling(run=run, agent=agent) if run or agent else nullcontext():
                step(path, more)

        before = self._waiting()
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        (made,) = self._waiting() - before
        return made

    def add_many(self, count: int) -> list[str]:
        """So many calls at once."""

        @gated_step(gate=self.gate, name="write_file", wait=0, on_suspend="return")
        async def step(path: str) -> str:
            return "done"

        async def call_all() -> None:
            async with anyio.create_task_group() as group:
                for number in range(count):
                    group.start_soon(step, str(number))

        thread = threading.Thread(target=anyio.run, args=(call_all,))
        thread.start()
        thread.join()
        return [row.id for row in self.gate.requests("pending", limit=1000)]

    def decide(self, request_id: str, verb: str = "approve", by: str = "ana", reason: str | None = None) -> None:
        reviewer, request = self.gate.reviewer(by), self.gate.get(request_id)
        if verb == "reject":
            reviewer.reject(request, reason=reason or "no")
        else:
            reviewer.approve(request)

    def change(self, request_id: str) -> None:
        """Somebody edits the call and takes the edit back: the same is asked again, as another version."""
        reviewer = self.gate.reviewer("ana", hold=60)
        reviewer.edit(self.gate.get(request_id), {"path": "/elsewhere"})
        reviewer.undo(self.gate.get(request_id))

    def decision(self, request_id: str) -> Decision | None:
        return self.gate.get(request_id).decision

    def verb(self, request_id: str) -> str | None:
        decision = self.decision(request_id)
        return None if decision is None or decision.standing != "counts" else decision.verb

    def by(self, request_id: str) -> str:
        decision = self.decision(request_id)
        assert decision is not None
        return decision.by

    def reason(self, request_id: str) -> str | None:
        decision = self.decision(request_id)
        assert decision is not None
        return decision.reason

    def args(self, request_id: str) -> Any:
        return self.gate.get(request_id).args

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def _waiting(self) -> set[str]:
        return {row.id for row in self.gate.requests("pending", limit=1000)}
