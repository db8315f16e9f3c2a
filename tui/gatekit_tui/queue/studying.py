"""Reads all that the picture of one request needs: it, what it is compared with, and what happened to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio

from gatekit.models import Request
from gatekit_tui.history.strip import strip_lines
from gatekit_tui.request.compared import FIRST, Compared, compared
from gatekit_tui.request.preview_text import texts_of
from gatekit_tui.request.refused import refused
from gatekit_tui.request.study import Study, study

if TYPE_CHECKING:
    from gatekit import Gate

_SLOW: Final = 50_000
"""Characters of a request that take too long to look at between two keys."""


class Before(NamedTuple):
    """What was decided before on others like it."""

    approved: Request | None = None
    """The last approved call of its tool."""
    refused: Request | None = None
    """The last one like it that was turned down."""

    def is_in(self, shown: Study) -> bool:
        """Whether the picture was made with these."""
        if shown.broken:
            return True
        compared = shown.compared is None or shown.compared.before == _id(self.approved)
        return compared and (shown.refused.id if shown.refused else "") == _id(self.refused)


class Reader:
    """Reads requests of one queue for the detail."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._queue = gate.aio

    async def before(self, request: Request) -> Before:
        """What was decided before, where somebody is to decide on this one."""
        approved = await self._queue.last_approved(request) if _is_compared(request) else None
        return Before(approved, await self._queue.last_refused(request) if _asks_for_a_yes(request) else None)

    async def study(self, request: Request, before: Before) -> Study:
        """The request, looked at."""
        schema = await self._queue.schema(request) if request.kind == "question" else None
        events = await self._queue.history(request.id)

        def complete(seen: Study) -> Study:
            found = self._compare(seen, before.approved)
            past = strip_lines(events, request)
            return replace(seen, compared=found, refused=refused(request, before.refused), past=past)

        then = len(before.approved.args_text) if before.approved else 0
        texts = len(request.args_text) + len(texts_of(request.preview)) + then
        if texts > _SLOW:
            return await anyio.to_thread.run_sync(study, request, schema, complete)
        return study(request, schema, complete)

    def _compare(self, seen: Study, before: Request | None) -> Compared | None:
        if not _is_compared(seen.request):
            return None
        return FIRST if before is None else compared(seen.drawing, before, self._gate.compare(before, seen.request))


def _is_compared(request: Request) -> bool:
    return request.kind == "call" and request.status == "pending"


def _asks_for_a_yes(request: Request) -> bool:
    return request.kind in ("call", "confirm") and request.status == "pending"


def _id(request: Request | None) -> str:
    return "" if request is None else request.id
