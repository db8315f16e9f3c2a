"""Keeps a screen as fresh as its queue: told of every change, looking by itself now and then, never in a hurry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from gatekit.errors import StoreError
from gatekit_tui.feed import Feed

if TYPE_CHECKING:
    from textual.screen import Screen

    from gatekit import Gate

LOOK_AGAIN = 5.0
"""Seconds after which the list is read again even if nobody told of a change: deadlines pass silently."""
AT_MOST_EVERY = 0.05
"""Seconds between two refreshes, so that a flood of calls costs a steady little."""
RECOUNT_EVERY = 3.0
"""Seconds between two full counts of a long list."""
RETRY_AFTER = 1.0
"""Seconds after which a queue that failed is tried again."""


class Follower:
    """Calls `refresh` after each change of the queue, and `trouble` with what is wrong, or None when it is right."""

    def __init__(
        self,
        gate: Gate,
        feed: Feed,
        refresh: Callable[[], Awaitable[None]],
        trouble: Callable[[StoreError | None], None],
    ) -> None:
        self._gate = gate
        self._feed = feed
        self._refresh = refresh
        self._trouble = trouble
        self._stirred = anyio.Event()
        self._refreshed = anyio.Event()

    def start(self, screen: Screen[None]) -> None:
        """Follow as long as the screen is there."""
        screen.run_worker(self._listen(), group="listen")
        screen.run_worker(self.keep_fresh(), group="fresh")
        screen.run_worker(self._keep_counted(), group="count")

    def stir(self) -> None:
        """Something changed: refresh soon."""
        self._stirred.set()

    async def keep_fresh(self) -> None:
        """Refresh after every change, and once in a while without one."""
        while True:
            self._stirred = anyio.Event()
            try:
                await self._refresh()
                self._trouble(None)
            except StoreError as error:
                self._trouble(error)
            self._refreshed.set()
            with anyio.move_on_after(LOOK_AGAIN):
                await self._stirred.wait()
            await anyio.sleep(AT_MOST_EVERY)

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._gate.aio.watch():
                    self.stir()
            except StoreError as error:
                self._trouble(error)
            await anyio.sleep(RETRY_AFTER)

    async def _keep_counted(self) -> None:
        while True:
            await self._refreshed.wait()
            self._refreshed = anyio.Event()
            if self._feed.is_long:
                try:
                    if await self._feed.recount():
                        self.stir()
                except StoreError as error:
                    self._trouble(error)
                await anyio.sleep(RECOUNT_EVERY)
