"""What a process does with a durable run, alone or beside another, and how a second one brings it to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from gatekit import Gate, NotApproved, Request, Run
from gatekit.errors import ToolFailed
from gatekit.models import RUN_OVER
from gatekit.runs import Handle
from tests.crash.stage import FATAL, UNLUCKY, Role, Stage, decide, make_tool

RUN_ID: Final = "trip"
_PATIENCE: Final = 20.0
_ROUNDS: Final = 6
"""More than any of these runs needs to come to its end."""


def flows(stage: Stage, gate: Gate) -> dict[str, Any]:
    """The workflows of this program."""
    pay = make_tool(stage, gate, wait=None)

    def look(label: str, amount: int) -> str:
        return stage.run(label, amount)

    def step(run: Run, name: str, tool: Callable[[str, int], str], amount: int) -> str:
        label = _label(run, name)
        try:
            value = run.step(name, tool, label, amount)
        except (ToolFailed, NotApproved) as error:
            stage.tell("raised" if isinstance(error, ToolFailed) else "refused", label, str(error))
            raise
        return told(label, value)

    def told(label: str, value: str) -> str:
        stage.tell("returned", label, json.dumps(value))
        return value

    def errand(run: Run) -> str:
        step(run, "a", look, 1)
        step(run, "b", pay, 2)
        return step(run, "c", look, 3)

    def halt(run: Run) -> str:
        step(run, "a", look, 1)
        payload = run.pause("break", {"amount": 2})
        return step(run, "b", look, payload["amount"])

    def both(run: Run) -> str:
        step(run, "a", look, 1)
        labels = [_label(run, name) for name in "bc"]
        values = run.parallel(("b", pay, labels[0], 2), ("c", pay, labels[1], 3))
        for label, value in zip(labels, values, strict=True):
            told(label, value)
        return step(run, "d", look, 4)

    def unlucky(run: Run) -> str:
        step(run, "a", look, 1)
        return step(run, "b", look, UNLUCKY)

    def fatal(run: Run) -> str:
        step(run, "a", look, 1)
        step(run, "b", look, FATAL)
        return step(run, "c", look, 3)

    return {body.__name__: gate.workflow(body) for body in (errand, halt, both, unlucky, fatal)}


def _label(run: Run, name: str) -> str:
    return f"{run.id}.{name}"


def _begin(stage: Stage, gate: Gate, name: str) -> Handle[str]:
    handle: Handle[str] = flows(stage, gate)[name].start(RUN_ID)
    _report(stage, gate)
    return handle


def tell_of(stage: Stage, handle: Handle[Any]) -> str:
    """Say where the run stands."""
    status = handle.status
    stage.tell("run", handle.id, status)
    if status == "succeeded":
        stage.tell("result", handle.id, json.dumps(handle.result()))
    return status


def _report(stage: Stage, gate: Gate) -> str:
    status = tell_of(stage, gate.run(RUN_ID))
    for row in gate.requests("pending"):
        stage.tell("submitted", stage.label_of(gate.get(row.id)))
    return status


def _waiting(gate: Gate, label: str) -> Request:
    """What waits for a reviewer under this name."""
    found = [gate.get(row.id) for row in gate.requests(("pending", "unknown"))]
    return next(request for request in found if request.call_id == label)


def _resume(stage: Stage, gate: Gate) -> None:
    gate.resume_ready()
    _report(stage, gate)


# The roles


def begin(name: str) -> Role:
    """An agent that starts a run and goes on with it until it must wait, or fails, or dies."""

    def role(stage: Stage) -> None:
        with Gate(stage.queue) as gate:
            _begin(stage, gate, name)

    return role


def walk(stage: Stage) -> None:
    """A run from its start to its end, from no queue at all; its one gate is approved when it waits."""
    with Gate(stage.queue) as gate:
        walk_at(stage, gate)


def walk_at(stage: Stage, gate: Gate) -> None:
    _begin(stage, gate, "errand")
    decide(stage, gate, "approve", _waiting(gate, "b"))
    _resume(stage, gate)


def approved(stage: Stage) -> None:
    """A run that nobody went on with since its gate was approved."""
    with Gate(stage.queue) as gate:
        _begin(stage, gate, "errand")
        decide(stage, gate, "approve", _waiting(gate, "b"))


def resume(stage: Stage) -> None:
    """Another process goes on with the run as it stands, failed ones too."""
    with Gate(stage.queue) as gate:
        flows(stage, gate)
        gate.run(RUN_ID).resume()
        _report(stage, gate)


def release(stage: Stage) -> None:
    """A reviewer lets a paused run go on as it is."""
    _release(stage)


def replace_payload(stage: Stage) -> None:
    """A reviewer lets a paused run go on with another payload."""
    _release(stage, payload={"amount": 9})


def _release(stage: Stage, **words: Any) -> None:
    with Gate(stage.queue) as gate:
        flows(stage, gate)
        decide(stage, gate, "release", _waiting(gate, "break"), **words)
        _resume(stage, gate)


def parallel(stage: Stage) -> None:
    """Two gates at once, the second of which is approved first."""
    with Gate(stage.queue) as gate:
        _begin(stage, gate, "both")
        for label in ("c", "b"):
            decide(stage, gate, "approve", _waiting(gate, label))
            _resume(stage, gate)


def refuse_one(stage: Stage) -> None:
    """One of two gates is refused: the other one is withdrawn, and the run fails."""
    with Gate(stage.queue) as gate:
        _begin(stage, gate, "both")
        decide(stage, gate, "reject", _waiting(gate, "c"), reason="no")
        _resume(stage, gate)


def take_over(stage: Stage) -> None:
    """A run whose process died in the middle of a step; a human lets the step run again."""
    with Gate(stage.queue) as gate:
        flows(stage, gate)
        _resume(stage, gate)
        decide(stage, gate, "retry", _waiting(gate, "b"))
        _resume(stage, gate)


def cancel(stage: Stage) -> None:
    """Somebody cancels a run that waits."""
    with Gate(stage.queue) as gate:
        gate.run(RUN_ID).cancel("not needed any more")
        _report(stage, gate)


def wait_for_result(stage: Stage) -> None:
    """An agent that waits for the result of a run whose reviewer is another process."""
    with Gate(stage.queue) as gate:
        handle = _begin(stage, gate, "errand")
        stage.tell("result", RUN_ID, json.dumps(handle.result(timeout=_PATIENCE)))


def review(stage: Stage) -> None:
    """The reviewer of that agent."""
    with Gate(stage.queue) as gate:
        for event in gate.watch(0):
            if event.kind == "submitted" and gate.get(event.request_id).status == "pending":
                decide(stage, gate, "approve", gate.get(event.request_id))
                return


def boast(stage: Stage) -> None:
    """An agent who says where its run stands before it does: the sweep must find that out."""
    with Gate(stage.queue) as gate:
        stage.tell("run", RUN_ID, "waiting")
        _begin(stage, gate, "errand")


# What comes after a kill


def go_on(stage: Stage, name: str, run_id: str = RUN_ID) -> None:
    """A second worker starts the same run again, and a reviewer says yes to whatever waits, until it is over."""
    with Gate(stage.queue) as gate:
        handle = flows(stage, gate)[name].start(run_id)
        for _ in range(_ROUNDS):
            if tell_of(stage, handle) in RUN_OVER:
                return
            for step in handle.steps():
                _say_yes(stage, gate, gate.get(step.request_id))
            handle.resume()


def _say_yes(stage: Stage, gate: Gate, request: Request) -> None:
    if request.status == "held":
        decide(stage, gate, "undo", request)
        request = gate.get(request.id)
    if request.status == "unknown":
        decide(stage, gate, "retry", request)
    elif request.status == "pending":
        decide(stage, gate, "release" if request.kind == "pause" else "approve", request)
