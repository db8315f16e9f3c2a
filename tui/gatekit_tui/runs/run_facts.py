"""What is known of a run's steps beyond their states: read when they come into sight, and again when they changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gatekit.errors import RequestNotFound
from gatekit.models import Event
from gatekit_tui.runs.run_text import Facts, facts_of

if TYPE_CHECKING:
    from gatekit import Gate


class FactsReader:
    """Reads the requests behind steps, and calls `news` when one of them was read."""

    def __init__(self, gate: Gate, news: Callable[[], None]) -> None:
        self._gate = gate
        self._news = news
        self._last: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self.known: dict[str, Facts] = {}
        """What was read, by the request's id."""

    def heard(self, events: Sequence[Event]) -> None:
        """These happened; what was read of their requests before the last of them is old."""
        self._last = {event.request_id: event.cursor for event in events if event.request_id}

    async def read(self, request_ids: Sequence[str]) -> None:
        """Read those of these requests that changed since they were read. Raises `StoreError`."""
        for request_id in request_ids:
            last = self._last.get(request_id, 0)
            if self._read.get(request_id) == last:
                continue
            try:
                request = await self._gate.aio.get(request_id)
            except RequestNotFound:
                # Deleted with its run, which the next refresh of the screen sees.
                return
            self.known[request_id] = facts_of(request, self._gate.now())
            self._read[request_id] = last
            self._news()
