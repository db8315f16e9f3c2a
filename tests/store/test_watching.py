"""The reader: who is woken by what."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from gatekit.backend.tx import Tx
from gatekit.clock import SystemClock
from gatekit.errors import QueueNotFound, StoreError
from gatekit.nudge import ring
from gatekit.store import SqliteStore, timetable, writer
from gatekit.store.doorbell import Doorbell
from gatekit.store.timetable import LULL, Timetable
from tests.store.support import Desk, Onlooker, submitting

NEVER = 3600.0


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetable, "POLL", NEVER)
    monkeypatch.setattr(timetable, "DEAF_POLL", NEVER)


@pytest.fixture
def no_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ring", lambda directory: None)


@pytest.fixture
def onlooker(queue: SqliteStore) -> Onlooker:
    """An observer that has had its first look."""
    onlooker = Onlooker()
    queue.observe(onlooker)
    queue.stir()
    onlooker.until(lambda: onlooker.looks > 0)
    settle(queue)
    return onlooker


def settle(queue: SqliteStore) -> None:
    """Wait until the reader has done all that was asked of it: the second read waits for the first one's round."""
    for _ in range(2):
        queue.read(lambda tx, now: 1).wait()


def ears(path: str) -> list[str]:
    return os.listdir(path + ".wake") if os.path.isdir(path + ".wake") else []


def write_from_elsewhere(path: str, *, nudge: bool) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("UPDATE meta SET value = 'changed'")
    other.close()
    if nudge:
        ring(path + ".wake")


@pytest.mark.usefixtures("no_poll")
def test_a_nudge_wakes_without_any_poll(queue: SqliteStore, onlooker: Onlooker) -> None:
    for number in range(1, 6):
        Desk(queue).submit()
        onlooker.until(lambda wanted=number: wanted in onlooker.cursors)
    assert onlooker.threads == {"gatekit-reader"}


@pytest.mark.usefixtures("no_poll")
def test_a_nudge_from_another_connection_wakes(path: str, onlooker: Onlooker) -> None:
    looks = onlooker.looks
    write_from_elsewhere(path, nudge=True)
    onlooker.until(lambda: onlooker.looks > looks)


@pytest.mark.usefixtures("no_nudges")
def test_a_lost_nudge_is_made_up_for_by_the_poll(queue: SqliteStore, path: str, onlooker: Onlooker) -> None:
    looks = onlooker.looks
    write_from_elsewhere(path, nudge=False)
    onlooker.until(lambda: onlooker.looks > looks)
    Desk(queue).submit()
    onlooker.until(lambda: 1 in onlooker.cursors)


def test_without_sockets_there_is_the_poll(queue: SqliteStore, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(directory: str) -> None:
        raise OSError("no such sockets here")

    monkeypatch.setattr("gatekit.store.doorbell.Ear", refuse)
    onlooker = Onlooker()
    queue.observe(onlooker)
    Desk(queue).submit()
    onlooker.until(lambda: 1 in onlooker.cursors)
    looks = onlooker.looks
    write_from_elsewhere(path, nudge=False)
    onlooker.until(lambda: onlooker.looks > looks)


@pytest.mark.usefixtures("no_poll")
def test_a_nudge_for_nothing_is_no_look(path: str, queue: SqliteStore, onlooker: Onlooker) -> None:
    looks = onlooker.looks
    for _ in range(50):
        ring(path + ".wake")
    settle(queue)
    assert onlooker.looks == looks


def test_there_is_an_ear_only_while_somebody_waits(queue: SqliteStore, path: str, onlooker: Onlooker) -> None:
    assert len(ears(path)) == 1
    onlooker.waits = False
    queue.stir()
    settle(queue)
    assert ears(path) == []
    onlooker.waits = True
    looks = onlooker.looks
    queue.stir()
    onlooker.until(lambda: onlooker.looks > looks)
    assert len(ears(path)) == 1


@pytest.mark.usefixtures("no_poll")
def test_what_happened_while_nobody_waited_is_seen_at_once(queue: SqliteStore, onlooker: Onlooker) -> None:
    onlooker.waits = False
    queue.stir()
    Desk(queue).submit()
    settle(queue)
    onlooker.waits = True
    settle(queue)
    assert 1 in onlooker.cursors


def test_closing_leaves_no_ear(path: str) -> None:
    store = SqliteStore.at(path, create=True, clock=SystemClock())
    onlooker = Onlooker()
    store.observe(onlooker)
    store.stir()
    onlooker.until(lambda: onlooker.looks > 0)
    store.close()
    assert ears(path) == []


@pytest.mark.usefixtures("no_poll")
def test_an_observer_looks_again_after_the_time_it_asked_for(queue: SqliteStore, onlooker: Onlooker) -> None:
    onlooker.wish = 0.01
    queue.stir()
    looks = onlooker.looks
    onlooker.until(lambda: onlooker.looks >= looks + 5)


@pytest.mark.usefixtures("no_poll")
def test_a_very_deep_queue_is_nudged_too(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 60] * 4)
    deep.mkdir(parents=True)
    store = SqliteStore.at(str(deep / "q.db"), create=True, clock=SystemClock())
    onlooker = Onlooker()
    store.observe(onlooker)
    Desk(store).submit()
    onlooker.until(lambda: 1 in onlooker.cursors)
    Desk(store).submit()
    onlooker.until(lambda: 2 in onlooker.cursors)
    store.close()


def test_a_removed_file_is_heard_by_those_who_wait(queue: SqliteStore, path: str, onlooker: Onlooker) -> None:
    os.unlink(path)
    onlooker.until(lambda: bool(onlooker.errors))
    assert isinstance(onlooker.errors[0], StoreError)


def test_waiting_where_there_is_no_queue_is_told_at_once(path: str) -> None:
    store = SqliteStore.at(path, create=False, clock=SystemClock())
    onlooker = Onlooker()
    store.observe(onlooker)
    store.stir()
    assert [type(error) for error in onlooker.errors] == [QueueNotFound]
    store.close()


def test_a_lock_in_the_way_of_looking_is_waited_for(
    queue: SqliteStore, onlooker: Onlooker, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    errors = [busy]
    look = onlooker.look

    def locked_once(tx: Tx, now: int) -> float | None:
        if errors:
            raise errors.pop()
        return look(tx, now)

    monkeypatch.setattr(onlooker, "look", locked_once)
    looks = onlooker.looks
    queue.stir()
    onlooker.until(lambda: onlooker.looks > looks)
    assert onlooker.errors == []


def test_an_observer_that_breaks_breaks_the_engine_loudly(
    queue: SqliteStore, onlooker: Onlooker, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda args: heard.set())

    def broken(tx: Tx, now: int) -> float | None:
        raise ZeroDivisionError

    monkeypatch.setattr(onlooker, "look", broken)
    queue.stir()
    onlooker.until(lambda: bool(onlooker.errors))
    assert isinstance(onlooker.errors[0], StoreError)
    assert heard.wait(10)
    assert queue.write(submitting(id="next")).wait() == "next"


class TestTimetable:
    def test_a_change_is_looked_at_once(self) -> None:
        times = Timetable()
        assert times.is_due(1.0, 7, asked=False)
        times.looked(1.0, 7, None)
        assert not times.is_due(2.0, 7, asked=False)
        assert times.is_due(2.0, 8, asked=False)

    def test_who_asks_is_heard_without_a_change(self) -> None:
        times = Timetable()
        times.looked(1.0, 7, None)
        assert times.is_due(1.0, 7, asked=True)

    def test_a_wish_is_kept(self) -> None:
        times = Timetable()
        times.checks(1.0, asked=False, heard=False, poll=9.0)
        times.looked(1.0, 7, 0.5)
        assert times.sleep(1.1) == pytest.approx(0.4)
        assert not times.checks(1.49, asked=False, heard=False, poll=9.0)
        assert times.checks(1.5, asked=False, heard=False, poll=9.0)
        assert times.is_due(1.5, 7, asked=False)

    def test_a_wish_in_the_past_and_one_for_never_are_no_trouble(self) -> None:
        times = Timetable()
        times.checks(1.0, asked=False, heard=False, poll=NEVER * 10)
        times.looked(1.0, 7, -5.0)
        assert times.sleep(1.1) == 0.0
        times.looked(1.0, 7, 1e12)
        assert times.sleep(1.1) <= NEVER

    def test_nudges_are_heard_at_most_once_in_two_milliseconds(self) -> None:
        times = Timetable()
        assert times.checks(1.0, asked=False, heard=True, poll=0.25)
        times.looked(1.0, 7, None)
        assert times.deaf(1.0 + LULL / 2)
        assert times.sleep(1.0) == pytest.approx(LULL)
        assert times.checks(1.0 + LULL / 2, asked=True, heard=False, poll=0.25)
        assert not times.deaf(1.0 + 2 * LULL)

    def test_after_a_lull_in_which_nothing_came_it_sleeps_until_the_poll(self) -> None:
        times = Timetable()
        times.checks(1.0, asked=False, heard=True, poll=0.25)
        times.looked(1.0, 7, None)
        assert not times.checks(1.01, asked=False, heard=False, poll=0.25)
        assert times.sleep(1.01) == pytest.approx(0.24)

    def test_a_poll_is_followed_by_no_lull(self) -> None:
        times = Timetable()
        times.checks(1.0, asked=False, heard=False, poll=0.25)
        times.looked(1.0, 7, None)
        assert not times.deaf(1.0)

    def test_a_look_that_was_hindered_comes_again_with_the_next_poll(self) -> None:
        times = Timetable()
        times.looked(0.0, 7, None)
        times.checks(1.0, asked=True, heard=False, poll=0.25)
        times.hindered()
        assert times.sleep(1.1) == pytest.approx(0.15)
        assert times.is_due(1.25, 7, asked=False)


def test_waiting_while_nothing_happens_costs_four_polls_a_second(
    queue: SqliteStore, onlooker: Onlooker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeps: list[float | None] = []
    sleep = Doorbell.sleep

    def counted(self: Doorbell, seconds: float | None, *, deaf: bool) -> bool:
        sleeps.append(seconds)
        return sleep(self, seconds, deaf=deaf)

    Desk(queue).submit()
    onlooker.until(lambda: 1 in onlooker.cursors)
    monkeypatch.setattr(Doorbell, "sleep", counted)
    polled = threading.Event()
    monkeypatch.setattr(timetable.Timetable, "is_due", lambda *args, **kwargs: polled.set())
    assert polled.wait(10)
    assert len(sleeps) <= 4


def test_an_observer_sees_what_was_committed_before_its_own_look_began(queue: SqliteStore) -> None:
    """Else a call that begins to wait during the look of another is told that its request does not exist."""
    seen: list[bool] = []
    made: list[str] = []

    class First(Onlooker):
        def look(self, tx: Tx, now: int) -> float | None:
            tx.last_cursor()
            if not made:
                made.append(queue.write(submitting()).wait())
            return super().look(tx, now)

    class Second(Onlooker):
        def look(self, tx: Tx, now: int) -> float | None:
            seen.append(tx.state(made[0]) is not None)
            return super().look(tx, now)

    first, second = First(), Second()
    queue.observe(first)
    queue.observe(second)
    queue.stir()
    second.until(lambda: second.looks > 0)
    assert all(seen)
