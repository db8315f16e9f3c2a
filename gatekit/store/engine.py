"""A queue at work in this process: a writer, a reader, and the threads they run on."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from gatekit.backend.tx import Observer
from gatekit.clock import Clock
from gatekit.errors import GatekitError, StoreError, UsageError
from gatekit.store.home import Home
from gatekit.store.jobs import Job
from gatekit.store.reader import CLOSED, Reader
from gatekit.store.writer import Writer


class Engine:
    """Shared by all who use one queue; `users` counts them. Its threads start with it and are daemons."""

    def __init__(self, path: str, clock: Clock) -> None:
        self.home = Home(path)
        self.clock = clock
        self.users = 0
        self._works = True
        self._pid = os.getpid()
        self._writer = Writer(self.home, clock, self._let_go)
        self._reader = Reader(self.home, clock, self._let_go)
        self._threads = [
            threading.Thread(target=self._run, args=(part,), name=name, daemon=True)
            for part, name in ((self._reader, "gatekit-reader"), (self._writer, "gatekit-writer"))
        ]
        self._forget_jumps = clock.on_jump(self.stir)
        for thread in self._threads:
            thread.start()

    def is_ours(self) -> bool:
        """Whether it was made by this process, and not inherited by a fork."""
        return self._pid == os.getpid()

    def works_here(self) -> bool:
        """Whether it takes jobs: ours, not stopped, not broken."""
        return self._works and self.is_ours()

    def retire(self) -> None:
        """Nobody new may use it; `stop` follows."""
        self._works = False

    def write(self, job: Job) -> bool:
        """Queue a write job; False if it came too late."""
        return self._writer.put(job)

    def read(self, job: Job) -> bool:
        """Queue a read job; False if it came too late."""
        return self._reader.put(job)

    def observe(self, observers: Sequence[Observer]) -> None:
        """Tell these observers of changes."""
        self._reader.observe(observers)

    def dismiss(self, observers: Sequence[Observer]) -> None:
        """Tell them nothing any more."""
        self._reader.dismiss(observers)

    def forget_observers(self) -> None:
        """Tell nobody anything any more, not even that it ends."""
        self._reader.forget_observers()

    def stir(self) -> None:
        """Let the observers look soon."""
        self._reader.stir()

    def stop(self, seconds: float | None = None) -> None:
        """Finish what is queued and let go of the file, waiting for that so many seconds at most."""
        self._works = False
        self._forget_jumps()
        for stop, thread in zip((self._reader.stop, self._writer.stop), self._threads, strict=True):
            stop()
            if thread is not threading.current_thread():
                thread.join(seconds)

    def pause(self) -> None:
        """Wait for the end of what is going on, close the connections, and let nothing begin before `resume`."""
        self._writer.link.busy.acquire()
        self._reader.link.busy.acquire()
        self._disconnect()

    def resume(self) -> None:
        """Go on; the connections are opened again when they are needed."""
        self._reader.link.busy.release()
        self._writer.link.busy.release()

    def _let_go(self) -> None:
        """Close whatever leads to lost files: SQLite would share its index with what is opened beside it."""
        with self._writer.link.busy, self._reader.link.busy:
            loss, self.home.loss = self.home.loss, None
            if loss is not None:
                self._disconnect()
                self._reader.fail_observers(loss)

    def _disconnect(self) -> None:
        self._writer.disconnect()
        self._reader.disconnect()

    def discard(self) -> None:
        """In a forked child, where its threads do not exist: let go of what was inherited."""
        self._works = False
        self._reader.doorbell.discard()

    def _run(self, part: Reader | Writer) -> None:
        error: GatekitError = UsageError(CLOSED)
        try:
            part.run()
        except BaseException as broken:
            # Whoever waits must hear it; those who come later get a new engine.
            error = StoreError(f"{self.home.path}: a thread of the queue broke: {broken!r}")
            self._works = False
            self._reader.stop()
            self._writer.stop()
            raise
        finally:
            part.end(error)
