"""Several processes on one queue: opening, writing, waking, forking and dying."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gatekit.clock import SystemClock
from gatekit.store import SqliteStore, timetable
from gatekit.store.schema import VERSION
from tests.store.support import Desk, Onlooker

pytestmark = pytest.mark.sweep

ROOT = Path(__file__).parents[2]
PRELUDE = """
import os, sys, time, threading
from gatekit.clock import SystemClock
from gatekit.store import SqliteStore
from tests.store.support import Desk, Onlooker, submitting
store = SqliteStore.at(sys.argv[1], create=True, clock=SystemClock())
desk = Desk(store)
"""


def run(script: str, path: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def ended(process: subprocess.Popen[str], said: str | None = None) -> str:
    """What the process said; it must have ended well."""
    out, err = process.communicate(said, timeout=30)
    assert process.returncode == 0, err
    return out.strip()


def check(path: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_many_processes_make_one_queue_at_once_and_all_of_them_write(path: str) -> None:
    script = "input()\nfor _ in range(5): desk.submit()\nstore.close()"
    processes = [run(script, path) for _ in range(12)]
    for process in processes:
        assert process.stdin is not None
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        ended(process)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*), max(pos) FROM requests").fetchone() == (60, 60)
        assert connection.execute("SELECT count(*) FROM meta").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone() == (VERSION,)
    check(path)


def test_many_threads_make_one_queue_at_once(path: str) -> None:
    stores = [SqliteStore.at(path, create=True, clock=SystemClock()) for _ in range(4)]
    replies = [store.read(lambda tx, now: tx.last_cursor()) for store in stores for _ in range(4)]
    assert {reply.wait() for reply in replies} == {0}
    for store in stores:
        store.close()


def test_one_of_many_deciders_wins(path: str) -> None:
    with closing(SqliteStore.at(path, create=True, clock=SystemClock())) as store:
        request_id = Desk(store).submit()
        script = (
            "from gatekit.errors import AlreadyDecided\n"
            "request_id = input()\n"
            "try: print(desk.decide(request_id, 'reject', by=f'human:{os.getpid()}').by)\n"
            "except AlreadyDecided as error: print(error.decision.by)\n"
        )
        processes = [run(script, path) for _ in range(4)]
        winners = {ended(process, f"{request_id}\n") for process in processes}
        (decision,) = Desk(store).state(request_id).decisions
        assert winners == {decision.by}


def test_another_process_is_woken_by_a_nudge_alone(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetable, "POLL", 3600.0)
    with closing(SqliteStore.at(path, create=True, clock=SystemClock())) as store:
        onlooker = Onlooker()
        store.observe(onlooker)
        store.stir()
        onlooker.until(lambda: onlooker.looks > 0)
        ended(run("desk.submit()", path))
        onlooker.until(lambda: 1 in onlooker.cursors)


def test_a_writer_that_is_killed_leaves_a_whole_queue_with_all_it_acknowledged(path: str) -> None:
    script = "while True: print(desk.submit(description='x' * 5000), flush=True)"
    for _ in range(3):
        process = run(script, path)
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in process.stdout.read().split("\n")[:-1]]
        process.communicate()
        with closing(SqliteStore.at(path, create=False, clock=SystemClock())) as store:
            found = store.read(lambda tx, now, ids=acknowledged: tx.statuses(ids)).wait()
        assert set(found) == set(acknowledged)
    check(path)


def test_what_is_queued_at_the_end_of_a_program_is_written(path: str) -> None:
    ended(run("for _ in range(50): store.write(submitting())", path))
    with closing(SqliteStore.at(path, create=False, clock=SystemClock())) as store:
        assert store.read(lambda tx, now: tx.count(("pending",), 100)).wait() == 50
    assert not os.path.exists(path + "-wal")


def test_a_program_that_ends_while_it_waits_says_nothing_and_leaves_no_ear(path: str) -> None:
    script = (
        "o = Onlooker(); store.observe(o); store.stir(); o.until(lambda: o.looks > 0)\n"
        "from gatekit.store import store as module\n"
        "module._drain()\n"
        "assert o.errors == []\n"
    )
    ended(run(script, path))
    assert not os.path.exists(path + ".wake")


FORKED = """
onlooker = Onlooker()
store.observe(onlooker)
first = desk.submit()
onlooker.until(lambda: 1 in onlooker.cursors)
def child(write):
    pid = os.fork()
    if pid == 0:
        try:
            write()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return pid
def join(pid):
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
class TestForking:
    def test_parent_and_child_go_on_for_themselves(self, path: str) -> None:
        script = FORKED + (
            "def work():\n"
            "    assert desk.status(first) == 'pending'\n"
            "    desk.decide(first, 'reject')\n"
            "    store.close()\n"
            "join(child(work))\n"
            "assert desk.status(first) == 'rejected'\n"
            "onlooker.until(lambda: 2 in onlooker.cursors)\n"
            "desk.submit()\n"
            "onlooker.until(lambda: 3 in onlooker.cursors)\n"
            "store.close()\n"
            "assert not os.path.exists(sys.argv[1] + '.wake')\n"
        )
        ended(run(script, path))
        check(path)

    def test_a_child_loses_nothing_when_its_parent_leaves_first(self, path: str) -> None:
        """With connections inherited, the parent's close removed the log that the child went on to write to."""
        script = FORKED + (
            "told, tell = os.pipe()\n"
            "def work():\n"
            "    desk.submit(id='before')\n"
            "    os.read(told, 1)\n"
            "    desk.submit(id='after')\n"
            "pid = child(work)\n"
            "onlooker.until(lambda: 2 in onlooker.cursors)\n"
            "store.close()\n"
            "os.write(tell, b'x')\n"
            "join(pid)\n"
        )
        ended(run(script, path))
        with closing(SqliteStore.at(path, create=False, clock=SystemClock())) as store:
            assert set(store.read(lambda tx, now: tx.statuses(["before", "after"])).wait()) == {"before", "after"}

    def test_a_fork_in_the_midst_of_writes_leaves_no_lock_behind(self, path: str) -> None:
        """With connections inherited, the child waited for ever for a lock that its parent had let go of."""
        script = FORKED + (
            "stop = threading.Event()\n"
            "def storm():\n"
            "    while not stop.is_set(): desk.submit()\n"
            "threads = [threading.Thread(target=storm) for _ in range(2)]\n"
            "for thread in threads: thread.start()\n"
            "def work():\n"
            "    for _ in range(5): desk.submit(run='child')\n"
            "for pid in [child(work) for _ in range(8)]: join(pid)\n"
            "stop.set()\n"
            "for thread in threads: thread.join()\n"
        )
        ended(run(script, path))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM requests WHERE run = 'child'").fetchone() == (40,)
        check(path)
