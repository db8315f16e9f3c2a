"""What a body catches, and what people say meanwhile, lets nothing run twice and nothing run on an unknown outcome."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from gatekit import AsyncRun, Gate, Run, ToolFailed, UsageError, gated_step
from gatekit.errors import NotAllowed, RunFailed, RunNeedsReview
from tests.runs.helpers import Background, Diary, approve, journal, release


def failing(gate: Gate, diary: Diary) -> Any:
    """A step with a start left, whose tool raises what no further start may follow."""

    def pay(amount: int) -> str:
        diary.note("pay")
        raise ValueError("after it acted")

    return gated_step(pay, gate=gate, retries=1, retry_on=(TimeoutError,))


def test_a_failure_that_the_body_has_gone_past_stays_one_at_every_replay(gate: Gate) -> None:
    diary = Diary()
    pay = failing(gate, diary)

    @gate.workflow
    def refund(run: Run) -> str:
        try:
            run.step("pay", pay, 5)
        except ToolFailed:
            run.pause("look")
            return "failed"
        raise AssertionError

    handle = refund.start("r")
    approve(gate, "pay")
    assert handle.resume() == "waiting"
    release(gate, "look")
    assert handle.result(timeout=5) == "failed"
    assert diary.lines == ["pay"]


def test_a_failed_branch_is_not_tried_again_because_another_was_decided(gate: Gate) -> None:
    diary = Diary()
    pay, other = failing(gate, diary), gated_step(lambda: diary.note("other"), gate=gate, name="other")

    @gate.workflow
    def together(run: Run) -> object:
        return run.parallel(("pay", pay, 5), ("other", other))

    handle = together.start("r")
    approve(gate, "pay")
    handle.resume()
    approve(gate, "other")
    assert gate.resume_ready() == 1
    assert (handle.status, diary.counts) == ("failed", {"pay": 1, "other": 1})


def test_a_failed_step_of_a_run_is_tried_again_by_the_run_only(gate: Gate) -> None:
    diary = Diary()
    pay = failing(gate, diary)
    handle = gate.workflow(name="refund")(lambda run: run.step("pay", pay, 5)).start("r")
    approve(gate, "pay")
    assert handle.resume() == "failed"
    (row,) = gate.requests("failed")
    with pytest.raises(NotAllowed, match="resume the run"):
        gate.reviewer("bob").retry(gate.get(row.id))
    assert handle.resume() == "failed"
    assert diary.lines == ["pay", "pay"]


def test_nothing_follows_a_step_that_was_broken_off(gate: Gate) -> None:
    diary = Diary()

    @gate.workflow
    async def refund(run: AsyncRun) -> str:
        async def slow() -> str:
            diary.note("slow")
            await anyio.sleep_forever()
            return "slow"

        with anyio.move_on_after(0.05):
            return await run.step("slow", slow)
        return await run.step("fallback", diary.note, "fallback")

    anyio.run(refund.start, "r")
    assert gate.run("r").status == "needs-review"
    assert journal(gate, "r") == [("slow", "unknown")]
    (row,) = gate.requests("unknown")
    gate.reviewer("bob").settle(gate.get(row.id), result="it was done")
    assert gate.run("r").resume() == "succeeded"
    assert diary.lines == ["slow"]


def test_a_tool_that_cancels_itself_leaves_its_siblings_alone(gate: Gate) -> None:
    async def bad() -> None:
        task = asyncio.ensure_future(asyncio.sleep(10))
        task.cancel()
        await task

    async def good() -> str:
        await anyio.sleep(0.05)
        return "good"

    @gate.workflow
    async def together(run: AsyncRun) -> object:
        return await run.parallel(("bad", bad), ("good", good))

    anyio.run(together.start, "r")
    assert gate.run("r").status == "needs-review"
    assert dict(journal(gate, "r")) == {"bad": "unknown", "good": "succeeded"}


def compensating(diary: Diary, works: list[bool]) -> Any:
    """A workflow that undoes a hold where the payment fails, and fails itself."""

    def pay() -> str:
        diary.note("pay")
        if not works[0]:
            raise ValueError("no money")
        return "paid"

    def order(run: Run) -> str:
        run.step("hold", diary.note, "hold")
        try:
            paid = run.step("pay", pay)
        except ToolFailed:
            run.step("free", diary.note, "free")
            raise
        run.step("mail", diary.note, "mail")
        return str(paid)

    return order


def test_a_run_that_made_up_for_a_failed_step_and_failed_tries_that_step_again(gate: Gate) -> None:
    diary, works = Diary(), [False]
    handle = gate.workflow(compensating(diary, works)).start("r")
    assert handle.status == "failed"
    assert handle.resume() == "failed"
    assert diary.lines == ["hold", "pay", "free", "pay"]
    works[0] = True
    assert handle.resume() == "succeeded"
    assert diary.lines == ["hold", "pay", "free", "pay", "pay", "mail"]
    assert [name for name, _ in journal(gate, "r")] == ["hold", "pay", "free", "pay~2", "pay~3", "mail"]


def test_what_was_made_after_the_failure_was_mended_must_still_be_made(gate: Gate) -> None:
    diary, works = Diary(), [False]
    order = compensating(diary, works)

    @gate.workflow
    def twice(run: Run) -> None:
        order(run)
        if len(diary.lines) < 6:
            run.pause("look")

    handle = twice.start("r")
    works[0] = True
    assert handle.resume() == "waiting"
    diary.lines += ["", ""]
    release(gate, "look")
    with pytest.raises(RunNeedsReview, match="at step 'look'"):
        handle.result(timeout=5)


def test_a_gate_that_is_closed_in_the_middle_of_a_run_leaves_it_to_others(tmp_path: Path) -> None:
    gate, other = Gate(tmp_path / "queue.db"), Gate(tmp_path / "queue.db")
    started, end = threading.Event(), threading.Event()

    def crawl() -> str:
        started.set()
        end.wait(20)
        return "late"

    @gate.workflow
    def refund(run: Run) -> str:
        return str(run.step("crawl", crawl))

    hangs = Background(lambda: refund.start("r"))
    assert started.wait(10)
    gate.close()
    with other:
        # What else is in progress in this process, by another gate, is left alone.
        assert (other.run("r").status, journal(other, "r")) == ("waiting", [("crawl", "unknown")])
        (row,) = other.requests("unknown")
        assert other.history(row.id)[-1].data["why"] == "its gate was closed"
    end.set()
    with pytest.raises(UsageError, match="closed"):
        hangs.join()


def test_a_gate_that_is_closed_leaves_alone_what_runs_by_another_gate_of_the_queue(tmp_path: Path) -> None:
    gate, other = Gate(tmp_path / "queue.db"), Gate(tmp_path / "queue.db")
    other.count()

    @gate.workflow
    def refund(run: Run) -> str:
        return str(run.step("close", lambda: str(other.close())))

    assert refund.start("r").status == "succeeded"
    gate.close()


def test_a_step_that_was_declared_lost_lets_its_run_go_on_elsewhere(gate: Gate) -> None:
    started, end = threading.Event(), threading.Event()

    @gated_step(gate=gate)
    def crawl() -> str:
        started.set()
        end.wait(20)
        return "late"

    @gate.workflow
    def refund(run: Run) -> str:
        return run.step("crawl", crawl)

    handle = refund.start("r")
    approve(gate, "crawl")
    hangs = Background(handle.resume)
    assert started.wait(10)
    (row,) = gate.requests("running")
    seat = gate.reviewer("bob")
    seat.declare_lost(gate.get(row.id))
    seat.settle(gate.get(row.id), result="settled")
    assert gate.resume_ready() == 1
    assert handle.result(timeout=5) == "settled"
    end.set()
    assert hangs.join() == "succeeded"


def test_an_execution_that_lost_its_run_cancels_no_other_of_that_name(gate: Gate) -> None:
    inside, go_on = threading.Event(), threading.Event()

    @gate.workflow
    def refund(run: Run, turn: int) -> object:
        if turn == 1:
            inside.set()
            go_on.wait(20)
            run.cancel("the old one gives up")
        return run.pause("look")

    old = Background(lambda: refund.start("r", 1).status)
    assert inside.wait(10)
    gate.run("r").cancel()
    gate.run("r").delete()
    refund.start("r", 2)
    go_on.set()
    assert old.join() == "waiting"
    assert gate.run("r").status == "waiting"
    assert gate.count("pending") == 1


def test_a_body_that_wants_to_end_the_program_ends_its_own_run_only(gate: Gate) -> None:
    @gate.workflow
    def refund(run: Run, name: str) -> str:
        run.pause("look")
        if name == "bad":
            raise SystemExit("bad option")
        return name

    for name in ("bad", "good"):
        refund.start(name, name)
    for row in gate.requests("pending"):
        gate.reviewer("bob").release(gate.get(row.id))
    assert gate.resume_ready() == 2
    assert gate.run("good").result(timeout=5) == "good"
    with pytest.raises(RunFailed, match="bad option"):
        gate.run("bad").result(timeout=5)
