"""Whether runs keep their promises, judged as `judge` judges requests: by their rows, and by what others were told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from tests.crash.book import Book, Entry, RunEntry
from tests.crash.judge import NEVER_STARTED, OVER
from tests.crash.told import Told

RUN_OVER: Final = ("succeeded", "failed", "cancelled")
_UNDECIDED: Final = ("pending", "held")
_BLOCKED: Final = (*_UNDECIDED, "running", "unknown")
"""What a run waits for."""
_LEADS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "run.taken": (("waiting",), "running"),
    "run.resumed": (("waiting", "needs-review", "running"), "running"),
    "run.waiting": (("running",), "waiting"),
    "run.interrupted": (("running",), "waiting"),
    "run.needs_review": (("running", "waiting"), "needs-review"),
    "run.reopened": (("failed", "needs-review"), "waiting"),
    "run.succeeded": (("running",), "succeeded"),
    "run.failed": (("running",), "failed"),
    "run.cancelled": (("running", "waiting", "needs-review"), "cancelled"),
}
"""From where to where an event leads."""


def flaws(book: Book) -> list[str]:
    """Runs whose rows contradict each other, or that nobody would ever go on with."""
    wrong = []
    for entry in book.runs:
        found = [*_events(entry), *_row(entry), *_waiting(entry), *_steps(entry), *_ends(entry)]
        wrong += [f"run {entry.id} ({entry.status}): {text}" for text in found]
    return wrong


def _events(entry: RunEntry) -> Iterator[str]:
    """The events, told again from the beginning, lead to where it stands."""
    if [event["kind"] == "run.started" for event in entry.events] != [True] + [False] * (len(entry.events) - 1):
        yield "its history does not begin with its start"
        return
    status, taken = "waiting", 0
    for event in entry.events[1:]:
        allowed, reached = _LEADS[event["kind"]]
        if status not in allowed:
            yield f"{event['kind']} when it was {status}"
        status = reached
        taken += event["kind"] in ("run.taken", "run.resumed")
    if status != entry.status:
        yield f"its events lead to {status}"
    if taken != entry.run["executions"]:
        yield f"it was taken {taken} times and counts {entry.run['executions']}"


def _row(entry: RunEntry) -> Iterator[str]:
    run, status = entry.run, entry.status
    for column in ("owner", "token"):
        if (run[column] is not None) != (status == "running"):
            yield f"its {column} is {run[column]!r}"
    if run["ready"] and status not in ("waiting", "needs-review"):
        yield "it is ready to be taken"
    if (status == "succeeded") != (run["result"] is not None or bool(run["result_lost"])):
        yield f"its result is {run['result']}"
    if (status == "failed") != (run["error_type"] is not None):
        yield f"its error is {run['error_type']}"


def _waiting(entry: RunEntry) -> Iterator[str]:
    """Who waits for something that is there already waits for ever."""
    named = json.loads(entry.run["waiting_for"])
    steps = {step.request["id"]: step for step in entry.steps}
    if any(request_id not in steps for request_id in named):
        yield "it waits for what is none of its steps"
    elif entry.status == "waiting" and not entry.run["ready"]:
        found = [steps[request_id].status for request_id in named]
        if not found or any(status not in _BLOCKED for status in found):
            yield f"it is not ready, and waits for steps that are {found}"


def _steps(entry: RunEntry) -> Iterator[str]:
    """No step is made twice, and one that succeeded is not made anew."""
    names = [step.request["call_id"] for step in entry.steps]
    if len(set(names)) != len(names):
        yield f"its steps are {names}"
    for earlier, later in pairwise(entry.steps):
        same = _name(earlier) == _name(later)
        if same and earlier.status not in (*NEVER_STARTED, "failed"):
            yield f"step {_name(earlier)!r} is {earlier.status}, and was made anew"


def _ends(entry: RunEntry) -> Iterator[str]:
    statuses = {step.status for step in entry.steps}
    if entry.status == "succeeded" and not statuses.issubset(OVER):
        yield f"it is over, and its steps are {sorted(statuses)}"
    if entry.status in RUN_OVER and statuses.intersection((*_UNDECIDED, "approved")):
        yield f"it is over, and asks for what is {sorted(statuses)}"


def _name(step: Entry) -> str:
    name: str = step.request["call_id"].partition("~")[0]
    return name


def forgotten(book: Book, told: Iterable[Told]) -> list[str]:
    """What somebody was told of a run and the queue does not know (any more)."""
    wrong = []
    for report in told:
        runs = [entry for entry in book.runs if entry.id == report.label]
        if report.what in ("run", "result") and not any(_knows(entry, report) for entry in runs):
            wrong.append(f"forgotten: {report.what} {report.label} {report.detail}")
    return wrong


def _knows(entry: RunEntry, report: Told) -> bool:
    if report.what == "result":
        return entry.status == "succeeded" and entry.run["result"] == report.detail
    return report.detail in {"waiting", *(_LEADS[event["kind"]][1] for event in entry.events[1:])}
