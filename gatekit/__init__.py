"""gatekit: a human sees the calls of an LLM agent that matter, before they run.

Wrap a tool with `gated_step`; a call that needs approval waits in a queue; a reviewer approves it, edits its
arguments, rejects it or answers it; then exactly what was seen runs, at most once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from gatekit.calling import calling, current
from gatekit.errors import (
    CallConflict,
    Cancelled,
    Expired,
    GatekitError,
    NotApproved,
    OutcomeUnknown,
    Rejected,
    Responded,
    ResultNotStored,
    ReviewError,
    RunError,
    StoreError,
    Suspended,
    ToolFailed,
    UsageError,
)
from gatekit.models import Decision, Event, NotRun, Ran, Request

if TYPE_CHECKING:
    from gatekit.arguments.view import Args
    from gatekit.gate import Gate, set_default
    from gatekit.human import ask, confirm
    from gatekit.policy import Budget, Policy, Stage
    from gatekit.runs import AsyncRun, Run
    from gatekit.step import gated_step

__all__ = [
    "Args",
    "AsyncRun",
    "Budget",
    "CallConflict",
    "Cancelled",
    "Decision",
    "Event",
    "Expired",
    "Gate",
    "GatekitError",
    "NotApproved",
    "NotRun",
    "OutcomeUnknown",
    "Policy",
    "Ran",
    "Rejected",
    "Request",
    "Responded",
    "ResultNotStored",
    "ReviewError",
    "Run",
    "RunError",
    "Stage",
    "StoreError",
    "Suspended",
    "ToolFailed",
    "UsageError",
    "ask",
    "calling",
    "confirm",
    "current",
    "gated_step",
    "set_default",
]

_HOMES: Final = {
    "Args": "gatekit.arguments.view",
    "AsyncRun": "gatekit.runs",
    "Budget": "gatekit.policy",
    "Gate": "gatekit.gate",
    "Policy": "gatekit.policy",
    "Run": "gatekit.runs",
    "Stage": "gatekit.policy",
    "ask": "gatekit.human",
    "confirm": "gatekit.human",
    "gated_step": "gatekit.step",
    "set_default": "gatekit.gate",
}


# Lazy, because pytest imports this package for the plugin's sake in every run of every project, and these bring
# pydantic along. Hidden from type checkers, which would take any name for one of ours.
if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
