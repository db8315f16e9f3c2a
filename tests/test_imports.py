"""What importing gatekit costs: an agent must not pay for the reviewer's side of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "sqlite_utils", "httpx", "jsonschema")

RARE = (
    "decide.allow",
    "decide.delegate",
    "decide.settle",
    "edit.answer",
    "edit.edit",
    "history.history",
    "insight",
    "request.compare",
    "runs.run_screen",
    "runs.runs",
    "standing",
)
"""Modules of screens that are imported when they are opened."""


def loaded_by(statement: str) -> set[str]:
    """The top-level packages in memory after `statement` has run in a new interpreter."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["gatekit", "gatekit.errors", "gatekit.models", "gatekit.testing.plugin"])
def test_importing_gatekit_loads_nothing_that_only_a_reviewer_or_a_queue_needs(module: str) -> None:
    loaded = loaded_by(f"import {module}")

    assert "gatekit" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_a_reviewers_process_does_not_wait_for_what_compiles_tools() -> None:
    loaded = loaded_by("import gatekit.gate, gatekit.reviewer, gatekit.store.store")

    assert "sqlite3" in loaded
    assert "pydantic" not in loaded


def test_the_dashboard_does_not_wait_for_the_screens_that_few_open() -> None:
    program = "import gatekit_tui, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())

    assert "gatekit_tui.queue.review" in loaded
    assert loaded.isdisjoint({f"gatekit_tui.{name}" for name in RARE})


def test_the_check_sees_a_heavy_package_when_one_is_loaded() -> None:
    assert "jsonschema" in loaded_by("import gatekit, jsonschema")
