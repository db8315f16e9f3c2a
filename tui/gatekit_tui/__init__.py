"""The dashboard of gatekit: `gatekit review`.

Everything that comes out of the queue is foreign text; three layers keep it from acting on the terminal or on
the reviewer: `gatekit.display.visible` where it enters, a line filter under all widgets, and a guard over the
keys that decide. Nothing foreign is ever markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekit.display import dashboard_running
from gatekit.errors import StoreError
from gatekit_tui.app import ReviewApp
from gatekit_tui.queue.settings import read_settings

if TYPE_CHECKING:
    from gatekit import Gate

__all__ = ["ReviewApp", "run", "run_missing"]


def run(gate: Gate, reviewer: str, *, read_only: bool = False, low_bandwidth: bool = False) -> None:
    """Show the queue of `gate` in this terminal until the reviewer leaves; decisions are made as `reviewer`.

    Needs a terminal, and its standard error output: that is what Textual draws on. Blocks. With `read_only`
    nothing can be decided. With `low_bandwidth` time alone draws nothing: what is told of times is as old as the last
    change of the picture; for a slow line the environment says `TEXTUAL_FPS=10` and `TEXTUAL_ANIMATIONS=none` besides,
    before this package is imported.

    How the dashboard is set up is read from `$GATEKIT_DASHBOARD`, else from `gatekit/dashboard.toml` in the folder for
    settings (`$XDG_CONFIG_HOME`, else `~/.config`).

    Raises:
        UsageError: that file says something that cannot be; nothing was drawn yet.

    >>> run(Gate("approvals.db", create=False), "alice")  # doctest: +SKIP
    """
    settings = read_settings()
    with dashboard_running():
        ReviewApp(gate, reviewer, read_only=read_only, low_bandwidth=low_bandwidth, settings=settings).run()


def run_missing(error: StoreError) -> None:
    """Show why there is no queue to review, and what to do about it, until the reviewer leaves."""
    with dashboard_running():
        ReviewApp(error).run()
