"""A queue with foreign text in every field that a stranger, an agent or another reviewer can fill."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from gatekit import Gate, GatekitError, Policy, Run, Stage, calling, gated_step, previews
from gatekit.testing import auto_approve, memory_gate

Fields = Mapping[str, str]
_NUMBERS = itertools.count()
CALL = ("tool", "description", "value", "key", "run", "agent", "reason", "preview", "stage", "person")
ASKED = ("tool", "prompt", "choice", "detail", "key")
DECIDED = ("by", "reason", "value", "note", "to")
PEOPLE = {"person", "by", "to"}
"""Whose names have no colon."""
RUN = ("workflow", "run_id", "step", "value", "error", "pause")


class PowerCut(BaseException):
    """Ends a tool as no exception of its own would."""


def call(gate: Gate, foul: Fields, risk: Any = "high", **options: Any) -> None:
    """A call that waits. Alice may decide it: behind a word, as nothing here shall be decided by a single key."""

    def doubt(args: Any) -> bool:
        if "reason" in foul:
            raise ValueError(foul["reason"])
        return True

    preview = foul.get("preview", "")
    shown = (
        previews.text(preview),
        previews.diff(f"{preview}\nold", f"{preview}\nnew", name=preview),
        previews.table([{preview or "column": preview}]),
    )[len(preview) % 3]
    person = foul.get("person", "bob")
    step = gated_step(
        _work,
        gate=gate,
        name=foul.get("tool", "work"),
        description=lambda args: foul.get("description", "some work"),
        requires_approval=doubt,
        preview=lambda args: shown,
        policy=Policy(
            Stage(foul.get("stage", "one"), [person, "alice"]), escalate_after={timedelta(hours=4): [person, "dora"]}
        ),
        risk=risk,
        wait=0,
        on_suspend="return",
        **options,
    )
    with calling(run=foul.get("run"), agent=foul.get("agent")):
        step(foul.get("value", "v"), {foul.get("key", "k"): [foul.get("value", "v")]})


def ask(gate: Gate, foul: Fields) -> None:
    """A question, and a confirmation."""
    details = {foul.get("key", "k"): foul.get("detail", "d")}
    prompt, name = foul.get("prompt", "Which?"), foul.get("tool", "ask")
    choices = (foul.get("choice", "one"), "other")
    for put in (
        lambda: gate.ask(prompt, choices=choices, name=name, details=details, risk="high", wait=0),
        lambda: gate.confirm(prompt, name=name, details=details, risk="high", wait=0),
    ):
        with suppress_suspended():
            put()


def decide(gate: Gate, foul: Fields) -> None:
    """Calls that another reviewer claimed, handed on, edited, answered, rejected and allowed for a while."""
    other = gate.reviewer(foul.get("by", "bob"))
    reason, value, note = foul.get("reason", "no"), foul.get("value", "v"), foul.get("note", "n")
    for verb in (
        lambda it: other.claim(it),
        lambda it: other.delegate(it, to=f"to {foul.get('to', '')}", reason=reason),
        lambda it: other.edit(it, {"text": value}, note=note),
        lambda it: other.approve(it, note=note),
        lambda it: other.respond(it, value),
        lambda it: other.reject(it, reason=reason),
        lambda it: other.allow(it, uses=2, scope={"text": value, "more": {"any": True}}, note=note),
    ):
        before = {row.id for row in gate.requests("pending", limit=1000)}
        step = gated_step(_work, gate=gate, name=foul.get("tool", "work"), risk="high", wait=0, on_suspend="return")
        step(value, {})
        (made,) = [row.id for row in gate.requests("pending", limit=1000) if row.id not in before]
        verb(gate.get(made))


def run(gate: Gate, foul: Fields) -> None:
    """A run that waits, and one that failed."""
    value, step = foul.get("value", "v"), foul.get("step", "step")

    def fail(text: str) -> str:
        raise ValueError(foul.get("error", "bad"))

    def waits(run: Run, text: str) -> None:
        run.step(step, _echo, value)
        run.pause(foul.get("pause", "pause"), {"text": text})

    def fails(run: Run, text: str) -> str:
        return run.step(step, fail, text)

    for flow, becomes in ((waits, "waiting"), (fails, "failed")):
        number = next(_NUMBERS)
        start = gate.workflow(name=f"{foul.get('workflow', '')}{number}")(flow).start
        # With a letter before it: a name that calls gave their conversation is no new run's.
        start(f"w{number}{foul.get('run_id', '')}", text=value)
        begun = gate.runs(limit=1)[0]
        if begun.status != becomes:
            raise ValueError(begun.reason)


def leave_unknown(gate: Gate, foul: Fields) -> None:
    """A call that was started, and whose end nobody knows; one that failed, and one that worked."""

    def cut(text: str) -> str:
        raise PowerCut

    def fail(text: str) -> str:
        raise ValueError(text)

    text = foul.get("value", "v")
    for number, tool in enumerate((cut, fail, _echo)):
        step = gated_step(tool, gate=gate, name=foul.get("tool", "work"), risk="critical")
        with calling(call_id=f"{foul.get('key', 'k')}{number}"), auto_approve(), suppress(PowerCut, ValueError):
            step(text)
    gate.backend.sweep().wait()


KINDS: Mapping[Callable[[Gate, Fields], None], Sequence[str]] = {
    call: CALL,
    ask: ASKED,
    decide: ("tool", *DECIDED),
    run: RUN,
    leave_unknown: ("tool", "value", "key"),
}


def fill(gate: Gate, texts: Sequence[str]) -> dict[str, int]:
    """Every text in every field. Gives how often a field refused one: then a plain word stands there."""
    refused: dict[str, int] = {}
    for kind, fields in KINDS.items():
        for row in range(len(texts)):
            # Another text in each field, so that what one does to the line is not hidden by another's doing.
            foul = {field: texts[(row + place) % len(texts)] for place, field in enumerate(fields)}
            try:
                kind(gate, foul)
            except (GatekitError, ValueError):
                taken = {field: text for field, text in foul.items() if _takes(kind, field, text)}
                assert taken != foul, (kind, foul)
                kind(gate, taken)
                for field in foul.keys() - taken.keys():
                    refused[f"{kind.__name__}.{field}"] = refused.get(f"{kind.__name__}.{field}", 0) + 1
    return refused


def name_people(gate: Gate, texts: Sequence[str]) -> None:
    """Who may decide, and why everything is stopped. The last thing: from now on only these decide."""
    gate.add_reviewer("alice", roles=["admin"])
    for text in texts:
        with suppress(GatekitError):
            gate.add_reviewer(re.sub(":", "", text), roles=["one"])
        with suppress(GatekitError):
            gate.add_reviewer(f"n{len(text)}", roles=[text])
    with suppress(GatekitError):
        gate.reviewer("alice").stop(" ".join(texts))


@contextmanager
def one_that_runs(gate: Gate, foul: Fields) -> Generator[None]:
    """A call whose tool hangs until the end of the block."""
    started, end = threading.Event(), threading.Event()

    def hang(text: str) -> str:
        started.set()
        end.wait(300)
        return text

    step = gated_step(hang, gate=gate, name=foul.get("tool", "work"))

    def make() -> None:
        with auto_approve():
            step(foul.get("value", "v"))

    thread = threading.Thread(target=make)
    thread.start()
    assert started.wait(20)
    try:
        yield
    finally:
        end.set()
        thread.join()


def _takes(kind: Callable[[Gate, Fields], None], field: str, text: str) -> bool:
    with memory_gate() as gate:
        try:
            kind(gate, {field: text})
        except (GatekitError, ValueError):
            return False
    return True


@contextmanager
def suppress_suspended() -> Generator[None]:
    from gatekit import Suspended

    with suppress(Suspended):
        yield


def _echo(text: str) -> str:
    return text


def _work(text: str, more: Any) -> str:
    return text
