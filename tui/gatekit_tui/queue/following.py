"""Keeps a screen as fresh as its queue: told of every change, looking by itself now and then, never in a hurry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf
from typing import TYPE_CHECKING

import anyio

from gatekit.errors import StoreError
from gatekit_tui.queue.feed import Feed

if TYPE_CHECKING:
    from textual.screen import Screen

    from gatekit import Gate

LOOK_AGAIN = 4.0
"""Seconds after which the list is read again even if nobody told of a change: deadlines pass silently."""
AT_MOST_EVERY = 0.05
"""Seconds between two refreshes, so that a flood of calls costs a steady little; at least as long as the last took."""
WHOLE_LOOK = 5
"""Of so many looks that nobody asked for, one reads the whole picture."""
STALE = 5.0
"""Seconds without a reading after which nobody shall decide by what is on the screen."""
RECOUNT_EVERY = 3.0
"""Seconds between two full counts of a long list."""
RETRY_AFTER = 1.0
"""Seconds after which a queue that failed is tried again."""


class Follower:
    """Calls `refresh` after each change of the queue, and `trouble` with what is wrong, or None when it is right.

    `refresh` says whether what it read is on the screen now.
    """

    def __init__(
        self,
        gate: Gate,
        feed: Feed,
        refresh: Callable[[], Awaitable[bool]],
        trouble: Callable[[StoreError | None], None],
    ) -> None:
        self._gate = gate
        self._feed = feed
        self._refresh = refresh
        self._trouble = trouble
        self._stirred = anyio.Event()
        self._changed = anyio.Event()
        self._read_at: float | None = None
        self._took = 0.0
        self.paused = False
        """Whether only the reviewer's own doings are followed."""

    @property
    def stale(self) -> float | None:
        """Seconds since the queue was last read, where that is too long ago to decide by."""
        if self.paused or self._read_at is None:
            return None
        age = anyio.current_time() - self._read_at
        return None if self.fresh_for else age

    @property
    def fresh_for(self) -> float:
        """Seconds until it is stale unless it is read again; 0: it is, or was never read."""
        if self.paused:
            return inf
        if self._read_at is None:
            return 0
        # A slow queue that answers is not a silent one.
        return max(0, self._read_at + STALE + 2 * self._took - anyio.current_time())

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
        silent = 0
        while True:
            self._stirred = anyio.Event()
            began = anyio.current_time()
            is_whole = silent % WHOLE_LOOK == 0
            try:
                if await (self._refresh() if is_whole else self._look()):
                    self._read_at = anyio.current_time()
                self._trouble(None)
            except StoreError as error:
                self._trouble(error)
                silent = -1
            self._took = anyio.current_time() - began
            if silent == 0:
                self._changed.set()
            silent = 0 if await self._is_stirred() else silent + 1
            await anyio.sleep(max(AT_MOST_EVERY, self._took))

    async def _look(self) -> bool:
        """See that the queue answers. What is overdue is settled by it, and that is a change one hears of."""
        await self._gate.aio.count("pending", at_most=1)
        return True

    async def _is_stirred(self) -> bool:
        """Whether something changed; False: it is time to look again all the same."""
        while True:
            with anyio.move_on_after(LOOK_AGAIN):
                await self._stirred.wait()
                return True
            if not self.paused:
                return False

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._gate.aio.watch():
                    if not self.paused:
                        self.stir()
            except StoreError as error:
                self._trouble(error)
            await anyio.sleep(RETRY_AFTER)

    async def _keep_counted(self) -> None:
        while True:
            # Time alone makes no list longer: only what happened does.
            await self._changed.wait()
            self._changed = anyio.Event()
            if self._feed.is_long and not self.paused:
                try:
                    if await self._feed.recount():
                        self.stir()
                except StoreError as error:
                    self._trouble(error)
                await anyio.sleep(RECOUNT_EVERY)
