"""Where the processes of these tests play: a queue, a tool that leaves a trace in the world, an ear for reports."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from gatekit import Gate, NotApproved, OutcomeUnknown, Request, Suspended, calling, current, gated_step
from gatekit.errors import ToolFailed
from gatekit.store import checkpoint
from tests.crash.told import Told, What

RUN: Final = "crash"
REVIEWER: Final = "bob"
UNLUCKY: Final = 13
"""The amount at which the tool raises."""
FATAL: Final = 66
"""The amount at which the tool kills its own process, the first time."""
EDITED: Final = 40
"""The amount that a reviewer puts in place of another."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a process plays: the queue, the file of side effects, and whom it reports to."""

    folder: str
    report: Callable[[Told], None]
    hangs: bool = False
    """Whether the tool never ends in this process."""
    pace: float = 0.0
    """Seconds that the tool takes at most after it acted."""

    @property
    def queue(self) -> str:
        return os.path.join(self.folder, "queue.db")

    @property
    def effects(self) -> str:
        """The file in which each run of the tool leaves a line."""
        return os.path.join(self.folder, "effects")

    def tell(self, what: What, label: str = "", detail: str = "") -> None:
        self.report(Told(what, label, detail))

    @staticmethod
    def label_of(request: Request) -> str:
        """What a request is called in reports: its call's own label, or the name of a pause."""
        return str(request.args.get("label", f"{request.run}.{request.call_id}"))

    def run(self, label: str, amount: int) -> str:
        """What the tool does: something that cannot be taken back."""
        call = current()
        line = json.dumps([label, amount, call.attempt, call.request_id]) + "\n"
        file = os.open(self.effects, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, line.encode())
        os.fsync(file)
        os.close(file)
        self.tell("called", label, line.strip())
        if amount == UNLUCKY:
            raise ValueError(f"{amount} brings bad luck")
        if amount == FATAL and call.attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.pace:
            time.sleep(random.uniform(0, self.pace))
        while self.hangs:
            signal.pause()
        return f"paid {amount}"


Role = Callable[[Stage], None]
Tool = Callable[[str, int], str]


def make_tool(stage: Stage, gate: Gate, *, wait: float | None, **options: Any) -> Tool:
    """The gated tool."""

    @gated_step(gate=gate, name="pay", wait=wait, description="pay {amount}", tell_edits=False, **options)
    def pay(label: str, amount: int) -> str:
        return stage.run(label, amount)

    tool: Tool = pay
    return tool


def call(stage: Stage, tool: Tool, label: str, amount: int) -> str | None:
    """One call under the identity of its label; the request's id where it has to wait for somebody."""
    try:
        with calling(call_id=label, run=RUN):
            value = tool(label, amount)
    except Suspended as error:
        stage.tell("submitted", label)
        return error.request_id
    except NotApproved as error:
        stage.tell("refused", label, type(error).__name__)
    except (ValueError, ToolFailed) as error:
        stage.tell("raised", label, str(error))
    except OutcomeUnknown:
        stage.tell("unknown", label)
    else:
        stage.tell("returned", label, json.dumps(value))
    return None


def decide(stage: Stage, gate: Gate, verb: str, request: Request, *args: Any, hold: float = 0, **words: Any) -> None:
    """One word of the reviewer on a request, or on its last attempt."""
    decision = getattr(gate.reviewer(REVIEWER, hold=hold), verb)(request, *args, **words)
    stage.tell("decided", stage.label_of(request), f"{decision.verb} {decision.by} {decision.token}")


def asked(stage: Stage, gate: Gate, tool: Tool, label: str, amount: int) -> Request:
    request_id = call(stage, tool, label, amount)
    assert request_id is not None, f"{label} did not wait"
    return gate.get(request_id)


def with_small_log(pages: int = 20) -> None:
    """From now on the log of a queue is copied when it has so many pages."""
    force(checkpoint, "WAL_PAGES", pages)


def force(module: ModuleType, name: str, value: object) -> None:
    """Give a constant of gatekit's another value in this process."""
    assert hasattr(module, name), f"{module.__name__} has no {name} any more"
    setattr(module, name, value)
