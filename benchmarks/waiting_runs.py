"""A program with one workflow, which waits: `gatekit worker benchmarks.waiting_runs:gate`, on `$GATEKIT_QUEUE`."""

from __future__ import annotations

from gatekit import Gate, Run
from gatekit.runs import Workflow


def waiting_on(gate: Gate) -> Workflow[[int], int]:
    @gate.workflow
    def wait(run: Run, number: int) -> int:
        done: int = run.pause("before", number)
        return done

    return wait


gate = Gate()
waiting_on(gate)
