"""What other processes do in these tests: agents, reviewers and sweepers on one queue file, by the machine's clock.

A fork server that has this module imported makes each of them within milliseconds, and shares nothing with the test.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from gatekit import Budget, Gate, NotApproved, Policy, Run, Stage, Suspended, gated_step
from gatekit.errors import AlreadyDecided, NotAllowed, StaleToken

HANGS: Final = 60.0
"""Seconds after which a process that says nothing fails the test."""
BOARD: Final = tuple(f"member-{number}" for number in range(8))
QUORUM: Final = 3
VOTED_ON: Final = Policy(Stage("board", BOARD[:6], quorum=QUORUM), Stage("chair", BOARD[4:], quorum=2))
LIMIT: Final = 100
FORTY_DAYS: Final = 40 * 86_400
context: Final = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.policy.programs"])


def together(*jobs: tuple[Any, ...]) -> list[Any]:
    """Run each `(function, *arguments)` in a process of its own, begun at one moment; what each of them gave."""
    barrier, answers = context.Barrier(len(jobs)), context.Queue()
    processes = [context.Process(target=_one, args=(no, barrier, answers, *job)) for no, job in enumerate(jobs)]
    for process in processes:
        process.start()
    try:
        found = dict(answers.get(timeout=HANGS) for _ in processes)
    finally:
        for process in processes:
            process.join(5)
            process.kill()
    for answer in found.values():
        if isinstance(answer, BaseException):
            raise answer
    return [found[no] for no in range(len(jobs))]


def alone(*job: Any) -> Any:
    """The same for one."""
    return together(job)[0]


def _one(no: int, barrier: Any, answers: Any, job: Any, *args: Any) -> None:
    try:
        barrier.wait()
        answers.put((no, job(*args)))
    except Exception as error:  # noqa: BLE001 - raised again by the test
        answers.put((no, AssertionError(f"{job.__name__}{args}: {error!r}")))


def vote(queue: str, name: str, ids: Sequence[str], verb: Literal["approve", "reject"]) -> list[str]:
    """Say it on each request for as long as it is this person's turn; the requests on which it was taken."""
    taken = []
    with Gate(queue, create=False) as gate:
        reviewer = gate.reviewer(name)
        for request_id in ids:
            while gate.get(request_id).status == "pending":
                request = gate.get(request_id)
                try:
                    if verb == "approve":
                        reviewer.approve(request)
                    else:
                        reviewer.reject(request, reason="too much")
                except StaleToken:
                    continue
                except NotAllowed:
                    # Not yet, or not any more: the stage may change.
                    if name in BOARD[4:] and request.stages[0].status != "done":
                        continue
                    break
                except AlreadyDecided:
                    break
                taken.append(request_id)
                break
    return taken


def pay(queue: str, amounts: Sequence[str]) -> list[str]:
    """The amounts that a budget, or a permission, let pass."""
    paid: list[str] = []
    with Gate(queue, create=False) as gate:

        @gated_step(gate=gate, wait=0, budget=Budget(LIMIT, per=FORTY_DAYS, field="amount"), tell_edits=False)
        def pay(amount: Decimal) -> None:
            paid.append(str(amount))

        for amount in amounts:
            try:
                pay(Decimal(amount))
            except Suspended:
                continue
    return paid


def send(queue: str, times: int) -> int:
    """How many calls passed without anybody being asked."""
    sent = 0
    with Gate(queue, create=False) as gate:
        step = gated_step(lambda path: path, gate=gate, name="send", wait=0)
        for _ in range(times):
            try:
                step("/srv/a")
                sent += 1
            except Suspended:
                continue
    return sent


def look(queue: str, seconds: float) -> int:
    """Open the queue and look at it, again and again, so long."""
    looks, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with Gate(queue, create=False) as gate:
            gate.requests()
            looks += 1
    return looks


def wait_for_decision(queue: str, expires_after: float, on_expiry: Any) -> tuple[str, float]:
    """A call that waits for ever: how it ended, and after how many seconds."""
    with Gate(queue) as gate:
        rungs = {timedelta(hours=1): "chief"} if on_expiry == "escalate" else None
        policy = Policy(on_expiry=on_expiry, escalate_after=rungs)
        step = gated_step(lambda: "paid", gate=gate, name="pay", policy=policy, expires_after=expires_after)
        gate.count()
        began = time.monotonic()
        try:
            said = str(step())
        except NotApproved as error:
            said = type(error).__name__
        return said, time.monotonic() - began


def decide(queue: str, name: str, tool: str, verb: str = "approve") -> str:
    """What came of this person's word on the one request of the tool that is there."""
    with Gate(queue, create=False) as gate:
        (row,) = gate.requests(("pending", "expired", "approved", "succeeded"), tool=tool)
        try:
            if verb == "approve":
                gate.reviewer(name).approve(gate.get(row.id))
            else:
                gate.reviewer(name).answer(gate.get(row.id), verb)
        except (AlreadyDecided, NotAllowed) as error:
            return type(error).__name__
        return "taken"


def decide_once_overdue(queue: str, name: str) -> str:
    """Approve the request that nobody decided in time and that stays open."""
    with Gate(queue) as gate:
        for event in gate.watch(0):
            if event.kind == "overdue":
                gate.reviewer(name).approve(gate.get(event.request_id))
                return "taken"
    raise AssertionError("nothing more happens")


class Firm:
    """An agent's program with two workflows and a diary that outlives it."""

    def __init__(self, gate: Gate, diary: str) -> None:
        note = Book(diary).note
        both = Policy(Stage("manager", "mona"), Stage("finance", "fred"), Stage("ceo", "cleo", when=_is_large))
        transfer = gated_step(_transfer(note), gate=gate, name="transfer", policy=both)

        @gate.workflow
        def refund(run: Run, amount: int) -> str:
            run.step("charge", note, "charge")
            return run.step("transfer", transfer, amount)

        @gate.workflow
        def survey(run: Run, topic: str) -> list[str]:
            note("survey")
            first = run.ask("first", f"Where does {topic} run?", choices=("eu", "us"))
            run.step("between", note, "between")
            return [first, run.ask("second", "Why?")]

        self.refund, self.survey = refund, survey


def _is_large(args: Any) -> bool:
    return bool(args.amount > 10_000)


def _transfer(note: Any) -> Any:
    def transfer(amount: int) -> str:
        note("transfer")
        return f"transferred {amount}"

    return transfer


class Book:
    """The diary: a line for each call of a tool."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def note(self, line: str) -> str:
        into = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(into, f"{line}\n".encode())
        finally:
            os.close(into)
        return line

    @property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


def start(queue: str, diary: str, workflow: str, given: Any) -> str:
    """Start a run `r` in a new process and leave it there."""
    with Gate(queue) as gate:
        getattr(Firm(gate, diary), workflow).start("r", given)
        return str(gate.run("r").status)


def resume(queue: str, diary: str) -> str:
    with Gate(queue, create=False) as gate:
        Firm(gate, diary)
        return str(gate.run("r").resume())
