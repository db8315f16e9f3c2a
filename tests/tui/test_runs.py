"""Durable runs and conversations: where they stand, their steps, and the way to what waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gatekit import Policy, Run, Stage, gated_step
from gatekit.backend.runs import NewRun
from gatekit.display import visible
from gatekit.models import RequestRow, RunRow, StepRow
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.spans import length
from gatekit_tui.history.history import HistoryScreen
from gatekit_tui.history.history_event import EventScreen
from gatekit_tui.history.timeline import Timeline
from gatekit_tui.runs.run_entries import StepEntry
from gatekit_tui.runs.run_heading import next_of
from gatekit_tui.runs.run_screen import RunScreen
from gatekit_tui.runs.run_talk import run_filter
from gatekit_tui.runs.run_text import Facts, fit_inked, step_lines
from gatekit_tui.runs.runs import RunsScreen
from gatekit_tui.runs.runs_lines import Line, Lines, head_line, line_spans, run_line
from gatekit_tui.runs.runs_list import PAGE, RunsList
from tests.corpus_cases import pick
from tests.tui.calls import Queue
from tests.tui.test_history import EVIL, looking_at
from tests.tui.test_hostile import assert_harmless

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def elsewhere(act: Callable[..., object], *given: Any, **named: Any) -> None:
    """In a thread of its own, as the tests run in a loop."""
    thread = threading.Thread(target=act, args=given, kwargs=named)
    thread.start()
    thread.join()


@dataclass
class Refunds:
    """A program with a run that quotes, is released by a human, and pays after two people said yes."""

    queue: Queue

    def __post_init__(self) -> None:
        queue, gate = self.queue, self.queue.gate

        @gated_step(gate=gate, name="pay", policy=Policy(Stage("finance", ["bob", "ana"], quorum=2)))
        def pay(order: str, amount: int) -> str:
            return f"paid {amount}"

        def quote(order: str) -> int:
            queue.advance(2.5)
            if order == "bad":
                raise ValueError("no price " + EVIL)
            return 40

        def refund(run: Run, order: str) -> str:
            amount = run.step("quote", quote, order)
            run.pause("before-send", {"amount": amount})
            return run.step("pay", pay, order, amount)

        self.start = gate.workflow(name="refund")(refund).start

    def begin(self, order: str) -> str:
        elsewhere(self.start, f"refund:{order}", order=order)
        return f"refund:{order}"

    def waits(self, run_id: str) -> str:
        (found,) = [row.id for row in self.queue.gate.requests("pending") if row.run == run_id]
        return found

    def release(self, run_id: str) -> None:
        """Somebody releases it, and a worker goes on with it."""
        self.queue.gate.reviewer("ana").release(self.queue.gate.get(self.waits(run_id)))
        elsewhere(self.queue.gate.resume_ready)

    def pay(self, run_id: str) -> None:
        for name in ("bob", "ana"):
            self.queue.decide(self.waits(run_id), by=name)
        elsewhere(self.queue.gate.resume_ready)


@pytest.fixture
def refunds(queue: Queue) -> Refunds:
    return Refunds(queue)


def add_runs(queue: Queue, count: int, prefix: str = "r") -> None:
    """So many runs that no process has taken up."""
    runs = queue.gate.backend.runs
    replies = [
        runs.begin(NewRun(id=f"{prefix}{number}", workflow="w", text="{}", digest="d", requester="agent:a"))
        for number in range(count)
    ]
    for reply in replies:
        reply.wait()


@contextmanager
def counted(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Generator[list[int]]:
    """How many runs each look at the list asks for."""
    asked: list[int] = []
    runs = queue.gate.backend.runs
    real = runs.list

    def listed(query: Any) -> Any:
        asked.append(query.limit)
        return real(query)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "list", listed)
        yield asked


RUN = RunRow(
    id="refund:7",
    workflow="refund",
    status="waiting",
    reason=None,
    waiting_for=("r1",),
    ready=False,
    requester="agent:a",
    created_at=NOW,
    updated_at=NOW,
    executions=1,
    key="1",
    _args="{}",
)


@pytest.mark.parametrize(
    ("change", "state", "what"),
    [
        ({}, "waiting", "for a human: r1"),
        ({"waiting_for": ("r1", "r2")}, "waiting", "for a human, on 2 requests"),
        ({"ready": True}, "ready", "a worker, or its program"),
        ({"status": "running", "waiting_for": ()}, "running", ""),
        ({"status": "needs-review", "reason": "look"}, "needs review", "look"),
        ({"status": "failed", "reason": EVIL}, "failed", visible(EVIL)[0]),
        ({"status": "succeeded"}, "done", ""),
        ({"status": "cancelled", "reason": "y" * 1000}, "cancelled", "y" * 300 + "…"),
    ],
)
def test_a_run_is_told_in_a_line(change: dict[str, Any], state: str, what: str) -> None:
    line = run_line(replace(RUN, **change))
    assert line.state[0] == state
    assert what in line.what
    assert len(line.what) < 310


@pytest.mark.parametrize("width", [30, 59, 60, 79, 160])
def test_a_line_and_the_names_above_it_are_as_wide_as_the_list(width: int) -> None:
    line = run_line(replace(RUN, id="長い" * 40, reason="x" * 500))
    assert length(line_spans(line, width, NOW, chosen=True)) == width
    assert length(head_line(("STATE", "RUN", "WORKFLOW", "WHAT"), width)) == width


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "when r1 is decided, a worker, or its program, goes on; how, the program knows"),
        ({"waiting_for": ("r1", "r2")}, "when one of r1, r2 is decided"),
        ({"ready": True}, "takes it up and goes on behind its beginning"),
        ({"status": "running"}, "a process executes it; which steps follow, its program knows"),
        ({"status": "needs-review"}, "when r1 is settled, or is allowed to run again"),
        ({"status": "needs-review", "waiting_for": ()}, "when the cause is mended: gatekit resume"),
        ({"status": "failed"}, "gatekit resume makes the failed step again"),
        ({"status": "succeeded"}, "nothing: it is over"),
        ({"status": "cancelled"}, "nothing: it is over"),
    ],
)
def test_what_comes_next_is_told_as_far_as_it_is_known(change: dict[str, Any], expected: str) -> None:
    assert expected in next_of(replace(RUN, **change), ())


def lines(*names: str, more: str | None = None) -> Lines:
    return Lines(tuple(Line(name, f"k{name}", NOW, ("x", "text"), name, "", "") for name in names), more)


@pytest.mark.parametrize(
    ("start", "read", "expected"),
    [
        (0, lines("n", "a", "b", more="kb"), lines("n", "a", "b", "c", "d", more="kd")),
        (0, lines("a", "b", "c", "d"), lines("a", "b", "c", "d")),
        (0, lines("n", "m", more="km"), lines("n", "m", more="km")),
        (1, lines("c", more="kc"), lines("a", "c", "d", more="kd")),
        (2, lines("d", "e", more="ke"), lines("a", "b", "d", "e", more="ke")),
        (0, lines(more="far"), lines("a", "b", "c", "d", more="kd")),
        (2, lines(), lines("a", "b")),
        (1, lines("a", "b", more="kb"), lines("a", "b", "c", "d", more="kd")),
        (0, lines("c", "a", more="ka"), lines("c", "a", "b", "d", more="kd")),
    ],
)
def test_what_is_read_again_takes_the_place_of_what_was_known(start: int, read: Lines, expected: Lines) -> None:
    assert lines("a", "b", "c", "d", more="kd").spliced(start, read) == expected


@pytest.mark.parametrize("run_id", ["a b", 'q"uo"te', "back\\slash\\", "st*r", "run:x", "é\u202e", "\n"])
def test_the_filter_finds_the_requests_of_one_run_alone(queue: Queue, run_id: str) -> None:
    mine = queue.add(run=run_id)
    queue.add(run="st-r")
    queue.add(run=run_id + "x")
    found: list[RequestRow] = list(queue.gate.requests("pending", where=run_filter(run_id)))
    assert [row.id for row in found] == [mine]


@pytest.mark.parametrize("width", [30, 50, 80])
def test_a_long_name_of_a_step_does_not_hide_what_became_of_it(width: int) -> None:
    fake = "pay  done in 0.1s · 1m ago" + " " * 200
    facts = Facts("failed", "failed", "no", "removed", NOW, None)
    step = StepRow(name=fake, tool=fake, request_id="r", status="failed")
    first, second = step_lines(step, facts, width, NOW)
    assert "".join(text for text, _ in first).endswith("…  failed · 0s ago")
    assert length(first) <= width
    assert length(second) <= width


def test_a_line_that_is_too_long_says_so() -> None:
    assert fit_inked((("abcdef", "text"),), 6) == (("abcdef", "text"),)
    assert fit_inked((("abcdefg", "text"),), 6) == (("abcde", "text"), ("…", "dim"))


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_runs_are_listed_and_followed_and_narrowed_by_state(
    queue: Queue, refunds: Refunds, size: tuple[int, int]
) -> None:
    refunds.begin("bad")
    seven = refunds.begin("7")
    screen = RunsScreen(queue.gate)
    async with looking_at(screen, size=size) as bench:
        await bench.until_shown("runs of every state", "STATE", "WORKFLOW", "waiting", "for a human", "failed")
        assert [bench.text().index(word) for word in ("refund:7", "refund:bad")] == sorted(
            bench.text().index(word) for word in ("refund:7", "refund:bad")
        ), "the newest first"
        eight = refunds.begin("8")
        await bench.until_shown("refund:8")
        chosen = screen.query_one(RunsList).chosen
        assert chosen is not None
        assert chosen.id == seven, "the cursor stays on its run"
        await bench.press("f")
        await bench.until_shown("runs waiting", "refund:8")
        await bench.until(lambda: not bench.has("refund:bad"))
        refunds.release(eight)
        refunds.pay(eight)
        await bench.until(lambda: not bench.has("refund:8"))
        await bench.press("F", "F")
        await bench.until_shown("runs cancelled", "No run is cancelled.", "f shows those of another state")
        await bench.press("enter")
        assert bench.depth() == 1
        await bench.press("F")
        await bench.until_shown("runs done", "refund:8")
        await bench.press("U")
    assert bench.given == [None]


@pytest.mark.anyio
@pytest.mark.sweep
async def test_a_run_shows_its_steps_and_what_waits_and_goes_on_while_it_is_shown(
    queue: Queue, refunds: Refunds
) -> None:
    run_id = refunds.begin("7")
    screen = RunScreen(queue.gate, run_id)
    async with looking_at(screen, size=(100, 40)) as bench:
        await bench.until_shown(
            "run refund:7",
            "waiting · started",
            "next    when before-send is decided, a worker, or its program, goes on",
            "✓ quote  done in 2.5s · 0s ago",
            "→ 40",
            "▶ before-send  waits for a human since 0s",
            "any reviewer may decide",
            "started the run",
            "suspended: it waits for",
        )
        entry = screen.query_one(Timeline).chosen
        assert isinstance(entry, StepEntry)
        assert entry.step.name == "before-send", "the cursor begins on what waits"
        queue.advance(120)
        await bench.until_shown("waits for a human since 2m", "started 2m ago")
        refunds.release(run_id)
        await bench.until_shown("▶ pay  waits for a human", "bob, ana may decide, 0 of 2 said yes", "released by ana")
        queue.decide(refunds.waits(run_id), by="bob")
        await bench.until_shown("1 of 2 said yes")
        queue.decide(refunds.waits(run_id), by="ana")
        await bench.until_shown("ready", "takes it up and goes on behind pay")
        elsewhere(queue.gate.resume_ready)
        await bench.until_shown('→ "paid 40"', "the run succeeded", 'result  "paid 40"', "nothing: it is over")


@pytest.mark.anyio
async def test_a_failed_step_shows_its_error_harmlessly(queue: Queue, refunds: Refunds) -> None:
    async with looking_at(RunScreen(queue.gate, refunds.begin("bad")), size=(120, 30)) as bench:
        await bench.until_shown("✗ quote  failed", f"ValueError: no price {visible(EVIL)[0]}", "why     ValueError")
        assert_harmless(bench)


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_from_the_runs_into_a_step_and_its_history_and_to_the_queue(
    queue: Queue, refunds: Refunds, size: tuple[int, int]
) -> None:
    run_id = refunds.begin("7")
    async with looking_at(RunsScreen(queue.gate), size=size) as bench:
        await bench.until_shown("refund:7")
        await bench.press("o")
        await bench.until(lambda: isinstance(bench.app.screen, RunScreen), "the run")
        await bench.until_shown("▶ before-send")
        for key in ("enter", "o", "h"):
            await bench.press(key)
            await bench.until(lambda: isinstance(bench.app.screen, HistoryScreen), "the history")
            await bench.until_shown("history before-send", "the run pauses here")
            await bench.press("a", "r", "escape")
            await bench.until(lambda: bench.depth() == 2)
        await bench.press("G", "h", "l")
        assert bench.depth() == 2, "no step is under the cursor"
        await bench.press("enter")
        await bench.until(lambda: isinstance(bench.app.screen, EventScreen), "the event")
        await bench.until_shown("event run.waiting", '"waiting_for"')
        await bench.press("q", "g", "j", "l")
        assert bench.depth() == 2, "a step that is over is in no list of the queue"
        await bench.press("j", "l")
        await bench.until(lambda: bench.given == [refunds.waits(run_id)])


@pytest.mark.anyio
@pytest.mark.sweep
async def test_a_run_that_is_deleted_while_it_is_shown_is_said_to_be_gone(queue: Queue, refunds: Refunds) -> None:
    run_id = refunds.begin("7")
    screen = RunScreen(queue.gate, run_id)
    async with looking_at(screen, size=(100, 30)) as bench:
        await bench.until_shown("▶ before-send", "since")
        await bench.press("enter")
        await bench.until_shown("history before-send", "waits for a decision")
        queue.gate.run(run_id).cancel("no more")
        await bench.until_shown("withdrew it", "withdrawn by")
        queue.gate.run(run_id).delete()
        await bench.until_shown("deleted: the queue holds it no longer", "withdrew it")
        await bench.press("escape")
        await bench.until_shown("deleted: the queue holds it no longer", "before-send")
        await bench.press("l", "enter")
        await bench.until_shown("There is no such request in this queue.")
        await bench.press("q", "q")
    assert bench.given == [None]


@pytest.mark.anyio
@pytest.mark.sweep
async def test_of_a_conversation_the_requests_are_listed_as_they_come(queue: Queue) -> None:
    first = queue.add(tool="mail", run="thread-7", description="Write to " + EVIL)
    queue.add(tool="other", run="thread-8")
    queue.decide(queue.add(tool="gone", run="thread-7"), "reject")
    screen = RunScreen(queue.gate, "thread-7")
    async with looking_at(screen) as bench:
        await bench.until_shown("conversation thread-7", "no durable run", "pending", "mail", "rejected", "gone")
        assert not bench.has("other")
        assert_harmless(bench)
        queue.add(tool="later", run="thread-7")
        await bench.until_shown("later", "3 requests")
        await bench.press("enter")
        await bench.until_shown("history mail", "submitted it")
        await bench.press("q", "j", "l")
        assert bench.given == [], "a rejected request is in no list of the queue"
        await bench.press("g", "l")
        await bench.until(lambda: bench.given == [first])


@pytest.mark.anyio
async def test_a_name_that_the_queue_does_not_know_is_said_to_be_unknown(queue: Queue) -> None:
    async with looking_at(RunScreen(queue.gate, "nobody" + EVIL)) as bench:
        await bench.until_shown("The queue knows no run and no request of this name.")
        await bench.press("enter", "h", "l", "j", "G")
        assert bench.depth() == 1
        assert_harmless(bench)
        await bench.press("escape")
    assert bench.given == [None]


@pytest.mark.anyio
@pytest.mark.parametrize("run_id", ["a\0b", "x" * 2000])
async def test_a_name_that_no_filter_can_hold_is_refused_in_words(queue: Queue, run_id: str) -> None:
    async with looking_at(RunScreen(queue.gate, run_id)) as bench:
        await bench.until_shown("filter")
        assert_harmless(bench)
        await bench.press("l", "h", "q")
    assert bench.given == [None]


@pytest.mark.anyio
async def test_without_runs_the_screen_says_what_a_run_is(queue: Queue) -> None:
    screen = RunsScreen(queue.gate)
    async with looking_at(screen) as bench:
        await bench.until_shown("No run was started in this queue.", "@gate.workflow")
        add_runs(queue, 2)
        await bench.until_shown("r0", "r1", "ready")
        assert not screen.query_one(LinesView).display
        await bench.press("G")
        assert screen.query_one(RunsList).cursor == 1


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.long
async def test_of_ten_thousand_runs_only_those_are_read_that_are_looked_at(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_runs(queue, 10_000)
    screen = RunsScreen(queue.gate)
    with counted(queue, monkeypatch) as asked:
        async with looking_at(screen) as bench:
            shown = screen.query_one(RunsList)
            await bench.until_shown("r9999", "100 runs read, there are more")
            await bench.settled()
            assert sum(asked) < 500
            assert shown.virtual_size.height == PAGE + 1
            while len(rows := shown.lines.rows) < 2500:
                await bench.press("G")
                await bench.until(lambda: len(shown.lines.rows) > len(rows), "more")
            assert [row.id for row in rows] == [f"r{9999 - number}" for number in range(len(rows))]
            assert max(asked) <= PAGE + 1
            await bench.press("g")
            add_runs(queue, 3, "new")
            await bench.until_shown("new2")
            assert shown.chosen is not None
            assert shown.chosen.id == "r9999"


@pytest.mark.anyio
@pytest.mark.sweep
@pytest.mark.parametrize("category", ["terminal", "markup", "unicode"])
async def test_foreign_text_is_harmless_in_every_field_of_runs_and_histories(queue: Queue, category: str) -> None:
    texts = [case.payload for case in pick(category) if case.py is None]
    text = " ".join(texts).replace("\0", "")
    name = text.replace(":", ".")[:150]

    def fail(more: str) -> None:
        raise ValueError(text)

    def flow(run: Run, more: str) -> None:
        try:
            run.step(name[:60], fail, more)
        finally:
            run.pause(f"p{name[:60]}", {name: text})

    elsewhere(queue.gate.workflow(name=name)(flow).start, f"r{name}", more=text)
    reviewer = queue.gate.reviewer(name)
    talk = queue.add(
        tool=f"t{name}", path=text, more={name: [text]}, description=text, run=f"c{name}", agent=f"a{name}"
    )
    reviewer.claim(queue.gate.get(talk))
    queue.gate.reviewer(name, hold=60).edit(queue.gate.get(talk), {"more": {name: text + "!"}}, note=text)
    reviewer.undo(queue.gate.get(talk), note=text)
    reviewer.delegate(queue.gate.get(talk), to=f"b{name}", reason=text)
    async with looking_at(RunsScreen(queue.gate), size=(150, 50)) as bench:
        await bench.until_shown("waiting")
        assert_harmless(bench)
        await bench.press("enter")
        await bench.until_shown("what happened to the run", "waits for a human")
        assert_harmless(bench)
        await bench.press("enter")
        await bench.until_shown("history", "submitted it")
        assert_harmless(bench)
    async with looking_at(RunScreen(queue.gate, f"c{name}"), size=(150, 50)) as bench:
        await bench.until_shown("pending")
        assert_harmless(bench)
        await bench.press("enter")
        await bench.until_shown("submitted it")
        for _ in queue.gate.history(talk):
            assert_harmless(bench)
            await bench.press("enter")
            await bench.until(lambda: isinstance(bench.app.screen, EventScreen), "the event")
            await bench.until_shown("number")
            assert_harmless(bench)
            await bench.press("q", "j")
