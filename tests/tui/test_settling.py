"""The lists behind the first one: outcomes to settle, calls that run; and the pauses of runs."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from gatekit import Run, calling, gated_step
from gatekit.models import Request
from gatekit.testing import auto_approve
from gatekit_tui.request import study
from tests.corpus_cases import pick
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_hostile import assert_harmless

pytestmark = [pytest.mark.anyio, pytest.mark.long]


class PowerCut(BaseException):
    """Ends a tool as no exception of its own would."""


def leave_unknown(
    queue: Queue, tool: str = "pay", path: str = "/srv/a", risk: Any = "medium", call_id: str = "c1"
) -> str:
    """A call that was started, and whose end nobody knows."""

    @gated_step(gate=queue.gate, name=tool, risk=risk)
    def step(path: str) -> str:
        raise PowerCut

    def call() -> None:
        with calling(call_id=call_id), auto_approve(), pytest.raises(PowerCut):
            step(path)

    before = {row.id for row in queue.gate.requests("unknown", limit=1000)}
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    # Behind what the interrupted call told the queue.
    queue.gate.backend.sweep().wait()
    (made,) = {row.id for row in queue.gate.requests("unknown", limit=1000)} - before
    return made


@contextmanager
def one_that_runs(queue: Queue) -> Generator[str]:
    """A call whose tool hangs."""
    started, end = threading.Event(), threading.Event()

    @gated_step(gate=queue.gate, name="crawl")
    def step() -> None:
        started.set()
        end.wait(20)

    def call() -> None:
        with calling(call_id="slow"), auto_approve():
            step()

    thread = threading.Thread(target=call)
    thread.start()
    assert started.wait(10)
    (row,) = queue.gate.requests("running")
    try:
        yield row.id
    finally:
        end.set()
        thread.join()


def pause(queue: Queue, payload: Any) -> str:
    """A run that waits to be released."""

    def flow(run: Run) -> object:
        released: object = run.pause("before-send", payload)
        return released

    workflow = queue.gate.workflow(name="flow")(flow)
    thread = threading.Thread(target=workflow.start, args=("refund:7",))
    thread.start()
    thread.join()
    (row,) = queue.gate.requests("pending")
    return row.id


def now(queue: Queue, request_id: str) -> Request:
    return queue.gate.get(request_id)


async def to_settle(desk: Desk) -> None:
    await desk.press("]")
    await desk.until_shown("to settle")
    await desk.until(lambda: desk.chosen() is not None and desk.drawn(), "a call to settle")


async def answer(desk: Desk, word: str) -> None:
    await desk.until(lambda: len(desk.app.screen_stack) == 3, "the question")
    await desk.type(word)
    await desk.press("enter")


async def test_the_top_says_that_outcomes_are_unknown_and_the_bracket_shows_them(queue: Queue) -> None:
    queue.add(path="waits")
    leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("1 waiting", "1 to settle")
        await to_settle(desk)
        await desk.until_shown("how it ended is not known", "attempt 1", "look", "other side first")
        assert not desk.has("waits")
        await desk.press("[")
        await desk.until_shown("1 waiting")


async def test_without_anything_that_waits_the_panel_names_what_is_to_settle(queue: Queue) -> None:
    leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("Nothing is waiting", "1 call ended in a way that is not known")


async def test_a_result_settles_it_after_a_word(queue: Queue) -> None:
    request_id = leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        await desk.press("s")
        await answer(desk, '"paid"')
        await desk.until_shown('it returned: "paid"', "This counts at once")
        assert now(queue, request_id).status == "unknown"
        await desk.type("yes")
        await desk.press("enter")
        await desk.until_shown("settled by alice")
    settled = now(queue, request_id)
    assert (settled.status, settled.outcome and settled.outcome.value) == ("succeeded", "paid")


async def test_a_reason_settles_it_as_failed(queue: Queue) -> None:
    request_id = leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        await desk.press("s")
        await desk.until(lambda: len(desk.app.screen_stack) == 3)
        await desk.press("tab")
        await answer(desk, "no such order")
        await desk.until_shown("it failed: no such order")
        await desk.type("yes")
        await desk.press("enter")
        await desk.until(lambda: now(queue, request_id).status == "failed")
    assert (outcome := now(queue, request_id).outcome) is not None
    assert outcome.message == "no such order"


@pytest.mark.parametrize(("result", "error", "told"), [("", "", "one of the two"), ("paid", "", "not JSON")])
async def test_what_cannot_be_stored_is_refused_where_it_is_typed(
    queue: Queue, result: str, error: str, told: str
) -> None:
    request_id = leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        await desk.press("s")
        await answer(desk, result)
        await desk.until(lambda: told in desk.toasts())
        await desk.press("escape")
    assert now(queue, request_id).status == "unknown"


async def test_what_was_typed_is_there_again(queue: Queue) -> None:
    leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        await desk.press("s")
        await desk.until(lambda: len(desk.app.screen_stack) == 3)
        await desk.type("{}")
        await desk.press("escape", "s")
        await desk.until_shown("{}")


async def test_another_try_costs_a_word_and_makes_a_permit(queue: Queue) -> None:
    request_id = leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        await desk.press("t")
        await desk.until_shown("Run pay again?", "may still do it", "This counts at once: u does not take it back.")
        await desk.press("enter")
        await desk.settled()
        assert now(queue, request_id).status == "unknown"
        await desk.type("yes")
        await desk.press("enter")
        await desk.until_shown("allowed to run again by alice")
    assert now(queue, request_id).status == "approved"


async def test_another_try_of_a_critical_call_costs_its_name(queue: Queue) -> None:
    request_id = leave_unknown(queue, tool="drop_table", risk="critical")
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        await desk.press("t")
        await desk.until_shown("Type drop_table")
        await desk.type("drop_table")
        await desk.press("enter")
        await desk.until(lambda: now(queue, request_id).status == "approved")


async def test_what_cannot_be_displayed_is_not_run_again_but_settled(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = leave_unknown(queue)

    def fails(args: dict[str, object]) -> object:
        raise RuntimeError("no")

    monkeypatch.setattr(study, "draw_arguments", fails)
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        await desk.until_shown("cannot display")
        await desk.press("t")
        await desk.until(lambda: "it is not run again from here" in desk.toasts())
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
        await desk.press("s")
        await desk.until_shown("How did pay end?")
    assert now(queue, request_id).status == "unknown"


async def test_a_call_that_hangs_can_be_given_up(queue: Queue) -> None:
    with one_that_runs(queue) as request_id:
        async with sit_down(queue.gate) as desk:
            await desk.press("]", "]")
            await desk.until(lambda: desk.chosen() == request_id)
            await desk.until_shown("1 running", "runs now")
            await desk.press("t", "s")
            await desk.settled()
            assert len(desk.app.screen_stack) == 2, "only an outcome that is unknown is settled or tried again"
            await desk.press("x")
            await desk.until_shown("This counts at once")
            await answer(desk, "yes")
            await desk.until(lambda: now(queue, request_id).status == "unknown")


async def test_somebody_else_was_quicker(queue: Queue) -> None:
    request_id = leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await to_settle(desk)
        with desk.unaware():
            queue.gate.reviewer("ana").settle(now(queue, request_id), error="gone")
            await desk.press("t")
            await answer(desk, "yes")
            await desk.until(lambda: "decided elsewhere" in desk.toasts())
    assert queue.by(request_id) == "human:ana"


async def test_the_keys_of_one_list_do_nothing_in_another(queue: Queue) -> None:
    waiting, unknown = queue.add(path="one"), leave_unknown(queue)
    async with sit_down(queue.gate) as desk:
        await desk.press("t", "s", "x")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
        await to_settle(desk)
        await desk.press("a", "e", "r")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
    assert queue.verb(waiting) is None
    assert now(queue, unknown).status == "unknown"


async def test_a_read_only_seat_has_none_of_them(queue: Queue) -> None:
    leave_unknown(queue)
    async with sit_down(queue.gate, read_only=True) as desk:
        await to_settle(desk)
        assert not desk.has("try again")
        await desk.press("t", "s")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2


async def test_a_pause_is_released_as_it_is(queue: Queue) -> None:
    request_id = pause(queue, {"amount": 5})
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("before-send", "payload.amount", "The run refund:7 pauses")
        await desk.press("a")
        await desk.until_shown("released by alice")
    assert (now(queue, request_id).status, queue.args(request_id)) == ("answered", {"payload": {"amount": 5}})


async def test_a_pause_is_released_with_another_payload(queue: Queue) -> None:
    request_id = pause(queue, "soon")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until(lambda: len(desk.app.screen_stack) == 3)
        await desk.press("down", *["right"] * 14)
        await desk.type("er")
        await desk.until_shown("1 change")
        await desk.press("ctrl+s")
        await desk.until_shown("Release before-send with these changes?")
        await desk.press("a")
        await desk.until(lambda: now(queue, request_id).status == "answered")
    assert queue.args(request_id) != {"payload": "soon"}


async def test_a_call_that_may_start_more_than_once_says_so(queue: Queue) -> None:
    @gated_step(gate=queue.gate, retries=2, idempotent=True, wait=0, on_suspend="return")
    async def notify(order: str) -> None: ...

    await notify("7")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("it may start up to 3 times")


@pytest.mark.sweep
@pytest.mark.parametrize("category", ["terminal", "markup", "unicode"])
async def test_foreign_text_is_harmless_where_outcomes_are_settled(queue: Queue, category: str) -> None:
    texts = [case.payload for case in pick(category) if case.py is None]
    name = " ".join(texts).replace("\0", "")[:150]
    leave_unknown(queue, tool=f"t {name}", path=" ".join(texts), call_id=name)
    async with sit_down(queue.gate, size=(120, 50)) as desk:
        await to_settle(desk)
        assert_harmless(desk)
        for key in ("t", "s"):
            await desk.press(key)
            await desk.until(lambda: len(desk.app.screen_stack) == 3)
            await desk.pilot.pause(0.1)
            assert_harmless(desk)
            await desk.press("escape")
            await desk.until(lambda: len(desk.app.screen_stack) == 2)
