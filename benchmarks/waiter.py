"""The other process: it waits for requests, or does as little as a process that polls can do."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic_ns, process_time_ns

import anyio

from benchmarks import raw
from gatekit import Gate
from gatekit.models import UNDECIDED, Status
from gatekit.reply import Reply

_POLL = 0.25
"""Seconds between two looks of the floor's process: as often as gatekit looks when nothing nudges it."""


class Other:
    """A process of our own kind, and the line to it."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def ask(self, *question: object) -> int:
        self._line.send(question)
        return self.answer()

    def tell(self, *order: object) -> None:
        self._line.send(order)

    def answer(self) -> int:
        answer: int = self._line.recv()
        return answer


@contextmanager
def started(queue: Path, *, polls: bool = False) -> Generator[Other]:
    """Another process on this queue, ready; with `polls` it only polls."""
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_poll if polls else _serve, args=(queue, theirs), daemon=True)
    process.start()
    theirs.close()
    other = Other(mine)
    other.answer()
    try:
        yield other
    finally:
        other.tell("stop")
        process.join()
        mine.close()


def _serve(queue: Path, line: Connection) -> None:
    with Gate(queue, create=False) as gate:
        line.send(0)
        reply: Reply[Status | None] = Reply()
        while (order := line.recv())[0] != "stop":
            match order:
                case ("wait", request_id):
                    reply = gate.backend.wait(request_id, UNDECIDED, None)
                    line.send(0)
                case ("listen",):
                    line.send(anyio.run(_woken, reply))
                case ("clock",):
                    line.send(monotonic_ns())
                case ("cpu",):
                    line.send(process_time_ns())
                case _:
                    raise AssertionError(f"an order that nobody knows: {order!r}")


async def _woken(reply: Reply[Status | None]) -> int:
    await reply
    return monotonic_ns()


def _poll(queue: Path, line: Connection) -> None:
    connection = raw.connect(queue)
    line.send(0)
    while True:
        while not line.poll(_POLL):
            connection.execute("PRAGMA data_version").fetchone()
        if line.recv()[0] == "stop":
            connection.close()
            return
        line.send(process_time_ns())
