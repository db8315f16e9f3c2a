"""Attempts whose end is in doubt, and approvals that may no longer hold, as the agent and the reviewer meet them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import anyio
import pytest

from gatekit import (
    CallConflict,
    Gate,
    NotRun,
    OutcomeUnknown,
    Ran,
    Request,
    ResultNotStored,
    Suspended,
    ToolFailed,
    UsageError,
    calling,
    current,
    gated_step,
)
from gatekit.calling import Current
from gatekit.errors import AlreadyDecided, Cancelled, Expired, NotAllowed, Rejected, RequestNotFound, StaleToken
from gatekit.testing import FakeClock, auto_approve, memory_gate
from tests.gate.helpers import (
    Background,
    Interrupted,
    approve,
    deciding,
    kinds,
    next_request,
    only_request,
    settled,
    status_of,
    until,
)

Call = Callable[[int], Any]


class Tool:
    """A tool that is interrupted at its first calls, and then returns."""

    def __init__(self, gate: Gate, *, interrupted: int = 1) -> None:
        self.gate = gate
        self.interrupted = interrupted
        self.seen: list[Current] = []
        self.amounts: list[int] = []

    def run(self, amount: int) -> str:
        self.seen.append(current())
        self.amounts.append(amount)
        if len(self.seen) <= self.interrupted:
            raise Interrupted
        return f"paid {amount}"

    def step(self, *, is_async: bool = False, call_id: str | None = "c1", **options: Any) -> Call:
        """The gated step, which is called under the same id each time."""

        def tool(amount: int) -> str:
            return self.run(amount)

        async def async_tool(amount: int) -> str:
            return self.run(amount)

        step = gated_step(async_tool if is_async else tool, gate=self.gate, name="pay", **options)

        def call(amount: int) -> Any:
            with calling(call_id=call_id):
                return anyio.run(cast("Any", step), amount) if is_async else step(amount)

        return call

    def lost(self, **options: Any) -> Request:
        """Unknown: approved by bob, and interrupted in the middle of the tool."""
        with deciding(self.gate, approve), pytest.raises(Interrupted):
            self.step(**options)(5)
        settled(self.gate)
        return only_request(self.gate, "unknown")


@pytest.fixture
def tool(gate: Gate) -> Tool:
    return Tool(gate)


# An unknown end, met by the same call again


def test_without_more_knowledge_the_same_call_waits_for_a_human(
    gate: Gate, tool: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    request = tool.lost()
    with caplog.at_level(logging.WARNING, "gatekit"):
        call = Background(lambda: tool.step()(5))
        until(gate, lambda: [record for record in caplog.records if "settle or retry it" in record.getMessage()])
    gate.reviewer("alice").retry(gate.get(request.id), note="it did nothing")
    assert call.join() == "paid 5"
    assert [seen.attempt for seen in tool.seen] == [1, 2]
    assert [seen.reviewer for seen in tool.seen] == ["human:bob", "human:alice"]
    assert kinds(gate, request) == [
        *("submitted", "approved", "started", "unknown"),
        *("returned", "retried", "started", "succeeded"),
    ]


@pytest.mark.parametrize("wait", [0, 0.05])
def test_a_wait_for_what_is_unknown_ends_as_unknown(tool: Tool, wait: float) -> None:
    request = tool.lost()
    with pytest.raises(OutcomeUnknown) as raised:
        tool.step(wait=wait)(5)
    assert (raised.value.request.id, raised.value.request.status) == (request.id, "unknown")
    assert tool.amounts == [5]


def test_other_arguments_are_a_conflict_also_where_the_end_is_unknown(tool: Tool) -> None:
    tool.lost()
    with pytest.raises(CallConflict):
        tool.step(wait=0)(6)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_an_idempotent_tool_runs_again_without_a_human_until_its_starts_are_used_up(gate: Gate, is_async: bool) -> None:
    tool = Tool(gate, interrupted=2)
    tool.lost(idempotent=True, is_async=is_async)
    again = tool.step(idempotent=True, is_async=is_async, wait=0)
    with pytest.raises(Interrupted):
        again(5)
    settled(gate)
    with pytest.raises(OutcomeUnknown):
        again(5)
    assert [seen.attempt for seen in tool.seen] == [1, 2]
    assert len({seen.idempotency_key for seen in tool.seen}) == 1
    story = kinds(gate, only_request(gate, "unknown"))
    assert story[2:] == ["started", "unknown", "again", "started", "unknown"]


def test_an_idempotent_tool_that_a_human_gave_up_runs_again_only_by_a_humans_word(gate: Gate) -> None:
    hung = Hung(gate, idempotent=True)
    alice = gate.reviewer("alice")
    alice.declare_lost(gate.get(hung.request.id))
    with pytest.raises(OutcomeUnknown):
        hung.step(wait=0)
    assert hung.amounts == [5]
    hung.ends.set()
    assert hung.call.join() == "paid 5"


# reconcile


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("answer", "result", "ran"),
    [(Ran("paid by the first"), "paid by the first", [5]), (NotRun(), "paid 5", [5, 5])],
    ids=["ran", "not run"],
)
def test_reconcile_says_how_it_ended(
    gate: Gate, tool: Tool, is_async: bool, answer: object, result: str, ran: list[int]
) -> None:
    asked: list[tuple[str, int]] = []

    def reconcile(call_id: str, args: Any) -> object:
        asked.append((call_id, args.amount))
        return answer

    async def reconcile_async(call_id: str, args: Any) -> object:
        await anyio.lowlevel.checkpoint()
        return reconcile(call_id, args)

    request = tool.lost()
    again = tool.step(is_async=is_async, reconcile=reconcile_async if is_async else reconcile)
    assert again(5) == result
    assert again(5) == result
    assert (asked, tool.amounts) == ([("c1", 5)], ran)
    ended = gate.get(request.id)
    assert (ended.status, ended.attempt is not None and ended.attempt.no) == ("succeeded", len(ran))
    assert ended.outcome is not None
    assert ended.outcome.value == result


def raises(call_id: str, args: Any) -> object:
    raise ConnectionError("the bank does not answer")


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("reconcile", "warning"),
    [
        (lambda call_id, args: None, None),
        (raises, "reconcile of pay raised"),
        (lambda call_id, args: True, "neither Ran, NotRun nor None"),
        (lambda call_id, args: NotRun, "neither Ran, NotRun nor None"),
    ],
    ids=["cannot tell", "raises", "nonsense", "the class"],
)
def test_where_reconcile_cannot_tell_the_end_stays_unknown(
    gate: Gate, tool: Tool, is_async: bool, reconcile: Any, warning: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def reconcile_async(call_id: str, args: Any) -> object:
        return reconcile(call_id, args)

    request = tool.lost()
    with caplog.at_level(logging.WARNING, "gatekit"), pytest.raises(OutcomeUnknown):
        tool.step(is_async=is_async, reconcile=reconcile_async if is_async else reconcile, wait=0)(5)
    assert (status_of(gate, request), tool.amounts) == ("unknown", [5])
    warnings = [record.getMessage() for record in caplog.records if record.getMessage().startswith("reconcile of")]
    assert len(warnings) == (0 if warning is None else 1)
    assert warning is None or warning in warnings[0]


def test_what_can_not_be_told_of_an_idempotent_tool_is_run_again(tool: Tool) -> None:
    tool.lost(idempotent=True)
    assert tool.step(idempotent=True, reconcile=lambda call_id, args: None)(5) == "paid 5"


def test_reconcile_is_asked_once_for_an_attempt_however_long_the_call_waits(gate: Gate, tool: Tool) -> None:
    asked: list[str] = []
    request = tool.lost()
    call = Background(lambda: tool.step(reconcile=lambda call_id, args: asked.append(call_id))(5))
    until(gate, lambda: gate.backend._waiting._waits)  # type: ignore[attr-defined]
    alice = gate.reviewer("alice")
    alice.retry(gate.get(request.id))
    assert call.join() == "paid 5"
    assert asked == ["c1"]


def test_a_result_that_was_found_out_comes_back_like_a_stored_one(gate: Gate) -> None:
    def lose(amount: int) -> tuple[int, set[str]]:
        raise Interrupted

    def step(answer: object) -> Any:
        return gated_step(lose, gate=gate, name="pair", reconcile=lambda call_id, args: Ran(answer))

    for call_id, answer in (("c1", (5, {"a"})), ("c2", object())):
        with calling(call_id=call_id):
            with deciding(gate, approve), pytest.raises(Interrupted):
                step(answer)(5)
            settled(gate)
            if call_id == "c1":
                assert step(answer)(5) == (5, {"a"})
            else:
                with pytest.raises(ResultNotStored):
                    step(answer)(5)


def test_an_interruption_of_reconcile_leaves_the_end_unknown(gate: Gate, tool: Tool) -> None:
    def reconcile(call_id: str, args: Any) -> object:
        raise Interrupted

    request = tool.lost()
    with pytest.raises(Interrupted):
        tool.step(reconcile=reconcile)(5)
    settled(gate)
    assert (status_of(gate, request), tool.amounts) == ("unknown", [5])


# What a tool sees of its call


def test_a_tool_sees_the_call_that_runs_it(gate: Gate) -> None:
    tool = Tool(gate, interrupted=0)
    with deciding(gate, approve):
        assert tool.step()(5) == "paid 5"
    request = only_request(gate, "succeeded")
    (seen,) = tool.seen
    assert (seen.request_id, seen.call_id, seen.run, seen.attempt) == (request.id, "c1", None, 1)
    assert seen.reviewer == "human:bob"
    assert request.attempt is not None
    assert seen.owner == request.attempt.owner


def test_outside_a_queued_call_there_is_no_current_one(gate: Gate) -> None:
    def tool(amount: int) -> None:
        with pytest.raises(UsageError, match="went through the queue"):
            current()

    with pytest.raises(UsageError, match=r"gatekit\.current\(\) is for the inside of a tool"):
        current()
    gated_step(tool, gate=gate, requires_approval=False)(5)
    gated_step(tool, gate=gate, requires_approval=lambda args: False)(5)
    with deciding(gate, approve):
        gated_step(lambda_named, gate=gate)(5)
    with pytest.raises(UsageError):
        current()


def lambda_named(amount: int) -> Current:
    return current()


def test_a_recorded_call_that_needed_nobody_sees_itself() -> None:
    with memory_gate(record="all") as gate:
        seen = gated_step(lambda_named, gate=gate, requires_approval=False)(5)
    assert (seen.attempt, seen.reviewer) == (1, "policy:predicate")


def test_the_key_is_the_same_for_every_attempt_and_another_after_an_edit(gate: Gate) -> None:
    fits = [True, True, False, True]
    tool = Tool(gate, interrupted=2)
    request = tool.lost(revalidate=lambda args: fits.pop(0))
    alice = gate.reviewer("alice")
    alice.retry(gate.get(request.id))
    again = tool.step(revalidate=lambda args: fits.pop(0))
    with pytest.raises(Interrupted):
        again(5)
    settled(gate)
    alice.retry(gate.get(request.id))
    call = Background(lambda: again(5))
    until(gate, lambda: status_of(gate, request) == "pending")
    alice.edit(gate.get(request.id), {"amount": 4})
    assert "paid 4" in call.join()
    first, second, third = (seen.idempotency_key for seen in tool.seen)
    assert first == second != third
    assert (tool.amounts, [seen.attempt for seen in tool.seen]) == ([5, 5, 4], [1, 2, 3])


def test_reconcile_has_the_key_of_the_attempt_in_doubt(tool: Tool) -> None:
    asked: list[Current] = []

    def reconcile(call_id: str, args: Any) -> object:
        asked.append(current())
        return Ran("paid by the first")

    tool.lost()
    assert tool.step(reconcile=reconcile, wait=0)(5) == "paid by the first"
    assert [(seen.idempotency_key, seen.attempt) for seen in asked] == [(tool.seen[0].idempotency_key, 1)]


# revalidate


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("says", "shown"),
    [
        (False, "revalidate says that the approval no longer holds"),
        ("the price went up", "the price went up"),
        (ConnectionError("no bank"), "revalidate raised ConnectionError: no bank"),
        (None, "revalidate returned NoneType, which is neither True, False nor a reason"),
        (1, "revalidate returned int, which is neither True, False nor a reason"),
        ("  ", "revalidate returned str, which is neither True, False nor a reason"),
    ],
    ids=str,
)
def test_a_last_look_that_does_not_say_true_asks_again_and_shows_why(
    gate: Gate, is_async: bool, says: object, shown: str
) -> None:
    tool = Tool(gate, interrupted=0)
    answers = [says, True]
    looks: list[int] = []

    def revalidate(args: Any) -> object:
        looks.append(args.amount)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def revalidate_async(args: Any) -> object:
        await anyio.lowlevel.checkpoint()
        return revalidate(args)

    again = tool.step(is_async=is_async, revalidate=revalidate_async if is_async else revalidate)
    call = Background(lambda: again(5))
    request = next_request(gate)
    bob = gate.reviewer("bob")
    bob.approve(request)
    until(gate, lambda: gate.get(request.id).version == 2)
    asked = gate.get(request.id)
    assert (asked.status, asked.reasons[-1], asked.waiter) == ("pending", shown, "waiting")
    assert (asked.decision, asked.attempt, tool.amounts) == (None, None, [])
    with pytest.raises(StaleToken):
        gate.reviewer("carol").approve(request)
    bob.approve(asked)
    assert call.join() == "paid 5"
    assert (looks, tool.amounts) == ([5, 5], [5])
    assert kinds(gate, request) == [
        *("submitted", "approved", "returned"),
        *("approved", "started", "succeeded"),
    ]


def test_the_last_look_sees_the_edited_arguments(gate: Gate) -> None:
    looks: list[int] = []
    tool = Tool(gate, interrupted=0)
    again = tool.step(revalidate=lambda args: looks.append(args.amount) or True, call_id=None)
    call = Background(lambda: again(5))
    gate.reviewer("bob").edit(next_request(gate), {"amount": 4})
    assert call.join() == "paid 4"
    assert looks == [4]


def test_what_the_last_look_says_does_not_show_what_must_not_be_shown(gate: Gate) -> None:
    def pay(amount: int, card: str) -> None: ...

    def revalidate(args: Any) -> str:
        return f"the card {args.card} is blocked"

    step = gated_step(pay, gate=gate, redact=("card",), revalidate=revalidate, wait=0)
    with calling(call_id="c1"):
        with pytest.raises(Suspended):
            step(5, "4711-0815")
        gate.reviewer("bob").approve(only_request(gate))
        with pytest.raises(Suspended):
            step(5, "4711-0815")
    reason = only_request(gate).reasons[-1]
    assert "4711-0815" not in reason
    assert "is blocked" in reason


def test_a_reviewer_may_reject_what_came_back(gate: Gate) -> None:
    tool = Tool(gate, interrupted=0)
    call = Background(lambda: tool.step(revalidate=lambda args: False)(5))
    request = next_request(gate)
    gate.reviewer("bob").approve(request)
    until(gate, lambda: gate.get(request.id).version == 2)
    gate.reviewer("bob").reject(gate.get(request.id), reason="too late")
    assert isinstance(call.join(), Rejected)
    assert tool.amounts == []


def test_an_interruption_of_the_last_look_starts_nothing(gate: Gate) -> None:
    def revalidate(args: Any) -> bool:
        raise Interrupted

    tool = Tool(gate, interrupted=0)
    with deciding(gate, approve), pytest.raises(Interrupted):
        tool.step(revalidate=revalidate)(5)
    settled(gate)
    assert (only_request(gate, "approved").attempt, tool.amounts) == (None, [])


def test_auto_approve_approves_again_what_came_back() -> None:
    answers = [False, True]
    with memory_gate() as gate, auto_approve():
        tool = Tool(gate, interrupted=0)
        assert tool.step(revalidate=lambda args: answers.pop(0), wait=0.2)(5) == "paid 5"


# start_within


@pytest.mark.parametrize(
    ("options", "seconds"),
    [({}, 3600), ({"start_within": 60}, 60), ({"start_within": timedelta(minutes=5)}, 300)],
)
def test_an_approval_that_is_not_used_in_time_is_asked_again(
    timed: Gate, clock: FakeClock, options: dict[str, Any], seconds: int
) -> None:
    tool = Tool(timed, interrupted=0)
    pay = tool.step(wait=0, **options)
    with pytest.raises(Suspended):
        pay(5)
    request = only_request(timed)
    timed.reviewer("bob").approve(request)
    approved = timed.get(request.id)
    assert (approved.status, approved.waiter) == ("approved", "gone")
    assert approved.decision is not None
    assert approved.start_by == approved.decision.at + timedelta(seconds=seconds)
    clock.advance(seconds - 0.001)
    assert status_of(timed, request) == "approved"
    clock.advance(0.001)
    again = timed.get(request.id)
    assert (again.status, again.version, again.reasons[-1]) == ("pending", 2, "approved, not started in time")
    with pytest.raises(Suspended):
        pay(5)
    timed.reviewer("bob").approve(timed.get(request.id))
    assert pay(5) == "paid 5"
    assert tool.amounts == [5]


def test_without_a_limit_an_approval_holds_until_the_call_comes_back(timed: Gate, clock: FakeClock) -> None:
    tool = Tool(timed, interrupted=0)
    pay = tool.step(wait=0, start_within=None)
    with pytest.raises(Suspended):
        pay(5)
    timed.reviewer("bob").approve(only_request(timed))
    clock.advance(10 * 366 * 86_400)
    assert only_request(timed, "approved").start_by is None
    assert pay(5) == "paid 5"


def test_a_retry_has_its_own_time_to_start(timed: Gate, clock: FakeClock) -> None:
    tool = Tool(timed)
    request = tool.lost(start_within=60)
    clock.advance(3600)
    timed.reviewer("alice").retry(timed.get(request.id))
    clock.advance(59)
    assert status_of(timed, request) == "approved"
    clock.advance(1)
    again = timed.get(request.id)
    assert (again.status, again.reasons[-1]) == ("pending", "approved, not started in time")
    timed.reviewer("alice").reject(again, reason="never mind")
    assert status_of(timed, request) == "unknown"


# A human's word


@pytest.mark.parametrize(
    ("word", "status"), [({"result": {"paid": [5]}}, "succeeded"), ({"result": None}, "succeeded")], ids=str
)
def test_a_settlement_is_the_result_of_every_call(gate: Gate, word: Any, status: str) -> None:
    def pay(amount: int) -> Any:
        raise Interrupted

    step = gated_step(pay, gate=gate)
    with calling(call_id="c1"):
        with deciding(gate, approve), pytest.raises(Interrupted):
            step(5)
        settled(gate)
        request = only_request(gate, "unknown")

        def made_again() -> Any:
            with calling(call_id="c1"):
                return step(5)

        call = Background(made_again)
        until(gate, lambda: gate.backend._waiting._waits)  # type: ignore[attr-defined]
        decision = gate.reviewer("alice").settle(gate.get(request.id), note="seen at the bank", **word)
        assert call.join() == word["result"]
        assert step(5) == word["result"]
    assert (decision.verb, decision.by, decision.note, decision.attempt) == (
        "settle",
        "human:alice",
        "seen at the bank",
        1,
    )
    assert (status_of(gate, request), kinds(gate, request)[-1]) == (status, "settled")


def test_a_settlement_as_failed_is_the_failure_of_every_call(gate: Gate, tool: Tool) -> None:
    request = tool.lost()
    gate.reviewer("alice").settle(gate.get(request.id), error="the bank declined it")
    for _ in range(2):
        with pytest.raises(ToolFailed, match="the bank declined it"):
            tool.step()(5)
    assert (status_of(gate, request), tool.amounts) == ("failed", [5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "settle takes result=…"),
        ({"result": 1, "error": "x"}, "settle takes result=…"),
        ({"result": object()}, "JSON"),
        ({"result": float("nan")}, "nan"),
        ({"error": "  "}, "error= takes some words"),
        ({"error": 5}, "error= takes some words"),
        ({"error": "\ud800"}, "error= holds a lone surrogate"),
        ({"result": 1, "note": 5}, "note= takes a str"),
    ],
    ids=["neither", "both", "no JSON", "no number", "no words", "no text", "no such text", "note"],
)
def test_a_settlement_that_says_nothing_is_refused(gate: Gate, tool: Tool, options: Any, message: str) -> None:
    request = tool.lost()
    with pytest.raises(UsageError, match=message):
        gate.reviewer("alice").settle(request, **options)
    assert status_of(gate, request) == "unknown"


@pytest.mark.parametrize("verb", ["retry", "settle", "declare_lost"])
def test_an_id_comes_with_the_attempt_that_is_meant(gate: Gate, tool: Tool, verb: str) -> None:
    request = tool.lost()
    say = getattr(gate.reviewer("alice"), verb)
    more = {"result": 1} if verb == "settle" else {}
    for attempt in (None, "1", True):
        with pytest.raises(UsageError, match="say which attempt"):
            say(request.id, attempt=attempt, **more)
    with pytest.raises(RequestNotFound):
        say("nowhere", attempt=1, **more)
    with pytest.raises(RequestNotFound):
        say(5, attempt=1, **more)
    if verb != "declare_lost":
        with pytest.raises(StaleToken, match="attempt 2"):
            say(request.id, attempt=2, **more)
        assert say(request.id, attempt=1, **more).attempt == 1


def test_who_comes_second_hears_who_was_first_and_who_says_it_again_gets_what_was_recorded(
    gate: Gate, tool: Tool
) -> None:
    request = tool.lost()
    alice, carol = gate.reviewer("alice"), gate.reviewer("carol")
    first = alice.retry(request)
    assert alice.retry(request) == first
    with pytest.raises(AlreadyDecided) as raised:
        carol.retry(request)
    assert (raised.value.decision.by, raised.value.decision.verb) == ("human:alice", "retry")
    with pytest.raises(AlreadyDecided):
        carol.settle(request, result=1)
    assert kinds(gate, request).count("retried") == 1


@pytest.mark.parametrize("status", ["pending", "approved", "succeeded", "rejected"])
def test_there_is_nothing_to_say_of_an_attempt_that_is_not_in_doubt(gate: Gate, status: str) -> None:
    tool = Tool(gate, interrupted=0)
    pay = tool.step(wait=0, on_suspend="return")
    pay(5)
    bob = gate.reviewer("bob")
    if status == "rejected":
        bob.reject(only_request(gate), reason="no")
    elif status != "pending":
        bob.approve(only_request(gate))
    if status == "succeeded":
        pay(5)
    request = only_request(gate, status)
    for say in (
        lambda: bob.retry(request),
        lambda: bob.settle(request, result=1),
        lambda: bob.declare_lost(request),
    ):
        with pytest.raises(NotAllowed):
            say()
    assert status_of(gate, request) == status


def test_who_asks_neither_retries_nor_settles(gate: Gate, tool: Tool) -> None:
    def pay(amount: int) -> None:
        raise Interrupted

    with calling(call_id="c1", agent="alice"), deciding(gate, approve), pytest.raises(Interrupted):
        gated_step(pay, gate=gate)(5)
    settled(gate)
    request = only_request(gate, "unknown")
    alice = gate.reviewer("alice")
    with pytest.raises(NotAllowed, match="another person must"):
        alice.retry(request)
    with pytest.raises(NotAllowed, match="another person must"):
        alice.settle(request, result=None)
    gate.reviewer("bob").settle(request, result=None)


def test_a_call_without_an_id_is_settled_but_not_retried(gate: Gate, tool: Tool) -> None:
    request = tool.lost(call_id=None)
    bob = gate.reviewer("bob")
    with pytest.raises(NotAllowed, match="settle it instead"):
        bob.retry(request)
    bob.settle(request, result="paid")
    with calling(call_id=request.id):
        assert tool.step(call_id=request.id)(5) == "paid"


def test_a_failed_call_runs_again_when_a_human_says_so(gate: Gate) -> None:
    errors = [ValueError("no")]

    def pay(amount: int) -> str:
        if errors:
            raise errors.pop()
        return "paid"

    step = gated_step(pay, gate=gate)
    with calling(call_id="c1"):
        with deciding(gate, approve), pytest.raises(ValueError, match="no"):
            step(5)
        with pytest.raises(ToolFailed):
            step(5)
        gate.reviewer("alice").retry(only_request(gate, "failed"))
        assert step(5) == "paid"
        assert step(5) == "paid"


def test_a_retry_that_was_cancelled_leaves_the_call_to_be_settled(gate: Gate, tool: Tool) -> None:
    request = tool.lost()
    alice = gate.reviewer("alice")
    alice.retry(request)
    alice.cancel(gate.get(request.id))
    assert status_of(gate, request) == "unknown"
    alice.settle(gate.get(request.id), result="paid")
    assert tool.step(wait=0)(5) == "paid"


# declare_lost


class Hung:
    """A call whose tool hangs until it is let go."""

    def __init__(self, gate: Gate, **options: Any) -> None:
        self.ends = threading.Event()
        self.amounts: list[int] = []
        self.error: Exception | None = None
        self._gate, self._options = gate, options
        self.call = Background(self.step)
        self.request = next_request(gate)
        gate.reviewer("bob").approve(self.request)
        until(gate, lambda: self.amounts)

    def step(self, **options: Any) -> Any:
        def pay(amount: int) -> str:
            self.amounts.append(amount)
            if len(self.amounts) > 1:
                return "paid again"
            assert self.ends.wait(10)
            if self.error is not None:
                raise self.error
            return "paid 5"

        with calling(call_id="c1"):
            return gated_step(pay, gate=self._gate, **{**self._options, **options})(5)


@pytest.mark.parametrize("raised", [None, ValueError("no")], ids=["returns", "raises"])
def test_a_tool_that_was_declared_lost_and_ends_after_all_has_the_real_outcome(
    gate: Gate, raised: Exception | None
) -> None:
    hung = Hung(gate)
    hung.error = raised
    bob = gate.reviewer("bob")
    decision = bob.declare_lost(gate.get(hung.request.id), note="it hangs")
    assert (decision.verb, decision.attempt, decision.note) == ("declare_lost", 1, "it hangs")
    unknown = gate.get(hung.request.id)
    assert unknown.attempt is not None
    assert (unknown.status, unknown.attempt.state) == ("unknown", "lost")
    with pytest.raises(OutcomeUnknown):
        hung.step(wait=0)
    hung.ends.set()
    assert hung.call.join() == (raised or "paid 5")
    assert status_of(gate, hung.request) == ("failed" if raised else "succeeded")
    assert kinds(gate, hung.request)[-2:] == ["unknown", "failed" if raised else "succeeded"]


def test_a_report_after_the_settlement_is_late_and_the_caller_still_has_its_result(gate: Gate) -> None:
    hung = Hung(gate)
    alice = gate.reviewer("alice")
    alice.declare_lost(gate.get(hung.request.id))
    alice.settle(gate.get(hung.request.id), result="paid by hand")
    hung.ends.set()
    assert hung.call.join() == "paid 5"
    assert hung.step() == "paid by hand"
    assert kinds(gate, hung.request)[-2:] == ["settled", "late_report"]


def test_a_report_after_the_retry_has_started_is_late(gate: Gate) -> None:
    hung = Hung(gate)
    alice = gate.reviewer("alice")
    alice.declare_lost(gate.get(hung.request.id))
    alice.retry(gate.get(hung.request.id))
    assert hung.step() == "paid again"
    hung.ends.set()
    assert hung.call.join() == "paid 5"
    assert hung.step() == "paid again"
    assert kinds(gate, hung.request)[-2:] == ["succeeded", "late_report"]


def test_a_report_before_the_retry_has_started_makes_it_needless(gate: Gate) -> None:
    hung = Hung(gate)
    alice = gate.reviewer("alice")
    alice.declare_lost(gate.get(hung.request.id))
    alice.retry(gate.get(hung.request.id))
    hung.ends.set()
    assert hung.call.join() == "paid 5"
    assert hung.step() == "paid 5"
    assert hung.amounts == [5]


def test_a_call_that_runs_is_declared_lost_before_anything_else_is_said_of_it(gate: Gate) -> None:
    hung = Hung(gate)
    bob = gate.reviewer("bob")
    running = gate.get(hung.request.id)
    for say in (lambda: bob.retry(running), lambda: bob.settle(running, result=1)):
        with pytest.raises(NotAllowed, match="declare it lost first"):
            say()
    with pytest.raises(NotAllowed, match="cannot be cancelled"):
        bob.cancel(running)
    hung.ends.set()
    assert hung.call.join() == "paid 5"


# The rest of the seat


def test_an_async_reviewer_says_the_same_words(gate: Gate) -> None:
    tool = Tool(gate, interrupted=2)
    request = tool.lost()
    hung = []

    async def main() -> None:
        alice = gate.aio.reviewer("alice")
        decision = await alice.retry(await gate.aio.get(request.id))
        assert decision.verb == "retry"
        with pytest.raises(AlreadyDecided):
            await gate.aio.reviewer("carol").retry(request.id, attempt=1)
        with pytest.raises(Interrupted):
            await anyio.to_thread.run_sync(tool.step(), 5)
        await anyio.to_thread.run_sync(settled, gate)
        with pytest.raises(NotAllowed):
            await alice.declare_lost(request.id, attempt=2)
        hung.append((await alice.settle(request.id, attempt=2, result="paid")).verb)

    anyio.run(main)
    assert (hung, status_of(gate, request)) == (["settle"], "succeeded")


def test_a_call_of_a_tool_is_not_released(gate: Gate) -> None:
    Tool(gate).step(wait=0, on_suspend="return")(5)
    request = only_request(gate)
    bob = gate.reviewer("bob")
    with pytest.raises(NotAllowed, match="a call of a tool: approve it"):
        bob.release(request)
    with pytest.raises(NotAllowed, match="a call of a tool: approve it"):
        bob.release(request.id, token=request.token, payload={"amount": 1})
    assert status_of(gate, request) == "pending"


def test_a_cancelled_retry_tells_the_waiting_call_nothing_new(gate: Gate, tool: Tool) -> None:
    """What may have run is never `Cancelled` or `Expired`."""
    request = tool.lost()
    alice = gate.reviewer("alice")
    alice.retry(request)
    alice.cancel(gate.get(request.id))
    with pytest.raises(OutcomeUnknown) as raised:
        tool.step(wait=0)(5)
    assert not isinstance(raised.value, (Cancelled, Expired))
    assert tool.amounts == [5]
