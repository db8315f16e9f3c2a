"""The demo with a person: the dashboard and the agent in one process, over one queue."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from gatekit import Gate, ReviewError
from gatekit.demo.agent import Agent, Step
from gatekit.display import dashboard_running
from gatekit_tui import ReviewApp


class Work:
    """The agent at work in a thread of its own. `done` is set when it ended, `error` says if it broke."""

    def __init__(self, agent: Agent, steps: Sequence[Step]) -> None:
        self.done = threading.Event()
        self.error: BaseException | None = None
        self._agent = agent
        self._steps = steps
        self._thread = threading.Thread(target=self._run, name="gatekit-demo", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self, gate: Gate, reviewer: str) -> None:
        """Let the agent come to its end, withdrawing what still waits. Raises what broke it."""
        self._agent.stop()
        seat = gate.reviewer(reviewer)
        while self._thread.is_alive():
            for row in gate.requests("pending"):
                # It can be decided from elsewhere meanwhile.
                with suppress(ReviewError):
                    seat.cancel(row.id, reason="the reviewer left the demo")
            self._thread.join(0.1)
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            self._agent.work(self._steps)
        except BaseException as error:  # noqa: BLE001 - `end` raises it again, in the thread that can tell of it
            self.error = error
        finally:
            self.done.set()


class DemoApp(ReviewApp):
    """The dashboard, which closes by itself when the agent is done."""

    def __init__(self, gate: Gate, reviewer: str, work: Work) -> None:
        super().__init__(gate, reviewer)
        self._work = work

    def on_ready(self) -> None:
        """Let the agent begin where its calls can be seen."""
        self._work.start()
        # Asked from here: a call into an application that is just being left might never come back.
        self.set_interval(0.1, self._close_when_done)

    def _close_when_done(self) -> None:
        if self._work.done.is_set():
            self.exit()


def run(gate: Gate, reviewer: str, agent: Agent, steps: Sequence[Step]) -> bool:
    """Show the dashboard until the agent is done or the reviewer leaves; False if they left before it was done."""
    work = Work(agent, steps)
    try:
        with dashboard_running():
            DemoApp(gate, reviewer, work).run()
        return work.done.is_set()
    finally:
        work.end(gate, reviewer)
