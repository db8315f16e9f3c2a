"""One request on its way through the machine: real commands only, written to rows and read back in between."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import EllipsisType
from typing import Any, Final, Literal, TypeVar

from gatekit.machine import attempts, deciding, entering, running
from gatekit.machine.commands import Answer, Decide, Edit, Finish, Lose, Reconcile, Resolve, Start, Started
from gatekit.machine.records import DecisionRecord, RequestRecord, RevisionRecord, State, Verdict
from gatekit.models import Status, Verb
from tests.machine.rows import Rows, in_order

T = TypeVar("T")

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
T0: Final = 1_750_000_000 * SECOND
TOOL: Final = "pay"
BOT: Final = "agent:bot"
ALICE: Final = "human:alice"
BOB: Final = "human:bob"
GATED: Final = Verdict(gated=True)
FIRST: Final = '{"amount":1}'
OTHER: Final = '{"amount":2}'
SETTLED: Final = Finish(token="", kind="returned", result='"by hand"')
SETTLED_AS_FAILED: Final = Finish(token="", kind="raised", type_name="Settled", message="it was refused")
FOUND: Final = {
    "returned": Finish(token="", kind="returned", result='"found"'),
    "raised": Finish(token="", kind="raised", type_name="Declined", message="found out"),
}


def digest(text: str, tool: str = TOOL) -> str:
    """The digest of docs/stored-format.md, written down a second time."""
    return hashlib.sha256(f"gatekit.v1\0{tool}\0{text}".encode()).hexdigest()


def edit_to(text: str) -> Edit:
    return Edit(text=text, digest=digest(text))


def new_request(**changes: Any) -> RequestRecord:
    request = RequestRecord(
        id="R1",
        tool=TOOL,
        call_id="call-1",
        call_given=True,
        requester=BOT,
        description="pay 1",
        created_at=T0,
        digest=digest(FIRST),
        expires_after=HOUR,
        waiter="process-1",
        ticket="t1",
    )
    request = replace(request, **changes)
    return replace(request, decide_by=None if request.expires_after is None else T0 + request.expires_after)


def new_revision() -> RevisionRecord:
    return RevisionRecord(
        request_id="R1",
        revision=1,
        text=FIRST,
        digest=digest(FIRST),
        schema="s",
        by=BOT,
        at=T0,
        verdict=GATED,
    )


class Case:
    """A submitted request, its rows and the time."""

    def __init__(self, *, allowed: bool = False, **changes: Any) -> None:
        self.now = T0
        self.rows = Rows()
        self.said: list[Decide] = []
        self.resolved: list[Resolve] = []
        enter = entering.submit_allowed if allowed else entering.submit
        self._take(enter(new_request(**changes), new_revision(), self.now))

    @property
    def state(self) -> State:
        return self.rows.state()

    @property
    def request(self) -> RequestRecord:
        return self.state.request

    @property
    def status(self) -> Status:
        return self.request.status

    @property
    def token(self) -> str:
        return self.request.token

    @property
    def standing(self) -> DecisionRecord:
        decision = self.state.decision
        assert decision is not None
        return decision

    def passes(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)

    def _take(self, answer: Answer[T]) -> Answer[T]:
        self.rows.apply(answer.effects)
        assert self.state == in_order(answer.state), "the effects do not lead to the state that was answered"
        return answer

    def decide(
        self,
        verb: Verb,
        by: str = ALICE,
        *,
        token: str | EllipsisType | None = ...,
        edit: str | None = None,
        hold: float = 0,
        note: str | None = None,
        reason: str | None = None,
        text: str | None = None,
    ) -> Answer[DecisionRecord]:
        """`token`: that of the request as it is now, unless another or None (a bare id) is given."""
        command = Decide(
            verb=verb,
            by=by,
            token=self.token if isinstance(token, EllipsisType) else token,
            edit=None if edit is None else edit_to(edit),
            hold=round(hold * SECOND),
            note=note,
            reason=reason,
            text=text,
        )
        return self.say(command)

    def say(self, command: Decide) -> Answer[DecisionRecord]:
        self.said.append(command)
        return self._take(deciding.decide(self.state, command, self.now))

    def start(
        self,
        token: str = "a1",
        *,
        version: int | None = None,
        verdict: Verdict | None = None,
        stale: str | None = None,
    ) -> Answer[Started]:
        version = self.request.version if version is None else version
        command = Start(version=version, token=token, owner="process-1", verdict=verdict, stale=stale)
        return self._take(running.start(self.state, command, self.now))

    def give_back(self, token: str = "a1") -> Answer[None]:
        return self._take(running.give_back(self.state, token, self.now))

    def returned(self, token: str = "a1", result: str = "7") -> Answer[None]:
        return self.finish(Finish(token=token, kind="returned", result=result))

    def raised(
        self, token: str = "a1", type_name: str = "OSError", message: str = "no", *, again: bool = True
    ) -> Answer[None]:
        """`again`: whoever reports it would use a start that is left."""
        return self.finish(Finish(token=token, kind="raised", type_name=type_name, message=message, again=again))

    def finish(self, command: Finish) -> Answer[None]:
        return self._take(running.finish(self.state, command, self.now))

    def lose(self, token: str = "a1") -> Answer[None]:
        return self._take(running.lose(self.state, Lose(token=token, why="its process died"), self.now))

    def attach(self, waiter: str = "process-2", ticket: str = "t2") -> Answer[None]:
        return self._take(entering.attach(self.state, waiter, ticket, self.now))

    def detach(self, ticket: str = "t1") -> Answer[None]:
        return self._take(entering.detach(self.state, ticket, self.now))

    def withdraw(self, ticket: str = "t1") -> Answer[None]:
        return self._take(entering.withdraw(self.state, ticket, self.now))

    def resolve(
        self,
        verb: Literal["retry", "settle", "declare_lost"],
        by: str = ALICE,
        *,
        attempt: int | None = None,
        outcome: Finish | None = None,
        note: str | None = None,
    ) -> Answer[DecisionRecord]:
        """`attempt`: the last one, unless another is named."""
        number = self.request.attempt or 0 if attempt is None else attempt
        return self.word(Resolve(verb=verb, by=by, attempt=number, outcome=outcome, note=note))

    def word(self, command: Resolve) -> Answer[DecisionRecord]:
        self.resolved.append(command)
        return self._take(attempts.resolve(self.state, command, self.now))

    def retry(self, by: str = ALICE, *, attempt: int | None = None) -> Answer[DecisionRecord]:
        return self.resolve("retry", by, attempt=attempt)

    def settle(self, by: str = ALICE, *, outcome: Finish = SETTLED, attempt: int | None = None) -> Any:
        return self.resolve("settle", by, attempt=attempt, outcome=outcome)

    def declare_lost(self, by: str = ALICE, *, attempt: int | None = None) -> Answer[DecisionRecord]:
        return self.resolve("declare_lost", by, attempt=attempt)

    def reconcile(
        self, kind: Literal["again", "never", "returned", "raised"], *, attempt: int | None = None
    ) -> Answer[None]:
        """What the agent's process found out of its last attempt, unless another is named."""
        number = self.request.attempt or 0 if attempt is None else attempt
        outcome = FOUND.get(kind)
        return self._take(
            attempts.reconcile(self.state, Reconcile(attempt=number, kind=kind, outcome=outcome), self.now)
        )

    def asked_again(self, by: str = BOB) -> Case:
        """Pending although there was an attempt: a human let it run again, and the step's last look said no."""
        self.retry(by)
        self.start("never-called", stale="the order was changed")
        assert self.status == "pending"
        return self

    def tampered(self, table: str, no: int, **changes: Any) -> Case:
        """Somebody else wrote to a row of the file."""
        rows = getattr(self.rows, table)
        rows[no] = replace(rows[no], **changes)
        return self


def _held() -> Case:
    case = Case()
    case.decide("approve", hold=5)
    return case


def _approved() -> Case:
    case = Case()
    case.decide("approve")
    return case


def _running() -> Case:
    case = _approved()
    case.start()
    return case


def _unknown() -> Case:
    case = _running()
    case.lose()
    return case


def _succeeded() -> Case:
    case = _running()
    case.returned()
    return case


def _failed() -> Case:
    case = _running()
    case.raised()
    return case


def _decided(verb: Verb, reason: str | None = None, text: str | None = None) -> Callable[[], Case]:
    def build() -> Case:
        case = Case()
        case.decide(verb, reason=reason, text=text)
        return case

    return build


def _expired() -> Case:
    case = Case()
    case.passes(3600)
    case.attach()
    return case


def _answered() -> Case:
    # Of a call no command leads here (a pause that is released does), but the column can hold it.
    case = _decided("respond", text="eu")()
    case.rows.request = replace(case.request, status="answered")
    return case


_REACH: Final[Mapping[Status, Callable[[], Case]]] = {
    "pending": Case,
    "held": _held,
    "approved": _approved,
    "running": _running,
    "unknown": _unknown,
    "succeeded": _succeeded,
    "failed": _failed,
    "rejected": _decided("reject", reason="too much"),
    "responded": _decided("respond", text="ask first"),
    "answered": _answered,
    "expired": _expired,
    "cancelled": _decided("cancel"),
}


def reach(status: Status) -> Case:
    """A request in this status, brought there by commands; where a human decided, it was alice."""
    case = _REACH[status]()
    assert case.status == status
    return case
