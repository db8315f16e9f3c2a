"""How a strict user's type checker sees the public API. Checked by mypy and pyright, never executed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, assert_type

import gatekit
from gatekit import (
    Args,
    Cancelled,
    Decision,
    Event,
    Expired,
    Gate,
    NotApproved,
    OutcomeUnknown,
    Rejected,
    Request,
    Responded,
    Suspended,
    calling,
    gated_step,
)
from gatekit.errors import AlreadyDecided, CallConflict, InvalidEdit
from gatekit.gate import AsyncGate
from gatekit.models import Attempt, Change, Outcome, Page, RequestRow, Risk, Status
from gatekit.reviewer import AsyncReviewer, Reviewer
from gatekit.testing import FakeClock, ScriptedReviewer, auto_approve, memory_gate, temporary_gate

gate = Gate("approvals.db")


# A gated step keeps its parameters and its result, sync and async, however it is gated.


@gated_step
def bare(to: str, *, copies: int = 1) -> bytes:
    return to.encode() * copies


@gated_step()
def called(to: str) -> bytes:
    return to.encode()


@gated_step(
    gate=gate,
    requires_approval=lambda args: not args.to.endswith("@mycompany.com"),
    description=lambda args: f"Send email to {args.to}: {args['subject']!r}",
    name="mail",
    risk="high",
    wait=timedelta(minutes=5),
    on_reject="return",
    on_suspend="return",
    tell_edits=True,
    redact=["password"],
    inject=("session",),
)
async def send_email(to: str, subject: str) -> str:
    return to + subject


def delete_file(path: str, force: bool = False) -> None: ...


def is_risky(args: Args) -> bool:
    return "path" in args and len(args) > 1


async def is_known_to_be_risky(args: Args) -> bool:
    return bool(args.force)


def rated(args: Args) -> Risk:
    return "critical" if args.force else "low"


delete = gated_step(delete_file, requires_approval=is_risky, description="Delete {path}", risk=rated, wait=0.5)
ask_async = gated_step(send_email, requires_approval=is_known_to_be_risky)

assert_type(bare("a", copies=2), bytes)
assert_type(called(to="a"), bytes)
assert_type(delete("a", force=True), None)
bare(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bare("a", 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
called()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
delete("a", forced=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def async_steps() -> None:
    assert_type(await send_email("a", subject="b"), str)
    assert_type(await ask_async("a", "b"), str)
    await send_email("a", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Mailbox:
    """Methods keep their receiver out of the way."""

    @gated_step
    def empty(self, folder: str) -> int:
        return len(folder)

    @gated_step(requires_approval=True)
    async def send(self, to: str) -> bytes:
        return to.encode()

    @staticmethod
    @gated_step
    def check(folder: str) -> float:
        return 0.5 * len(folder)

    @classmethod
    @gated_step
    def of(cls, folder: str) -> Mailbox:
        return cls() if folder else Mailbox()


async def methods(mailbox: Mailbox) -> None:
    assert_type(mailbox.empty("spam"), int)
    assert_type(await mailbox.send("a"), bytes)
    assert_type(Mailbox.check("spam"), float)
    assert_type(Mailbox.of("spam"), Mailbox)
    mailbox.empty(folder=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# An option that does not exist, or a value that it does not take, is an error.

gated_step(delete_file, on_reject="ignore")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
gated_step(delete_file, risk="enormous")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
gated_step(delete_file, notify=5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


# The queue.

assert_type(Gate(), Gate)
assert_type(Gate(Path("approvals.db"), create=False, record="all"), Gate)
with Gate() as opened:
    assert_type(opened, Gate)
Gate(record="some")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
gatekit.set_default(gate)
gatekit.set_default(None)

assert_type(gate.path, str)
assert_type(gate.exists(), bool)
assert_type(gate.get("id"), Request)
assert_type(gate.history("id"), Sequence[Event])
assert_type(gate.events(since=3, limit=10), Sequence[Event])
assert_type(gate.requests(), Page)
assert_type(gate.requests(("pending", "held"), tool="pay", order="due", after="k", limit=10), Page)
assert_type(gate.requests("pending", before="k"), Page)
assert_type(gate.count("pending", at_most=10), int)
assert_type(gate.position("id"), int)
assert_type(gate.check_edit(gate.get("id"), {"amount": 1}, replace=True), tuple[Change, ...])
assert_type(gate.now(), datetime)
assert_type(gate.watch(), Iterator[Event])
assert_type(gate.watch(since=0), Iterator[Event])
assert_type(gate.aio, AsyncGate)
gate.requests("waiting")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
gate.requests(None, 10)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
gate.get()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def async_queue() -> None:
    aio = gate.aio
    assert_type(await aio.get("id"), Request)
    assert_type(await aio.history("id"), Sequence[Event])
    assert_type(await aio.events(since=3, limit=10), Sequence[Event])
    assert_type(await aio.requests(["succeeded"], offset=100), Page)
    assert_type(await aio.count(), int)
    assert_type(await aio.position("id"), int)
    assert_type(await aio.check_edit(gate.get("id"), {}), tuple[Change, ...])
    assert_type(aio.now(), datetime)
    assert_type(aio.path, str)
    assert_type(aio.watch(), AsyncIterator[Event])
    async for event in aio.watch(since=0):
        assert_type(event, Event)
    await aio.get(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# The reviewer: a verb gives a decision here, something to be awaited there.

alice = gate.reviewer("alice", hold=5)
assert_type(alice, Reviewer)
assert_type(alice.pending(limit=10), list[Request])


def decide(request: Request) -> None:
    assert_type(alice.approve(request), Decision)
    assert_type(alice.approve("id", token="v1:ab12", note="fine"), Decision)
    assert_type(alice.edit(request, {"amount": 40}, replace=True, note="less"), Decision)
    assert_type(alice.reject(request, reason="too much"), Decision)
    assert_type(alice.respond(request, "ask first"), Decision)
    assert_type(alice.cancel(request, reason="late"), Decision)
    assert_type(alice.undo(request), Decision)
    alice.approve(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    alice.reject(request)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    alice.edit(request, amount=40)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def decide_async(request: Request) -> None:
    bob = gate.aio.reviewer("bob", hold=0.5)
    assert_type(bob, AsyncReviewer)
    assert_type(await bob.pending(), list[Request])
    assert_type(await bob.approve(request, note="fine"), Decision)
    assert_type(await bob.edit("id", {"amount": 40}, token="v1:ab12"), Decision)
    assert_type(await bob.reject(request, reason="too much"), Decision)
    assert_type(await bob.respond(request, "ask first"), Decision)
    assert_type(await bob.cancel("id"), Decision)
    assert_type(await bob.undo("id", token="v1:ab12"), Decision)
    bob.approve(request)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    await bob.reject(request)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


# What they hand out.


def read(request: Request, page: Page, event: Event) -> None:
    assert_type(request.args, dict[str, Any])
    assert_type(request.status, Status)
    assert_type(request.risk, Risk)
    assert_type(request.created_at, datetime)
    assert_type(request.decide_by, datetime | None)
    assert_type(request.decision, Decision | None)
    assert_type(request.attempt, Attempt | None)
    assert_type(request.outcome, Outcome | None)
    assert_type(request.waiter, Literal["waiting", "gone"])
    assert_type(page[0], RequestRow)
    assert_type(page[:2], tuple[RequestRow, ...])
    assert_type([row.key for row in page], list[str])
    assert_type(page.more, bool)
    assert_type(event.data, dict[str, Any])
    request.status = "approved"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def errors() -> None:
    try:
        with calling(call_id="toolu_01", run="thread-7", agent="agent-7"):
            bare("a")
    except Rejected as error:
        assert_type((error.reason, error.by), tuple[str, str])
    except Responded as error:
        assert_type(error.text, str)
    except (Expired, Cancelled, NotApproved) as error:
        assert_type(error.request, Request)
    except Suspended as error:
        assert_type(error.request_id, str)
    except CallConflict as error:
        assert_type(error.call_id, str)
    except OutcomeUnknown as error:
        assert_type(error.request, Request)
    except AlreadyDecided as error:
        assert_type(error.decision, Decision)
    except InvalidEdit as error:
        assert_type(error.errors, tuple[str, ...])


def testing(clock: FakeClock) -> None:
    with memory_gate(clock, record="all") as in_memory, temporary_gate() as in_a_file:
        assert_type(in_memory, Gate)
        assert_type(in_a_file, Gate)
    with auto_approve(reviewer="robot") as nothing:
        assert_type(nothing, None)
    with ScriptedReviewer(gate, ["approve", {"amount": 40}, ("reject", "no"), ("respond", "ask")]) as scripted:
        assert_type(scripted.requests, list[Request])
    ScriptedReviewer(gate, lambda request: "approve" if request.args["amount"] < 10 else ("reject", "too much"))
    ScriptedReviewer(gate, ["yes"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
