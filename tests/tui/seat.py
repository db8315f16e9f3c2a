"""The dashboard as a process of its own: `python seat.py QUEUE [bare]`.

`bare` takes the layers away that keep foreign text from the terminal: it shows that a test would notice.
"""

from __future__ import annotations

import sys

import gatekit_tui
from gatekit import Gate
from gatekit.display import _arguments, _warnings
from gatekit_tui import detail_text, guarded, row_text


def strip_the_layers() -> None:
    for module in (guarded, detail_text, row_text, _arguments, _warnings):
        module.visible = lambda text: (text, 0)  # type: ignore[attr-defined]
    guarded.GuardedApp.get_line_filters = lambda self: []  # type: ignore[method-assign]


if __name__ == "__main__":
    if "bare" in sys.argv:
        strip_the_layers()
    with Gate(sys.argv[1], create=False) as gate:
        gatekit_tui.run(gate, "alice")
