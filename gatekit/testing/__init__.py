"""What tests of gated tools need: temporary queues, reviewers that a test scripts, a clock that stands still.

    with memory_gate() as gate, ScriptedReviewer(gate, ["approve", {"amount": 40}]):
        ...

In pytest the fixtures `gatekit_gate`, `gatekit_queue`, `gatekit_clock`, `gatekit_auto_approve` and
`gatekit_reviewer` are there without an import. Whatever decides by itself refuses a queue that is not temporary.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gatekit.testing.clock import FakeClock
    from gatekit.testing.deciding import Answer, ScriptedReviewer, auto_approve
    from gatekit.testing.gates import memory_gate, temporary_gate
    from gatekit.testing.memory import MemoryStore

__all__ = [
    "Answer",
    "FakeClock",
    "MemoryStore",
    "ScriptedReviewer",
    "auto_approve",
    "memory_gate",
    "temporary_gate",
]

_HOMES: Final = {
    "Answer": "deciding",
    "FakeClock": "clock",
    "MemoryStore": "memory",
    "ScriptedReviewer": "deciding",
    "auto_approve": "deciding",
    "memory_gate": "gates",
    "temporary_gate": "gates",
}


# Lazy, because pytest imports this package for the plugin's sake, in every run of every project. Hidden from type
# checkers, which would take any name for one of ours.
if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
