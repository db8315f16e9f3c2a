"""Temporary queues: real ones, gone at the end, and told apart from those that last."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import gatekit.gate
from gatekit import Gate, Suspended, UsageError, gated_step
from gatekit.errors import StoreError
from gatekit.testing import FakeClock, memory_gate, temporary_gate
from gatekit.testing.gates import as_default, check_temporary


def suspended_call(gate: Gate) -> str:
    """The id of a call of this queue that nobody waits for."""

    @gated_step(gate=gate, wait=0)
    def pay(amount: int) -> None:
        raise AssertionError("nobody approved this")

    with pytest.raises(Suspended) as caught:
        pay(1)
    return caught.value.request_id


def test_a_queue_in_memory_keeps_requests_and_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with memory_gate() as gate:
        request = gate.get(suspended_call(gate))
        gate.reviewer("alice").reject(request, reason="no")

        assert gate.get(request.id).status == "rejected"
        assert list(tmp_path.iterdir()) == []


def test_two_queues_in_memory_know_nothing_of_each_other() -> None:
    with memory_gate() as one, memory_gate() as other:
        suspended_call(one)

        assert (one.count(), other.count()) == (1, 0)


def test_a_queue_in_memory_is_closed_with_its_gate() -> None:
    with memory_gate() as gate:
        pass

    with pytest.raises(UsageError, match="closed"):
        gate.count()


def test_a_temporary_queue_is_a_file_that_other_programs_can_open() -> None:
    with temporary_gate() as gate:
        request_id = suspended_call(gate)
        connection = sqlite3.connect(gate.path)
        found = connection.execute("SELECT id FROM requests").fetchall()
        connection.close()

        assert found == [(request_id,)]
        assert os.stat(gate.path).st_mode & 0o777 == 0o600


def test_a_temporary_queue_and_all_beside_it_is_deleted_at_the_end_even_after_an_error() -> None:
    paths: list[str] = []

    def fail() -> None:
        with temporary_gate() as gate:
            paths.append(gate.path)
            suspended_call(gate)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not os.path.exists(os.path.dirname(paths[0]))


def test_nothing_is_written_to_a_temporary_queue_after_its_end() -> None:
    with temporary_gate() as gate:
        pass

    with pytest.raises((UsageError, StoreError)):
        gate.count()
    assert not os.path.exists(gate.path)


def test_both_queues_read_the_time_from_the_clock_that_was_given() -> None:
    clock = FakeClock()
    with memory_gate(clock) as in_memory, temporary_gate(clock) as in_a_file:
        before = in_memory.now()
        clock.advance(90)
        ages = [(gate.get(suspended_call(gate)).created_at - before).total_seconds() for gate in (in_memory, in_a_file)]

    assert ages == [90, 90]


def test_every_call_is_kept_where_the_queue_was_made_to_record_all() -> None:
    for made in (memory_gate(record="all"), memory_gate()):
        with made as gate:

            @gated_step(gate=gate, requires_approval=False)
            def look(path: str) -> str:
                return path

            assert look("a") == "a"
            assert gate.count("succeeded") == (gate.record == "all")


def test_only_the_queues_made_here_are_temporary(tmp_path: Path) -> None:
    lasting = Gate(tmp_path / "approvals.db")
    with memory_gate() as in_memory, temporary_gate() as in_a_file:
        check_temporary(in_memory, "this test")
        check_temporary(in_a_file, "this test")
        check_temporary(Gate(in_a_file.path), "this test")
        with pytest.raises(UsageError, match=r"^this test decides only .*approvals\.db is none.*set_default"):
            check_temporary(lasting, "this test")
    with pytest.raises(UsageError, match="takes a Gate, not str"):
        check_temporary("approvals.db", "this test")  # type: ignore[arg-type]


def test_a_path_is_no_longer_temporary_once_its_queue_is_gone() -> None:
    with temporary_gate() as gate:
        pass

    with pytest.raises(UsageError, match="decides only"):
        check_temporary(Gate(gate.path), "this test")


def test_a_gate_is_the_default_for_a_block_and_the_one_before_comes_back() -> None:
    with memory_gate() as outer, memory_gate() as inner, as_default(outer):
        with as_default(inner):
            assert gatekit.gate.default_gate() is inner
        assert gatekit.gate.default_gate() is outer
        with suppress(ZeroDivisionError), as_default(inner):
            raise ZeroDivisionError
        assert gatekit.gate.default_gate() is outer


def test_importing_the_package_loads_neither_pytest_nor_a_queue() -> None:
    program = "import gatekit.testing, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert {"pytest", "sqlite_utils", "gatekit.testing.memory", "gatekit.testing.deciding"}.isdisjoint(
        done.stdout.split()
    )


def test_every_name_of_the_package_is_found_and_no_other() -> None:
    import gatekit.testing

    assert [name for name in gatekit.testing.__all__ if getattr(gatekit.testing, name, None) is None] == []
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        gatekit.testing.nonsense  # type: ignore[attr-defined]  # noqa: B018
