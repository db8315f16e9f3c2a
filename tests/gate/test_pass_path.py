"""A call that needs no approval costs a predicate: no file, no thread, no event loop, no write."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gatekit import Gate, Suspended, calling, gated_step


def test_it_opens_no_file_and_starts_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: opened.append(args))
    gate = Gate(tmp_path / "queue.db")

    @gated_step(gate=gate, requires_approval=lambda args: args.amount > 10)
    def pay(amount: int, items: list[int] | None = None) -> int:
        return amount

    before = set(threading.enumerate())
    for amount in range(10):
        assert pay(amount) == amount
        assert pay(amount, [amount]) == amount
    assert not set(threading.enumerate()) - before
    assert opened == []
    assert list(tmp_path.iterdir()) == []


def test_it_imports_no_store(tmp_path: Path) -> None:
    program = """
import sys
from gatekit import Gate, gated_step
@gated_step(gate=Gate(sys.argv[1]), requires_approval=lambda args: False)
def pay(amount: int) -> int:
    return amount
pay(1)
print(sorted(name for name in ("sqlite_utils", "jsonschema", "textual", "gatekit.store") if name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "queue.db")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_with_an_identity_it_is_one_indexed_read_that_writes_nothing(tmp_path: Path) -> None:
    with Gate(tmp_path / "queue.db") as gate:

        @gated_step(gate=gate, requires_approval=lambda args: args.amount > 10, wait=0)
        def pay(amount: int) -> int:
            return amount

        with pytest.raises(Suspended):
            pay(100)
        statements: list[str] = []
        reader: Any = gate._store._engine._reader  # type: ignore[union-attr]
        reader.link.connection().set_trace_callback(statements.append)
        cursor = gate.backend.cursor().wait()
        files = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
        statements.clear()
        with calling(call_id="c1"):
            assert pay(5) == 5
        reads = [text for text in statements if text.lstrip().upper().startswith("SELECT")]
        assert len(reads) == 2, "is anything overdue? and: is there such a request?"
        connection = sqlite3.connect(f"file:{gate.path}?mode=ro", uri=True)
        for text in reads:
            plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}"))
            assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", ""), plan
            assert "INDEX" in plan, plan
        connection.close()
        assert gate.backend.cursor().wait() == cursor
        assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == files
