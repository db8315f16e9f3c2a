"""What a sleeping reader wakes for: its own process at the bell, other processes at the ear."""

from __future__ import annotations

import os
import selectors
import socket
from contextlib import suppress

from gatekit.nudge import Ear


class Doorbell:
    """One sleep over both. `press` may be called by any thread, everything else by the sleeping one."""

    def __init__(self, nudges: str) -> None:
        self._nudges = nudges
        self._bell, self._button = socket.socketpair()
        self._bell.setblocking(False)
        self._button.setblocking(False)
        self._bell_alone = selectors.DefaultSelector()
        self._bell_alone.register(self._bell, selectors.EVENT_READ)
        self._both = selectors.DefaultSelector()
        self._both.register(self._bell, selectors.EVENT_READ)
        self._ear: Ear | None = None

    def press(self) -> None:
        """Wake the sleeper. A full bell rings already, and a closed one has nobody behind it."""
        with suppress(OSError):
            self._button.send(b"\0")

    def sleep(self, seconds: float | None, *, deaf: bool) -> bool:
        """Sleep until somebody presses, or, unless `deaf`, nudges, or the time is over (None: never).

        Answers whether there was a nudge.
        """
        heard = False
        selector = self._bell_alone if deaf else self._both
        for key, _ in selector.select(seconds):
            if key.fileobj is self._bell:
                with suppress(BlockingIOError):
                    self._bell.recv(4096)
            elif self._ear is not None:
                self._ear.drain()
                heard = True
        return heard

    def listen(self) -> bool:
        """Have an ear from now on; False where this system has none, and only polling is left."""
        if self._ear is None:
            try:
                self._ear = Ear(self._nudges)
            except OSError:
                return False
            self._both.register(self._ear, selectors.EVENT_READ)
        return True

    def hush(self) -> None:
        """Have no ear any more."""
        if self._ear is not None:
            self._both.unregister(self._ear)
            self._ear.close()
            self._ear = None

    def close(self) -> None:
        """Let go of everything."""
        self.hush()
        self.discard()
        with suppress(OSError):
            # Not while others still have ears there.
            os.rmdir(self._nudges)

    def discard(self) -> None:
        """Let go of the descriptors, and leave the ear's file to the process that this one was forked from."""
        if self._ear is not None:
            self._ear.discard()
        self._bell_alone.close()
        self._both.close()
        self._bell.close()
        self._button.close()
