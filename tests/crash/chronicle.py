"""The events of a request, told again from the beginning: they must lead to the state in which it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from tests.crash.book import Entry, Row

_VERB: Final = {
    "approved": "approve",
    "edited": "edit",
    "rejected": "reject",
    "responded": "respond",
    "released": "release",
    "cancelled": "cancel",
    "undone": "undo",
    "retried": "retry",
    "settled": "settle",
    "expired": "expire",
}
"""The decision that each of these events comes with."""
_EFFECT: Final = {"approve": "approved", "edit": "approved", "reject": "rejected", "respond": "responded"} | {
    "release": "answered"
}


class Chronicle:
    """Walks through the events and says where the request stands after each."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.statuses: tuple[str, ...] = ()
        """Where it can stand; more than one only after a failure that may or may not be followed by a start."""
        self.wrong: list[str] = []
        self.permits = 0
        self._decisions = iter(entry.decisions)
        self._decision: Row | None = None
        self._kept = 0
        """Starts so far that were not given back."""

    def walk(self) -> None:
        for event in self.entry.events:
            kind, data = event["kind"], json.loads(event["data"])
            lost_by_word = kind == "unknown" and data.get("why") == "declared lost"
            verb = "declare_lost" if lost_by_word else _VERB.get(kind)
            if verb is not None:
                self._take_decision(event, verb)
            step = _STEPS.get(kind)
            if step is None:
                self.wrong.append(f"an event {kind!r} that the judge does not know")
            else:
                step(self, data)
        self.wrong += [f"decision {row['no']} ({row['verb']}) has no event" for row in self._decisions]

    def _take_decision(self, event: Row, verb: str) -> None:
        row = next(self._decisions, None)
        if row is None or (row["verb"], row["by"]) != (verb, event["by"]):
            self.wrong.append(f"the event {event['kind']} by {event['by']} has no decision")
        elif verb not in ("undo", "settle", "declare_lost"):
            self._decision = row

    def _stands(self, *statuses: str) -> None:
        self.statuses = statuses

    def _decided(self, data: Row) -> None:
        held = self._decision is not None and self._decision["effective_at"] is not None
        if held:
            self._stands("held")
        else:
            self._takes_effect(data)

    def _takes_effect(self, data: Row) -> None:
        verb = "approve" if self._decision is None else self._decision["verb"]
        if _EFFECT[verb] == "approved":
            self.permits += 1
            self._stands("approved")
        else:
            self._unstarted(_EFFECT[verb])

    def _unstarted(self, status: str) -> None:
        """`rejected`, `expired` and the like say that it never started: one that did stands where its attempt does."""
        started = [row for row in self.entry.attempts if row["state"] != "given_back"][: self._kept]
        self._stands(("failed" if started[-1]["state"] == "raised" else "unknown") if started else status)

    def _retried(self, data: Row) -> None:
        self.permits += 1
        self._stands("approved")

    def _started(self, data: Row) -> None:
        if "approved" not in self.statuses:
            self.wrong.append(f"attempt {data['attempt']} was started when it was {' or '.join(self.statuses)}")
        self._kept += 1
        self._stands("running")

    def _not_started(self, data: Row) -> None:
        self._kept -= 1
        self._stands("approved")

    def _failed(self, data: Row) -> None:
        self._stands("failed", "approved")

    def _settled(self, data: Row) -> None:
        self._stands("succeeded" if data["kind"] == "returned" else "failed")


def _to(status: str) -> Callable[[Chronicle, Row], None]:
    return lambda chronicle, data: chronicle._stands(status)


def _stays(chronicle: Chronicle, data: Row) -> None:
    """An event that moves nothing."""


_STEPS: Final[dict[str, Callable[[Chronicle, Row], None]]] = {
    "submitted": _to("pending"),
    "attached": _stays,
    "suspended": _stays,
    "approved": Chronicle._decided,
    "edited": Chronicle._decided,
    "rejected": Chronicle._decided,
    "responded": Chronicle._decided,
    "released": Chronicle._decided,
    "effective": Chronicle._takes_effect,
    "cancelled": lambda chronicle, data: chronicle._unstarted("cancelled"),
    "expired": lambda chronicle, data: chronicle._unstarted("expired"),
    "returned": _to("pending"),
    "undone": _stays,
    "retried": Chronicle._retried,
    "started": Chronicle._started,
    "not_started": Chronicle._not_started,
    "again": _to("approved"),
    "reconciled": _stays,
    "reported": _stays,
    "late_report": _stays,
    "succeeded": _to("succeeded"),
    "failed": Chronicle._failed,
    "unknown": _to("unknown"),
    "settled": Chronicle._settled,
}


def of_events(entry: Entry) -> Iterator[str]:
    """Where the events and the other rows disagree."""
    chronicle = Chronicle(entry)
    chronicle.walk()
    yield from chronicle.wrong
    if entry.status not in chronicle.statuses:
        yield f"its events lead to {' or '.join(chronicle.statuses) or 'nothing'}"
    if chronicle.permits != len(entry.permits):
        yield f"its events made {chronicle.permits} permits, and there are {len(entry.permits)}"
    if [event["kind"] == "submitted" for event in entry.events] != [True] + [False] * (len(entry.events) - 1):
        yield "its history does not begin with its submission"
    for kind, state in (("started", None), ("not_started", "given_back")):
        told = sum(event["kind"] == kind for event in entry.events)
        rows = sum(state in (None, row["state"]) for row in entry.attempts)
        if told != rows:
            yield f"{told} events {kind}, and {rows} such attempts"
    if entry.events:
        last, request = entry.events[-1], entry.request
        if (last["version"], last["digest"]) != (request["version"], request["digest"]):
            yield f"its last event is of version {last['version']}, and it is version {request['version']}"
