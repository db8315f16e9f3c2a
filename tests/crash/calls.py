"""What a process does with calls of a tool, alone or beside another, and how a second one goes on with them.

Each role is a plain function of a `Stage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gatekit import Gate, Ran, Request
from tests.crash.stage import EDITED, FATAL, REVIEWER, UNLUCKY, Stage, asked, call, decide, make_tool, with_small_log
from tests.gate.helpers import deciding


def approve(stage: Stage) -> None:
    """Asked, approved, run, and asked for its result once more; from no queue at all."""
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0)
        decide(stage, gate, "approve", asked(stage, gate, tool, "a", 5))
        call(stage, tool, "a", 5)
        call(stage, tool, "a", 5)


def edit(stage: Stage) -> None:
    """A call that waits in this process while its reviewer, in another thread, edits it."""

    def act(reviewer: object, request: Request) -> None:
        decide(stage, gate, "edit", request, {"amount": EDITED})

    with Gate(stage.queue) as gate, deciding(gate, act):
        call(stage, make_tool(stage, gate, wait=None), "a", 100)


def undo(stage: Stage) -> None:
    """An edit that is held, taken back, and followed by an approval."""
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0)
        request = asked(stage, gate, tool, "a", 100)
        decide(stage, gate, "edit", request, {"amount": EDITED}, hold=600)
        decide(stage, gate, "undo", gate.get(request.id), hold=600)
        decide(stage, gate, "approve", gate.get(request.id))
        call(stage, tool, "a", 100)


def refuse(stage: Stage) -> None:
    """The three ways to say no, the last one after a yes."""
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0)
        decide(stage, gate, "reject", asked(stage, gate, tool, "a", 1), reason="too much")
        decide(stage, gate, "respond", asked(stage, gate, tool, "b", 2), "ask first")
        decide(stage, gate, "approve", asked(stage, gate, tool, "c", 3))
        (approved,) = gate.requests("approved")
        decide(stage, gate, "cancel", gate.get(approved.id), reason="changed my mind")
        for label, amount in (("a", 1), ("b", 2), ("c", 3)):
            call(stage, tool, label, amount)


def fail(stage: Stage) -> None:
    """A tool that raises."""
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0)
        decide(stage, gate, "approve", asked(stage, gate, tool, "a", UNLUCKY))
        call(stage, tool, "a", UNLUCKY)
        call(stage, tool, "a", UNLUCKY)


def copy_the_log(stage: Stage) -> None:
    """The log is copied into the database after every few pages, also where the database grows by that."""
    with_small_log()
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0)
        for label, amount in (("a", 1), ("b", 2)):
            decide(stage, gate, "approve", asked(stage, gate, tool, label, amount), note="long " * 2000)
            call(stage, tool, label, amount)


def die_in_the_tool(stage: Stage) -> None:
    """A worker whose process dies while the tool runs."""
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0, idempotent=True)
        decide(stage, gate, "approve", asked(stage, gate, tool, "a", FATAL))
        call(stage, tool, "a", FATAL)


def retry(stage: Stage) -> None:
    """A human lets the call of the dead worker run again."""
    with Gate(stage.queue) as gate:
        decide(stage, gate, "retry", _the_unknown(gate))
        call(stage, make_tool(stage, gate, wait=0), "a", FATAL)


def settle(stage: Stage) -> None:
    """A human says how the call of the dead worker ended."""
    with Gate(stage.queue) as gate:
        decide(stage, gate, "settle", _the_unknown(gate), result="paid by hand")
        call(stage, make_tool(stage, gate, wait=0), "a", FATAL)


def again(stage: Stage) -> None:
    """The tool is idempotent: the call of the dead worker runs again under the same permit."""
    with Gate(stage.queue) as gate:
        call(stage, make_tool(stage, gate, wait=0, idempotent=True), "a", FATAL)


def reconcile(stage: Stage) -> None:
    """The other side knows how the call of the dead worker ended."""
    with Gate(stage.queue) as gate:
        call(stage, make_tool(stage, gate, wait=0, reconcile=lambda call_id, args: Ran("paid before")), "a", FATAL)


def hang_in_the_tool(stage: Stage) -> None:
    """A worker that lives, and whose tool never ends."""
    with Gate(stage.queue) as gate:
        tool = make_tool(replace(stage, hangs=True), gate, wait=0)
        decide(stage, gate, "approve", asked(stage, gate, tool, "a", 5))
        call(stage, tool, "a", 5)


def declare_lost(stage: Stage) -> None:
    """A human gives that worker up, and lets the call run again."""
    with Gate(stage.queue) as gate:
        request = next(gate.get(event.request_id) for event in gate.watch(0) if event.kind == "started")
        decide(stage, gate, "declare_lost", request)
        decide(stage, gate, "retry", _the_unknown(gate))
        call(stage, make_tool(stage, gate, wait=0), "a", 5)


def _the_unknown(gate: Gate) -> Request:
    return next(gate.get(event.request_id) for event in gate.watch(0) if event.kind == "unknown")


def wait_for_another(stage: Stage) -> None:
    """An agent whose reviewer is another process."""
    with Gate(stage.queue) as gate:
        call(stage, make_tool(stage, gate, wait=None), "a", 5)


def review_another(stage: Stage) -> None:
    """The reviewer of that agent."""
    with Gate(stage.queue) as gate:
        for event in gate.watch(0):
            if event.kind == "submitted":
                request = gate.get(event.request_id)
                if request.status == "pending":
                    decide(stage, gate, "approve", request)
                return


def an_empty_queue(stage: Stage) -> None:
    """The queue is there, and nothing is in it."""
    with Gate(stage.queue) as gate:
        gate.events()


def boast(stage: Stage) -> None:
    """A reviewer who says what is not yet so: the sweep must find that out."""
    with Gate(stage.queue) as gate:
        request = asked(stage, gate, make_tool(stage, gate, wait=0), "a", 5)
        stage.tell("decided", "a", f"approve human:{REVIEWER} {request.token}")
        decide(stage, gate, "approve", request)


# What comes after a kill


def sweep(stage: Stage) -> None:
    """A fresh process opens the queue and settles what the dead left."""
    with Gate(stage.queue) as gate:
        gate.backend.sweep().wait()


def go_on(stage: Stage, calls: Mapping[str, int]) -> None:
    """A second worker makes the same calls again, and a reviewer decides what is still open."""
    with Gate(stage.queue) as gate:
        tool = make_tool(stage, gate, wait=0)
        for label, amount in calls.items():
            request_id = call(stage, tool, label, amount)
            if request_id is not None:
                _open_up(stage, gate, request_id)
                call(stage, tool, label, amount)
        for request in [gate.get(row.id) for row in gate.requests("unknown")]:
            # The other ones are steps of runs.
            if request.call_id in calls:
                decide(stage, gate, "retry", request)
                call(stage, tool, request.call_id, calls[request.call_id])


def _open_up(stage: Stage, gate: Gate, request_id: str) -> None:
    request = gate.get(request_id)
    if request.status == "held":
        decide(stage, gate, "undo", request)
        request = gate.get(request_id)
    decide(stage, gate, "approve", request)
