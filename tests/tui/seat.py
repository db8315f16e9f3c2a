"""The dashboard as a process of its own: `python seat.py QUEUE [bare] [awake]`.

`bare` takes the layers away that keep foreign text from the terminal: it shows that a test would notice. With `awake`
keys that decide are never dead: for long walks, which are not about the guard.
"""

from __future__ import annotations

import sys

import gatekit_tui
from gatekit import Gate
from gatekit_tui.frame import guard, guarded


def strip_the_layers() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(("gatekit_tui.", "gatekit.display.")) and hasattr(module, "visible"):
            module.visible = lambda text: (text, 0)  # type: ignore[attr-defined]
    guarded.GuardedApp.get_line_filters = lambda self: []  # type: ignore[method-assign]


if __name__ == "__main__":
    if "bare" in sys.argv:
        strip_the_layers()
    if "awake" in sys.argv:
        guard.DEAD = -60.0  # type: ignore[misc]
    with Gate(sys.argv[1], create=False) as gate:
        gatekit_tui.run(gate, "alice")
