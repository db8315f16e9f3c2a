"""The writer: groups, their failures, and what is told when."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import anyio
import pytest

from gatekit.backend.tx import LostRace, Refused, Tx
from gatekit.clock import SystemClock
from gatekit.errors import RequestNotFound, StoreBusy, StoreError, UsageError
from gatekit.reply import Reply
from gatekit.store import SqliteStore, home, opening, writer
from gatekit.store.checkpoint import Checkpointer
from tests.store.support import Desk, Onlooker, submitting


class Plug:
    """A job that holds the writer, so that what comes behind it becomes one group."""

    def __init__(self, store: SqliteStore) -> None:
        self._go = threading.Event()
        running = threading.Event()

        def hold(tx: Tx, now: int) -> None:
            running.set()
            self._go.wait(10)

        self.reply = store.write(hold)
        assert running.wait(10)

    def pull(self) -> None:
        self._go.set()
        self.reply.wait()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What SQLite is told on any connection of gatekit's."""
    statements: list[str] = []
    original = opening.connect

    def connect(path: str) -> sqlite3.Connection:
        connection = original(path)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(opening, "connect", connect)
    monkeypatch.setattr(home, "connect", connect)
    return statements


def count(said: list[str], statement: str) -> int:
    return sum(each == statement for each in said)


def fails(error: Exception) -> Callable[[Tx, int], Any]:
    def job(tx: Tx, now: int) -> Any:
        raise error

    return job


def outcome(reply: Reply[Any]) -> Any:
    try:
        return reply.wait()
    except Exception as error:  # noqa: BLE001 - the error is what is asked for
        return error


def test_what_is_queued_becomes_one_commit(said: list[str], queue: SqliteStore) -> None:
    plug = Plug(queue)
    said.clear()
    replies = [queue.write(submitting()) for _ in range(40)]
    plug.pull()
    assert len({reply.wait() for reply in replies}) == 40
    assert (count(said, "BEGIN IMMEDIATE"), count(said, "COMMIT")) == (1, 2)


def test_a_group_has_an_end(said: list[str], queue: SqliteStore) -> None:
    plug = Plug(queue)
    said.clear()
    replies = [queue.write(lambda tx, now: None) for _ in range(600)]
    plug.pull()
    for reply in replies:
        reply.wait()
    assert count(said, "BEGIN IMMEDIATE") == 3


def test_no_reply_comes_before_its_commit(queue: SqliteStore, path: str) -> None:
    desk = Desk(queue)
    for _ in range(20):
        request_id = desk.submit()
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT status FROM requests WHERE id = ?", (request_id,)).fetchone() == ("pending",)
        other.close()


def test_a_job_that_raises_harms_nobody_else(said: list[str], queue: SqliteStore) -> None:
    plug = Plug(queue)
    said.clear()
    jobs = [submitting(id="a"), fails(ZeroDivisionError("mine")), submitting(id="b"), submitting(id="b")]
    replies = [queue.write(job) for job in jobs]
    plug.pull()
    first, second, third, fourth = map(outcome, replies)
    assert (first, third) == ("a", "b")
    assert isinstance(second, ZeroDivisionError)
    assert isinstance(fourth, StoreError)
    assert count(said, "ROLLBACK") == 3
    assert queue.read(lambda tx, now: tx.count(("pending",), 10)).wait() == 2


def test_a_refusal_is_committed_with_the_group(said: list[str], queue: SqliteStore) -> None:
    def refusing(tx: Tx, now: int) -> Refused:
        submitting(id="kept")(tx, now)
        return Refused(RequestNotFound("x"))

    plug = Plug(queue)
    said.clear()
    replies = [queue.write(refusing), queue.write(submitting(id="other"))]
    plug.pull()
    refused, other = map(outcome, replies)
    assert isinstance(refused, RequestNotFound)
    assert other == "other"
    assert count(said, "ROLLBACK") == 0
    assert Desk(queue).status("kept") == "pending"


def test_a_row_that_moved_under_the_lock_is_an_error_of_ours(queue: SqliteStore) -> None:
    with pytest.raises(StoreError, match="somebody else"):
        queue.write(fails(LostRace("somebody else writes"))).wait()


def test_an_abandoned_job_is_left_out_of_its_group(queue: SqliteStore) -> None:
    plug = Plug(queue)
    left, kept = queue.write(submitting(id="left")), queue.write(submitting(id="kept"))
    left.abandon()
    plug.pull()
    assert kept.wait() == "kept"
    assert queue.read(lambda tx, now: tx.state("left")).wait() is None


def test_the_time_is_read_when_the_lock_is_held(queue: SqliteStore, path: str) -> None:
    Desk(queue).submit()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        reply = queue.write(lambda tx, now: now)
        released = SystemClock().now()
        other.execute("ROLLBACK")
    other.close()
    assert reply.wait() >= released


def test_a_foreign_lock_is_busy_for_the_whole_group(
    queue: SqliteStore, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.02)
    plug = Plug(queue)
    replies = [queue.write(submitting()) for _ in range(3)]
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA busy_timeout = 5000")
        plug.pull()
        other.execute("BEGIN IMMEDIATE")
        errors = [outcome(queue.write(submitting())), *map(outcome, replies)]
        other.execute("ROLLBACK")
    other.close()
    assert isinstance(errors[0], StoreBusy)
    assert Desk(queue).submit()


def test_a_commit_that_fails_fails_its_jobs_and_later_ones_go_on(
    queue: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Desk(queue).submit()

    def deferred(tx: Tx, now: int) -> str:
        # A foreign key that is only checked at the COMMIT stands for a disk that refuses it.
        tx._execute("PRAGMA defer_foreign_keys = ON")  # type: ignore[attr-defined]
        tx._execute("INSERT INTO permits VALUES ('nobody', 1, 1, 1, 1, 'd', 1, 0, 0)")  # type: ignore[attr-defined]
        return "acknowledged"

    plug = Plug(queue)
    replies = [queue.write(deferred), queue.write(submitting(id="together"))]
    plug.pull()
    assert [type(outcome(reply)) for reply in replies] == [StoreError, StoreError]
    assert queue.read(lambda tx, now: tx.state("together")).wait() is None
    assert Desk(queue).submit(id="later") == "later"


@pytest.mark.parametrize("replaced", [False, True])
def test_a_removed_or_replaced_file_acknowledges_nothing(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "q.db"
    store = SqliteStore.at(str(path), create=True, clock=SystemClock())
    Desk(store).status(Desk(store).submit())
    for file in tmp_path.glob("q.db*") if replaced else [path]:
        file.unlink()
    if replaced:
        other = SqliteStore.at(str(tmp_path / "other.db"), create=True, clock=SystemClock())
        Desk(other).submit()
        other.close()
        (tmp_path / "other.db").rename(path)
    with pytest.raises(StoreError, match="removed or replaced"):
        store.write(submitting(id="lost")).wait()
    assert store.write(submitting(id="new")).wait() == "new"
    assert store.read(lambda tx, now: (tx.state("lost"), tx.count(("pending",), 9))).wait() == (None, 1 + replaced)
    store.close()


def test_leaving_a_replaced_file_leaves_the_new_queues_log_alone(tmp_path: Path) -> None:
    path, kept = tmp_path / "q.db", tmp_path / "kept"
    store = SqliteStore.at(str(path), create=True, clock=SystemClock())
    Desk(store).submit()
    kept.mkdir()
    for file in list(tmp_path.glob("q.db*")):
        file.unlink()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("PRAGMA wal_autocheckpoint = 0")
        other.execute("CREATE TABLE acknowledged (x)")
        assert isinstance(outcome(store.write(submitting())), StoreError)
        store.close()
        assert path.with_name("q.db-wal").stat().st_size > 0
    other.close()


def test_a_thread_that_breaks_fails_those_who_wait_and_is_replaced(
    queue: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    onlooker = Onlooker()
    queue.observe(onlooker)
    Desk(queue).submit()
    unhandled: SimpleQueue[object] = SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", lambda args: unhandled.put(args.exc_value))
    plug = Plug(queue)
    replies = [queue.write(submitting()) for _ in range(300)]
    with monkeypatch.context() as broken:
        broken.setattr(writer, "SqliteTx", lambda connection: fails(MemoryError())(connection, 0))
        plug.pull()
        errors = [outcome(reply) for reply in replies]
    assert {type(error) for error in errors} == {StoreError}
    assert "a thread of the queue broke" in str(errors[0])
    onlooker.until(lambda: bool(onlooker.errors))
    assert isinstance(unhandled.get(timeout=10), MemoryError)
    assert Desk(queue).submit(id="next") == "next"


@pytest.mark.anyio
async def test_a_task_is_woken_by_the_reply(queue: SqliteStore) -> None:
    with anyio.fail_after(10):
        assert await queue.write(submitting(id="a")) == "a"
        assert await queue.read(lambda tx, now: tx.last_cursor()) == 1
        with pytest.raises(RequestNotFound):
            await queue.write(lambda tx, now: Refused(RequestNotFound("x")))


class TestSharing:
    @pytest.fixture(autouse=True)
    def others(self) -> None:
        self.before = set(threading.enumerate())

    def threads(self) -> list[str]:
        """The store threads that began in this test."""
        new = set(threading.enumerate()) - self.before
        return sorted(thread.name for thread in new if thread.name.startswith("gatekit-"))

    def test_stores_of_one_file_share_two_threads(self, path: str) -> None:
        os.symlink(path, path + ".link")
        stores = [
            SqliteStore.at(name, create=create, clock=SystemClock())
            for name, create in ((path, True), (path + ".link", True), (path, False))
        ]
        assert self.threads() == []
        for store in stores:
            store.write(submitting()).wait()
        assert self.threads() == ["gatekit-reader", "gatekit-writer"]
        for store in stores[1:]:
            store.close()
        assert Desk(stores[0]).submit()
        stores[0].close()
        assert self.threads() == []

    def test_closing_one_fails_only_its_own_observers(self, path: str) -> None:
        stores = [SqliteStore.at(path, create=True, clock=SystemClock()) for _ in range(2)]
        onlookers = [Onlooker(), Onlooker()]
        for store, onlooker in zip(stores, onlookers, strict=True):
            store.observe(onlooker)
            store.write(submitting()).wait()
        stores[0].close()
        onlookers[0].until(lambda: bool(onlookers[0].errors))
        stores[1].write(submitting(id="x")).wait()
        onlookers[1].until(lambda: 3 in onlookers[1].cursors)
        stores[1].close()
        assert [type(error) for error in onlookers[0].errors] == [UsageError]

    def test_a_store_used_by_many_threads_at_first_has_one_engine(self, path: str) -> None:
        store = SqliteStore.at(path, create=True, clock=SystemClock())
        together = threading.Barrier(8)

        def first_use() -> None:
            together.wait()
            store.write(submitting()).wait()

        threads = [threading.Thread(target=first_use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert self.threads() == ["gatekit-reader", "gatekit-writer"]
        store.close()
        assert self.threads() == []

    def test_closing_finishes_what_is_queued(self, path: str) -> None:
        store = SqliteStore.at(path, create=True, clock=SystemClock())
        replies = [store.write(submitting()) for _ in range(500)]
        store.close()
        assert len({reply.wait() for reply in replies}) == 500
        store.close()

    def test_queues_that_were_never_used_close_too(self, path: str) -> None:
        SqliteStore.at(path, create=True, clock=SystemClock()).close()
        assert not os.path.exists(path)


class TestCheckpoints:
    @pytest.fixture
    def log(self, path: str) -> Callable[[], int]:
        return lambda: os.path.getsize(path + "-wal") // (4096 + 24)

    def test_the_log_stays_at_one_size(self, queue: SqliteStore, log: Callable[[], int]) -> None:
        def read() -> None:
            while not done.is_set():
                queue.read(lambda tx, now: tx.count(("pending",), 1000)).wait()

        done = threading.Event()
        queue.write(submitting()).wait()
        reader = threading.Thread(target=read)
        reader.start()
        longest = 0
        for _ in range(40):
            for reply in [queue.write(submitting(description="x" * 100_000)) for _ in range(5)]:
                reply.wait()
            longest = max(longest, log())
        done.set()
        reader.join()
        assert 1000 < longest < 3000

    def test_a_reader_that_stays_does_not_make_every_commit_a_checkpoint(
        self, said: list[str], queue: SqliteStore, log: Callable[[], int], path: str
    ) -> None:
        Desk(queue).submit()
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM requests").fetchone()
            for _ in range(100):
                Desk(queue).submit(description="x" * 100_000)
            assert log() > 2400
            assert count(said, "PRAGMA wal_checkpoint(PASSIVE)") <= 9
            other.execute("ROLLBACK")
        other.close()
        for _ in range(60):
            Desk(queue).submit(description="x" * 100_000)
        assert log() <= 2100

    def test_no_commit_runs_beside_a_checkpoint(self, said: list[str], queue: SqliteStore) -> None:
        for _ in range(60):
            Desk(queue).submit(description="x" * 100_000)
        place = said.index("PRAGMA wal_checkpoint(PASSIVE)")
        assert [said[place - 1], said[place + 1]] == ["BEGIN IMMEDIATE", "ROLLBACK"]

    def test_a_checkpoint_gives_way_to_a_writer(self, path: str) -> None:
        one = home.Home(path)
        one.create = True
        link = home.Link(one)
        connection = link.connection()
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(8000000))")
        checkpoints = Checkpointer(one)
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            checkpoints.after_commit(connection)
            other.execute("ROLLBACK")
            assert connection.execute("PRAGMA busy_timeout").fetchone() == (5000,)
        other.close()
        checkpoints.close()
        link.close()

    def test_a_checkpoint_that_fails_is_logged_and_acknowledges_nothing_less(
        self, queue: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        Desk(queue).submit()
        monkeypatch.setattr(Checkpointer, "_run", fails(sqlite3.OperationalError("disk I/O error")))
        for _ in range(45):
            Desk(queue).submit(description="x" * 100_000)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "disk I/O error" in caplog.text
