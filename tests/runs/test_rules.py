"""What a workflow may do and may not: names, colours, calls beside the run, results, errors, pauses."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from gatekit import (
    AsyncRun,
    Gate,
    Rejected,
    ResultNotStored,
    Run,
    Suspended,
    ToolFailed,
    UsageError,
    calling,
    current,
    gated_step,
)
from gatekit.errors import NotAllowed, RunFailed
from gatekit.testing import FakeClock, auto_approve, memory_gate
from tests.runs.helpers import Background, Diary, approve, journal, pending, reject, release, waiting_tools


def refused(gate: Gate, body: Callable[[Run], object], match: str = "UsageError") -> None:
    """The body of a run meets a `UsageError`, and the run fails with it."""
    handle = gate.workflow(name="refused")(body).start("refused")
    assert handle.status == "failed"
    with pytest.raises(RunFailed, match=match) as raised:
        handle.result()
    assert raised.value.type_name.endswith("UsageError")


class TestNames:
    def test_a_name_used_twice_is_refused_and_nothing_runs_twice(self, gate: Gate) -> None:
        diary = Diary()

        def body(run: Run) -> None:
            run.step("note", diary.note, "first")
            run.step("note", diary.note, "second")

        refused(gate, body, "'note' was made before in this run.*key=")
        assert diary.lines == ["first"]

    def test_a_pause_and_a_step_of_one_name_are_refused(self, gate: Gate) -> None:
        def body(run: Run) -> None:
            run.step("note", Diary().note, "x")
            run.pause("note")

        refused(gate, body, "'note' was made before")
        assert waiting_tools(gate) == []

    def test_two_branches_of_one_name_are_refused(self, gate: Gate) -> None:
        diary = Diary()

        def body(run: Run) -> None:
            run.parallel(("note", diary.note, "a"), ("note", diary.note, "b"))

        refused(gate, body, "'note' was made before")
        assert len(diary.lines) <= 1

    def test_the_steps_of_a_loop_are_told_apart_by_key(self, gate: Gate) -> None:
        diary = Diary()

        @gate.workflow
        def loop(run: Run) -> list[str]:
            done = [run.step("note", diary.note, str(n), key=n) for n in range(3)]
            done += [run.step("note", diary.note, name, key=name) for name in ("a", "b")]
            run.pause("look")
            return done

        handle = loop.start("r")
        release(gate, "look")
        assert handle.result(timeout=5) == ["0", "1", "2", "a", "b"]
        assert diary.lines == ["0", "1", "2", "a", "b"]
        assert [name for name, _ in journal(gate, "r")] == [*(f"note[{key}]" for key in (0, 1, 2, "a", "b")), "look"]

    @pytest.mark.parametrize("name", ["", " ", "a~b", 5, None, "x" * 501, "\ud800"])
    def test_a_bad_name_of_a_step_is_refused_and_nothing_runs(self, gate: Gate, name: Any) -> None:
        diary = Diary()
        refused(gate, lambda run: run.step(name, diary.note, "x"))
        assert (diary.lines, journal(gate, "refused")) == ([], [])

    @pytest.mark.parametrize("key", ["a~b", 1.5, True, b"x", (1,), "x" * 501, "\ud800"])
    def test_a_bad_key_is_refused_and_nothing_runs(self, gate: Gate, key: Any) -> None:
        diary = Diary()
        refused(gate, lambda run: run.step("note", diary.note, "x", key=key))
        assert (diary.lines, journal(gate, "refused")) == ([], [])

    @pytest.mark.parametrize("name", ["", " ", "a~b", 5, None, "x" * 501, "\ud800"])
    def test_a_bad_name_of_a_pause_or_branch_is_refused_and_nothing_runs(self, gate: Gate, name: Any) -> None:
        diary = Diary()
        refused(gate, lambda run: run.pause(name))
        assert waiting_tools(gate) == []
        handle = gate.workflow(name="p")(lambda run: run.parallel((name, diary.note, "x"))).start("p")
        assert (handle.status, diary.lines, journal(gate, "p")) == ("failed", [], [])

    @pytest.mark.parametrize("branch", [("a",), "ab", ["a", len, "x"], None])
    def test_what_is_no_branch_is_refused_and_nothing_runs(self, gate: Gate, branch: Any) -> None:
        diary = Diary()
        refused(gate, lambda run: run.parallel(("ok", diary.note, "x"), branch), "run.parallel takes tuples")
        assert diary.lines == []

    def test_a_direct_call_of_a_gated_tool_is_counted(self, gate: Gate) -> None:
        diary = Diary()

        @gated_step(gate=gate, name="back~up")
        def backup(path: str) -> str:
            return diary.note(path)

        @gate.workflow
        def both(run: Run) -> list[str]:
            return [backup("a"), backup("b")]

        handle = both.start("r")
        for _ in range(2):
            approve(gate, "back~up")
            handle.resume()
        assert handle.result(timeout=5) == ["a", "b"]
        assert journal(gate, "r") == [("back~up#1", "succeeded"), ("back~up#2", "succeeded")]
        assert diary.lines == ["a", "b"]

    def test_a_direct_call_of_a_tool_that_needs_nobody_is_remembered_in_a_run(self, gate: Gate) -> None:
        diary = Diary()

        @gated_step(gate=gate, requires_approval=lambda args: args.amount > 100)
        def pay(amount: int) -> str:
            return diary.note(f"paid {amount} by attempt {current().attempt}")

        @gate.workflow
        def both(run: Run) -> list[str]:
            return [pay(5), run.step("more", pay, 50), str(run.pause("look", pay(7)))]

        handle = both.start("r")
        release(gate, "look")
        assert handle.result(timeout=5) == [f"paid {n} by attempt 1" for n in (5, 50, 7)]
        assert len(diary.lines) == 3
        assert journal(gate, "r")[0] == ("pay#1", "succeeded")


class TestBesideTheRun:
    @pytest.mark.parametrize("passes", [True, False])
    def test_a_gated_call_inside_a_steps_body_is_refused_also_where_it_needs_nobody(
        self, gate: Gate, passes: bool
    ) -> None:
        diary = Diary()

        @gated_step(gate=gate, requires_approval=lambda args: not passes)
        def pay(amount: int) -> str:
            return diary.note("pay")

        def outer() -> str:
            return pay(5)

        @gate.workflow
        def refund(run: Run) -> str:
            return run.step("outer", outer)

        handle = refund.start("r")
        with pytest.raises(RunFailed, match=r"pay is gated and was called inside the step 'outer'.*run\.step"):
            handle.result()
        assert (diary.lines, waiting_tools(gate), journal(gate, "r")) == ([], [], [("outer", "failed")])

    def test_a_gated_call_inside_a_gated_step_is_refused_too_also_under_calling(self, gate: Gate) -> None:
        diary = Diary()

        @gated_step(gate=gate, requires_approval=lambda args: False)
        def inner(amount: int) -> str:
            return diary.note("inner")

        @gated_step(gate=gate)
        def outer(amount: int) -> str:
            with calling(call_id="mine", run="other"):
                return inner(amount)

        @gate.workflow
        def refund(run: Run) -> str:
            return run.step("outer", outer, 5)

        handle = refund.start("r")
        approve(gate, "outer")
        with pytest.raises(RunFailed, match="inner is gated and was called inside the step 'outer'"):
            handle.result()
        assert diary.lines == []

    @pytest.mark.parametrize("verb", ["step", "pause", "parallel"])
    def test_a_verb_of_the_run_inside_a_steps_body_is_refused(self, gate: Gate, verb: str) -> None:
        diary = Diary()

        @gate.workflow
        def refund(run: Run) -> str:
            def outer() -> str:
                if verb == "step":
                    return run.step("inner", diary.note, "inner")
                if verb == "pause":
                    return str(run.pause("inner"))
                return str(run.parallel(("inner", diary.note, "inner")))

            value = run.step("outer", outer)
            run.pause("look")
            return value

        handle = refund.start("r")
        assert handle.status == "failed"
        with pytest.raises(RunFailed, match="UsageError"):
            handle.result()
        assert (diary.lines, waiting_tools(gate)) == ([], [])

    def test_a_run_started_inside_a_step_is_a_run_of_its_own(self, gate: Gate) -> None:
        diary = Diary()

        @gate.workflow
        def child(run: Run) -> str:
            return run.step("note", diary.note, "child")

        @gate.workflow
        def parent(run: Run) -> str:
            return run.step("note", lambda: child.start("child").result())

        assert parent.start("parent").result() == "child"
        assert (journal(gate, "parent"), journal(gate, "child")) == ([("note", "succeeded")], [("note", "succeeded")])

    def test_calling_is_refused_in_a_workflow(self, gate: Gate) -> None:
        def body(run: Run) -> None:
            with calling(call_id="x"):
                raise AssertionError

        refused(gate, body, r"the run itself names its calls.*run\.step")

    def test_a_call_outside_under_the_id_of_a_run_is_refused(self, gate: Gate) -> None:
        @gated_step(gate=gate, wait=0)
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def look(run: Run) -> object:
            return run.pause("look", "draft")

        handle = look.start("thread-7")
        for call_id in (None, "toolu_01"):
            with (
                pytest.raises(UsageError, match="'thread-7' is a durable run"),
                calling(run="thread-7", call_id=call_id),
            ):
                pay(5)
        assert waiting_tools(gate) == ["look"]
        release(gate, "look")
        assert handle.result(timeout=5) == "draft"

    def test_a_run_under_the_id_of_a_conversation_does_not_take_its_calls_for_steps(self, gate: Gate) -> None:
        diary = Diary()

        @gated_step(gate=gate, wait=0)
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def look(run: Run) -> object:
            return run.step("note", diary.note, "x")

        with pytest.raises(Suspended), calling(run="thread-7", call_id="toolu_01"):
            pay(5)
        with contextlib.suppress(UsageError):
            assert look.start("thread-7").result(timeout=5) == "x"
        assert waiting_tools(gate) == ["pay"]

    def test_gates_in_threads_of_a_workflow_are_refused_and_queue_nothing(self, gate: Gate) -> None:
        diary, errors = Diary(), list[BaseException]()

        @gated_step(gate=gate)
        def pay(amount: int) -> str:
            return diary.note("pay")

        @gate.workflow
        def refund(run: Run) -> str:
            def beside(make: Callable[[], object]) -> None:
                try:
                    make()
                except UsageError as error:
                    errors.append(error)

            for make in (lambda: run.step("pay", pay, 5), lambda: pay(5), lambda: run.pause("p")):
                context = contextvars.copy_context()
                thread = threading.Thread(target=context.run, args=(beside, make))
                thread.start()
                thread.join()
            return "done"

        assert refund.start("r").result() == "done"
        assert len(errors) == 3
        assert all("run.parallel" in str(error) for error in errors)
        assert (diary.lines, waiting_tools(gate), journal(gate, "r")) == ([], [], [])

    def test_gates_in_threads_that_copy_no_context_queue_nothing_for_the_run(self, gate: Gate) -> None:
        errors = list[BaseException]()

        @gate.workflow
        def refund(run: Run) -> str:
            def beside() -> None:
                try:
                    run.step("note", Diary().note, "x")
                except UsageError as error:
                    errors.append(error)

            thread = threading.Thread(target=beside)
            thread.start()
            thread.join()
            return "done"

        assert refund.start("r").result() == "done"
        assert "run.parallel" in str(errors[0])

    @pytest.mark.anyio
    async def test_gates_in_a_bare_task_group_are_refused_and_queue_nothing(
        self, gate: Gate, anyio_backend: str
    ) -> None:
        diary, errors = Diary(), list[UsageError]()

        @gated_step(gate=gate)
        async def pay(amount: int) -> str:
            return diary.note("pay")

        @gate.workflow
        async def refund(run: AsyncRun) -> str:
            async def one(n: int) -> None:
                try:
                    await (pay(n) if n else run.step("pay", pay, n))
                except UsageError as error:
                    errors.append(error)

            async with anyio.create_task_group() as group:
                group.start_soon(one, 0)
                group.start_soon(one, 1)
            return "done"

        assert await (await refund.start("r")).result() == "done"
        assert len(errors) == 2
        assert all("run.parallel" in str(error) for error in errors)
        assert (diary.lines, list(await gate.aio.requests("pending"))) == ([], [])

    @pytest.mark.anyio
    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_gates_in_an_asyncio_gather_are_refused_and_the_run_fails(
        self, gate: Gate, anyio_backend: str
    ) -> None:
        @gated_step(gate=gate)
        async def pay(amount: int) -> int:
            return amount

        @gate.workflow
        async def refund(run: AsyncRun) -> list[int]:
            return list(await asyncio.gather(run.step("a", pay, 1), run.step("b", pay, 2)))

        handle = await refund.start("r")
        assert await handle.status == "failed"
        with pytest.raises(RunFailed, match=r"run\.parallel"):
            await handle.result()
        assert list(await gate.aio.requests("pending")) == []

    @pytest.mark.anyio
    async def test_a_step_made_by_the_workflows_own_task_inside_a_task_group_suspends_the_run(
        self, gate: Gate, anyio_backend: str
    ) -> None:
        @gated_step(gate=gate)
        async def pay(amount: int) -> int:
            return amount

        @gate.workflow
        async def refund(run: AsyncRun) -> int:
            paid = 0
            async with anyio.create_task_group():
                paid = await run.step("pay", pay, 5)
            return paid

        handle = await refund.start("r")
        assert await handle.status == "waiting"
        (row,) = await gate.aio.requests("pending")
        await gate.aio.reviewer("bob").approve(await gate.aio.get(row.id))
        assert await handle.result(timeout=5) == 5

    def test_a_step_on_another_queue_is_refused_and_queued_nowhere(self, gate: Gate, tmp_path: Path) -> None:
        with Gate(tmp_path / "other.db") as other:

            @gated_step(gate=other)
            def pay(amount: int) -> int:
                raise AssertionError

            refused(gate, lambda run: run.step("pay", pay, 5), "share one queue")
            assert (waiting_tools(gate), waiting_tools(other)) == ([], [])

    def test_a_step_that_names_no_gate_asks_on_the_queue_of_its_run(self, gate: Gate) -> None:
        @gated_step
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def refund(run: Run) -> int:
            return run.step("pay", pay, 5)

        handle = refund.start("r")
        approve(gate, "pay")
        assert handle.result(timeout=5) == 5


class TestColours:
    def test_an_async_step_in_a_sync_workflow_is_refused(self, gate: Gate) -> None:
        async def pay() -> None: ...

        refused(gate, lambda run: run.step("pay", pay), "write the workflow with `async def`")

    @pytest.mark.anyio
    async def test_an_async_workflow_makes_steps_of_both_colours(self, gate: Gate, anyio_backend: str) -> None:
        diary = Diary()

        async def slow(text: str) -> str:
            await anyio.lowlevel.checkpoint()
            return diary.note(text)

        @gated_step(gate=gate)
        async def pay(amount: int) -> int:
            return amount

        @gated_step(gate=gate)
        def pay_now(amount: int) -> int:
            return amount

        @gate.workflow
        async def refund(run: AsyncRun, order: str) -> list[object]:
            done: list[object] = [await run.step("a", slow, order), await run.step("b", diary.note, "b")]
            done.append(await run.step("pay", pay, 5))
            done.append(await run.step("pay now", pay_now, 6))
            done.append(await run.pause("look", {"x": 1}))
            done += await run.parallel(("c", slow, "c"), ("d", diary.note, "d"))
            return done

        handle = await refund.start("r", order="a")
        seat = gate.aio.reviewer("bob")
        for tool in ("pay", "pay_now", "look"):
            assert await handle.status == "waiting"
            (row,) = await gate.aio.requests("pending", tool=tool)
            request = await gate.aio.get(row.id)
            await (seat.release(request) if tool == "look" else seat.approve(request))
            await handle.resume()
        assert await handle.result(timeout=5) == ["a", "b", 5, 6, {"x": 1}, "c", "d"]
        assert diary.counts == {"a": 1, "b": 1, "c": 1, "d": 1}
        assert [step.name for step in await handle.steps()][:4] == ["a", "b", "pay", "pay now"]
        assert (await handle.row()).status == "succeeded"
        assert (await handle.history())[-1].kind == "run.succeeded"
        await handle.delete()
        assert await gate.aio.runs() == []

    @pytest.mark.anyio
    async def test_an_async_caller_waits_for_the_result_while_others_decide(
        self, gate: Gate, anyio_backend: str
    ) -> None:
        @gated_step(gate=gate)
        async def pay(amount: int) -> int:
            return amount

        @gate.workflow
        async def refund(run: AsyncRun) -> int:
            return await run.step("pay", pay, 5)

        results: list[int] = []
        handle = await refund.start("r")

        async def collect() -> None:
            results.append(await handle.result(timeout=10))

        async with anyio.create_task_group() as group:
            group.start_soon(collect)
            group.start_soon(collect)
            (row,) = await gate.aio.requests("pending")
            await gate.aio.reviewer("bob").approve(await gate.aio.get(row.id))
        assert results == [5, 5]
        gate.workflow(name="w")(lambda run: run.pause("p")).start("w")
        with pytest.raises(TimeoutError):
            await gate.aio.run("w").result(timeout=0.05)

    @pytest.mark.parametrize("verb", ["resume", "result"])
    def test_a_sync_handle_of_an_async_workflow_makes_its_steps(self, gate: Gate, verb: str) -> None:
        diary = Diary()

        @gate.workflow
        async def refund(run: AsyncRun) -> str:
            await run.pause("look")
            return await run.step("note", diary.note, "done")

        anyio.run(refund.start, "r")
        release(gate, "look")
        handle = gate.run("r")
        if verb == "resume":
            assert handle.resume() == "succeeded"
        assert handle.result(timeout=5) == "done"
        assert diary.lines == ["done"]

    def test_resume_ready_goes_on_with_async_workflows_from_a_thread(self, gate: Gate) -> None:
        @gate.workflow
        async def refund(run: AsyncRun) -> object:
            return await run.pause("look", "draft")

        anyio.run(refund.start, "r")
        release(gate, "look")
        assert gate.resume_ready() == 1
        assert gate.run("r").result() == "draft"

    @pytest.mark.anyio
    async def test_resume_ready_in_a_loop_goes_on_with_both_colours(self, gate: Gate, anyio_backend: str) -> None:
        threads: list[int] = []

        @gate.workflow
        def one(run: Run) -> object:
            threads.append(threading.get_ident())
            return run.pause("one", 1)

        @gate.workflow
        async def two(run: AsyncRun) -> object:
            return await run.pause("two", 2)

        one.start("one")
        await two.start("two")
        seat = gate.aio.reviewer("bob")
        for row in await gate.aio.requests("pending"):
            await seat.release(await gate.aio.get(row.id))
        assert await gate.aio.resume_ready() == 2
        assert [await gate.aio.run(name).result() for name in ("one", "two")] == [1, 2]
        assert threads[1] != threading.get_ident()


class Adder:
    def __call__(self, n: int) -> int:
        return n + 1

    def method(self, n: int) -> int:
        return n + 2

    @staticmethod
    def static(n: int) -> int:
        return n + 3


class TestTools:
    @pytest.mark.parametrize(
        ("tool", "expected"),
        [
            (Adder(), 6),
            (Adder().method, 7),
            (Adder.static, 8),
            (lambda n: n + 4, 9),
            (functools.partial(lambda a, n: a + n, 5), 10),
            (abs, 5),
        ],
    )
    def test_any_callable_can_be_a_step(self, gate: Gate, tool: Callable[..., int], expected: int) -> None:
        @gate.workflow
        def one(run: Run) -> int:
            value = run.step("one", tool, 5)
            run.pause("look")
            return value

        handle = one.start("r")
        release(gate, "look")
        assert handle.result(timeout=5) == expected

    def test_what_cannot_be_called_is_refused(self, gate: Gate) -> None:
        refused(gate, lambda run: run.step("one", 5), "a step takes a function, not int")  # type: ignore[arg-type]

    def test_arguments_that_json_cannot_hold_are_refused_before_the_step_runs(self, gate: Gate) -> None:
        diary = Diary()
        refused(gate, lambda run: run.step("one", lambda x: diary.note("x"), object()))
        assert (diary.lines, journal(gate, "refused")) == ([], [])

    def test_a_step_that_is_given_too_few_arguments_is_refused_and_not_remembered(self, gate: Gate) -> None:
        handle = gate.workflow(name="w")(lambda run: run.step("one", len)).start("r")
        assert (handle.status, journal(gate, "r")) == ("failed", [])

    def test_a_step_gets_a_copy_of_its_arguments_and_gives_its_result_as_json_gives_it(self, gate: Gate) -> None:
        given = {"lines": [1]}

        def change(order: dict[str, list[int]]) -> dict[str, list[int]]:
            order["lines"].append(2)
            return order

        seen: list[object] = []

        @gate.workflow
        def one(run: Run) -> object:
            value = run.step("one", change, given)
            seen.append(value)
            value["lines"].append(3)
            run.pause("look")
            return value

        handle = one.start("r")
        release(gate, "look")
        assert handle.result(timeout=5) == {"lines": [1, 2, 3]}
        assert given == {"lines": [1]}
        assert len(seen) == 2
        assert seen[0] is not seen[1]

    def test_a_result_has_its_annotated_type_the_first_time_and_later(self, gate: Gate) -> None:
        types: list[object] = []

        def pair() -> tuple[int, str]:
            return (1, "a")

        @gate.workflow
        def one(run: Run) -> None:
            types.append(run.step("one", pair))
            run.pause("look")

        handle = one.start("r")
        release(gate, "look")
        assert handle.resume() == "succeeded"
        assert types == [(1, "a"), (1, "a")]

    def test_a_result_that_json_cannot_hold_is_refused_already_the_first_time(self, gate: Gate) -> None:
        seen: list[type] = []
        diary = Diary()

        def thing() -> object:
            diary.note("thing")
            return object()

        @gate.workflow
        def one(run: Run) -> str:
            try:
                run.step("one", thing)
            except ResultNotStored as error:
                seen.append(type(error))
            run.pause("look")
            return "done"

        handle = one.start("r")
        release(gate, "look")
        assert handle.result(timeout=5) == "done"
        assert (seen, diary.lines) == ([ResultNotStored] * 2, ["thing"])

    def test_current_tells_a_plain_step_its_key(self, gate: Gate) -> None:
        @gate.workflow
        def one(run: Run) -> list[object]:
            def show() -> list[object]:
                seen = current()
                return [seen.run, seen.call_id, seen.attempt, bool(seen.idempotency_key)]

            return run.step("show", show)

        assert one.start("r").result() == ["r", "show", 1, True]


class TestErrors:
    def test_an_exception_of_a_step_is_the_same_tool_failed_at_once_and_at_replay(self, gate: Gate) -> None:
        seen: list[tuple[object, ...]] = []

        def fail() -> None:
            raise ValueError("broken")

        @gate.workflow
        def one(run: Run) -> object:
            try:
                run.step("fail", fail)
            except ToolFailed as error:
                seen.append((error.request_id, error.type_name, error.message, str(error)))
                causes.append(error.__cause__)
                return run.pause("look", "caught")
            raise AssertionError

        causes: list[object] = []
        handle = one.start("r")
        release(gate, "look")
        assert handle.result(timeout=5) == "caught"
        assert seen[0] == seen[1]
        assert seen[0][1:3] == ("ValueError", "broken")
        assert [type(cause) for cause in causes] == [ValueError, type(None)]

    @pytest.mark.parametrize("how", ["from", "inside", "after"])
    def test_a_step_whose_error_the_body_turned_into_its_own_is_tried_again_by_resume(
        self, gate: Gate, how: str
    ) -> None:
        fails = [True]

        def flaky() -> str:
            if fails:
                raise ConnectionError("down")
            return "up"

        @gate.workflow
        def one(run: Run) -> str:
            if how == "after":
                return run.step("flaky", flaky)
            try:
                return run.step("flaky", flaky)
            except ToolFailed as error:
                if how == "from":
                    raise LookupError("the order could not be read") from error
                raise LookupError("the order could not be read")  # noqa: B904 - the other way that people write it

        handle = one.start("r")
        assert handle.status == "failed"
        fails.clear()
        assert handle.resume() == "succeeded"

    def test_a_failure_of_another_run_does_not_repeat_a_step_of_this_one(self, gate: Gate) -> None:
        diary = Diary()

        @gated_step(gate=gate)
        def refund(amount: int) -> int:
            raise AssertionError

        @gate.workflow
        def child(run: Run) -> int:
            return run.step("pay", refund, 5)

        @gate.workflow
        def parent(run: Run) -> int:
            run.step("pay", diary.note, "pay")
            return int(gate.run("child").result(timeout=5))

        child.start("child")
        reject(gate, "refund", "no")
        handle = parent.start("parent")
        assert handle.status == "failed"
        handle.resume()
        assert diary.lines == ["pay"]

    def test_a_body_that_swallows_everything_does_not_get_further(self, gate: Gate) -> None:
        diary = Diary()

        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def stubborn(run: Run) -> str:
            for turn in range(3):
                try:
                    run.step("pay", pay, 5) if turn == 0 else run.step("next", diary.note, "next", key=turn)
                except BaseException:  # noqa: BLE001 - the worst body there is
                    diary.note("swallowed")
            return "done"

        handle = stubborn.start("r")
        assert (handle.status, journal(gate, "r"), waiting_tools(gate)) == ("waiting", [("pay", "pending")], ["pay"])
        assert diary.counts == {"swallowed": 3}
        approve(gate, "pay")
        assert handle.result(timeout=5) == "done"
        assert diary.counts == {"swallowed": 3, "next": 2}

    def test_a_body_that_turns_a_suspension_into_an_error_of_its_own_still_waits(self, gate: Gate) -> None:
        @gate.workflow
        def stubborn(run: Run) -> object:
            try:
                return run.pause("look", 1)
            except BaseException as error:
                raise ValueError("mine") from error

        handle = stubborn.start("r")
        assert handle.status == "waiting"
        release(gate, "look")
        assert handle.result(timeout=5) == 1

    def test_on_reject_return_gives_the_text_at_once_and_at_replay(self, gate: Gate) -> None:
        seen: list[str] = []

        @gated_step(gate=gate, on_reject="return", on_suspend="return")
        def pay(amount: int) -> str:
            raise AssertionError

        @gate.workflow
        def refund(run: Run) -> str:
            seen.append(run.step("pay", pay, 5))
            return str(run.pause("look", "draft"))

        handle = refund.start("r")
        assert (handle.status, seen) == ("waiting", [])
        reject(gate, "pay", "too risky")
        assert handle.resume() == "waiting"
        release(gate, "look")
        assert handle.result(timeout=5) == "draft"
        assert "too risky" in seen[0]
        assert seen == seen[:1] * 2

    def test_a_rejection_that_the_body_catches_is_the_same_at_replay(self, gate: Gate) -> None:
        seen: list[tuple[str, str, str]] = []

        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            raise AssertionError

        @gate.workflow
        def refund(run: Run) -> object:
            try:
                run.step("pay", pay, 5)
            except Rejected as error:
                seen.append((error.reason, error.by, str(error)))
            return run.pause("look", "instead")

        handle = refund.start("r")
        reject(gate, "pay", "too risky")
        handle.resume()
        release(gate, "look")
        assert handle.result(timeout=5) == "instead"
        assert seen[0][:2] == ("too risky", "human:bob")
        assert seen == seen[:1] * 2


class TestEdits:
    def test_an_edited_call_runs_with_the_edit_and_its_result_is_not_told_of_it(self, gate: Gate) -> None:
        got: list[str] = []

        @gated_step(gate=gate, tell_edits=True)
        def send(to: str, text: str) -> str:
            return f"{text} to {to}"

        @gate.workflow
        def mail(run: Run) -> str:
            got.append(run.step("send", send, "all", "hello"))
            run.pause("look")
            return got[-1]

        handle = mail.start("r")
        gate.reviewer("bob").edit(pending(gate, "send"), {"to": "bob"})
        handle.resume()
        release(gate, "look")
        assert handle.result(timeout=5) == "hello to bob"
        assert got == ["hello to bob"] * 2


class TestRetries:
    def test_a_step_is_tried_again_in_the_run_and_once_remembered_no_more(self) -> None:
        clock = FakeClock()
        with memory_gate(clock) as gate:
            fails = [ConnectionError("1"), ConnectionError("2")]
            diary = Diary()

            @gated_step(gate=gate, retries=2, retry_on=(ConnectionError,))
            def pay(amount: int) -> int:
                diary.note(f"attempt {current().attempt}")
                if fails:
                    raise fails.pop()
                return amount

            @gate.workflow
            def refund(run: Run) -> int:
                value = run.step("pay", pay, 5)
                run.pause("look")
                return value

            handle = refund.start("r")
            approve(gate, "pay")
            events = gate.watch(0)
            going = Background(handle.resume)
            for event in events:
                if event.kind == "failed":
                    clock.advance(60)
                if event.kind == "run.waiting" and "look" in waiting_tools(gate):
                    break
            assert going.join() == "waiting"
            release(gate, "look")
            assert handle.result(timeout=5) == 5
            assert diary.lines == ["attempt 1", "attempt 2", "attempt 3"]


class TestPauses:
    def test_a_pause_is_released_or_refused_and_not_approved(self, gate: Gate) -> None:
        @gate.workflow
        def look(run: Run) -> object:
            return run.pause("look", "draft")

        handle = look.start("r")
        request, seat = pending(gate, "look"), gate.reviewer("bob")
        with pytest.raises(NotAllowed, match="release it"):
            seat.approve(request)
        with pytest.raises(NotAllowed, match="release it"):
            seat.edit(request, {"payload": 1})
        with pytest.raises(NotAllowed, match="release it"):
            seat.respond(request, "no")
        seat.reject(request, reason="not like this")
        with pytest.raises(Rejected, match="not like this"):
            handle.result(timeout=5)

    def test_a_call_is_not_released(self, gate: Gate) -> None:
        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            return amount

        gate.workflow(name="w")(lambda run: run.step("pay", pay, 5)).start("r")
        with pytest.raises(NotAllowed, match="approve it"):
            gate.reviewer("bob").release(pending(gate, "pay"))

    def test_a_payload_that_json_cannot_hold_is_refused_and_nothing_waits(self, gate: Gate) -> None:
        refused(gate, lambda run: run.pause("look", object()))
        assert waiting_tools(gate) == []

    def test_a_reviewers_payload_that_json_cannot_hold_is_refused_and_the_run_waits_on(self, gate: Gate) -> None:
        @gate.workflow
        def look(run: Run) -> object:
            return run.pause("look", "draft")

        handle = look.start("r")
        with pytest.raises(Exception, match="payload"):
            release(gate, "look", payload=object())
        assert (handle.status, waiting_tools(gate)) == ("waiting", ["look"])

    def test_the_one_who_started_the_run_does_not_release_it(self, gate: Gate) -> None:
        @gate.workflow
        def look(run: Run) -> object:
            return run.pause("look", "draft")

        with calling(agent="carol"):
            look.start("r")
        assert gate.run("r").row().requester == "agent:carol"
        with pytest.raises(NotAllowed, match="another person must"):
            release(gate, "look", by="carol")


def test_auto_approve_lets_a_whole_run_pass_its_gates_and_pauses(gate: Gate) -> None:
    with auto_approve():

        @gated_step(gate=gate)
        def pay(amount: int) -> int:
            return amount

        @gate.workflow
        def refund(run: Run) -> list[object]:
            return [run.step("pay", pay, 5), *run.parallel(("a", pay, 6), ("b", pay, 7)), run.pause("look", "draft")]

        assert refund.start("r").result(timeout=5) == [5, 6, 7, "draft"]


def test_a_secret_cannot_be_an_argument_of_a_run_that_outlives_its_process(gate: Gate) -> None:
    @gate.workflow
    def login(run: Run, password: SecretStr) -> None: ...

    with pytest.raises(UsageError, match="let a step fetch it"):
        login.start("r", password=SecretStr("hunter2"))
    assert gate.runs() == []
