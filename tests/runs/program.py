"""An agent's program with workflows, to be run as a process of its own by `tests.runs.processes`.

It notes every call of a tool in the diary, a file that outlives it, and tells the test of it through a pipe. A tool
that is to be caught in its middle waits there until the test says that it may go on.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio

from gatekit import AsyncRun, Gate, NotApproved, NotRun, Ran, Run, current, gated_step
from gatekit.errors import RunError


class Book:
    """The diary. `catch` names the note at which the process waits, the first time that it is in the diary."""

    def __init__(self, path: str, test: Connection | None = None, catch: str = "") -> None:
        self.path = Path(path)
        self._test = test
        self._catch = catch

    def note(self, line: str) -> str:
        self.add(line)
        if line == self._catch and self.lines().count(line) == 1:
            self.wait()
        return line

    def add(self, line: str) -> None:
        into = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(into, f"{line}\n".encode())
        finally:
            os.close(into)
        self.say(line)

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def say(self, line: str) -> None:
        if self._test is not None:
            self._test.send(line)

    def wait(self) -> None:
        assert self._test is not None, "only a process that a test watches can be caught"
        self._test.recv()


def define(gate: Gate, book: Book) -> dict[str, Any]:
    """The program's workflows."""
    made = (*_asking(gate, book), *_plain(gate, book), *_recovering(gate, book))
    return {one.name: one for one in made}


def _asking(gate: Gate, book: Book) -> tuple[Any, ...]:
    note = book.note

    @gated_step(gate=gate)
    def manager(order: str) -> str:
        return note("manager")

    @gated_step(gate=gate)
    def finance(order: str) -> str:
        return note("finance")

    @gate.workflow
    def refund(run: Run, order: str) -> str:
        run.step("charge", note, "charge")
        run.step("manager", manager, order)
        run.step("finance", finance, order)
        return run.step("close", note, "close")

    def fresh(args: Any) -> bool:
        note("revalidate")
        return True

    @gated_step(gate=gate, wait=0.2, revalidate=fresh)
    def deploy(version: str) -> str:
        return note(f"deploy {version}")

    @gate.workflow
    def ship(run: Run, version: str) -> str:
        run.step("build", note, "build")
        return run.step("deploy", deploy, version)

    many_step = gated_step(lambda order: note(f"many {order}"), gate=gate, name="many")

    @gate.workflow
    def many(run: Run, order: str) -> str:
        run.step("wait", many_step, order)
        return run.step("after", note, f"after {order}")

    return refund, ship, many


def _plain(gate: Gate, book: Book) -> tuple[Any, ...]:
    note = book.note

    @gate.workflow
    def plain(run: Run, order: str) -> str:
        run.step("first", note, "first")
        run.step("middle", note, "middle")
        return run.step("last", note, "last")

    @gate.workflow
    async def plain_async(run: AsyncRun, order: str) -> str:
        await run.step("first", note, "first")
        await run.step("middle", note, "middle")
        return await run.step("last", note, "last")

    return plain, plain_async


def _recovering(gate: Gate, book: Book) -> tuple[Any, ...]:
    note = book.note

    @gated_step(gate=gate, requires_approval=lambda args: False, idempotent=True)
    def again(order: str) -> str:
        return note("again") + f" by attempt {current().attempt}"

    @gate.workflow
    def idempotent(run: Run, order: str) -> str:
        run.step("first", note, "first")
        return run.step("again", again, order)

    def ask_the_bank(call_id: str, args: Any) -> object:
        book.add(f"reconcile {call_id} {args.order}")
        return {"ran": Ran("found"), "not": NotRun(), "unclear": None}[args.order]

    @gated_step(gate=gate, requires_approval=lambda args: False, reconcile=ask_the_bank)
    def pay(order: str) -> str:
        return note("pay")

    @gate.workflow
    def reconciled(run: Run, order: str) -> str:
        return run.step("pay", pay, order)

    return idempotent, reconciled


def outcome(handle: Any) -> str:
    """The result, or the error in its place, as one line."""
    try:
        return f"result {handle.result(timeout=20)}"
    except NotApproved as error:
        return f"{type(error).__name__} {error.reason} {error.by}"
    except RunError as error:
        return f"{type(error).__name__} {error.reason}"


def work(gate: Gate, book: Book) -> None:
    """Go on with what can, for as long as it lives."""
    for _ in gate.watch(since=0):
        if taken := gate.resume_ready():
            book.say(f"taken {taken}")


def main(test: Connection, queue: str, diary: str, catch: str, verb: str, *args: str) -> None:
    """The whole life of one process."""
    book = Book(diary, test, catch)
    with Gate(queue) as gate:
        workflows = define(gate, book)
        if verb == "start":
            workflow, run_id, order = args
            if workflow.endswith("async"):
                anyio.run(workflows[workflow].start, run_id, order)
            else:
                workflows[workflow].start(run_id, order)
            book.say(f"status {gate.run(run_id).status}")
        elif verb == "resume":
            book.say(f"status {gate.run(args[0]).resume()}")
        elif verb == "result":
            book.say("waits")
            book.say(outcome(gate.run(args[0])))
        elif verb == "ready":
            gate.count("pending")
            book.say("here")
            book.wait()
            book.say(f"taken {gate.resume_ready()}")
        elif verb == "work":
            work(gate, book)
        elif verb == "approve":
            (row,) = gate.requests("pending", tool=args[0])
            gate.reviewer("bob").approve(gate.get(row.id))
        else:
            raise AssertionError(f"{verb} is no verb")
