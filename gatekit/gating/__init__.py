"""One gated call from the agent's side: ask, queue, wait, start, run, report. Written once for sync and async.

`flow` is the way of a call; `entry` what it puts into the queue; `attempt` one start of the tool; `recovery` what
follows an attempt that raised, or whose end is unknown.
"""

from __future__ import annotations

from gatekit.gating.call import Ended, GatedTool, Question
from gatekit.gating.flow import ask_human, gated

__all__ = ["Ended", "GatedTool", "Question", "ask_human", "gated"]
