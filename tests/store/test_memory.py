"""What only the queue in memory has to prove: that it is safe between threads, and repeatable by a still clock."""

from __future__ import annotations

import threading

from gatekit.backend.tx import Tx
from gatekit.errors import GatekitError
from gatekit.testing import FakeClock, MemoryStore
from tests.store.support import Desk, Onlooker, submitting


def test_by_the_machines_clock_an_observer_looks_again_after_the_time_it_asked_for() -> None:
    store, onlooker = MemoryStore(), Onlooker(wish=0.01)
    store.observe(onlooker)
    store.stir()
    onlooker.until(lambda: onlooker.looks >= 5)
    store.close()


def test_by_a_still_clock_everything_happens_in_the_thread_that_causes_it() -> None:
    clock = FakeClock()
    store, onlooker = MemoryStore(clock), Onlooker(wish=0.001)
    store.observe(onlooker)
    before = set(threading.enumerate())
    Desk(store).submit()
    clock.advance(1)
    assert not set(threading.enumerate()) - before
    assert (onlooker.looks, onlooker.threads) == (2, {threading.current_thread().name})


def test_an_observer_may_write_while_it_looks() -> None:
    store = MemoryStore(FakeClock())

    class Sweeper(Onlooker):
        def look(self, tx: Tx, now: int) -> float | None:
            if tx.count(("pending",), 10) < 3:
                store.write(submitting())
            return super().look(tx, now)

    sweeper = Sweeper()
    store.observe(sweeper)
    store.stir()
    assert store.read(lambda tx, now: tx.count(("pending",), 10)).wait() == 3
    assert sweeper.cursors == [1, 2, 3, 3]


def test_threads_take_turns() -> None:
    store, onlooker = MemoryStore(FakeClock()), Onlooker()
    store.observe(onlooker)
    desk = Desk(store)

    def work() -> None:
        for _ in range(50):
            desk.submit()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read(lambda tx, now: (tx.last_cursor(), tx.count(("pending",), 1000))).wait() == (300, 300)
    onlooker.until(lambda: 300 in onlooker.cursors)


def test_closing_hears_of_nothing_afterwards() -> None:
    clock = FakeClock()
    store, onlooker = MemoryStore(clock), Onlooker()
    errors: list[GatekitError] = []
    onlooker.fail = errors.append  # type: ignore[method-assign]
    store.observe(onlooker)
    store.close()
    clock.advance(1)
    assert (len(errors), onlooker.looks) == (1, 0)
