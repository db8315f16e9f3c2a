"""(a) A call that needs no approval, beside the bare call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import anyio

from benchmarks import raw
from benchmarks.figures import Aim, Figure
from benchmarks.scale import Scale
from benchmarks.timing import MICRO, in_turns
from benchmarks.tools import RECIPIENT, leaves_the_company, send, send_async
from gatekit import Gate, Suspended, calling, gated_step

_FIND = "SELECT id FROM requests WHERE run = ? AND tool = ? AND call_id = ?"


def measure(scale: Scale, folder: Path) -> list[Figure]:
    with Gate(folder / "passing.db") as gate:
        gated = gated_step(gate=gate, requires_approval=leaves_the_company)
        figures = [_sync(scale, gated(send)), _async(scale, gated(send_async))]
        # From the first gated call on there is a queue, in which an identity has to be looked for.
        _queue_one(gate)
        return [*figures, _identified(scale, gated(send), Path(gate.path))]


def _sync(scale: Scale, tool: Callable[..., str]) -> Figure:
    ours, bare = in_turns(scale.rounds, partial(_call, tool, scale.calls), partial(_call, send, scale.calls))
    return Figure(name="sync call", ours=ours * MICRO, floor=bare * MICRO, unit="µs", aim=Aim("ratio", "≤", 5.5))


def _async(scale: Scale, tool: Callable[..., Coroutine[Any, Any, str]]) -> Figure:
    ours, bare = in_turns(
        scale.rounds,
        lambda: anyio.run(_await, tool, scale.calls),
        lambda: anyio.run(_await, send_async, scale.calls),
    )
    return Figure(name="async call", ours=ours * MICRO, floor=bare * MICRO, unit="µs", aim=Aim("ratio", "≤", 5.5))


def _identified(scale: Scale, tool: Callable[..., str], queue: Path) -> Figure:
    connection = raw.connect(queue)
    calls = max(1, scale.calls // 20)

    def ours() -> float:
        with calling(call_id="never-queued", run="benchmark"):
            return _call(tool, calls)

    def floor() -> float:
        started = perf_counter()
        for _ in range(calls):
            connection.execute(_FIND, ("benchmark", "send", "never-queued")).fetchone()
        return (perf_counter() - started) / calls

    try:
        mine, read = in_turns(scale.rounds, ours, floor)
    finally:
        connection.close()
    name = "with an identity ÷ one indexed read"
    return Figure(name=name, ours=mine * MICRO, floor=read * MICRO, unit="µs", aim=None)


def _call(tool: Callable[..., str], calls: int) -> float:
    """Seconds of one call."""
    started = perf_counter()
    for _ in range(calls):
        tool(to=RECIPIENT, subject="Minutes", body="See below.", urgent=False, copies=2)
    return (perf_counter() - started) / calls


async def _await(tool: Callable[..., Coroutine[Any, Any, str]], calls: int) -> float:
    started = perf_counter()
    for _ in range(calls):
        await tool(to=RECIPIENT, subject="Minutes", body="See below.", urgent=False, copies=2)
    return (perf_counter() - started) / calls


def _queue_one(gate: Gate) -> None:
    try:
        gated_step(send, gate=gate, wait=0)(RECIPIENT, "Minutes", "See below.", False, 2)
    except Suspended:
        return
    raise AssertionError("a call that needs approval ran")
