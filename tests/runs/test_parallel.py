"""Several steps at once: all asked at once, decided in any order, none cut off midway, the same end at each replay."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import anyio
import pytest

from gatekit import AsyncRun, Cancelled, Gate, NotApproved, Rejected, Run, ToolFailed, gated_step
from gatekit.errors import RunFailed, RunNeedsReview
from gatekit.models import RunStatus
from gatekit.runs import AsyncHandle
from tests.runs.helpers import Diary, approve, journal, pending, reject, release, waiting_tools

ORDERS = list(itertools.permutations("abc"))


def three(gate: Gate, diary: Diary) -> Any:
    """A workflow of three gates at once and a step after them."""

    def make(name: str) -> Any:
        return gated_step(lambda text: diary.note(f"{name} {text}"), gate=gate, name=name)

    tools = {name: make(name) for name in "abc"}

    @gate.workflow
    def together(run: Run, text: str) -> list[str]:
        done = run.parallel(*((name, tool, text) for name, tool in tools.items()))
        return [*done, run.step("after", diary.note, "after")]

    return together


@pytest.mark.parametrize("order", ORDERS)
def test_all_are_asked_at_once_and_decided_in_any_order(gate: Gate, order: tuple[str, ...]) -> None:
    diary = Diary()
    handle = three(gate, diary).start("r", "x")
    assert (waiting_tools(gate), diary.lines) == (["a", "b", "c"], [])
    assert len(handle.row().waiting_for) == 3
    for left, tool in enumerate(order, -2):
        approve(gate, tool)
        assert handle.resume() == ("waiting" if left else "succeeded")
    assert handle.result() == ["a x", "b x", "c x", "after"]
    assert diary.counts == {"a x": 1, "b x": 1, "c x": 1, "after": 1}


def test_all_decided_before_the_run_goes_on_takes_one_execution(gate: Gate) -> None:
    diary = Diary()
    handle = three(gate, diary).start("r", "x")
    for tool in "cab":
        approve(gate, tool)
    assert gate.resume_ready() == 1
    assert handle.status == "succeeded"
    assert handle.row().executions == 2


@pytest.mark.parametrize("refused", "abc")
def test_a_rejection_withdraws_the_undecided_and_fails_the_run_with_its_reason_each_time(
    gate: Gate, refused: str
) -> None:
    diary = Diary()
    handle = three(gate, diary).start("r", "x")
    reject(gate, refused, "too risky")
    for _ in range(3):
        with pytest.raises(Rejected, match="too risky") as raised:
            handle.result(timeout=5)
        assert raised.value.request.tool == refused
    assert (waiting_tools(gate), diary.lines, handle.status) == ([], [], "failed")
    states = dict(journal(gate, "r"))
    assert states.pop(refused) == "rejected"
    assert set(states.values()) == {"cancelled"}


def test_a_rejection_leaves_alone_what_was_done_and_nothing_follows(gate: Gate) -> None:
    diary = Diary()
    handle = three(gate, diary).start("r", "x")
    approve(gate, "b")
    handle.resume()
    reject(gate, "a", "too risky")
    assert handle.resume() == "failed"
    assert diary.lines == ["b x"]
    assert dict(journal(gate, "r")) == {"a": "rejected", "b": "succeeded", "c": "cancelled"}


def test_a_run_that_was_refused_asks_again_when_it_is_resumed_and_can_succeed(gate: Gate) -> None:
    diary = Diary()
    handle = three(gate, diary).start("r", "x")
    approve(gate, "b")
    handle.resume()
    reject(gate, "a", "not yet")
    assert handle.resume() == "failed"
    assert handle.resume() == "waiting"
    for tool in waiting_tools(gate):
        approve(gate, tool)
    assert handle.result(timeout=5) == ["a x", "b x", "c x", "after"]
    assert diary.counts["b x"] == 1


@pytest.mark.parametrize("withdrawn", "abc")
def test_the_end_of_a_refused_parallel_is_the_same_at_every_replay(gate: Gate, withdrawn: str) -> None:
    diary, seen = Diary(), list[tuple[type, str, str]]()

    def make(name: str) -> Any:
        return gated_step(lambda text: diary.note(f"{name} {text}"), gate=gate, name=name)

    tools = [make(name) for name in "abc"]

    @gate.workflow
    def together(run: Run) -> object:
        try:
            run.parallel(*((name, tool, "x") for name, tool in zip("abc", tools, strict=True)))
        except NotApproved as error:
            seen.append((type(error), error.request.tool, str(error)))
        return run.pause("look", "instead")

    handle = together.start("r")
    gate.reviewer("bob").cancel(pending(gate, withdrawn), reason="no need")
    assert handle.resume() == "waiting"
    for _ in range(2):
        together.start("r")
    release(gate, "look")
    assert handle.result(timeout=5) == "instead"
    assert seen[0][:2] == (Cancelled, withdrawn)
    assert seen == seen[:1] * 2


def test_two_rejections_give_the_same_error_at_every_replay(gate: Gate) -> None:
    diary = Diary()
    handle = three(gate, diary).start("r", "x")
    reject(gate, "c", "third")
    reject(gate, "b", "second")
    for _ in range(3):
        with pytest.raises(Rejected, match="second"):
            handle.result(timeout=5)


def failing(gate: Gate, diary: Diary, *, catches: bool) -> tuple[Any, list[str]]:
    seen: list[str] = []
    gated = gated_step(lambda: diary.note("gated"), gate=gate, name="gated")

    def fail() -> None:
        diary.note("fail")
        raise ValueError("broken")

    @gate.workflow
    def together(run: Run) -> object:
        try:
            run.parallel(("fail", fail), ("gated", gated), ("done", diary.note, "done"))
        except ToolFailed as error:
            seen.append(str(error))
            if not catches:
                raise
        return run.pause("look", "instead")

    return together, seen


def test_a_branch_that_raises_lets_the_others_finish_first(gate: Gate) -> None:
    diary = Diary()
    together, seen = failing(gate, diary, catches=False)
    handle = together.start("r")
    assert (handle.status, sorted(diary.lines)) == ("waiting", ["done", "fail"])
    approve(gate, "gated")
    for _ in range(2):
        with pytest.raises(RunFailed, match="ValueError"):
            handle.result(timeout=5)
    assert sorted(diary.lines) == ["done", "fail", "gated"]
    assert len(seen) == 1
    # The failed branch is tried again, and no other.
    assert handle.resume() == "failed"
    assert diary.counts == {"done": 1, "gated": 1, "fail": 2}


def test_a_branch_that_raised_gives_the_same_error_at_every_replay(gate: Gate) -> None:
    diary = Diary()
    together, seen = failing(gate, diary, catches=True)
    handle = together.start("r")
    approve(gate, "gated")
    handle.resume()
    release(gate, "look")
    assert handle.result(timeout=5) == "instead"
    assert len(seen) == 2
    assert len(set(seen)) == 1


@pytest.mark.parametrize("tell", ["settle", "settle error", "retry"])
def test_a_branch_whose_end_is_unknown_lets_the_others_finish_and_goes_on_by_a_reviewers_word(
    gate: Gate, tell: str
) -> None:
    diary, dies = Diary(), [True]

    def hard() -> str:
        diary.note("hard")
        if dies:
            raise SystemExit
        return "hard"

    hard_step = gated_step(hard, gate=gate)
    soft_step = gated_step(lambda: diary.note("soft"), gate=gate, name="soft")

    @gate.workflow
    def together(run: Run) -> list[str]:
        return list(run.parallel(("hard", hard_step), ("soft", soft_step)))

    handle = together.start("r")
    approve(gate, "hard")
    approve(gate, "soft")
    assert handle.resume() == "needs-review"
    assert sorted(diary.lines) == ["hard", "soft"]
    assert (handle.status, dict(journal(gate, "r"))) == ("needs-review", {"hard": "unknown", "soft": "succeeded"})
    (row,) = gate.requests("unknown")
    request, seat = gate.get(row.id), gate.reviewer("bob")
    dies.clear()
    if tell == "retry":
        seat.retry(request)
    elif tell == "settle":
        seat.settle(request, result="found")
    else:
        seat.settle(request, error="it did not")
    assert gate.resume_ready() == 1
    expected: RunStatus = "failed" if tell == "settle error" else "succeeded"
    assert handle.status == expected
    if expected == "succeeded":
        assert handle.result() == ["hard" if tell == "retry" else "found", "soft"]
    assert diary.counts == {"soft": 1, "hard": 2 if tell == "retry" else 1}


def test_an_unknown_branch_and_a_waiting_one_wait_and_then_need_a_review(gate: Gate) -> None:
    dies = [True]

    def hard() -> str:
        if dies:
            raise KeyboardInterrupt
        return "hard"

    hard_step = gated_step(hard, gate=gate)
    soft_step = gated_step(lambda: "soft", gate=gate, name="soft")

    @gate.workflow
    def together(run: Run) -> list[str]:
        return list(run.parallel(("hard", hard_step), ("soft", soft_step)))

    handle = together.start("r")
    approve(gate, "hard")
    with pytest.raises(KeyboardInterrupt):
        handle.resume()
    gate.resume_ready()
    with pytest.raises(RunNeedsReview):
        handle.result(timeout=5)
    approve(gate, "soft")
    gate.resume_ready()
    assert dict(journal(gate, "r")) == {"hard": "unknown", "soft": "succeeded"}
    (row,) = gate.requests("unknown")
    gate.reviewer("bob").settle(gate.get(row.id), result="found")
    gate.resume_ready()
    assert handle.result(timeout=5) == ["found", "soft"]


def test_no_branches_are_no_steps(gate: Gate) -> None:
    assert gate.workflow(name="w")(lambda run: list(run.parallel())).start("r").result() == []


def test_forty_branches_all_run_at_once_where_they_can(gate: Gate) -> None:
    diary = Diary()

    @gate.workflow
    def many(run: Run) -> list[str]:
        return list(run.parallel(*((f"n{n}", diary.note, str(n)) for n in range(40))))

    assert many.start("r").result() == [str(n) for n in range(40)]
    assert set(diary.counts.values()) == {1}


def test_branches_run_at_the_same_time(gate: Gate) -> None:
    meet = threading.Barrier(3)

    def arrive(name: str) -> str:
        meet.wait(5)
        return name

    @gate.workflow
    def together(run: Run) -> list[str]:
        return list(run.parallel(*((name, arrive, name) for name in "abc")))

    assert together.start("r").result() == ["a", "b", "c"]


def test_a_cancellation_while_branches_run_ends_the_run(gate: Gate) -> None:
    gated = gated_step(lambda: "gated", gate=gate, name="gated")

    @gate.workflow
    def together(run: Run) -> list[str]:
        return list(run.parallel(("cancel", lambda: str(gate.run("r").cancel("enough").status)), ("gated", gated)))

    handle = together.start("r")
    assert (handle.status, waiting_tools(gate)) == ("cancelled", [])


@pytest.mark.anyio
@pytest.mark.parametrize("order", ORDERS[::2])
async def test_async_branches_are_asked_at_once_and_decided_in_any_order(
    gate: Gate, anyio_backend: str, order: tuple[str, ...]
) -> None:
    diary = Diary()

    def make(name: str) -> Any:
        @gated_step(gate=gate, name=name)
        async def tool(text: str) -> str:
            await anyio.lowlevel.checkpoint()
            return diary.note(f"{name} {text}")

        return tool

    tools = {name: make(name) for name in "abc"}

    @gate.workflow
    async def together(run: AsyncRun, text: str) -> list[str]:
        done = await run.parallel(*((name, tool, text) for name, tool in tools.items()), ("d", diary.note, "d"))
        return [*done, await run.step("after", diary.note, "after")]

    handle: AsyncHandle[list[str]] = await together.start("r", "x")
    seat = gate.aio.reviewer("bob")
    assert diary.lines == ["d"]
    for name in order:
        (row,) = await gate.aio.requests("pending", tool=name)
        await seat.approve(await gate.aio.get(row.id))
        await gate.aio.resume_ready()
    assert await handle.result(timeout=5) == ["a x", "b x", "c x", "d", "after"]
    assert diary.counts == {"a x": 1, "b x": 1, "c x": 1, "d": 1, "after": 1}


@pytest.mark.anyio
async def test_an_async_rejection_withdraws_the_others_and_a_failure_lets_them_finish(
    gate: Gate, anyio_backend: str
) -> None:
    diary = Diary()

    @gated_step(gate=gate)
    async def pay(name: str) -> str:
        return diary.note(name)

    async def fail() -> None:
        raise ValueError("broken")

    @gate.workflow
    async def together(run: AsyncRun) -> list[str]:
        return list(await run.parallel(("fail", fail), ("a", pay, "a"), ("b", pay, "b")))

    handle = await together.start("r")
    assert await handle.status == "waiting"
    seat = gate.aio.reviewer("bob")
    asked = {request.args["name"]: request for request in await seat.pending()}
    await seat.approve(asked["a"])
    await handle.resume()
    assert diary.lines == ["a"]
    await seat.reject(asked["b"], reason="no")
    for _ in range(2):
        with pytest.raises(Rejected, match="no"):
            await handle.result(timeout=5)
    assert await handle.status == "failed"


def test_a_branch_that_cancels_the_run_lets_the_body_go_no_further(gate: Gate) -> None:
    diary = Diary()

    @gate.workflow
    def together(run: Run) -> None:
        run.parallel(("a", diary.note, "a"), ("cancel", lambda: run.cancel("enough")))
        diary.note("went on")

    handle = together.start("r")
    assert handle.status in ("cancelled", "failed")
    assert diary.lines == ["a"]


def test_cancelling_inside_a_step_leaves_no_step_whose_end_is_unknown(gate: Gate) -> None:
    @gate.workflow
    def refund(run: Run) -> None:
        run.step("cancel", lambda: run.cancel("enough"))

    handle = refund.start("r")
    assert handle.status in ("cancelled", "failed")
    assert gate.count("unknown") == 0
