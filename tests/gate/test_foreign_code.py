"""Tools, predicates and surroundings that misbehave: what they raise, return and write must not break a promise."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from gatekit import Gate, Suspended, UsageError, calling, gated_step
from gatekit.asking import judge
from gatekit.errors import NotAllowed
from gatekit.testing import auto_approve, memory_gate
from tests.gate.helpers import approve, deciding, edit, only_request

CANARY = "canary-4711-s3cret"


class Wilful(str):
    """A text that does not do what it is asked."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise RuntimeError("not today")


class Talks(Exception):
    """An exception whose message is whatever it was made with."""

    def __str__(self) -> Any:
        return self.args[0]


def nameless() -> Exception:
    """An exception whose type has no name to give. Made on demand: whoever collects tests looks at every class."""

    class Meta(type):
        @property
        def __name__(cls) -> str:  # type: ignore[override]
            raise RuntimeError("no name")

    class Nameless(Exception, metaclass=Meta): ...

    return Nameless("x")


class Stuck(Exception):
    """An exception that cannot be pickled or copied."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.lock = threading.Lock()


FAILURES: list[Exception] = [
    Talks(Wilful("wilful")),
    Talks(5),
    Talks("nul \0, half \ud800, escape \x1b[2J"),
    Talks("x" * 5_000_000),
    nameless(),
    Stuck(1, 2),
    Suspended("01ABC"),
    StopAsyncIteration(1),
    ExceptionGroup("two", [ValueError(1), KeyError(2)]),
    RecursionError("deep"),
]


def what_it_raises(call: Callable[[], object]) -> BaseException | None:
    """Not `pytest.raises`: to show some of these exceptions is more than pytest can do."""
    try:
        call()
    except BaseException as error:  # noqa: BLE001 - looked at by the test
        return error
    return None


@pytest.mark.parametrize("number", range(len(FAILURES)))
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_a_tool_raises_reaches_the_caller_and_is_stored_as_a_failure(number: int, is_async: bool) -> None:
    gate, error = memory_gate(), FAILURES[number]

    def tool(amount: int) -> None:
        raise error

    async def async_tool(amount: int) -> None:
        raise error

    step: Any = gated_step(async_tool if is_async else tool, gate=gate)
    with auto_approve():
        assert what_it_raises(lambda: anyio.run(step, 5) if is_async else step(5)) is error
    outcome = only_request(gate, "failed").outcome
    assert outcome is not None
    assert len(outcome.message or "") < 21_000


class Halt(KeyboardInterrupt):
    """Ctrl-C of a program of its own."""


@pytest.mark.parametrize(
    "error", [Halt(), SystemExit(3), GeneratorExit(), asyncio.CancelledError(), BaseExceptionGroup("two", [Halt()])]
)
def test_what_is_no_exception_leaves_the_outcome_unknown(error: BaseException) -> None:
    gate = memory_gate()

    @gated_step(gate=gate)
    def tool(amount: int) -> None:
        raise error

    with auto_approve(), pytest.raises(type(error)) as raised:
        tool(5)
    assert raised.value is error
    only_request(gate, "unknown")


class Liar:
    """A value that raises whenever it is looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


def test_a_result_that_cannot_be_looked_at_is_the_callers_all_the_same() -> None:
    gate, value = memory_gate(), Liar()
    endless: list[Any] = []
    endless.append(endless)
    for result in (value, endless, iter([1]), "x" * 20_000_000):
        with auto_approve():
            assert gated_step(lambda result=result: result, gate=gate, inject=("result",))() is result
    assert gate.count("succeeded") == 4
    for row in gate.requests("succeeded"):
        outcome = gate.get(row.id).outcome
        assert outcome is not None
        assert outcome.lost


def test_a_verdict_that_cannot_be_looked_at_gates_the_call() -> None:
    for verdict in (Liar(), nameless(), Talks(Wilful("x")), Talks(5)):
        is_gated, (reason,) = judge(verdict)
        assert is_gated
        assert reason.startswith("requires_approval ")


# Secrets


def spill(args: Any) -> bool:
    # The second one lies where a long reason is cut.
    raise KeyError(f"{CANARY} {'x' * 250}{CANARY}")


def quiet(user: str, token: str) -> str:
    assert token == CANARY
    return "done"


def typed(user: str, token: SecretStr) -> str:
    assert token.get_secret_value() == CANARY
    return "done"


def failing(user: str, token: str) -> str:
    raise type(token, (Exception,), {})(f"{token!r} {'x' * 19_960}{token}")


@pytest.mark.parametrize("tool", [quiet, typed, failing])
@pytest.mark.parametrize("act", [approve, edit(user="eve")])
def test_a_secret_is_in_no_file_no_log_and_no_event(
    tool: Callable[..., str], act: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = SecretStr(CANARY) if tool is typed else CANARY
    with Gate(tmp_path / "queue.db") as gate:
        step = gated_step(
            tool,
            gate=gate,
            redact=() if tool is typed else ("token",),
            requires_approval=spill,
            description=lambda args: f"{args.user}: {args.token}",
        )
        with deciding(gate, act), suppress(Exception):
            step("ann", secret)
        request = only_request(gate, "failed" if tool is failing else "succeeded")
        assert any("requires_approval raised KeyError: '[redacted] xxx" in reason for reason in request.reasons)
        seen = [request.to_dict(), *(event.to_dict() for event in gate.events(0, limit=1000))]
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert {file.name for file in files} >= {"queue.db", "queue.db-wal"}
        text = repr(seen) + caplog.text + "".join(file.read_bytes().decode("latin-1") for file in files)
    assert CANARY[:6] not in text


# Surroundings


class Broken(io.StringIO):
    """A terminal that went away."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise BrokenPipeError("gone")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [None, closed(), Broken()], ids=["none", "closed", "broken"])
def test_a_call_waits_also_where_nobody_can_be_told(stream: Any, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with pytest.raises(Suspended):
            pay(5)


@pytest.mark.parametrize(
    ("argv", "requester"),
    [
        (["/srv/bot.py"], "agent:bot.py"),
        (["b\udcff.py"], "agent:b\\udcff.py"),
        ([""], "agent:python"),
        ([], "agent:python"),
    ],
)
def test_who_asks_is_named_after_the_script_whatever_it_is(
    argv: list[str], requester: str, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> None: ...

    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(Suspended):
        pay(5)
    assert only_request(gate).requester == requester


@pytest.mark.parametrize("agent", ["alice", "human:alice", "agent:human:alice"])
def test_an_agent_that_names_its_kind_is_still_who_asks(agent: str, gate: Gate) -> None:
    @gated_step(gate=gate, wait=0, on_suspend="return")
    def pay(amount: int) -> None: ...

    with calling(agent=agent):
        pay(5)
    with pytest.raises(NotAllowed, match="another person"):
        gate.reviewer("alice").approve(only_request(gate))


@pytest.mark.parametrize("path", [5, b"queue.db", "", "sqlite:///", "sqlite://queue.db", "https://host", "a\0b"])
def test_what_names_no_file_is_refused_at_once(path: Any) -> None:
    with pytest.raises(UsageError):
        Gate(path)


# Signatures


def test_a_tool_may_call_its_parameters_whatever_python_allows(gate: Gate) -> None:
    def builtin(type: str, str: int, bool: float, *, print: str = "p", __dict__: int = 1) -> object:
        return (type, str, bool, print, __dict__)

    def ours(tool: int, gated: int, predicate: int, unasked: int, _gatekit_tool: int, _gatekit_: int) -> object:
        return (tool, gated, predicate, unasked, _gatekit_tool, _gatekit_)

    names = [f"p{number}" for number in range(300)]
    scope: dict[str, Any] = {}
    exec(f"def many({', '.join(f'{name}: int = 1' for name in names)}): return ({', '.join(names)})", scope)
    cases: list[tuple[Callable[..., object], tuple[Any, ...]]] = [
        (builtin, ("a", 1, 2.5)),
        (ours, tuple(range(6))),
        (scope["many"], tuple(range(299))),
    ]
    for tool, args in cases:
        expected = tool(*args)
        assert gated_step(tool, gate=gate, requires_approval=lambda args: False)(*args) == expected
        with deciding(gate, approve):
            assert gated_step(tool, gate=gate)(*args) == expected
