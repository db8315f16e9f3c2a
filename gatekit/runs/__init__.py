"""Durable runs: a workflow whose steps are remembered, so that any process can go on with it.

`workflow` is what `@gate.workflow` makes; `run` is what its body sees; `execution` keeps the journal of one
execution; `executing` drives it; `handle` is what a caller holds; `resuming` finds runs that can go on.
"""

from __future__ import annotations

from gatekit.runs.handle import AsyncHandle, Handle
from gatekit.runs.resuming import resume_ready, resume_ready_async, resume_some
from gatekit.runs.run import AsyncRun, Run
from gatekit.runs.workflow import AsyncWorkflow, Workflow, workflow_of

__all__ = [
    "AsyncHandle",
    "AsyncRun",
    "AsyncWorkflow",
    "Handle",
    "Run",
    "Workflow",
    "resume_ready",
    "resume_ready_async",
    "resume_some",
    "workflow_of",
]
