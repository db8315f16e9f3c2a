"""The pytest plugin, as a project that uses gatekit gets it: in runs of pytest of their own."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gatekit

pytestmark = pytest.mark.sweep

INSTALLED = bool(importlib.metadata.entry_points(group="pytest11", name="gatekit"))

TOOLS = """
import pytest
from gatekit import Rejected, gated_step

@gated_step
def pay(amount: int) -> str:
    return f"paid {amount}"

@gated_step
async def ship(order: str) -> str:
    return f"shipped {order}"
"""


def run_pytest(folder: Path, program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a project's tests in a folder of their own, without the plugins that this environment happens to have."""
    (folder / "test_project.py").write_text(program)
    where = [str(Path(gatekit.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    plugins = ["-p", "gatekit.testing.plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *options],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, where)),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=40,
    )


def passed(folder: Path, program: str) -> int:
    """How many tests passed, if all did."""
    done = run_pytest(folder, program, "-p", "anyio.pytest_plugin")
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.rpartition(" passed")[0].split()[-1])


def test_a_run_that_uses_no_fixture_of_ours_loads_nothing_of_gatekit(tmp_path: Path) -> None:
    program = """
import sys

def test_nothing_is_loaded():
    loaded = {name for name in sys.modules if name.startswith("gatekit")}
    assert "gatekit.testing.plugin" in loaded
    assert loaded.isdisjoint({"gatekit.gate", "gatekit.step", "gatekit.arguments", "gatekit.testing.deciding"})
    assert {"pydantic", "anyio.from_thread", "sqlite_utils", "textual"}.isdisjoint(sys.modules)
"""
    done = run_pytest(tmp_path, program)

    assert done.returncode == 0, done.stdout


def test_a_scripted_reviewer_decides_in_the_default_queue_of_the_test(tmp_path: Path) -> None:
    program = f"""{TOOLS}
def test_memory(gatekit_reviewer, gatekit_gate):
    reviewer = gatekit_reviewer(["approve", {{"amount": 40}}, ("reject", "no")])
    assert [pay(1), pay(90)] == ["paid 1", "paid 40"]
    with pytest.raises(Rejected):
        pay(3)
    assert len(reviewer.requests) == 3
    assert gatekit_gate.path == ":memory:" and gatekit_gate.count("succeeded") == 2

def test_file(gatekit_reviewer, gatekit_queue):
    gatekit_reviewer(lambda request: "approve")
    assert pay(1) == "paid 1"
    assert gatekit_queue.path.endswith("queue.db") and gatekit_queue.count("succeeded") == 1
"""
    assert passed(tmp_path, program) == 2
    assert [found.name for found in tmp_path.iterdir() if found.suffix == ".db"] == []


def test_a_script_with_unused_answers_breaks_the_test_that_wrote_it(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, f"{TOOLS}\ndef test_it(gatekit_reviewer):\n    gatekit_reviewer(['approve'])\n")

    assert done.returncode == 1
    assert "1 answers of the script found no request" in done.stdout


def test_everything_is_approved_in_sync_and_async_tests_whatever_started_the_loop(tmp_path: Path) -> None:
    program = f"""{TOOLS}
@pytest.fixture(scope="module")
async def server(anyio_backend):
    yield "already running when the test's own fixtures are made"

def test_sync(gatekit_auto_approve, gatekit_gate):
    assert pay(1) == "paid 1"
    assert gatekit_gate.count("succeeded") == 1

@pytest.mark.anyio
async def test_async(gatekit_auto_approve):
    assert [await ship("a"), pay(1)] == ["shipped a", "paid 1"]

@pytest.mark.anyio
async def test_async_on_a_runner_with_another_context(server, gatekit_auto_approve, gatekit_queue):
    assert [await ship("a"), pay(1)] == ["shipped a", "paid 1"]
    assert gatekit_queue.count("succeeded") == 2
"""
    assert passed(tmp_path, program) == 1 + 2 + 2


def test_the_clock_of_a_test_is_that_of_its_queue_and_stands_still(tmp_path: Path) -> None:
    program = """
import threading
from gatekit import Suspended, gated_step

def test_memory(gatekit_clock, gatekit_gate): of(gatekit_clock, gatekit_gate)
def test_file(gatekit_queue, gatekit_clock): of(gatekit_clock, gatekit_queue)

def test_without(gatekit_gate):
    assert gatekit_gate.now().year != 2026 or gatekit_gate.now() != gatekit_gate.now()

def of(clock, gate):
    raised = []

    @gated_step(wait=60)
    def pay(amount: int) -> None: ...

    def call():
        try:
            pay(1)
        except Suspended as error:
            raised.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    next(gate.watch(0))
    clock.advance(59)
    assert not raised
    while caller.is_alive():
        clock.advance(60)
        caller.join(0.01)
    assert raised
"""
    assert passed(tmp_path, program) == 3


def test_the_default_gate_of_before_is_back_after_the_test(tmp_path: Path) -> None:
    program = """
import gatekit, gatekit.gate
from gatekit.testing import memory_gate

mine = memory_gate()
gatekit.set_default(mine)

def test_one(gatekit_gate): assert gatekit.gate.default_gate() is gatekit_gate is not mine
def test_two(): assert gatekit.gate.default_gate() is mine
"""
    assert passed(tmp_path, program) == 2


def test_the_fixtures_introduce_themselves(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "", "--fixtures")

    for name in ("gatekit_gate", "gatekit_queue", "gatekit_clock", "gatekit_auto_approve", "gatekit_reviewer"):
        documented = re.search(rf"^{name} -- .*\n    (.+)", done.stdout, re.MULTILINE)
        assert documented
        assert documented[1] != "no docstring available"


@pytest.mark.skipif(not INSTALLED, reason="gatekit is on the path, not installed: pytest finds no entry point")
def test_the_plugin_is_found_without_being_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--fixtures", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert "gatekit_gate -- " in done.stdout
