"""Arguments: from a live call to the text that is stored, shown, edited and run. One text, one digest.

`Parameters` is compiled once per tool; its `snapshot()` takes a call's arguments; `apply_edit()` changes
stored ones in a process that has no tool; `diff()` says what changed. Pure: no file, no clock, no event loop.
"""

from __future__ import annotations

from gatekit.arguments.canonical import canonical, digest_of
from gatekit.arguments.diff import diff
from gatekit.arguments.edits import Edited, apply_edit, changes_of
from gatekit.arguments.parameters import Parameters
from gatekit.arguments.parsing import parse
from gatekit.arguments.results import decode_result, encode_result
from gatekit.arguments.snapshot import Snapshot
from gatekit.arguments.view import Args

__all__ = [
    "Args",
    "Edited",
    "Parameters",
    "Snapshot",
    "apply_edit",
    "canonical",
    "changes_of",
    "decode_result",
    "diff",
    "digest_of",
    "encode_result",
    "parse",
]
