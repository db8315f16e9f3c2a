"""A tool that raises and is tried again: when, how often, after which exceptions, and what can happen in between."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from gatekit import Gate, OutcomeUnknown, ToolFailed, calling, current, driving, gated_step
from gatekit.testing import FakeClock
from tests.gate.helpers import (
    Background,
    Interrupted,
    approve,
    deciding,
    edit,
    kinds,
    next_request,
    only_request,
    settled,
    status_of,
    until,
)


class Flaky:
    """A tool that raises these, one at each call, and then returns; it notes its attempts and when they began."""

    def __init__(self, *errors: BaseException, clock: FakeClock | None = None) -> None:
        self.errors = list(errors)
        self.clock = clock
        self.amounts: list[int] = []
        self.attempts: list[int] = []
        self.keys: list[str] = []
        self.moments: list[float] = []

    def pay(self, amount: int) -> str:
        self.amounts.append(amount)
        self.attempts.append(current().attempt)
        self.keys.append(current().idempotency_key)
        if self.clock is not None:
            self.moments.append(self.clock.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        return "paid"

    def step(self, gate: Gate, *, is_async: bool = False, **options: Any) -> Callable[[int], Any]:
        """The gated step; an async one is run to its end by each call."""
        if not is_async:

            def pay(amount: int) -> str:
                return self.pay(amount)

            return gated_step(pay, gate=gate, **options)

        async def pay_async(amount: int) -> str:
            return self.pay(amount)

        step = gated_step(pay_async, gate=gate, name="pay", **options)
        return lambda amount: anyio.run(step, amount)


def backing_off(gate: Gate) -> Any:
    """The waits that end by the clock; nothing in these tests has one but the time before the next start."""
    return gate.backend._waiting._timed  # type: ignore[attr-defined]


def wait_over(gate: Gate, clock: FakeClock, seconds: float) -> None:
    """Let the time before the next start pass, which must be exactly this."""
    (wait,) = until(gate, lambda: [wait for wait in list(backing_off(gate)) if wait.until > clock.monotonic()])
    assert wait.until == clock.monotonic() + seconds
    clock.advance(seconds)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_next_start_comes_after_one_second_then_twice_as_long_at_most_a_minute(
    timed: Gate, clock: FakeClock, is_async: bool
) -> None:
    flaky = Flaky(*(ConnectionError(str(number)) for number in range(8)), clock=clock)
    pay = flaky.step(timed, is_async=is_async, retries=8, retry_on=(ConnectionError,))
    call = Background(lambda: pay(5))
    request = next_request(timed)
    timed.reviewer("bob").approve(request)
    for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
        wait_over(timed, clock, seconds)
    assert call.join() == "paid"
    assert flaky.moments == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert flaky.attempts == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert len(set(flaky.keys)) == 1
    assert kinds(timed, request) == ["submitted", "approved", *["started", "failed"] * 8, "started", "succeeded"]


@pytest.mark.parametrize(
    ("options", "max_starts"),
    [
        ({}, 1),
        ({"retries": 2, "retry_on": (OSError,)}, 3),
        ({"idempotent": True}, 2),
        ({"idempotent": True, "retries": 0}, 1),
        ({"idempotent": True, "retries": 4}, 5),
    ],
)
def test_the_reviewer_sees_how_often_the_tool_may_start(gate: Gate, options: dict[str, Any], max_starts: int) -> None:
    Flaky().step(gate, wait=0, on_suspend="return", **options)(5)
    request = only_request(gate)
    assert request.max_starts == max_starts
    assert request.to_dict()["max_starts"] == max_starts


def test_when_the_starts_are_used_up_the_caller_gets_the_last_exception(timed: Gate, clock: FakeClock) -> None:
    errors = [ConnectionError("1"), ConnectionError("2"), ConnectionError("3")]
    flaky = Flaky(*errors)
    pay = flaky.step(timed, retries=2, retry_on=(ConnectionError,))

    def named() -> str:
        with calling(call_id="c1"):
            return pay(5)  # type: ignore[no-any-return]

    call = Background(named)
    request = next_request(timed)
    timed.reviewer("bob").approve(request)
    wait_over(timed, clock, 1)
    wait_over(timed, clock, 2)
    assert call.join() is errors[-1]
    assert (flaky.attempts, status_of(timed, request)) == ([1, 2, 3], "failed")
    with pytest.raises(ToolFailed, match="ConnectionError: 3"):
        named()
    assert len(flaky.attempts) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"retries": 2, "retry_on": (ConnectionError,)},
        {"retries": 2, "retry_on": (ConnectionError,), "idempotent": True},
        {"idempotent": True, "retries": 0},
    ],
    ids=["retry_on", "retry_on of an idempotent tool", "no retries"],
)
def test_an_exception_that_no_start_may_follow_goes_to_the_caller_at_once(gate: Gate, options: Any) -> None:
    error = ValueError("after it acted")
    flaky = Flaky(error)
    pay = flaky.step(gate, **options)
    with deciding(gate, approve), pytest.raises(ValueError, match="after it acted") as raised:
        pay(5)
    assert raised.value is error
    request = only_request(gate, "failed")
    assert flaky.attempts == [1]
    assert request.outcome is not None
    assert request.outcome.type_name == "ValueError"


def test_the_same_call_made_again_does_not_start_after_an_exception_that_no_start_may_follow(gate: Gate) -> None:
    """`retry_on` names what was raised before the tool acted; anything else may have been raised after."""
    flaky = Flaky(ValueError("after it acted"))
    pay = flaky.step(gate, retries=2, retry_on=(ConnectionError,))
    with deciding(gate, approve), calling(call_id="c1"), pytest.raises(ValueError, match="after it acted"):
        pay(5)
    with calling(call_id="c1"), pytest.raises(ToolFailed):
        pay(5)
    assert flaky.attempts == [1]


def test_a_subclass_of_what_is_named_counts_and_an_idempotent_tool_names_nothing(timed: Gate, clock: FakeClock) -> None:
    for error, options in (
        (ConnectionResetError("reset"), {"retries": 1, "retry_on": (ConnectionError, ValueError)}),
        (KeyError("anything"), {"idempotent": True}),
    ):
        flaky = Flaky(error)
        since = timed.backend.cursor().wait()
        call = Background(lambda flaky=flaky, options=options: flaky.step(timed, **options)(5))
        timed.reviewer("bob").approve(next_request(timed, since))
        wait_over(timed, clock, 1)
        assert call.join() == "paid"
        assert flaky.attempts == [1, 2]


def test_a_retry_runs_the_arguments_that_were_edited(timed: Gate, clock: FakeClock) -> None:
    flaky = Flaky(ConnectionError())
    pay = flaky.step(timed, retries=1, retry_on=(ConnectionError,))
    with deciding(timed, edit(amount=4)):
        call = Background(lambda: pay(5))
    wait_over(timed, clock, 1)
    assert call.join() == "paid"
    assert flaky.amounts == [4, 4]


def test_the_last_look_is_taken_before_every_start(timed: Gate, clock: FakeClock) -> None:
    looks: list[int] = []
    flaky = Flaky(ConnectionError())

    def revalidate(args: Any) -> bool:
        looks.append(args.amount)
        return True

    pay = flaky.step(timed, retries=1, retry_on=(ConnectionError,), revalidate=revalidate)
    call = Background(lambda: pay(5))
    timed.reviewer("bob").approve(next_request(timed))
    wait_over(timed, clock, 1)
    assert call.join() == "paid"
    assert looks == [5, 5]


# What happens between two starts


def in_between(timed: Gate, flaky: Flaky, call_id: str | None = None, **options: Any) -> tuple[Background, Any]:
    """A call that raised and waits for its next start."""
    pay = flaky.step(timed, retries=2, retry_on=(ConnectionError,), **options)

    def call() -> Any:
        with calling(call_id=call_id):
            return pay(5)

    made = Background(call)
    request = next_request(timed)
    timed.reviewer("bob").approve(request)
    until(timed, lambda: backing_off(timed))
    return made, request


@pytest.mark.parametrize("call_id", [None, "c1"])
def test_a_cancellation_between_two_starts_is_the_end(timed: Gate, call_id: str | None) -> None:
    error = ConnectionError("1")
    flaky = Flaky(error)
    call, request = in_between(timed, flaky, call_id)
    timed.reviewer("bob").cancel(timed.get(request.id), reason="enough")
    assert call.join() is error
    ended = timed.get(request.id)
    assert (ended.status, flaky.attempts) == ("failed", [1])
    assert ended.decision is not None
    assert (ended.decision.verb, ended.decision.reason) == ("cancel", "enough")
    assert ended.outcome is not None
    assert ended.outcome.message == "1"


@pytest.mark.parametrize(("call_id", "status"), [(None, "failed"), ("c1", "approved")])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_is_cancelled_between_two_starts(
    timed: Gate, call_id: str | None, status: str, backend: str
) -> None:
    flaky = Flaky(ConnectionError("1"))

    async def tool(amount: int) -> str:
        return flaky.pay(amount)

    pay = gated_step(tool, gate=timed, name="pay", retries=2, retry_on=(ConnectionError,))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            with calling(call_id=call_id):
                tasks.start_soon(pay, 5)
            async for event in timed.aio.watch(0):
                if event.kind == "submitted":
                    await timed.aio.reviewer("bob").approve(await timed.aio.get(event.request_id))
                if event.kind == "failed":
                    break
            while not backing_off(timed):
                await timed.aio.count("pending")
            tasks.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    settled(timed)
    request = only_request(timed, status)
    assert (request.waiter, flaky.attempts) == ("gone", [1])


@pytest.mark.parametrize(("call_id", "status"), [(None, "failed"), ("c1", "approved")])
def test_ctrl_c_between_two_starts(
    timed: Gate, call_id: str | None, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky = Flaky(ConnectionError("1"))
    pay = flaky.step(timed, retries=2, retry_on=(ConnectionError,))

    def block(step: Any, real: Any = driving._block) -> Any:
        waiting = timed.backend._waiting  # type: ignore[attr-defined]
        if flaky.attempts and (waiting._fresh or waiting._timed):
            signal.raise_signal(signal.SIGINT)
        return real(step)

    with monkeypatch.context() as patch, deciding(timed, approve), calling(call_id=call_id):
        patch.setattr(driving, "_block", block)
        with pytest.raises(KeyboardInterrupt):
            pay(5)
    settled(timed)
    request = only_request(timed, status)
    assert (request.waiter, flaky.attempts) == ("gone", [1])
    if call_id is not None:
        with calling(call_id=call_id):
            assert pay(5) == "paid"
        assert flaky.attempts == [1, 2]


def test_a_tool_that_is_interrupted_at_its_second_start_is_unknown(timed: Gate, clock: FakeClock) -> None:
    flaky = Flaky(ConnectionError("1"), Interrupted())
    call, request = in_between(timed, flaky, "c1")
    wait_over(timed, clock, 1)
    assert isinstance(call.join(), Interrupted)
    settled(timed)
    unknown = timed.get(request.id)
    assert unknown.status == "unknown"
    assert unknown.attempt is not None
    assert unknown.attempt.no == 2
    with calling(call_id="c1"), pytest.raises(OutcomeUnknown):
        flaky.step(timed, retries=2, retry_on=(ConnectionError,), wait=0)(5)
    assert flaky.attempts == [1, 2]


def test_a_call_whose_time_to_start_is_over_between_two_starts_waits_for_a_new_approval(
    timed: Gate, clock: FakeClock
) -> None:
    flaky = Flaky(ConnectionError("1"))
    call, request = in_between(timed, flaky, start_within=0.5)
    clock.advance(0.5)
    until(timed, lambda: status_of(timed, request) == "pending")
    until(timed, lambda: call.end is not None or (not backing_off(timed) and timed.backend._waiting._waits))  # type: ignore[attr-defined]
    again = timed.get(request.id)
    assert again.reasons[-1] == "approved, not started in time"
    timed.reviewer("bob").approve(again)
    assert call.join() == "paid"
    assert flaky.attempts == [1, 2]


def test_two_callers_of_one_identity_get_the_same_result_where_the_second_comes_between_two_starts(
    timed: Gate, clock: FakeClock
) -> None:
    flaky = Flaky(ConnectionError("1"))
    first, request = in_between(timed, flaky, "c1")
    with calling(call_id="c1"):
        assert flaky.step(timed, retries=2, retry_on=(ConnectionError,))(5) == "paid"
    assert (status_of(timed, request), flaky.attempts) == ("succeeded", [1, 2])
    assert first.join() == "paid"
