"""gatekit: a human sees the calls of an LLM agent that matter, before they run.

Wrap a tool with `gated_step`; a call that needs approval waits in a queue; a reviewer approves it, edits its
arguments, rejects it or answers it; then exactly what was seen runs, at most once.
"""

from __future__ import annotations

from gatekit.arguments import Args
from gatekit.calling import calling
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
    StoreError,
    Suspended,
    ToolFailed,
    UsageError,
)
from gatekit.gate import Gate, set_default
from gatekit.models import Decision, Event, Request
from gatekit.step import gated_step

__all__ = [
    "Args",
    "CallConflict",
    "Cancelled",
    "Decision",
    "Event",
    "Expired",
    "Gate",
    "GatekitError",
    "NotApproved",
    "OutcomeUnknown",
    "Rejected",
    "Request",
    "Responded",
    "ResultNotStored",
    "ReviewError",
    "StoreError",
    "Suspended",
    "ToolFailed",
    "UsageError",
    "calling",
    "gated_step",
    "set_default",
]
