"""Keeps a screen that tells of the past as fresh as its queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import anyio

from gatekit.errors import StoreError
from gatekit.models import Event

if TYPE_CHECKING:
    from textual.screen import Screen

    from gatekit import Gate

_LOOK_AGAIN: Final = 5.0
"""Seconds after which it is read again even if nobody told of a change: deadlines pass silently."""
_AT_MOST_EVERY: Final = 0.1
"""Seconds between two refreshes, so that a flood of events costs a steady little."""
_RETRY_AFTER: Final = 1.0
"""Seconds after which a queue that failed is tried again."""


class Live:
    """Calls `refresh` after every event that concerns the screen, and once in a while without one.

    A queue that cannot be read is told of once by `trouble`, until it can be read again.
    """

    def __init__(
        self,
        gate: Gate,
        refresh: Callable[[], Awaitable[None]],
        concerns: Callable[[Event], bool],
        trouble: Callable[[str], None],
    ) -> None:
        self._gate = gate
        self._refresh = refresh
        self._concerns = concerns
        self._trouble = trouble
        self._stirred = anyio.Event()
        self._in_trouble = False

    def start(self, screen: Screen[Any]) -> None:
        """Follow the queue as long as the screen is there."""
        screen.run_worker(self._listen(), group="listen")
        screen.run_worker(self._keep_fresh(), group="fresh")

    def stir(self) -> None:
        """Something changed: refresh soon."""
        self._stirred.set()

    def failed(self, error: StoreError) -> None:
        """The queue could not be read."""
        if not self._in_trouble:
            self._trouble(str(error))
        self._in_trouble = True

    async def _keep_fresh(self) -> None:
        while True:
            self._stirred = anyio.Event()
            try:
                await self._refresh()
                self._in_trouble = False
            except StoreError as error:
                self.failed(error)
            with anyio.move_on_after(_RETRY_AFTER if self._in_trouble else _LOOK_AGAIN):
                await self._stirred.wait()
            await anyio.sleep(_AT_MOST_EVERY)

    async def _listen(self) -> None:
        while True:
            try:
                async for event in self._gate.aio.watch():
                    if self._concerns(event):
                        self.stir()
            except StoreError as error:
                self.failed(error)
            await anyio.sleep(_RETRY_AFTER)
