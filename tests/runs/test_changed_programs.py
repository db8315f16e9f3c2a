"""A run goes on in a program that is not the one that began it: loud, with the step's name, and nothing done twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatekit import Gate, Run, gated_step
from gatekit.errors import RunNeedsReview
from tests.runs.helpers import Diary, approve, journal, kinds, pending, release, waiting_tools

Body = Callable[..., Any]


class Programs:
    """Two programs on one queue, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.diary = Diary()
        self.gate: Gate | None = None

    def open(self, *bodies: Body) -> Gate:
        """The program with these workflows; the one before is closed."""
        self.close()
        self.gate = Gate(self.path)
        for body in bodies:
            self.gate.workflow(body)
        return self.gate

    def start(self, body: Body, *args: Any) -> Gate:
        self.close()
        self.gate = Gate(self.path)
        begun: Any = self.gate.workflow(body)
        assert begun.start("r", *args).status == "waiting"
        return self.gate

    def close(self) -> None:
        if self.gate is not None:
            self.gate.close()


@pytest.fixture
def programs(tmp_path: Path) -> Any:
    made = Programs(tmp_path / "queue.db")
    yield made
    made.close()


def old(run: Run, order: str) -> object:
    first = run.step("first", note, order)
    run.pause("look", {"first": first})
    return run.step("last", note, "last")


DIARY = Diary()


def note(text: str) -> str:
    return DIARY.note(text)


def other(text: str) -> str:
    return DIARY.note(f"other {text}")


@pytest.fixture(autouse=True)
def fresh_diary() -> None:
    DIARY.lines.clear()


def another_tool(run: Run, order: str) -> object:
    run.step("first", other, order)
    return run.step("last", note, "last")


def other_arguments(run: Run, order: str) -> object:
    run.step("first", note, f"{order}!")
    return run.step("last", note, "last")


def step_removed(run: Run, order: str) -> object:
    run.pause("look", {"first": order})
    return run.step("last", note, "last")


def pause_removed(run: Run, order: str) -> object:
    run.step("first", note, order)
    return run.step("last", note, "last")


def all_removed(run: Run, order: str) -> object:
    return "done"


def new_step_first(run: Run, order: str) -> object:
    run.step("new", note, "new")
    return old(run, order)


def new_pause_first(run: Run, order: str) -> object:
    run.pause("new", "new")
    return old(run, order)


def new_branches_first(run: Run, order: str) -> object:
    run.parallel(("new", note, "new"), ("newer", note, "newer"))
    return old(run, order)


def other_payload(run: Run, order: str) -> object:
    run.step("first", note, order)
    run.pause("look", {"other": 1})
    return run.step("last", note, "last")


def pause_became_a_step(run: Run, order: str) -> object:
    run.step("first", note, order)
    run.step("look", note, "look")
    return run.step("last", note, "last")


def step_became_a_pause(run: Run, order: str) -> object:
    run.pause("first", order)
    return run.step("last", note, "last")


def swallows(run: Run, order: str) -> object:
    try:
        run.step("first", other, order)
    except Exception:  # noqa: BLE001 - the body of a user who catches everything
        note("swallowed")
    return run.step("last", note, "last")


CHANGED: list[tuple[Body, str]] = [
    (another_tool, "first"),
    (other_arguments, "first"),
    (step_removed, "first"),
    (pause_removed, "look"),
    (all_removed, "first"),
    (new_step_first, "first"),
    (new_pause_first, "first"),
    (new_branches_first, "first"),
    (other_payload, "look"),
    (pause_became_a_step, "look"),
    (step_became_a_pause, "first"),
    (swallows, "first"),
]


@pytest.mark.parametrize(("body", "step"), CHANGED, ids=[body.__name__ for body, _ in CHANGED])
def test_a_program_that_changed_says_at_which_step_and_does_nothing(
    programs: Programs, body: Body, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(programs.start(old, "A-17"), "look")
    assert DIARY.lines == ["A-17"]
    monkeypatch.setattr(body, "__name__", "old")
    gate = programs.open(body)
    handle = gate.run("r")
    assert gate.resume_ready() == 1
    assert handle.status == "needs-review"
    with pytest.raises(RunNeedsReview, match=rf"the program changed under run 'r', at step '{step}'"):
        handle.result()
    assert handle.resume() == "needs-review"
    assert gate.resume_ready() == 0
    assert [line for line in DIARY.lines if line != "swallowed"] == ["A-17"]
    assert (waiting_tools(gate), journal(gate, "r")) == ([], [("first", "succeeded"), ("look", "answered")])
    # The old program can take it up again, and what was done is not done again.
    gate = programs.open(old)
    assert gate.run("r").resume() == "succeeded"
    assert [line for line in DIARY.lines if line != "swallowed"] == ["A-17", "last"]


def test_a_changed_program_can_cancel_its_run(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    release(programs.start(old, "A-17"), "look")
    monkeypatch.setattr(another_tool, "__name__", "old")
    gate = programs.open(another_tool)
    gate.resume_ready()
    assert gate.run("r").cancel("start another").status == "cancelled"
    gate.run("r").delete()


def test_a_new_step_behind_the_old_ones_is_no_change(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    def longer(run: Run, order: str) -> object:
        old(run, order)
        return run.step("even later", note, "even later")

    release(programs.start(old, "A-17"), "look")
    monkeypatch.setattr(longer, "__name__", "old")
    assert programs.open(longer).run("r").result() == "even later"
    assert DIARY.lines == ["A-17", "last", "even later"]


def other_parameters(run: Run, order: str, amount: int) -> object:
    return old(run, order)


def other_type(run: Run, order: int) -> object:
    return old(run, str(order))


def fewer_parameters(run: Run) -> object:
    return old(run, "A-17")


@pytest.mark.parametrize("body", [other_parameters, other_type, fewer_parameters])
def test_a_workflow_that_takes_other_arguments_by_now_needs_a_review(
    programs: Programs, body: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(programs.start(old, "A-17"), "look")
    monkeypatch.setattr(body, "__name__", "old")
    gate = programs.open(body)
    assert gate.resume_ready() == 1
    with pytest.raises(RunNeedsReview, match="its arguments no longer fit the workflow"):
        gate.run("r").result()
    assert DIARY.lines == ["A-17"]
    assert programs.open(old).run("r").resume() == "succeeded"
    assert DIARY.lines == ["A-17", "last"]


def unrelated(run: Run) -> None: ...


def test_a_run_whose_workflow_is_gone_needs_a_review_until_a_program_has_it(programs: Programs) -> None:
    release(programs.start(old, "A-17"), "look")
    gate = programs.open(unrelated)
    assert gate.resume_ready() == 0
    row = gate.run("r").row()
    assert (row.status, row.ready) == ("needs-review", True)
    assert "has no workflow 'old': resume the run in a program that has it" in (row.reason or "")
    assert kinds(gate, "r")[-1] == "run.needs_review"
    with pytest.raises(RunNeedsReview, match="no workflow 'old'"):
        gate.run("r").result(timeout=1)
    assert gate.resume_ready() == 0
    assert kinds(gate, "r").count("run.needs_review") == 1
    gate = programs.open(old)
    assert gate.resume_ready() == 1
    assert gate.run("r").result() == "last"
    assert DIARY.lines == ["A-17", "last"]


def test_a_run_that_only_waits_is_left_alone_by_a_program_without_its_workflow(programs: Programs) -> None:
    programs.start(old, "A-17")
    gate = programs.open(unrelated)
    gate.resume_ready()
    assert gate.run("r").status == "waiting"
    release(gate, "look")
    assert programs.open(old).run("r").result() == "last"


def test_a_gated_step_that_takes_other_arguments_by_now_is_not_started(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(tool: Body) -> Body:
        pay = gated_step(tool, name="pay")

        def refund(run: Run) -> object:
            return run.step("pay", pay, 5)

        return refund

    approve(programs.start(program(lambda amount: note(f"pay {amount}"))), "pay")
    gate = programs.open(program(lambda sum: note(f"pay {sum}")))
    gate.resume_ready()
    assert gate.run("r").status == "needs-review"
    with pytest.raises(RunNeedsReview, match="at step 'pay'"):
        gate.run("r").result()
    assert DIARY.lines == []
    assert programs.open(program(lambda amount: note(f"pay {amount}"))).run("r").resume() == "succeeded"


def test_a_result_that_no_longer_fits_the_annotation_of_its_step_is_loud(programs: Programs) -> None:
    def program(annotation: Any) -> Body:
        def read() -> Any:
            return note("read")

        read.__annotations__["return"] = annotation

        def refund(run: Run) -> object:
            value = run.step("read", read)
            run.pause("look")
            return value

        return refund

    release(programs.start(program(str)), "look")
    gate = programs.open(program(int))
    gate.resume_ready()
    handle = gate.run("r")
    assert handle.status in ("needs-review", "failed")
    with pytest.raises(Exception, match="read"):
        handle.result()
    assert DIARY.lines == ["read"]
    assert programs.open(program(str)).run("r").resume() == "succeeded"
    assert DIARY.lines == ["read"]


def test_an_edited_step_is_compared_by_what_the_program_asked(programs: Programs) -> None:
    def program() -> Body:
        pay = gated_step(lambda amount: note(f"pay {amount}"), name="pay")

        def refund(run: Run) -> object:
            value = run.step("pay", pay, 5)
            run.pause("look")
            return value

        return refund

    gate = programs.start(program())
    gate.reviewer("bob").edit(pending(gate, "pay"), {"amount": 4})
    gate = programs.open(program())
    gate.resume_ready()
    release(gate, "look")
    assert programs.open(program()).run("r").result() == "pay 4"
    assert DIARY.lines == ["pay 4"]
