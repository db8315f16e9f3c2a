"""`gatekit worker`: goes on with runs for as long as it lives, or once."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence
from typing import Final

import anyio
import anyio.abc
import click

from gatekit.cli.application import gate_of
from gatekit.cli.paint import safe
from gatekit.errors import GatekitError
from gatekit.gate import Gate
from gatekit.models import Event
from gatekit.reply import Reply
from gatekit.runs import resume_some

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)
_AFTER_A_FAULT: Final = 5.0
"""Seconds."""


@click.command()
@click.argument("app", metavar="MODULE:GATE")
@click.option("--once", is_flag=True, help="Go on with every run that can now, then end: for cron.")
def worker(app: str, once: bool) -> None:
    """Go on with every run of a program that can, until Ctrl-C or SIGTERM.

    MODULE:GATE names the program's gate: app:gate for the variable `gate` in app.py. The current folder is looked
    into first. The queue is the gate's own. Several workers can share it: each run is taken by one. The first Ctrl-C
    or SIGTERM lets the runs in hand come to their next stop; a second one breaks them off.
    """
    gate = gate_of(app)
    _show_errors()
    with gate:
        if once:
            taken = gate.resume_ready()
            if taken:
                _tell(gate, taken)
            return
        _Worker(gate).run()


class _Worker:
    """Goes on with runs until it is told to end.

    What it has in hand then, it finishes: a tool that is cancelled in its middle leaves an outcome that nobody knows.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._ending = False
        self._idle: anyio.CancelScope | None = None
        self._failure: GatekitError | None = None

    def run(self) -> None:
        anyio.run(self._run)
        if self._failure is not None:
            raise self._failure

    async def _run(self) -> None:
        async with anyio.create_task_group() as group:
            await group.start(self._listen)
            click.echo(f"works on {', '.join(map(safe, self._gate.workflows))} in {safe(self._gate.path)}")
            try:
                await self._work()
            except GatekitError as error:
                # Raised again outside: a task group would wrap it.
                self._failure = error
            group.cancel_scope.cancel()

    async def _listen(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(*_ENDING) as signals:
            task_status.started()
            async for _ in signals:
                break
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        self._ending = True
        if self._idle is not None:
            self._idle.cancel()
        else:
            click.echo("ending: what is in hand is finished first; once more breaks it off")

    async def _work(self) -> None:
        backend = self._gate.backend
        while not self._ending:
            cursor = await backend.cursor()
            batch = await resume_some(self._gate)
            if batch.taken:
                _tell(self._gate, batch.taken)
            if batch.taken and not batch.broken:
                continue
            with anyio.CancelScope() as self._idle:
                if not self._ending:
                    # A run that the queue would not take is tried again, but not all the time.
                    await (anyio.sleep(_AFTER_A_FAULT) if batch.broken else _arrival(backend.next_events(cursor)))
            self._idle = None


async def _arrival(news: Reply[Sequence[Event]]) -> None:
    try:
        await news
    finally:
        news.abandon()


class _Visible(logging.Formatter):
    """What tools raise is foreign text."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(safe, super().format(record).splitlines()))


def _show_errors() -> None:
    """Say on standard error which runs failed, where the program has no logging of its own."""
    if logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.ERROR)
    handler.setFormatter(_Visible("%(message)s"))
    logging.getLogger("gatekit").addHandler(handler)


def _tell(gate: Gate, taken: int) -> None:
    runs = "1 run" if taken == 1 else f"{taken} runs"
    click.echo(f"{gate.now():%Y-%m-%d %H:%M:%S}Z  took up {runs}")
