"""(b) A gated call until it is safely in the queue, beside one raw commit of the same bytes on the same disk."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import anyio

from benchmarks import raw
from benchmarks.figures import Aim, Figure
from benchmarks.scale import Scale
from benchmarks.timing import MICRO, in_turns
from benchmarks.tools import RECIPIENT, send, send_async
from gatekit import Gate, Suspended, gated_step
from gatekit.backend.base import Call
from gatekit.ids import new_id

_EACH = 5
"""Calls that one of the concurrent callers makes, one after the other, in one round."""


def measure(scale: Scale, folder: Path) -> list[Figure]:
    with Gate(folder / "enqueue.db") as gate:
        submit = _submitter(gate)
        submit()
        rows = raw.Rows(folder / "raw.db", raw.bytes_of_one_request(Path(gate.path)))
        try:
            return [
                _alone(scale, "one caller ÷ one raw commit", submit, rows, Aim("ratio", "≤", 2)),
                _alone(scale, "of that the queue's part", _bare_submitter(gate), rows, None),
                _together(scale, _async_submitter(gate), rows),
            ]
        finally:
            rows.close()


def _alone(scale: Scale, name: str, submit: Callable[[], None], rows: raw.Rows, aim: Aim | None) -> Figure:
    ours, floor = in_turns(scale.commits, lambda: _timed(submit), lambda: _timed(rows.insert))
    return Figure(name=name, ours=ours * MICRO, floor=floor * MICRO, unit="µs", aim=aim)


def _together(scale: Scale, submit: Callable[[], Coroutine[Any, Any, None]], rows: raw.Rows) -> Figure:
    async def one() -> None:
        for _ in range(_EACH):
            await submit()

    async def burst() -> float:
        started = perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(scale.callers):
                group.start_soon(one)
        return scale.callers * _EACH / (perf_counter() - started)

    def commits() -> float:
        started = perf_counter()
        for _ in range(scale.callers):
            rows.insert()
        return scale.callers / (perf_counter() - started)

    ours, floor = in_turns(scale.bursts, lambda: anyio.run(burst), commits)
    name = f"{scale.callers} async callers ÷ raw commits"
    return Figure(name=name, ours=ours, floor=floor, unit="/s", aim=Aim("ratio", "≥", 3))


def _timed(work: Callable[[], None]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _submitter(gate: Gate) -> Callable[[], None]:
    tool = gated_step(send, gate=gate, wait=0)

    def submit() -> None:
        try:
            tool(to=RECIPIENT, subject="Minutes", body="See below.", urgent=False, copies=2)
        except Suspended:
            return
        raise AssertionError("a call that needs approval ran")

    return submit


def _async_submitter(gate: Gate) -> Callable[[], Coroutine[Any, Any, None]]:
    tool = gated_step(send_async, gate=gate, wait=0)

    async def submit() -> None:
        try:
            await tool(to=RECIPIENT, subject="Minutes", body="See below.", urgent=False, copies=2)
        except Suspended:
            return
        raise AssertionError("a call that needs approval ran")

    return submit


def _bare_submitter(gate: Gate) -> Callable[[], None]:
    """Hands what a step handed to the queue to it again, under a new id each time."""
    with patch.object(gate.backend, "submit", wraps=gate.backend.submit) as spy:
        _submitter(gate)()
    call: Call = spy.call_args.args[0]

    def submit() -> None:
        gate.backend.submit(replace(call, request_id=new_id(gate.clock.now()))).wait()

    return submit
