"""One answer and those who wait for it: tasks of several loops, threads, and callers who went meanwhile."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable

import anyio
import pytest

from gatekit.driving import Intent, drive, drive_async
from gatekit.reply import Reply, wake

both_backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def awaited(reply: Reply[int], seen: list[int]) -> None:
    seen.append(await reply)


@both_backends
def test_everybody_who_waits_gets_the_answer_in_whatever_loop_or_thread(backend: str) -> None:
    reply: Reply[int] = Reply()
    seen: list[int] = []

    async def two() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(awaited, reply, seen)
            tasks.start_soon(awaited, reply, seen)

    threads = [
        threading.Thread(target=anyio.run, args=(two,), kwargs={"backend": backend}),
        threading.Thread(target=asyncio.run, args=(awaited(reply, seen),)),
        threading.Thread(target=lambda: seen.append(reply.wait())),
    ]
    for thread in threads:
        thread.start()
    while len(reply._listeners) < 3 or reply._ready is None:
        threading.Event().wait(0.001)
    wake(reply.resolve(5))
    for thread in threads:
        thread.join(10)

    assert seen == [5, 5, 5, 5]


@both_backends
def test_an_answer_that_is_there_still_lets_others_run_and_can_be_cancelled(backend: str) -> None:
    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await Reply.of(5)
        assert scope.cancelled_caught
        assert await Reply.of(5) == 5

    anyio.run(main, backend=backend)


@both_backends
def test_a_task_that_was_cancelled_hinders_no_other_that_waits_in_its_loop(backend: str) -> None:
    seen: list[int] = []

    async def main() -> None:
        with anyio.fail_after(10):
            await leave_and_wake()

    async def leave_and_wake() -> None:
        left, kept = Reply[int](), Reply[int]()
        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(0.01):
                await left
            tasks.start_soon(awaited, kept, seen)
            await anyio.wait_all_tasks_blocked()
            wake([*left.resolve(1), *kept.resolve(2)])

    anyio.run(main, backend=backend)
    assert seen == [2]


class Large:
    """What a verb was told, and does not need any more."""


def waiting_long(reply: Reply[None], told: list[weakref.ref[Large]]) -> Intent[None]:
    told.append(weakref.ref((yield from Reply.of(Large()))))
    yield from reply


def run_blocking(make: Callable[[], Intent[None]]) -> None:
    drive(make())


def run_async(make: Callable[[], Intent[None]]) -> None:
    anyio.run(lambda: drive_async(make()))


@pytest.mark.parametrize("run", [run_blocking, run_async])
def test_a_long_wait_keeps_nothing_alive_that_the_verb_has_let_go_of(
    run: Callable[[Callable[[], Intent[None]]], None],
) -> None:
    reply: Reply[None] = Reply()
    told: list[weakref.ref[Large]] = []
    thread = threading.Thread(target=run, args=(lambda: waiting_long(reply, told),))
    thread.start()
    while reply._ready is None and not reply._listeners:
        threading.Event().wait(0.001)
    alive = told[0]()
    wake(reply.resolve(None))
    thread.join(10)

    assert alive is None
