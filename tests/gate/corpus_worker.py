"""Puts hostile inputs through a real gate and a real queue file, under limits on memory and time.

Run with a queue's path and ids of cases; prints one JSON object a line: what was seen of each case.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import signal
import sys
from typing import Any

from gatekit import CallConflict, Gate, GatekitError, Request, Suspended, UsageError, calling, gated_step
from gatekit.errors import InvalidEdit, ReviewError
from tests.corpus_cases import CASES, Case

MEMORY = 3 * 1024**3
SECONDS_PER_CASE = 20


def same(left: Any, right: Any) -> bool:
    """Equality of type and value, all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def queued(gate: Gate, call: Any) -> Request:
    """The request of a call that must suspend."""
    try:
        call()
    except Suspended as error:
        return gate.get(error.request_id)
    raise AssertionError("the call was not gated")


def collect(gate: Gate, call: Any) -> str:
    """Make the call, approve it, make it again: how often did it run, and with what was stored?"""
    try:
        call()
    except Suspended as error:
        request = gate.get(error.request_id)
    except UsageError:
        return "refused"
    else:
        return "ran ungated"
    gate.reviewer("bob").approve(request)
    with calling(call_id=request.call_id):
        call()
    return "collected"


def argument(gate: Gate, case: Case) -> dict[str, Any]:
    """The payload as the value of an undeclared parameter, or of its own declared type."""
    ran: list[Any] = []

    def tool(v):  # type: ignore[no-untyped-def]
        ran.append(v)

    payload = case.build() if case.py is not None else {"v": case.payload}
    keys = isinstance(payload, dict) and payload.keys() == {"v"}
    value = payload["v"] if keys else payload
    if dataclasses.is_dataclass(value):
        tool.__annotations__["v"] = type(value)
    before = gate.backend.cursor().wait()
    how = collect(gate, lambda: gated_step(tool, gate=gate, wait=0)(value))
    return {"how": how, "exact": len(ran) == 1 and same(ran[0], value), "queued": gate.backend.cursor().wait() > before}


def names(gate: Gate, case: Case) -> dict[str, Any]:
    """The payload as description, tool name, agent, run, key and reason."""
    text = case.payload

    def tool(v: dict[str, str]) -> None: ...

    step = gated_step(tool, gate=gate, wait=0, name=text, description=lambda args: text)
    with calling(agent=text, run=text):
        request = queued(gate, lambda: step({text: text}))
    decision = gate.reviewer("bob").reject(request, reason=text)
    kept = (request.tool, request.run, request.requester, request.args["v"], decision.reason)
    wanted = (text, text, f"agent:{text}", {text: text}, text)
    others = gate.requests("rejected", tool=text)
    return {"how": "kept" if kept == wanted else f"changed: {kept}", "hidden": request.hidden, "found": len(others)}


def asking(gate: Gate, case: Case, option: str) -> dict[str, Any]:
    ran: list[Any] = []
    built = case.build()
    if built == "stateful":
        answers = iter([False, True, True])
        built = lambda args: next(answers)  # noqa: E731
    elif isinstance(built, str):
        scope: dict[str, Any] = {}
        exec(built, scope)
        built = scope["p"]

    def tool(amount: int) -> None:
        ran.append(amount)

    try:
        options: Any = {option: built}
        gated_step(tool, gate=gate, wait=0, **options)(5)
    except Suspended as error:
        return {"how": "gated", "ran": ran, "reasons": gate.get(error.request_id).reasons}
    except (KeyboardInterrupt, GatekitError) as error:
        return {"how": type(error).__name__, "ran": ran, "reasons": []}
    return {"how": "ran", "ran": ran, "reasons": []}


def editing(gate: Gate, case: Case) -> dict[str, Any]:
    from gatekit.arguments.edits import changes_of

    ran: list[Any] = []

    def pay(to: str, amount: int, v: object = None, a: object = None) -> None:
        ran.append((to, amount))

    step = gated_step(pay, gate=gate, wait=0)
    request = queued(gate, lambda: step("ann", 5))
    reviewer = gate.reviewer("bob")
    built = case.build()
    how = "accepted"
    try:
        if built == "same":
            reviewer.edit(request, request.args)
        elif built == "digest=None":
            reviewer.approve(request.id, token=None)
        else:
            reviewer.edit(request, changes_of(built) if isinstance(built, str) else built)
    except (ReviewError, InvalidEdit, UsageError) as error:
        how = type(error).__name__
    status = gate.get(request.id).status
    if status == "approved":
        with calling(call_id=request.call_id):
            step("ann", 5)
    return {"how": how, "status": status, "ran": ran, "args": gate.get(request.id).args}


def ids(gate: Gate, case: Case) -> dict[str, Any]:
    def pay(amount: int) -> None: ...

    step = gated_step(pay, gate=gate, wait=0)
    request = queued(gate, lambda: step(5))
    reviewer = gate.reviewer("bob")
    bad: Any = case.payload
    if bad == "<decided>":
        reviewer.reject(request, reason="no")
        bad = request.id
    before = gate.backend.cursor().wait()
    seen = []
    for act in (
        lambda: gate.reviewer("ann").approve(bad, token=request.token),
        lambda: gate.reviewer("ann").edit(bad, {"amount": 6}, token=request.token),
        lambda: gate.reviewer("ann").reject(bad, reason="x"),
        lambda: gate.reviewer("ann").cancel(bad),
    ):
        try:
            act()
            seen.append("accepted")
        except ReviewError as error:
            seen.append(type(error).__name__)
    return {"seen": seen, "unchanged": gate.backend.cursor().wait() == before}


def conflict(gate: Gate, case: Case) -> dict[str, Any]:
    ran: list[int] = []

    def pay(amount: int) -> None:
        ran.append(amount)

    step = gated_step(pay, gate=gate, wait=0)
    with calling(call_id=case.id):
        try:
            step(5)
        except Suspended as error:
            gate.reviewer("bob").approve(gate.get(error.request_id))
        try:
            step(999_999)
        except CallConflict:
            return {"how": "refused", "ran": ran}
    return {"how": "accepted", "ran": ran}


DRIVERS = {
    "argument": argument,
    "names": names,
    "predicate": lambda gate, case: asking(gate, case, "requires_approval"),
    "description": lambda gate, case: asking(gate, case, "description"),
    "edit": editing,
    "ids": ids,
    "conflict": conflict,
}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    queue, *jobs = sys.argv[1:]
    with Gate(queue) as gate:
        for job in jobs:
            driver, _, name = job.partition("/")
            signal.alarm(SECONDS_PER_CASE)
            row = {"job": job, **DRIVERS[driver](gate, CASES[name])}
            sys.stdout.write(f"{json.dumps(row)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
