"""A program that asks, decides and runs, to be killed at any moment. It reports what it was told before it goes on.

`python -m tests.crash.worker FOLDER SCENARIO` plays the first process of a scenario on the queue in that folder and
reports to its standard output; the names in `DAYS` (FULL, NORMAL, OFF) play the long day of the power losses. The
roles are in `calls` and `durable`; to add a scenario, put it into `SCENARIOS`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.crash import calls, durable, shim
from tests.crash.days import DAYS
from tests.crash.stage import FATAL, UNLUCKY, Role, Stage
from tests.crash.told import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Who plays, and which calls they make."""

    role: Role
    """What the process does that is killed."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """The amount of each call by its label: what a second worker makes again afterwards."""
    flow: str = ""
    """The workflow that a second worker brings to its end afterwards, where there is a run."""
    ends: tuple[str, ...] = ("succeeded",)
    """How that run may end."""
    beside: Role | None = None
    """What another process does meanwhile, which is not killed."""
    waits: bool = False
    """Whether that one is left to come to its end, with a new reviewer at its side."""
    prepared: Role | None = None
    """What another process did before; None: there is no queue yet."""

    def go_on(self, stage: Stage) -> None:
        """What the second worker does."""
        if self.flow:
            durable.go_on(stage, self.flow)
        else:
            calls.go_on(stage, self.calls)


_EMPTY: Final = calls.an_empty_queue
_UNKNOWN: Final = calls.die_in_the_tool
OF_CALLS: Final[dict[str, Scenario]] = {
    "approve": Scenario(role=calls.approve, calls={"a": 5}),
    "edit": Scenario(role=calls.edit, calls={"a": 100}, prepared=_EMPTY),
    "undo": Scenario(role=calls.undo, calls={"a": 100}, prepared=_EMPTY),
    "refuse": Scenario(role=calls.refuse, calls={"a": 1, "b": 2, "c": 3}, prepared=_EMPTY),
    "fail": Scenario(role=calls.fail, calls={"a": UNLUCKY}, prepared=_EMPTY),
    "copy_the_log": Scenario(role=calls.copy_the_log, calls={"a": 1, "b": 2}),
    "retry": Scenario(role=calls.retry, calls={"a": FATAL}, prepared=_UNKNOWN),
    "settle": Scenario(role=calls.settle, calls={"a": FATAL}, prepared=_UNKNOWN),
    "again": Scenario(role=calls.again, calls={"a": FATAL}, prepared=_UNKNOWN),
    "reconcile": Scenario(role=calls.reconcile, calls={"a": FATAL}, prepared=_UNKNOWN),
    "declare_lost": Scenario(role=calls.declare_lost, calls={"a": 5}, beside=calls.hang_in_the_tool, prepared=_EMPTY),
    "agent_apart": Scenario(role=calls.wait_for_another, calls={"a": 5}, beside=calls.review_another, prepared=_EMPTY),
    "reviewer_apart": Scenario(
        role=calls.review_another, calls={"a": 5}, beside=calls.wait_for_another, waits=True, prepared=_EMPTY
    ),
}
OF_RUNS: Final[dict[str, Scenario]] = {
    "step": Scenario(role=durable.walk, flow="errand"),
    "pause": Scenario(role=durable.begin("halt"), flow="halt", prepared=_EMPTY),
    "release": Scenario(role=durable.release, flow="halt", prepared=durable.begin("halt")),
    "replace_payload": Scenario(role=durable.replace_payload, flow="halt", prepared=durable.begin("halt")),
    "resume": Scenario(role=durable.resume, flow="errand", prepared=durable.approved),
    "resume_failed": Scenario(role=durable.resume, flow="unlucky", ends=("failed",), prepared=durable.begin("unlucky")),
    "take_over": Scenario(role=durable.take_over, flow="fatal", prepared=durable.begin("fatal")),
    "parallel": Scenario(role=durable.parallel, flow="both", prepared=_EMPTY),
    "refuse_one": Scenario(role=durable.refuse_one, flow="both", ends=("succeeded", "failed"), prepared=_EMPTY),
    "cancel_run": Scenario(
        role=durable.cancel, flow="errand", ends=("succeeded", "cancelled"), prepared=durable.begin("errand")
    ),
    "result_apart": Scenario(role=durable.wait_for_result, flow="errand", beside=durable.review, prepared=_EMPTY),
}
SCENARIOS: Final = OF_CALLS | OF_RUNS
LIARS: Final[dict[str, Scenario]] = {
    "boast": Scenario(role=calls.boast, calls={"a": 5}, prepared=_EMPTY),
    "boast_of_a_run": Scenario(role=durable.boast, flow="errand", prepared=_EMPTY),
}


def main(folder: str, name: str) -> None:
    """Play the first process of a scenario, reporting to standard output, and to the trace if there is one."""

    def report(told: Told) -> None:
        sys.stdout.write(told.line)
        sys.stdout.flush()
        if shim.TRACE in os.environ:
            shim.note(told.line)

    role = DAYS[name] if name in DAYS else SCENARIOS[name].role
    role(Stage(folder, report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
