"""A queue on an ordinary day, for pictures: what was decided, what runs, and calls that really wait.

Its clock is made up, and so are its ids and the process that it runs in: every drawing of it is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import anyio
import sample_tools as tools
from anyio.abc import TaskStatus

from gatekit import Policy, Run, Stage, Suspended, calling, gated_step
from gatekit.testing import FakeClock, auto_approve, memory_gate

Waiting = Callable[[], Awaitable[object]]


class PowerCut(BaseException):
    """Ends a tool as no exception of its own would: nobody knows what it did."""


class Day:
    """The queue, and what happens in it."""

    def __init__(self) -> None:
        self.clock = FakeClock(1_788_943_200_000_000)
        self.gate = memory_gate(self.clock)

    def before(self) -> None:
        """All that is over when the pictures are taken."""
        gate = self.gate
        for name, roles in (("alice", ["lead"]), ("ana", ["finance"]), ("bob", ["finance", "lead"])):
            gate.add_reviewer(name, roles=roles)
        self._refunds()
        self._mails()
        self._runs()
        self._unknown()
        self._allowed()

    def _refunds(self) -> None:
        refund = self._step(tools.refund, name="refund", risk="low", description="Refund order #{order}: €{amount}")
        for number, (wait, amount) in enumerate([(41, 12.5), (95, 30), (300, 8), (62, 120), (18, 19.9), (240, 45)]):
            with calling(call_id=f"r{number}", run="nightly-41", agent="billing"):
                refund(order=101 + number, amount=amount)
                self._decide("ana", wait, "reject" if amount > 100 else "edit" if amount == 45 else "approve")
                self.clock.advance(20)
                if amount < 100:
                    refund(order=101 + number, amount=amount)
            self.clock.advance(400)

    def _mails(self) -> None:
        mail = self._step(tools.send_email, name="send_email", description="Send {subject!r} to {to}")
        for number, wait in enumerate([1.2, 1.4, 0.9, 75, 1.1]):
            with calling(call_id=f"m{number}", run="nightly-41", agent="billing"):
                mail(to=[f"customer{number}@example.com"], subject="Your receipt", body="…")
                self._decide("bob", wait, "approve")
                mail(to=[f"customer{number}@example.com"], subject="Your receipt", body="…")
            self.clock.advance(300)
        with calling(call_id="late", run="nightly-41", agent="billing"):
            late = self._step(tools.send_email, name="send_email", description="Send {subject!r}", expires_after=900)
            late(to=["all@example.com"], subject="Offer of the day", body="…")
        self.clock.advance(1000)

    def _decide(self, who: str, wait: float, verb: str) -> None:
        self.clock.advance(wait)
        (request,) = self.gate.reviewer(who).pending()
        if verb == "reject":
            self.gate.reviewer(who).reject(request, reason="more than the order was worth")
        elif verb == "edit":
            self.gate.reviewer(who).edit(request, {"amount": 40})
        else:
            self.gate.reviewer(who).approve(request)

    def _runs(self) -> None:
        gate = self.gate
        pay = self._step(tools.pay, name="pay", risk="high", policy=Policy(Stage("finance", "role:finance", quorum=2)))

        def quote(order: int) -> float:
            self.clock.advance(2.5)
            if order == 97:
                raise ConnectionError("the shop did not answer within 30 s")
            return 64.5

        def payout(run: Run, order: int) -> str:
            amount = run.step("quote", quote, order)
            run.pause("before paying", {"order": order, "amount": amount})
            paid: str = run.step("pay", pay, order, amount)
            return paid

        workflow = gate.workflow(name="payout")(payout)
        for order in (95, 96, 97, 98):
            with suppress(Suspended, ConnectionError), calling(agent="payouts"):
                workflow.start(f"payout:{order}", order=order)
            self.clock.advance(600)
        for _ in range(2):
            for row in gate.requests("pending"):
                if row.run in ("payout:95", "payout:96"):
                    self._yes_of_all(row.id, final=row.run == "payout:95")
            gate.resume_ready()
        self.clock.advance(300)

    def _yes_of_all(self, request_id: str, *, final: bool) -> None:
        for who in ("ana", "bob") if final else ("ana",):
            request = self.gate.get(request_id)
            if request.status == "pending":
                seat = self.gate.reviewer(who)
                _ = seat.release(request) if request.kind == "pause" else seat.approve(request)

    def _unknown(self) -> None:
        @gated_step(gate=self.gate, name="charge_card", risk="high", description="Charge €{amount} for {invoice}")
        def charge(invoice: str, amount: float) -> str:
            raise PowerCut

        with calling(call_id="c1", run="nightly-41", agent="billing"), auto_approve(), suppress(PowerCut):
            charge("invoice 2038", 349.0)
        self.gate.backend.sweep().wait()
        self.clock.advance(700)

    def _allowed(self) -> None:
        fetch = self._step(tools.read_file, name="read_file", risk="low")
        with calling(call_id="f1", agent="research"):
            fetch(path="/srv/reports/2026-08.csv")
        (request,) = [one for one in self.gate.reviewer("alice").pending() if one.tool == "read_file"]
        self.gate.reviewer("alice").allow(request, for_=4 * 3600, scope={"path": "/srv/reports/*"}, within="agent")
        self.clock.advance(120)

    def _step(self, tool: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        return gated_step(tool, gate=self.gate, wait=0, on_suspend="return", **options)

    async def made(self, call: Waiting, *, task_status: TaskStatus[None]) -> None:
        """One call of an agent; it waits until it is cancelled. It has begun once it is in the queue."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._call, call)
            await self._one_more(self.gate.count("pending"))
            task_status.started()

    async def _call(self, call: Waiting) -> None:
        with calling(run="nightly-42", agent="billing"):
            await call()

    async def _one_more(self, before: int) -> None:
        """Come back once another call waits; fails after ten seconds."""
        for _ in range(1000):
            if self.gate.count("pending") > before:
                return
            await anyio.sleep(0.01)
        raise TimeoutError

    def _live(self, tool: Callable[..., Any], description: str, **options: Any) -> Callable[..., Awaitable[object]]:
        """A step whose calls wait for as long as it takes, as coroutines: without a thread."""

        @wraps(tool)
        async def run(*args: Any, **kwargs: Any) -> object:
            return tool(*args, **kwargs)

        return gated_step(run, gate=self.gate, description=description, **options)

    async def _question(self) -> object:
        words = "The loss no longer falls. How shall the training go on?"
        details = {"epoch": 14, "loss": 0.2317}
        return await self.gate.aio.ask(words, tools.Tuning, name="tuning", details=details)

    def waiting(self) -> list[tuple[Waiting, float]]:
        """Calls that wait until they are cancelled, each with the seconds that then pass before the next is made."""
        two = Policy(Stage("team", ["alice", "bob"]), Stage("lead", "role:lead"))
        deploy = self._live(
            tools.deploy, "Roll out {service} {version} to {environment}", risk="high", policy=two, expires_after=14_400
        )
        delete = self._live(
            tools.delete_rows,
            "Delete {limit} rows of {table}",
            risk="critical",
            expires_after=3600,
            requires_approval=tools.many_rows,
        )
        mail = self._live(tools.send_email, "Send {subject!r}", requires_approval=tools.outside)
        refund = self._live(tools.refund, "Refund order #{order}: €{amount}", risk="low", expires_after=1200)
        write = self._live(tools.write_file, "Write {path}", risk="low", preview=tools.difference)
        two_people = ["bob@example.com", "accounts@example.com"]
        evil = "see invoice\u202egpj.exe"
        return [
            (lambda: delete(table="customers", where="last_login < '2019-01-01'", limit=1204), 210),
            (lambda: refund(order=118, amount=12.5), 140),
            (lambda: deploy(service="api", version="v2.3.1", environment="production"), 550),
            (lambda: mail(to=two_people, subject="Invoice 2041", body=tools.MAIL), 90),
            (self._question, 150),
            (lambda: refund(order=121, amount=30), 10),
            (lambda: refund(order=124, amount=8), 80),
            (lambda: mail(to=["eve@example.com"], subject="Your password", body=evil), 29),
            (lambda: write(path="/srv/site/prices.html", text=tools.SITE.format("€12")), 41),
        ]
