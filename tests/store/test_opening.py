"""Opening: what a queue is made of, and what is refused without being touched."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gatekit.clock import SystemClock
from gatekit.errors import NotAQueue, QueueNotFound, SchemaTooNew, StoreBusy, StoreError, UsageError
from gatekit.store import SqliteStore, failures, home, location, opening, schema
from gatekit.store.schema import APPLICATION_ID, TABLES, VERSION
from tests.store.support import Desk, submitting


def opened(path: str | Path, *, create: bool = True) -> int:
    """Open the queue, ask it something, and close it again."""
    store = SqliteStore.at(str(path), create=create, clock=SystemClock())
    try:
        return store.read(lambda tx, now: tx.last_cursor()).wait()
    finally:
        store.close()


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@contextmanager
def raw(path: str | Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection
        connection.commit()


def test_making_a_store_touches_nothing(tmp_path: Path) -> None:
    store = SqliteStore.at(str(tmp_path / "q.db"), create=True, clock=SystemClock())
    assert not store.exists()
    store.close()
    assert contents(tmp_path) == {}


def test_a_path_is_absolute_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore.at("q.db", create=True, clock=SystemClock())
    monkeypatch.chdir("/")
    store.read(lambda tx, now: 1).wait()
    assert store.path == str(tmp_path / "q.db")
    assert store.exists()
    store.close()


@pytest.fixture
def half_made(tmp_path: Path) -> Generator[sqlite3.Connection]:
    """Somebody is just making the queue `q.db`: pages have gone to the file, and not all of them."""
    path = str(tmp_path / "q.db")
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as maker:
        maker.execute("PRAGMA cache_size = 1")
        maker.execute("BEGIN IMMEDIATE")
        schema.migration()(maker)
        with pytest.raises((sqlite3.DatabaseError, NotAQueue)):
            opening._look_at_header(path, opening._UNLOCKED, create=False)
        yield maker


def test_a_queue_that_another_process_is_just_making_is_waited_for(
    half_made: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_look = opening._second_look

    def finish(path: str, error: Exception) -> str:
        how = second_look(path, error)
        half_made.execute("COMMIT")
        half_made.close()
        return how

    monkeypatch.setattr(opening, "_second_look", finish)
    assert opened(tmp_path / "q.db", create=False) == 0


def test_a_queue_whose_maker_died_is_empty_and_is_made_by_the_next(
    half_made: sqlite3.Connection, tmp_path: Path
) -> None:
    for left in ("looked-at", "made"):
        (tmp_path / left).mkdir()
        for name in ("q.db", "q.db-journal"):
            shutil.copy(tmp_path / name, tmp_path / left / name)
    with pytest.raises(NotAQueue, match="the file is empty"):
        opened(tmp_path / "looked-at" / "q.db", create=False)
    assert opened(tmp_path / "made" / "q.db") == 0
    assert opened(tmp_path / "looked-at" / "q.db") == 0


def killed_while_copying_the_log(live: Path, path: Path) -> None:
    """What is left of `live` at `path`: the first page came from the log, and tells of pages that did not."""
    whole = path.with_name("whole.db")
    for suffix in ("", "-wal"):
        shutil.copy(f"{live}{suffix}", f"{whole}{suffix}")
    with raw(whole) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(whole.read_bytes()[:4096] + live.read_bytes()[4096:])
    shutil.copy(f"{live}-wal", f"{path}-wal")
    whole.unlink()
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        opening._look_at_header(str(path), opening._UNLOCKED, create=False)


def test_a_queue_whose_log_was_being_copied_opens_with_all_that_was_in_it(tmp_path: Path) -> None:
    store = SqliteStore.at(str(tmp_path / "live.db"), create=True, clock=SystemClock())
    ids = [Desk(store).submit(description="long " * 1000) for _ in range(5)]
    killed_while_copying_the_log(tmp_path / "live.db", tmp_path / "q.db")
    store.close()
    again = SqliteStore.at(str(tmp_path / "q.db"), create=False, clock=SystemClock())
    assert {Desk(again).status(request_id) for request_id in ids} == {"pending"}
    again.close()


def test_another_programs_database_whose_log_was_being_copied_stays_as_it_is(tmp_path: Path) -> None:
    live, path = tmp_path / "live.db", tmp_path / "q.db"
    with raw(live) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t AS SELECT zeroblob(20000)")
        killed_while_copying_the_log(live, path)
    before = contents(tmp_path)
    with pytest.raises(NotAQueue, match="another program's database"):
        opened(path)
    assert contents(tmp_path).items() >= before.items()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_a_new_queue(tmp_path: Path, mask: int) -> None:
    old = os.umask(mask)
    try:
        store = SqliteStore.at(str(tmp_path / "q.db"), create=True, clock=SystemClock())
        store.write(submitting()).wait()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(old)
    assert modes == {"q.db": 0o600, "q.db-wal": 0o600, "q.db-shm": 0o600}


def test_every_connection_keeps_its_promises(path: str) -> None:
    one = home.Home(path)
    one.create = True
    links = [home.Link(one), home.Link(one), home.Link(one, read_only=True)]
    wanted = {
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "wal_autocheckpoint": 0,
        "busy_timeout": 5000,
        "journal_mode": "wal",
        "application_id": APPLICATION_ID,
        "user_version": VERSION,
    }
    for link in links:
        found = {name: link.connection().execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
        assert found == wanted
    assert [link.connection().execute("PRAGMA query_only").fetchone()[0] for link in links] == [0, 0, 1]
    for link in links:
        link.close()


def test_a_queue_holds_the_tables_that_are_named_and_passes_sqlites_check(path: str) -> None:
    opened(path)
    with raw(path) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert names == TABLES | {"sqlite_sequence"}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_queue_opens_again_with_what_was_in_it(path: str) -> None:
    store = SqliteStore.at(path, create=True, clock=SystemClock())
    request_id = Desk(store).submit()
    store.close()
    again = SqliteStore.at(path, create=False, clock=SystemClock())
    assert Desk(again).status(request_id) == "pending"
    again.close()


# One row of each table, and as a queue of version 1 may look: written by hand, so that it stays as it was.
FIRST_VERSION = """
INSERT INTO tools VALUES ('delete', 'schema-1', '{}');
INSERT INTO requests (number, pos, id, tool, run, call_id, call_given, requester, status, description, risk, reasons,
    hidden, created_at, version, revision, revisions, digest, stage, max_starts, due, decision, permit, attempt, waiter,
    ticket, outcome, result, result_lost)
VALUES (4, 4, 'one', 'delete', '', 'one', 0, 'agent:tidy', 'succeeded', 'a', 'high', '["because"]', 2, 11, 3, 1, 1,
    'd1', 0, 1, 253402300799999999, 1, 1, 1, 'w', 't', 'returned', '[1]', 0),
    (5, 5, 'two', 'delete', 'thread', 'call', 1, 'agent:tidy', 'pending', 'b', 'low', '[]', 0, 12, 1, 1, 1,
    'd2', 0, 1, 253402300799999999, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO revisions VALUES ('one', 1, '{}', 'd1', 'schema-1', 'agent:tidy', 11, NULL),
    ('two', 1, '{}', 'd2', 'schema-1', 'agent:tidy', 12, NULL);
INSERT INTO decisions VALUES ('one', 1, 'approve', 'human:alice', 13, 2, 1, 1, 'd1', 'v2:d1', 0, 'n', NULL, NULL, NULL);
INSERT INTO permits VALUES ('one', 1, 1, 3, 1, 'd1', 1, 1, 0);
INSERT INTO attempts VALUES ('one', 1, 'start', 1, 'o', 14, 15, 'returned');
INSERT INTO events VALUES (1, 'submitted', 'one', 'one', 'delete', '', 'agent:tidy', 11, 1, 'd1', '{"a":1}'),
    (3, 'submitted', 'two', 'call', 'delete', 'thread', 'agent:tidy', 12, 1, 'd2', '{}'),
    (9, 'approved', 'one', 'one', 'delete', '', 'human:alice', 13, 2, 'd1', '{}');
DELETE FROM events WHERE cursor = 9;
"""


@pytest.fixture
def first_version(path: str) -> str:
    """A queue as the first release made it."""
    # Only here, where it is asked for: what else is tested opens queues without it.
    from sqlite_utils import Database, Migrations

    first = Migrations("gatekit")
    first(name="loop")(schema._loop)
    with raw(path) as connection:
        first.apply(Database(connection, execute_plugins=False))
        connection.executescript(FIRST_VERSION)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
    return path


def rows_of(path: str) -> dict[str, list[dict[str, Any]]]:
    with raw(path) as connection:
        connection.row_factory = sqlite3.Row
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in tables}


def test_a_queue_of_the_first_version_keeps_all_that_it_held(first_version: str) -> None:
    before = rows_of(first_version)
    opened(first_version, create=False)
    after = rows_of(first_version)
    added = {
        "requests": {"kind": "call", "plan": "", "stages": 1, "asked_at": 0, "rung": 0, "reminded": 0, "votes_from": 0}
        | {
            "claimed_by": None,
            "claimed_at": None,
            "delegations": "[]",
            "preview": None,
            "returned": 0,
            "spend_of": None,
            "spend": None,
            "spend_at": None,
        },
        "decisions": {"attempt": None, "stages": "[0]", "asked_at": 0},
    }
    for table, columns in added.items():
        before[table] = [row | columns for row in before[table]]
    before["requests"] = [row | {"risk_rank": {"high": 1, "low": 3}[row["risk"]]} for row in before["requests"]]
    before["_sqlite_migrations"] = after["_sqlite_migrations"]
    assert after == before | {"runs": [], "reviewers": [], "grants": []}
    with raw(first_version) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_queue_of_the_first_version_is_afterwards_like_a_new_one(first_version: str, tmp_path: Path) -> None:
    opened(first_version, create=False)
    opened(tmp_path / "new.db")

    def made_of(path: str | Path) -> set[tuple[str, ...]]:
        with raw(path) as connection:
            return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))

    assert made_of(first_version) == made_of(tmp_path / "new.db")


def test_a_queue_of_the_first_version_goes_on_where_it_stood(first_version: str) -> None:
    store = SqliteStore.at(first_version, create=False, clock=SystemClock())
    desk = Desk(store)
    assert [event.cursor for event in desk.read(lambda tx, now: tx.events(0, 10))] == [1, 3]
    assert [event.kind for event in desk.read(lambda tx, now: tx.run_history("thread"))] == ["submitted"]
    desk.decide("two", "reject")
    desk.begin("thread")
    events = desk.read(lambda tx, now: tx.events(3, 10))
    assert [(event.cursor, event.request_id) for event in events] == [(10, "two"), (11, "")], "9 was given before"
    assert [row.verb for row in desk.state("one").decisions] == ["approve"]
    assert [step.request_id for step in desk.read(lambda tx, now: tx.steps("thread"))] == ["two"]
    assert desk.state(desk.submit()).request.kind == "call"
    store.close()


def test_a_migration_that_fails_leaves_the_queue_as_it_was(first_version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_of(first_version)
    monkeypatch.setattr(schema, "_SURVIVE", (*schema._SURVIVE, "SELECT nonsense FROM nowhere"))
    with pytest.raises(StoreError, match="nowhere"):
        opened(first_version)
    assert rows_of(first_version) == before
    monkeypatch.undo()
    opened(first_version)
    assert len(rows_of(first_version)["events"]) == 2


def test_an_empty_file_becomes_a_queue_only_where_one_may_be_made(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    path.touch()
    with pytest.raises(NotAQueue, match="empty"):
        opened(path, create=False)
    assert contents(tmp_path) == {"q.db": b""}
    assert opened(path) == 0


def test_a_missing_queue_is_not_made_by_who_only_looks(tmp_path: Path) -> None:
    with pytest.raises(QueueNotFound) as caught:
        opened(tmp_path / "q.db", create=False)
    assert caught.value.path == str(tmp_path / "q.db")
    assert contents(tmp_path) == {}


def test_who_only_looks_is_not_served_by_another_that_may_make_one(tmp_path: Path) -> None:
    path = str(tmp_path / "q.db")
    maker = SqliteStore.at(path, create=True, clock=SystemClock())
    maker.read(lambda tx, now: 1).wait()
    looker = SqliteStore.at(path, create=False, clock=SystemClock())
    looker.read(lambda tx, now: 1).wait()
    maker.close()
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(QueueNotFound):
        looker.read(lambda tx, now: 1).wait()
    looker.close()
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["a b.db", "a?mode=memory.db", "a#b.db", "100%41.db", "ü\u202e.db", "a'b\".db", ":x:"])
def test_odd_names_are_only_names(tmp_path: Path, name: str) -> None:
    assert opened(tmp_path / name) == 0
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert opened(tmp_path / name, create=False) == 0


def test_a_name_that_is_no_text_is_only_a_name(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.db")
    assert opened(path) == 0
    assert os.listdir(os.fsencode(tmp_path)) == [b"\xff.db"]


def test_a_name_cannot_hold_nul(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="NUL"):
        opened(str(tmp_path / "a\0b"))


def _text(path: Path) -> None:
    path.write_text("Dear diary, " * 500)


def _another_database(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("CREATE TABLE requests (id)")


def _another_wal_database(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (id)")


def _another_database_after_a_crash(path: Path) -> None:
    source = path.with_name("source.db")
    with raw(source) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (id)")
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).write_bytes(source.with_name(source.name + suffix).read_bytes())
    source.unlink()


def _with(statement: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        opened(path)
        with raw(path) as connection:
            connection.execute(statement)

    return make


PLANTED = (
    "CREATE TRIGGER yes AFTER INSERT ON requests BEGIN UPDATE requests SET status = 'approved'; END",
    "CREATE VIEW v AS SELECT * FROM requests",
    "CREATE TABLE notes (x)",
    "CREATE VIRTUAL TABLE search USING fts5(x)",
)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    "make",
    [_text, _another_database, _another_wal_database, _another_database_after_a_crash, *map(_with, PLANTED)],
    ids=lambda make: make.__name__,
)
def test_what_is_no_queue_is_refused_and_stays_as_it_was(
    tmp_path: Path, make: Callable[[Path], None], create: bool
) -> None:
    make(tmp_path / "q.db")
    before = contents(tmp_path)
    with pytest.raises(NotAQueue) as caught:
        opened(tmp_path / "q.db", create=create)
    assert str(tmp_path / "q.db") in str(caught.value)
    assert contents(tmp_path) == before


def test_a_planted_trigger_is_named(tmp_path: Path) -> None:
    _with(PLANTED[0])(tmp_path / "q.db")
    with pytest.raises(NotAQueue, match=r"trigger.*'yes'"):
        opened(tmp_path / "q.db")


def test_statistics_of_sqlite_are_no_reason_to_refuse(tmp_path: Path) -> None:
    _with("ANALYZE")(tmp_path / "q.db")
    assert opened(tmp_path / "q.db") == 0


@pytest.mark.parametrize("create", [True, False])
def test_a_newer_queue_is_left_to_a_newer_gatekit(tmp_path: Path, create: bool) -> None:
    _with(f"PRAGMA user_version = {VERSION + 1}")(tmp_path / "q.db")
    before = contents(tmp_path)
    with pytest.raises(SchemaTooNew) as caught:
        opened(tmp_path / "q.db", create=create)
    assert (caught.value.found, caught.value.known) == (VERSION + 1, VERSION)
    assert contents(tmp_path) == before


def test_a_directory_and_a_pipe_are_no_queues(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(NotAQueue, match="not a regular file"):
            opened(path)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the directory .*nowhere does not exist"):
        opened(tmp_path / "nowhere" / "q.db")


def test_a_damaged_queue_is_an_error_of_ours(path: str) -> None:
    opened(path)
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    store = SqliteStore.at(path, create=True, clock=SystemClock())
    with pytest.raises(StoreError, match="damaged"):
        store.write(submitting()).wait()
    store.close()


def test_a_lock_that_stays_is_busy(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.02)
    opened(path)
    store = SqliteStore.at(path, create=True, clock=SystemClock())
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy) as caught:
            store.write(submitting()).wait()
        assert store.read(lambda tx, now: tx.last_cursor()).wait() == 0
        other.execute("ROLLBACK")
    assert caught.value.path == path
    assert Desk(store).submit()
    store.close()


def test_a_new_queue_whose_file_is_locked_is_busy_and_made_later(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.02)
    with raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            opened(path)
        other.execute("ROLLBACK")
    assert opened(path) == 0


def test_only_one_of_those_who_open_a_new_queue_makes_its_tables(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2)
    migrations: list[str] = []
    original = schema.migration

    def migration() -> Callable[[sqlite3.Connection], None]:
        migrate = original()

        def noted(connection: sqlite3.Connection) -> None:
            migrations.append(threading.current_thread().name)
            migrate(connection)

        together.wait(10)
        return noted

    monkeypatch.setattr(opening, "migration", migration)
    threads = [threading.Thread(target=lambda: opening.open_queue(path, create=True)[0].close()) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(migrations) == 1


def test_migrating_loads_no_plugins_and_an_up_to_date_queue_needs_no_migrations(path: str) -> None:
    import subprocess
    import sys

    script = (
        "import sys\n"
        "from gatekit.clock import SystemClock\n"
        "from gatekit.store import SqliteStore\n"
        "assert 'sqlite_utils' not in sys.modules\n"
        "store = SqliteStore.at(sys.argv[1], create=True, clock=SystemClock())\n"
        "store.read(lambda tx, now: 1).wait()\n"
        "print('sqlite_utils' in sys.modules)\n"
    )
    answers = [
        subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert answers == ["True", "False"]


class TestNetworkFileSystems:
    MOUNTS = (
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "40 22 0:35 / /mnt/share rw,relatime shared:7 - nfs4 server:/export rw\n"
        "41 22 0:36 / /mnt/with\\040blank rw - fuse.sshfs me@host: rw\n"
        "42 22 0:37 / /tmp rw - tmpfs tmpfs rw\n"
        "broken\n"
    )

    def test_they_are_told_by_the_device(self) -> None:
        def kind(major: int, minor: int) -> str | None:
            return location.network_kind(self.MOUNTS, os.makedev(major, minor))

        assert [kind(254, 0), kind(0, 35), kind(0, 36), kind(0, 37), kind(9, 9)] == [
            None,
            "nfs4",
            "fuse.sshfs",
            None,
            None,
        ]

    def test_a_queue_there_is_refused_and_not_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        device = os.stat(tmp_path).st_dev
        mounts = tmp_path / "mounts"
        mounts.write_text(f"1 1 {os.major(device)}:{os.minor(device)} / / rw - nfs server:/x rw\n")
        monkeypatch.setattr(location, "_MOUNTS", str(mounts))
        with pytest.raises(StoreError, match=r"network file system \(nfs\)"):
            opened(tmp_path / "q.db")
        assert sorted(contents(tmp_path)) == ["mounts"]


def test_what_sqlite_says_comes_with_its_cure() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert str(failures.store_error(full, "/q.db")) == "/q.db: database or disk is full: free some space on its disk"
    readonly = sqlite3.OperationalError("attempt to write a readonly database")
    readonly.sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
    assert "write access" in str(failures.store_error(readonly, "/q.db"))
    assert str(failures.store_error(sqlite3.OperationalError("odd"), "/q.db")) == "/q.db: odd"
