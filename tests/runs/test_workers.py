"""Several workers over one queue: each run is taken by exactly one, and everything is done once."""

from __future__ import annotations

import pytest

from gatekit import calling
from tests.runs.helpers import kinds
from tests.runs.processes import Stage

RUNS = 50


@pytest.mark.parametrize("workers", [2, 4])
def test_fifty_ready_runs_are_each_taken_by_exactly_one_worker(stage: Stage, workers: int) -> None:
    with stage.open() as gate:
        many = gate.known_workflow("many")
        with calling(agent="starter"):
            for n in range(RUNS):
                getattr(many, "start")(f"r{n}", str(n))  # noqa: B009 - one kind of workflow or the other
        seat = gate.reviewer("bob")
        for request in seat.pending(limit=RUNS):
            seat.approve(request)
        programs = [stage.begin("ready") for _ in range(workers)]
        for program in programs:
            program.until("here")
        for program in programs:
            program.go()
        said = [line for program in programs for line in program.end()]
        assert [row.id for row in gate.runs("succeeded", limit=RUNS + 1)] == [f"r{n}" for n in reversed(range(RUNS))]
        expected = ["run.started", "run.taken", "run.waiting", "run.resumed", "run.succeeded"]
        assert {tuple(kinds(gate, f"r{n}")) for n in range(RUNS)} == {tuple(expected)}
        assert {gate.run(f"r{n}").row().executions for n in range(RUNS)} == {2}
    taken = [int(line.split()[1]) for line in said if line.startswith("taken ")]
    assert len(taken) == workers
    assert sum(taken) == RUNS
    assert stage.counts == {f"many {n}": 1 for n in range(RUNS)} | {f"after {n}": 1 for n in range(RUNS)}
