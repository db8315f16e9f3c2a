"""Random calls, clocks and reviewers: permissions and budgets let pass what they say, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatekit import Budget, Gate, Suspended, calling, gated_step
from gatekit.errors import GatekitError
from gatekit.models import Grant
from gatekit.testing import FakeClock, memory_gate
from tests.policy.oracles import meets, spent

PATHS = ("/srv/a", "/srv/a/b", "/srv/..", "/etc", "/srv/a.txt", "")
SCOPES: tuple[Any, ...] = ("/srv/*", "/srv/**", "**", "/srv/?", "/srv/a", {"any": True})
AMOUNTS: tuple[Any, ...] = ({"at_most": 5}, {"at_least": 2, "at_most": 6}, {"any": True}, 3)
AGENTS = ("bot", "other")
moves = st.sampled_from((1.0, 30.0, 61.0)).map(lambda seconds: ("passes", seconds)) | st.sampled_from(
    (-100.0, -5.0, 40.0, 1e7)
).map(lambda seconds: ("jumps", seconds))
calls = st.tuples(st.just("calls"), st.sampled_from(PATHS), st.integers(1, 7), st.sampled_from(AGENTS), st.booleans())
allows = st.tuples(
    st.just("allows"),
    st.none() | st.sampled_from(SCOPES),
    st.none() | st.sampled_from(AMOUNTS),
    st.sampled_from(((60.0, None), (None, 1), (None, 3), (60.0, 2))),
    st.sampled_from(("agent", "all", "run")),
)
revokes = st.tuples(st.just("revokes"), st.integers(0, 5))


@dataclass
class Known:
    """What a reviewer allowed, as they said it."""

    grant: Grant
    scope: dict[str, Any]
    ends: Any
    uses: int | None
    agent: str | None
    run: str | None
    used: int = 0
    over: bool = False

    def covers(self, gate: Gate, path: str, amount: int, agent: str, run: str | None) -> bool:
        return (
            not self.over
            and gate.now() >= self.grant.at
            and (self.uses is None or self.used < self.uses)
            and (self.agent in (None, agent) and (self.run is None or self.run == run))
            and meets(self.scope["path"], path)
            and meets(self.scope["amount"], amount)
        )


class Desk:
    """An agent's tool and a reviewer who allows calls like the one they read last."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.gate = memory_gate(self.clock)
        self.known: list[Known] = []
        self.ran = 0
        self.seen: set[str] = set()
        self._numbers = count()
        self.send = gated_step(self._send, gate=self.gate, name="send", wait=0, tell_edits=False)

    def _send(self, path: str, amount: int) -> str:
        self.ran += 1
        return "sent"

    def do(self, kind: str, *given: Any) -> None:
        getattr(self, kind)(*given)
        for known in self.known:
            assert known.used == next(one.used for one in self.gate.grants() if one.id == known.grant.id)

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def jumps(self, seconds: float) -> None:
        self.clock.jump(seconds)

    def calls(self, path: str, amount: int, agent: str, in_run: bool) -> None:
        run = "thread" if in_run else None
        for known in self.known:
            # Seen to be over by a call of the tool, it stays over.
            known.over = known.over or (known.ends is not None and self.gate.now() >= known.ends)
        fitting = {one.grant.id: one for one in self.known if one.covers(self.gate, path, amount, agent, run)}
        before = self.ran
        try:
            with calling(agent=agent, run=run, call_id=f"call-{next(self._numbers)}"):
                self.send(path, amount)
        except Suspended:
            assert not fitting
            assert self.ran == before
            return
        assert self.ran == before + 1
        (row,) = [row for row in self.gate.requests("succeeded", limit=1000) if row.id not in self.seen]
        self.seen.add(row.id)
        decision = self.gate.get(row.id).decision
        assert decision is not None
        used = fitting[decision.by.removeprefix("grant:")]
        used.used += 1

    def allows(self, path: Any, amount: Any, length: tuple[Any, Any], within: Any) -> None:
        given = {one.grant.request_id for one in self.known}
        pending = [one for one in self.gate.reviewer("alice").pending(limit=1000) if one.id not in given]
        if not pending:
            return
        request = pending[-1]
        scope = {name: said for name, said in (("path", path), ("amount", amount)) if said is not None}
        for_, uses = length
        try:
            grant = self.gate.reviewer("alice").allow(request, for_=for_, uses=uses, scope=scope, within=within)
        except GatekitError:
            assert self.gate.get(request.id).status == "pending"
            return
        whole = {**request.args, **scope}
        agent = None if within == "all" else request.requester.removeprefix("agent:")
        run = request.run if within == "run" else None
        ends = None if for_ is None else self.gate.now() + timedelta(seconds=for_)
        self.known.append(Known(grant, whole, ends, uses, agent, run))

    def revokes(self, number: int) -> None:
        if number < len(self.known):
            self.gate.reviewer("bob").revoke(self.known[number].grant)
            self.known[number].over = True


@settings(max_examples=60, deadline=None)
@given(
    first=st.lists(calls, min_size=1, max_size=2),
    story=st.lists(st.one_of(calls, calls, calls, calls, allows, allows, moves, revokes), min_size=8, max_size=25),
)
def test_a_call_passes_by_a_permission_that_covers_it_and_by_no_other(first: list[Any], story: list[Any]) -> None:
    desk = Desk()
    with desk.gate:
        for kind, *given_ in (*first, *story):
            desk.do(kind, *given_)


amounts = st.sampled_from(("0", "0.01", "1", "2.5", "3", "7", "10", "10.01", "-3"))
asks = st.tuples(st.just("pay"), amounts, st.booleans())
words = st.tuples(st.sampled_from(("approve", "edit", "reject", "cancel", "start")), st.integers(0, 3), amounts)


class Purse:
    """A tool with a budget of 10 in 100 s, in sums or in calls."""

    def __init__(self, field: str | None) -> None:
        self.clock = FakeClock()
        self.gate = memory_gate(self.clock)
        self.field = field
        self.limit = Decimal(10 if field else 3)
        self.step = gated_step(
            self._pay,
            gate=self.gate,
            name="pay",
            wait=0,
            requires_approval=lambda args: args.asks,
            budget=Budget(self.limit, per=100, field=field),
            tell_edits=False,
            start_within=50,
        )
        self.made: list[tuple[str, str, bool]] = []

    def _pay(self, amount: Decimal, asks: bool) -> str:
        return str(amount)

    def pay(self, amount: str, asks: bool) -> None:
        self.made.append((f"call-{len(self.made)}", amount, asks))
        before = spent(self.gate, "pay", 100, field=self.field)
        takes = Decimal(amount) if self.field else Decimal(1)
        passed = self._call(*self.made[-1])
        assert passed == (not asks and 0 <= takes <= self.limit - before), (before, amount)

    def _call(self, call_id: str, amount: str, asks: bool) -> bool:
        try:
            with calling(call_id=call_id):
                self.step(Decimal(amount), asks)
        except GatekitError:
            return False
        return True

    def word(self, verb: str, number: int, amount: str) -> None:
        if verb == "start":
            if number < len(self.made):
                self._call(*self.made[number])
            return
        pending = self.gate.reviewer("alice").pending()
        if number >= len(pending):
            return
        alice = self.gate.reviewer("alice")
        if verb == "edit":
            alice.edit(pending[number], {"amount": amount})
        elif verb == "reject":
            alice.reject(pending[number], reason="no")
        else:
            getattr(alice, verb)(pending[number])


@settings(max_examples=60, deadline=None)
@given(
    field=st.sampled_from(("amount", None)),
    story=st.lists(st.one_of(asks, asks, asks, words, moves), min_size=5, max_size=25),
)
def test_what_a_budget_lets_pass_never_adds_up_to_more_than_its_limit(field: str | None, story: list[Any]) -> None:
    purse = Purse(field)
    with purse.gate:
        for kind, *given_ in story:
            if kind == "pay":
                purse.pay(*given_)
            elif kind == "passes":
                purse.clock.advance(*given_)
            elif kind == "jumps":
                purse.clock.jump(*given_)
            else:
                purse.word(kind, *given_)
