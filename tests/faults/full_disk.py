"""A program whose disk gets full at each step of a call, and has room again later.

Argument: a directory. Makes a queue in it for each step, and prints one JSON line for each: what was answered.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gatekit import Args, Gate, calling, gated_step
from gatekit.gating import attempt
from tests.faults.support import Background, ended, first_request, until_waiting

_HARD = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
FRAME = 4096 + 24
"""Bytes that one page takes in the log."""
ROOMS = (*range(0, 30, 6), *range(32, 58, 2))
"""Pages of room: a call writes about 47, the outcome last; all of these calls write fewer than start the log anew."""


def fill(room: int = 1) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, _HARD))


def free() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_HARD, _HARD))


@contextmanager
def full(room: int = 1) -> Generator[None]:
    """No file can grow in this block."""
    fill(room)
    try:
        yield
    finally:
        free()


class Agent:
    """Pays in a thread, and keeps what it was told."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.reviewer = gate.reviewer("bob")
        self.ran: list[int] = []
        self.told: dict[str, str] = {}
        self.decided: list[tuple[str, str]] = []

    def tool(self, amount: int, memo: str = "") -> str:
        self.ran.append(amount)
        return f"paid {amount}"

    def note(self, name: str, answer: Any) -> Any:
        self.told[name] = f"{type(answer).__name__}: {answer}" if isinstance(answer, Exception) else str(answer)
        return answer

    def decide(self, name: str, decision: Callable[[], Any]) -> None:
        answer = ended(decision)
        if isinstance(answer, Exception):
            self.note(name, answer)
        else:
            self.note(name, answer.verb)
            self.decided.append((answer.request_id, answer.verb))

    def approved(self, name: str, amount: int) -> None:
        """A call that goes its whole way; nothing is in its way any more."""
        call = Background(lambda: gated_step(self.tool, gate=self.gate, name="pay")(amount))
        until_waiting(self.gate)
        (request,) = [one for one in self.reviewer.pending() if one.args["amount"] == amount]
        self.decide(f"{name}: decided", lambda: self.reviewer.approve(request))
        self.note(name, call.end())


def opening(agent: Agent) -> None:
    pay = gated_step(agent.tool, gate=agent.gate, name="pay")
    with full():
        agent.note("call", ended(lambda: pay(1)))
        agent.note("look", ended(lambda: agent.reviewer.pending()))
    agent.approved("later", 2)


def submitting(agent: Agent) -> None:
    agent.gate.count()
    with full():
        agent.note("call", ended(lambda: gated_step(agent.tool, gate=agent.gate, name="pay")(1)))
    agent.note("queued", agent.gate.count("pending"))
    agent.approved("later", 2)


def deciding(agent: Agent) -> None:
    call = Background(lambda: gated_step(agent.tool, gate=agent.gate, name="pay")(1))
    request = first_request(agent.gate)
    with full():
        agent.decide("full", lambda: agent.reviewer.approve(request))
        agent.note("status", agent.gate.get(request.id).status)
    agent.decide("later", lambda: agent.reviewer.approve(request))
    agent.note("call", call.end())


def starting(agent: Agent) -> None:
    asked: list[int] = []

    def predicate(args: Args) -> bool:
        # Asked again for the edited arguments, after the decision and before the start.
        if asked:
            fill()
        asked.append(args.amount)
        return True

    pay = gated_step(agent.tool, gate=agent.gate, name="pay", requires_approval=predicate)

    def call() -> Any:
        with calling(call_id="c1"):
            return pay(1)

    first = Background(call)
    request = first_request(agent.gate)
    agent.decide("edited", lambda: agent.reviewer.edit(request, {"memo": "m"}))
    agent.note("call", first.end())
    agent.note("ran", agent.ran)
    free()
    asked.clear()
    agent.note("again", ended(call))


def finishing(agent: Agent) -> None:
    """The room comes back while the outcome is tried again; and, for a second call, too late."""

    def tool(amount: int) -> str:
        fill()
        if amount == 1:
            threading.Timer(0.05, free).start()
        return agent.tool(amount)

    attempt._FINISH_DELAYS = (0.02,) * 20
    for amount in (1, 2):
        call = Background(lambda amount=amount: gated_step(tool, gate=agent.gate, name="pay")(amount))
        until_waiting(agent.gate)
        (request,) = agent.reviewer.pending()
        agent.decide(f"decided {amount}", lambda request=request: agent.reviewer.approve(request))
        agent.note(f"call {amount}", call.end())
        agent.note(f"known result {amount}", getattr(call.end(), "result", None))
    free()


def filling(agent: Agent) -> None:
    """A little more room each time, so that it ends at another page of another transaction of a call."""
    attempt._FINISH_DELAYS = (0.0,)
    pay = gated_step(agent.tool, gate=agent.gate, name="pay")
    log = Path(f"{agent.gate.path}-wal")
    agent.approved("before", 999)
    refused: list[str] = []
    for pages in ROOMS:
        fill(log.stat().st_size + pages * FRAME)
        call = Background(lambda amount=pages: pay(amount))
        while call.goes_on:
            for request in agent.reviewer.pending():
                answer = ended(lambda request=request: agent.reviewer.approve(request))
                if isinstance(answer, Exception):
                    refused.append("approve")
                    free()
                else:
                    agent.decided.append((request.id, answer.verb))
        end = call.end()
        free()
        if isinstance(end, Exception):
            refused.append(type(end).__name__)
    agent.note("refused", " ".join(sorted(set(refused))))
    agent.approved("later", 1000)


STEPS = (opening, submitting, deciding, starting, finishing, filling)


def main() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for step in STEPS:
        queue = Path(sys.argv[1]) / f"{step.__name__}.db"
        with Gate(queue) as gate:
            agent = Agent(gate)
            step(agent)
        facts = {"step": step.__name__, "told": agent.told, "decided": agent.decided, "ran": agent.ran}
        sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
