"""Calls whose end is kept, and the judge who compares a queue with what people were told and what tools did."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from gatekit import Gate, Request, StoreError
from gatekit.errors import GatekitError
from gatekit.models import STATUSES

PATIENCE = 20.0
"""Seconds after which something hangs."""


def ended(call: Callable[[], Any]) -> Any:
    """What came of a call: its value, or the error of gatekit's that it raised. No other error is allowed."""
    try:
        return call()
    except GatekitError as error:
        return error


class Background:
    """A call in a thread of its own, and what came of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._end: Any = None
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._end = ended(self._call)
        except BaseException as error:  # noqa: BLE001 - raised where it is joined
            self._broken = error

    @property
    def goes_on(self) -> bool:
        return self._thread.is_alive()

    def end(self, seconds: float = PATIENCE) -> Any:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), f"the call hangs: it has not ended after {seconds:g} s"
        if self._broken is not None:
            raise self._broken
        return self._end


def first_request(gate: Gate) -> Request:
    """The first request of the queue, once its call waits for it."""
    request = gate.get(next(iter(gate.watch(0))).request_id)
    until_waiting(gate)
    return request


def until_waiting(gate: Gate, calls: int = 1) -> None:
    """Until so many calls of this process wait for a decision."""
    waits = gate.backend._waiting._waits  # type: ignore[attr-defined]
    deadline = time.monotonic() + PATIENCE
    while sum(map(len, list(waits.values()))) < calls:
        assert time.monotonic() < deadline, "the calls do not wait"
        with suppress(StoreError):
            gate.count()


def judge(queue: str | Path, decided: Iterable[tuple[str, str]] = (), ran: Iterable[int] = ()) -> Counter[str]:
    """Compare the queue with the facts: decisions that were acknowledged (request, verb), amounts that were paid.

    Answers how many requests are in which state. Every call of these tests has an amount of its own.
    """
    with closing(sqlite3.connect(queue)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with Gate(queue, create=False) as gate:
        gate.backend.sweep().wait()
        requests = [gate.get(row.id) for row in gate.requests(STATUSES, limit=1000)]
        acknowledged, paid = set(decided), Counter(ran)
        known = {request.id for request in requests}
        assert {request_id for request_id, _ in acknowledged} <= known, "a decision was acknowledged and is gone"
        for request in requests:
            kinds = [event.kind for event in gate.history(request.id)]
            _agree(request, kinds, {verb for one, verb in acknowledged if one == request.id}, paid)
    starts = {amount for request in requests for amount in [request.args["amount"]] if request.attempt is not None}
    assert set(paid) <= starts, "a tool ran that was never started"
    return Counter(request.status for request in requests)


def _agree(request: Request, kinds: list[str], acknowledged: set[str], paid: Counter[int]) -> None:
    story = f"{request.id} is {request.status}: {kinds}, acknowledged {acknowledged}, paid {paid}"
    for verb in acknowledged:
        assert request.decision is not None, story
        assert (request.decision.verb == verb) or "cancelled" in kinds, story
    starts = kinds.count("started") - kinds.count("not_started")
    times = paid[request.args["amount"]]
    assert times <= starts <= 1, story
    assert not (times and request.status not in ("succeeded", "unknown")), story
    assert not (request.status == "succeeded" and not times), story
