"""How foreign text is shown to a human: made visible, drawn by us, and cut only with a note.

Pure and free of any user interface: the dashboard, the command line, logs and notifications share it. Why it
exists: a terminal obeys the text it is given. A description that holds the query `ESC [ > q` makes the
terminal type a reply, which a program reads as key presses; a right-to-left override shows another file name
than the one that is deleted. So no foreign text is shown before `visible()` has been over it.
"""

from __future__ import annotations

from gatekit.display._arguments import Drawing, Line, draw_arguments
from gatekit.display._cells import cells, fit, under, wrap
from gatekit.display._friction import Friction, friction
from gatekit.display._running import dashboard_is_running, dashboard_running
from gatekit.display._stats import draw_stats, sparkline
from gatekit.display._text import ago, shorten, words_of
from gatekit.display._visible import visible
from gatekit.display._warnings import warnings_of

__all__ = [
    "Drawing",
    "Friction",
    "Line",
    "ago",
    "cells",
    "dashboard_is_running",
    "dashboard_running",
    "draw_arguments",
    "draw_stats",
    "fit",
    "friction",
    "shorten",
    "sparkline",
    "under",
    "visible",
    "warnings_of",
    "words_of",
    "wrap",
]
