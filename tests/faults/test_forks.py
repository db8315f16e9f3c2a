"""A process forks in the middle of a call: in a wait, in a write, in the predicate, in the tool."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gatekit import Gate
from gatekit.models import STATUSES
from tests.faults.support import judge

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.sweep, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")]

PRELUDE = """
import os, sys, threading
import anyio
from gatekit import Gate, calling, gated_step
from tests.faults.support import Background, ended, first_request
gate, main = Gate(sys.argv[1]), os.getpid()
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def here():
    return "parent" if os.getpid() == main else "child"
def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            say("BROKEN", repr(error))
            os._exit(1)
        os._exit(0)
    return pid
def join(pid):
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
def pay(amount: int) -> str:
    say("ran", amount, here())
    return "paid"
"""


def lines(queue: Path, script: str) -> list[str]:
    """What the program and its children said; both ended well, in time."""
    command = [sys.executable, "-c", PRELUDE + script, str(queue)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BROKEN" not in done.stdout, done.stdout
    return done.stdout.splitlines()


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


def test_a_child_decides_the_call_for_which_its_parent_waits(queue: Path) -> None:
    said = lines(
        queue,
        "call = Background(lambda: gated_step(pay, gate=gate)(5))\n"
        "request = first_request(gate)\n"
        "join(child(lambda: gate.reviewer('bob').approve(request)))\n"
        "say('end', call.end())\n"
        "gate.close()\n",
    )
    assert said == ["ran 5 parent", "end paid"]
    assert judge(queue, ran=[5]) == {"succeeded": 1}


@pytest.mark.parametrize("backend", ["asyncio", pytest.param("trio", marks=pytest.mark.sweep)])
def test_a_loop_that_forks_while_its_calls_wait_is_woken_and_the_child_makes_calls_of_its_own(
    queue: Path, backend: str
) -> None:
    said = lines(
        queue,
        "async def pay_later(amount: int) -> str:\n"
        "    return pay(amount)\n"
        "def childs():\n"
        "    call = Background(lambda: gated_step(pay, gate=gate, name='pay')(2))\n"
        # In a thread: trio believes that the child, too, runs the loop in which it was forked.
        "    def decide():\n"
        "        gate.reviewer('bob').approve(gate.get(next(gate.watch(1)).request_id))\n"
        "    Background(decide).end()\n"
        "    say('child', call.end())\n"
        "    gate.close()\n"
        "async def main_task():\n"
        "    async def one():\n"
        "        say('parent', await gated_step(pay_later, gate=gate, name='pay')(1))\n"
        "    async with anyio.create_task_group() as tasks:\n"
        "        tasks.start_soon(one)\n"
        "        async for event in gate.aio.watch(0):\n"
        "            break\n"
        "        pid = child(childs)\n"
        "        await anyio.to_thread.run_sync(join, pid)\n"
        "        (request,) = await gate.aio.reviewer('bob').pending()\n"
        "        await gate.aio.reviewer('bob').approve(request)\n"
        f"anyio.run(main_task, backend={backend!r})\n",
    )
    assert sorted(said) == ["child paid", "parent paid", "ran 1 parent", "ran 2 child"]
    assert judge(queue, ran=[1, 2]) == {"succeeded": 2}


@pytest.mark.sweep
def test_a_tool_that_forks_and_returns_in_both_has_one_outcome(queue: Path) -> None:
    said = lines(
        queue,
        "def forks(amount: int) -> str:\n"
        "    pids.append(os.fork())\n"
        "    return 'paid'\n"
        "pids = []\n"
        "def decide():\n"
        "    gate.reviewer('bob').approve(first_request(gate))\n"
        "reviewer = Background(decide)\n"
        # On the main thread, as the forking one is the only thread that the child has.
        "end = ended(lambda: gated_step(forks, gate=gate)(5))\n"
        "say(here(), 'end', end)\n"
        "if here() == 'child': os._exit(0)\n"
        "join(pids[0])\n",
    )
    assert sorted(said) == ["child end paid", "parent end paid"]
    assert judge(queue, ran=[5]) == {"succeeded": 1}
    with Gate(queue, create=False) as gate:
        kinds = Counter(event.kind for event in gate.events())
    assert (kinds["started"], kinds["succeeded"]) == (1, 1)


@pytest.mark.sweep
@pytest.mark.parametrize(("given", "calls"), [("'c1'", 1), ("None", 2)])
def test_a_predicate_that_forks_makes_one_call_with_an_id_and_two_without(queue: Path, given: str, calls: int) -> None:
    """Each of the two is decided for itself; with an id they are one, and both are told its outcome."""
    said = lines(
        queue,
        # Python itself gives no child the locks of imports under way in other threads: let them be over.
        "gate.count()\n"
        "def forks(args):\n"
        "    pids.append(os.fork())\n"
        "    return True\n"
        "pids = []\n"
        "def call():\n"
        f"    with calling(call_id={given}):\n"
        "        return gated_step(pay, gate=gate, requires_approval=forks)(5)\n"
        "def decide():\n"
        "    events = gate.watch(0)\n"
        f"    for _ in range({calls}):\n"
        "        event = next(event for event in events if event.kind == 'submitted')\n"
        "        gate.reviewer('bob').approve(gate.get(event.request_id))\n"
        "reviewer = Background(decide)\n"
        "end = ended(call)\n"
        "say(here(), 'end', end)\n"
        "if here() == 'child': os._exit(0)\n"
        "join(pids[0])\n",
    )
    assert sorted(line for line in said if "end" in line) == ["child end paid", "parent end paid"]
    assert sum(line.startswith("ran") for line in said) == calls
    with Gate(queue, create=False) as gate:
        assert gate.count("succeeded") == calls


@pytest.mark.sweep
def test_forks_in_the_midst_of_calls_lose_none_of_them(queue: Path) -> None:
    said = lines(
        queue,
        "asks = gated_step(pay, gate=gate, wait=0)\n"
        "gate.count()\n"
        "stop, made = threading.Event(), []\n"
        "def ask(call_id, amount):\n"
        "    with calling(call_id=call_id): return ended(lambda: asks(amount)).request_id\n"
        "def storm(start):\n"
        "    while not stop.is_set():\n"
        "        made.append(ask(f'p{len(made)}-{start}', len(made)))\n"
        "        gate.count()\n"
        "threads = [threading.Thread(target=storm, args=(n,)) for n in (1, 2)]\n"
        "for thread in threads: thread.start()\n"
        "def work(number):\n"
        "    for one in range(3):\n"
        "        gate.reviewer('carol').reject(ask(f'c{number}-{one}', one), reason='no')\n"
        "for pid in [child(lambda number=number: work(number)) for number in range(6)]: join(pid)\n"
        "stop.set()\n"
        "for thread in threads: thread.join()\n"
        "say(len(set(made)))\n",
    )
    with Gate(queue, create=False) as gate:
        assert gate.count("rejected") == 18
        assert gate.count("pending", at_most=10**6) == int(said[-1]) > 0
        assert gate.count(STATUSES, at_most=10**6) == 18 + int(said[-1])


def test_a_fork_beside_the_first_use_of_a_gate_stops_nobody(queue: Path) -> None:
    """The thread that opens the gate holds a lock, and does not exist in the child."""
    said = lines(
        queue,
        "from gatekit.store import SqliteStore\n"
        "opening, forked, real = threading.Event(), threading.Event(), SqliteStore.at\n"
        "def slow(*args, **options):\n"
        "    opening.set()\n"
        "    forked.wait(20)\n"
        "    return real(*args, **options)\n"
        "SqliteStore.at = slow\n"
        "first = Background(gate.count)\n"
        "opening.wait(20)\n"
        "def work():\n"
        "    SqliteStore.at = real\n"
        "    say('child', gate.count())\n"
        "pid = child(work)\n"
        "forked.set()\n"
        "join(pid)\n"
        "say('parent', first.end())\n",
    )
    assert said == ["child 0", "parent 0"]


def test_a_fork_beside_a_look_at_who_waits_stops_nobody(queue: Path) -> None:
    """The same with the lock round the calls that wait, which the queue's own thread takes again and again."""
    said = lines(
        queue,
        "gate.count()\n"
        "held, forked = threading.Event(), threading.Event()\n"
        "def looks():\n"
        "    with gate.backend._waiting._lock:\n"
        "        held.set()\n"
        "        forked.wait(20)\n"
        "looking = Background(looks)\n"
        "held.wait(20)\n"
        "def work():\n"
        "    call = Background(lambda: gated_step(pay, gate=gate)(5))\n"
        "    gate.reviewer('bob').approve(gate.get(next(gate.watch(0)).request_id))\n"
        "    say(call.end())\n"
        "pid = child(work)\n"
        "forked.set()\n"
        "join(pid)\n",
    )
    assert said == ["ran 5 child", "paid"]
