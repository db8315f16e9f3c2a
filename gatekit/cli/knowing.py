"""What the queue knows of a request beside its record: its process, its run, its answer, what was refused."""

from __future__ import annotations

from gatekit.cli.answers import wanted_of
from gatekit.cli.attempts import process_of
from gatekit.cli.drawing import Known
from gatekit.errors import RunNotFound
from gatekit.gate import Gate
from gatekit.models import Request, RunRow


def known_of(gate: Gate, request: Request) -> Known:
    """Look it up."""
    is_open = request.kind == "question" and request.status == "pending"
    wants_a_yes = request.kind in ("call", "confirm") and request.status == "pending"
    return Known(
        process=process_of(request),
        run=None if request.run is None else durable_run(gate, request.run),
        wanted=wanted_of(gate.schema(request)) if is_open else None,
        refused=gate.last_refused(request) if wants_a_yes else None,
    )


def durable_run(gate: Gate, run_id: str) -> RunRow | None:
    """The durable run of this name; None for the name of a conversation, which `calling(run=…)` gave."""
    try:
        return gate.run(run_id).row()
    except RunNotFound:
        return None
