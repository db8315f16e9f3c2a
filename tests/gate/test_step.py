"""What can be gated, what is refused at decoration, and what the wrapper looks like from outside."""

from __future__ import annotations

import functools
import inspect
from typing import Any, cast

import anyio
import pytest

from gatekit import Gate, Rejected, Responded, Suspended, UsageError, calling, gated_step
from tests.gate.helpers import approve, deciding, edit, only_request, reject, respond


def plain(to: str, subject: str = "hello", *, urgent: bool = False) -> str:
    """Send a mail."""
    return f"{to} {subject} {urgent}"


def test_the_wrapper_is_a_real_function_with_the_tools_face(gate: Gate) -> None:
    wrapped = gated_step(plain, gate=gate, requires_approval=False)
    assert inspect.isfunction(wrapped)
    assert wrapped.__wrapped__ is plain  # type: ignore[attr-defined]
    assert (wrapped.__name__, wrapped.__doc__) == ("plain", "Send a mail.")
    assert inspect.signature(wrapped) == inspect.signature(plain)
    assert wrapped("a", urgent=True) == "a hello True"
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        wrapped()  # type: ignore[call-arg]


def test_colour_is_kept(gate: Gate) -> None:
    async def fetch(url: str) -> str:
        return url

    assert inspect.iscoroutinefunction(gated_step(fetch, gate=gate))
    assert not inspect.iscoroutinefunction(gated_step(plain, gate=gate))


class Box:
    def __init__(self) -> None:
        self.items: list[str] = []

    def __call__(self, item: str) -> int:
        """Put it in."""
        self.items.append(item)
        return len(self.items)


class AsyncBox(Box):
    async def __call__(self, item: str) -> int:  # type: ignore[override]
        return super().__call__(item)


def test_a_callable_object_is_wrapped_as_a_function_of_its_colour(gate: Gate) -> None:
    box, async_box = Box(), AsyncBox()
    put = gated_step(box, gate=gate, requires_approval=lambda args: args.item == "bomb")
    put_async = gated_step(async_box, gate=gate, requires_approval=False)
    assert inspect.isfunction(put)
    assert inspect.iscoroutinefunction(put_async)
    assert put("a") == 1
    assert anyio.run(put_async, "b") == 1
    assert (box.items, async_box.items) == (["a"], ["b"])


def test_methods_are_gated_with_self_injected(gate: Gate) -> None:
    class Account:
        def __init__(self) -> None:
            self.balance = 100

        @gated_step(gate=gate, requires_approval=lambda args: args.amount > 50)
        def pay(self, amount: int) -> int:
            self.balance -= amount
            return self.balance

    account = Account()
    assert account.pay(40) == 60
    with deciding(gate, approve):
        assert account.pay(60) == 0
    assert only_request(gate, "succeeded").args == {"amount": 60}


def generator():  # type: ignore[no-untyped-def]
    yield 1


async def async_generator():  # type: ignore[no-untyped-def]
    yield 1


@pytest.mark.parametrize(
    ("tool", "cure"),
    [
        (generator, "collects what it yields"),
        (async_generator, "collects what it yields"),
        (functools.partial(plain, "a"), "write a function"),
        (classmethod(lambda cls: None), "put @classmethod above"),
        (staticmethod(plain), "put @staticmethod above"),
        (Box, "write a function that makes one"),
        (42, "takes a function"),
    ],
)
def test_what_cannot_be_gated_is_refused_with_the_cure(gate: Gate, tool: Any, cure: str) -> None:
    with pytest.raises(UsageError, match=cure):
        gated_step(tool, gate=gate)


async def async_predicate(args: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"requires_approval": "yes"}, "requires_approval takes"),
        ({"requires_approval": async_predicate}, "make the tool async"),
        ({"risk": "huge"}, "none of low, medium, high, critical"),
        ({"wait": -1}, "wait=-1"),
        ({"wait": float("nan")}, "wait=nan"),
        ({"on_reject": "ignore"}, 'it is "raise" or "return"'),
        ({"description": "to {whom}"}, "names 'whom'"),
        ({"description": "to {"}, "is no template"),
        ({"name": ""}, "1 to 500"),
        ({"redact": ("token",)}, "token"),
        ({"inject": ("session",)}, "session"),
        ({"gate": "queue.db"}, "takes a Gate"),
        ({"retries": 2}, "although it may have acted"),
        ({"retries": -1, "idempotent": True}, "a whole number from 0 to 100"),
        ({"retries": 101, "idempotent": True}, "a whole number from 0 to 100"),
        ({"retries": True, "idempotent": True}, "a whole number from 0 to 100"),
        ({"retries": 1.5, "idempotent": True}, "a whole number from 0 to 100"),
        ({"retry_on": (OSError,)}, "does nothing without retries"),
        ({"retry_on": (OSError,), "idempotent": True, "retries": 0}, "does nothing without retries"),
        ({"retry_on": (), "retries": 1}, "a tuple of exception types"),
        ({"retry_on": OSError, "retries": 1}, "a tuple of exception types"),
        ({"retry_on": (KeyboardInterrupt,), "retries": 1}, "a tuple of exception types"),
        ({"retry_on": ("OSError",), "retries": 1}, "a tuple of exception types"),
        ({"idempotent": 1}, "it is True or False"),
        ({"reconcile": "ask"}, "reconcile takes a function"),
        ({"revalidate": True}, "revalidate takes a function"),
        ({"reconcile": async_predicate}, "make the tool async or reconcile sync"),
        ({"revalidate": async_predicate}, "make the tool async or revalidate sync"),
        ({"start_within": -1}, "start_within=-1"),
        ({"start_within": "1h"}, "start_within='1h'"),
        ({"start_within": True}, "start_within=True"),
    ],
)
def test_wrong_options_are_refused_at_decoration(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        cast("Any", gated_step)(plain, **options)


@pytest.mark.parametrize("option", ["notify"])
def test_an_option_that_is_not_delivered_does_not_exist(option: str) -> None:
    with pytest.raises(TypeError):
        cast("Any", gated_step)(plain, **{option: None})


def test_on_reject_return_gives_the_model_a_text(gate: Gate) -> None:
    told = gated_step(plain, gate=gate, on_reject="return")
    with deciding(gate, reject("wrong tone"), respond("ask first")):
        assert told("a") == "This call was not run: it was rejected by a reviewer: wrong tone"
        assert told("a") == "This call was not run. A reviewer answered: ask first"
    raising = gated_step(plain, gate=gate)
    with deciding(gate, respond("ask first")), pytest.raises(Responded) as raised:
        raising("a")
    assert raised.value.text == "ask first"


def test_on_suspend_return_gives_the_model_a_text_with_the_id(gate: Gate) -> None:
    told = gated_step(plain, gate=gate, wait=0, on_suspend="return")("a")
    assert only_request(gate).id in told


def test_the_model_is_told_of_an_edit_only_for_calls_with_an_id_and_plain_text(gate: Gate) -> None:
    pay = gated_step(lambda_named_pay, gate=gate, description="pay")
    with deciding(gate, edit(amount=60)), calling(call_id="c1"):
        assert pay(100) == "A reviewer changed amount from 100 to 60 before this ran.\n\npaid 60"
    with deciding(gate, edit(amount=60)):
        assert pay(100) == "paid 60"
    with calling(call_id="c1"):
        assert pay(100) == "A reviewer changed amount from 100 to 60 before this ran.\n\npaid 60"
    outcome = gate.get(gate.requests("succeeded")[0].id).outcome
    assert outcome is not None
    assert outcome.value == "paid 60", "the stored result is the tool's own"


def lambda_named_pay(amount: int) -> str:
    return f"paid {amount}"


@pytest.mark.parametrize("result", ['{"a":1}', "[1]", '"x"', "12", " true ", "null", "-1.5e3"])
def test_a_result_that_a_program_may_parse_is_left_alone(gate: Gate, result: str) -> None:
    @gated_step(gate=gate)
    def fetch(amount: int) -> str:
        return result

    with deciding(gate, edit(amount=60)), calling(call_id="c1"):
        assert fetch(100) == result


def test_tell_edits_true_and_false_override_the_rule(gate: Gate) -> None:
    always = gated_step(lambda_named_pay, gate=gate, tell_edits=True)
    never = gated_step(lambda_named_pay, gate=gate, tell_edits=False)
    with deciding(gate, edit(amount=60), edit(amount=60)):
        assert always(100).startswith("A reviewer changed amount")
        with calling(call_id="c2"):
            assert never(100) == "paid 60"


def test_an_exception_of_the_tool_reaches_the_caller_unchanged_and_is_kept(gate: Gate) -> None:
    class Broke(Exception): ...

    error = Broke("no money")

    @gated_step(gate=gate)
    def pay(amount: int) -> None:
        raise error

    with deciding(gate, approve), pytest.raises(Broke) as raised:
        pay(1)
    assert raised.value is error
    outcome = only_request(gate, "failed").outcome
    assert outcome is not None
    assert (outcome.type_name, outcome.message) == ("Broke", "no money")


def test_stop_iteration_of_a_tool_reaches_the_caller_unchanged(gate: Gate) -> None:
    @gated_step(gate=gate)
    def next_item(amount: int) -> None:
        raise StopIteration("empty")

    with deciding(gate, approve), pytest.raises(StopIteration, match="empty"):
        next_item(1)
    assert only_request(gate, "failed").outcome is not None


def test_nested_gated_calls_do_not_inherit_the_identity(gate: Gate) -> None:
    @gated_step(gate=gate, wait=0)
    def inner(x: int) -> int:
        return x

    @gated_step(gate=gate)
    def outer(x: int) -> int:
        with pytest.raises(Suspended):
            inner(x)
        return x

    with deciding(gate, approve), calling(call_id="c1", run="r"):
        assert outer(1) == 1
    request = only_request(gate)
    assert (request.tool, request.run) == ("inner", None)
    assert request.call_id == request.id


def test_a_sync_tool_that_gives_a_coroutine_fails_loudly(gate: Gate) -> None:
    async def work() -> None: ...

    def sync_looking(x: int) -> Any:
        return work()

    with deciding(gate, approve), pytest.raises(UsageError, match="async def"):
        gated_step(sync_looking, gate=gate)(1)


def test_record_all_keeps_calls_that_needed_nobody(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with Gate(tmp_path / "queue.db", record="all") as gate:
        tool = gated_step(plain, gate=gate, requires_approval=lambda args: False)
        assert tool("a") == "a hello False"
        request = only_request(gate, "succeeded")
        assert request.decision is not None
        assert request.decision.by == "policy:predicate"
        kinds = [event.kind for event in gate.history(request.id)]
        assert kinds == ["submitted", "approved", "started", "succeeded"]
        with calling(call_id="c1"):
            assert tool("b") == tool("b")
        assert gate.count("succeeded") == 2


def test_a_rejected_call_is_rejected_again_under_its_id(gate: Gate) -> None:
    tool = gated_step(plain, gate=gate)
    with deciding(gate, reject("no")), calling(call_id="c1"):
        with pytest.raises(Rejected):
            tool("a")
        with pytest.raises(Rejected, match="no"):
            tool("a")
