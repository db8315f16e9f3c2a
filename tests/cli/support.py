"""A queue with calls in it, and the real command in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pexpect
import pytest
from click.testing import CliRunner, Result

import gatekit
import gatekit_tui
from gatekit import Gate, Policy, Request, Suspended, calling, gated_step
from gatekit.cli import main
from gatekit.store import SqliteStore
from gatekit.testing import FakeClock

COMMAND = "from gatekit.cli import main; main(prog_name='gatekit')"
Risk = Literal["low", "medium", "high", "critical"]


def environment(**more: str) -> dict[str, str]:
    """This one, with both packages on the path wherever they come from."""
    places = [str(Path(str(module.__file__)).parent.parent) for module in (gatekit, gatekit_tui)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEKIT_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(places), "COLUMNS": "80", **more}


def ask(
    gate: Gate, *, tool: str = "pay", description: str | None = None, risk: Risk = "medium", **args: Any
) -> Request:
    """A call of `pay` that is in the queue and for which nobody waits."""

    def pay(to: str, amount: int, note: str = "") -> str:
        return f"paid {amount} to {to}: {note}"

    step = gated_step(pay, gate=gate, name=tool, description=description, risk=risk, wait=0, on_suspend="return")
    told = {"to": "bob", "amount": 100, **args}
    with calling(agent="agent-7"):
        answer = str(step(**told))
    found = re.search(r"request (\w{26})", answer)
    assert found, answer
    return gate.get(found[1])


def lose(gate: Gate, *, call_id: str | None = "c1", risk: Risk = "medium", max_starts: int = 1) -> Request:
    """A call of `pay` whose tool was interrupted in its middle, in this process: nobody knows what it did."""

    def pay(to: str, amount: int) -> str:
        raise KeyboardInterrupt

    step = gated_step(
        pay,
        gate=gate,
        risk=risk,
        wait=0,
        on_suspend="return",
        idempotent=max_starts > 1,
        retries=max_starts - 1,
    )
    with calling(agent="agent-7", call_id=call_id):
        found = re.search(r"request (\w{26})", str(step("bob", 100)))
    assert found
    request = gate.get(found[1])
    gate.reviewer("bob").approve(request)
    with calling(agent="agent-7", call_id=call_id or request.id), pytest.raises(KeyboardInterrupt):
        step("bob", 100)
    # What an interruption leaves behind is written by the store's own thread.
    assert next(event for event in gate.watch(since=0) if event.kind == "unknown").request_id == request.id
    return gate.get(request.id)


def run(queue: Path, *args: str, columns: int = 80) -> Result:
    """The command in this process, without a terminal."""
    env = {"GATEKIT_QUEUE": str(queue), "GATEKIT_REVIEWER": "ana", "COLUMNS": str(columns)}
    return CliRunner().invoke(main, args, env=env, prog_name="gatekit")


def process(*args: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *args],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )


class Terminal:
    """The command at a terminal; `seen` is all that it printed."""

    def __init__(self, args: Sequence[str], cwd: Path, **more: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-c", COMMAND, *args],
            cwd=str(cwd),
            env=environment(**{"TERM": "xterm-256color", **more}),
            encoding="utf-8",
            dimensions=(24, 80),
            timeout=20,
        )
        self.seen = ""

    def wait_for(self, text: str) -> None:
        self.child.expect_exact(text)
        self.seen += f"{self.child.before}{text}"

    def type(self, keys: str) -> None:
        self.child.send(keys)

    def end(self) -> int:
        """The exit code, once the command has ended."""
        self.child.expect(pexpect.EOF)
        self.seen += str(self.child.before)
        self.child.close()
        assert self.child.exitstatus is not None, f"killed by signal {self.child.signalstatus}"
        return int(self.child.exitstatus)


def staged(gate: Gate, policy: Policy, *, risk: Risk = "medium", expires_after: timedelta | None = None) -> Request:
    """A call of `pay` that is in the queue under a policy, and for which nobody waits."""

    def pay(amount: int) -> str:
        return f"paid {amount}"

    step = gated_step(
        pay, gate=gate, policy=policy, risk=risk, expires_after=expires_after, wait=0, on_suspend="return"
    )
    with calling(agent="agent-7"):
        found = re.search(r"request (\w{26})", str(step(100)))
    assert found
    return gate.get(found[1])


def question(gate: Gate, prompt: str = "Which one?", type: type[Any] = str, **options: Any) -> Request:
    """A question that is in the queue, and for which nobody waits."""
    with calling(agent="agent-7"), pytest.raises(Suspended) as left:
        gate.ask(prompt, type, wait=0, **options)
    return gate.get(left.value.request_id)


def confirmation(gate: Gate, prompt: str = "Deploy?", **options: Any) -> Request:
    """A confirmation that is in the queue, and for which nobody waits."""
    with calling(agent="agent-7"), pytest.raises(Suspended) as left:
        gate.confirm(prompt, wait=0, **options)
    return gate.get(left.value.request_id)


@contextmanager
def years_ago(queue: Path) -> Generator[Gate]:
    """A queue as a process left it in 2020."""
    clock = FakeClock(1_577_836_800_000_000)
    with Gate._over(SqliteStore.at(str(queue), create=True, clock=clock), clock) as gate:
        yield gate


def raw(text: str) -> set[str]:
    """The characters of a text that a terminal could obey, or that hide."""
    return {
        char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }
