"""Requests with a policy, questions and confirmations, made in a thread of their own, as the tests run in a loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from gatekit import Policy, Suspended, calling, gated_step
from tests.tui.calls import Queue


def made_by(queue: Queue, act: Callable[[], object]) -> str:
    """The request that this makes."""
    before = {row.id for row in queue.gate.requests("pending", limit=1000)}
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    (made,) = {row.id for row in queue.gate.requests("pending", limit=1000)} - before
    return made


def pay(
    queue: Queue, policy: Policy | None = None, *, risk: Any = "medium", agent: str = "payer", **options: Any
) -> str:
    """A call under a policy."""

    @gated_step(gate=queue.gate, name="pay", policy=policy, risk=risk, wait=0, on_suspend="return", **options)
    def step(amount: int, to: str) -> str:
        return "paid"

    def call() -> None:
        with calling(agent=agent):
            step(500, "acme")

    return made_by(queue, call)


def ask(queue: Queue, prompt: str, kind: Any = str, **options: Any) -> str:
    """A question."""

    def act() -> None:
        try:
            queue.gate.ask(prompt, kind, wait=0, **options)
        except Suspended:
            return

    return made_by(queue, act)


def confirm(queue: Queue, prompt: str, **options: Any) -> str:
    """A confirmation."""

    def act() -> None:
        try:
            queue.gate.confirm(prompt, wait=0, **options)
        except Suspended:
            return

    return made_by(queue, act)
