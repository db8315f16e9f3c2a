"""The dashboard as a person starts it, with a line into it.

`python -m benchmarks.own_app QUEUE [beat] SOCKET`; to beat, a worker of ours is put into the app.
"""

from __future__ import annotations

import sys

import gatekit_tui
from benchmarks.inside import Inside, inside
from gatekit import Gate
from gatekit.cli import main
from gatekit.display import dashboard_running

REVIEWER = "bench"


class _Beating(gatekit_tui.ReviewApp):
    line: Inside

    def on_ready(self) -> None:
        self.run_worker(self.line.beat())


def _beat(queue: str, line: Inside) -> None:
    with dashboard_running(), Gate(queue, create=False) as gate:
        app = _Beating(gate, REVIEWER)
        app.line = line
        app.run()


if __name__ == "__main__":
    inner, queue = inside(), sys.argv[1]
    if "beat" in sys.argv:
        _beat(queue, inner)
    else:
        main(["review", "--as", REVIEWER, "--queue", queue])
