"""A draft outlives the version that it was begun on, says so, and is sent as what is shown against the new one."""

from __future__ import annotations

from typing import Any

import pytest

from gatekit import Policy, Stage, gated_step
from gatekit_tui.edit.answer import AnswerScreen
from tests.tui.asking import ask, made_by, pay
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_edit import write

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]
TWO = Policy(Stage("both", ["alice", "ana", "bob"], quorum=2))


async def draft(desk: Desk, text: str) -> None:
    await desk.press("e")
    await desk.until_shown("nothing changed")
    await write(desk, text)
    await desk.press("escape")
    await desk.until(lambda: len(desk.app.screen_stack) == 2)


async def draft_and_change(desk: Desk, queue: Queue, request_id: str) -> None:
    """A draft of v1, which another's edit and its undoing make v3."""
    await draft(desk, '{"path": "/srv/b", "more": null}')
    queue.change(request_id)
    await version(desk, 3)
    await desk.press("e")


async def version(desk: Desk, number: int) -> None:
    await desk.until(lambda: desk.detail.study and desk.detail.study.request.version == number, f"v{number}")
    await desk.settled()


async def test_an_edit_is_there_again_in_the_next_version_and_approves_that_one(queue: Queue) -> None:
    request_id = queue.add(path="/srv/a")
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await draft_and_change(desk, queue, request_id)
        await desk.until_shown("kept from v1; the call is now v3", 'path "/srv/a" → "/srv/b"')
        await desk.press("ctrl+r")
        await desk.until_shown("nothing changed")
        assert not desk.has("kept from"), "there is no draft any more"
        await write(desk, '{"path": "/srv/c", "more": null}')
        await desk.press("ctrl+s")
        await desk.until_shown("with these changes?", '"/srv/c"')
        assert not desk.has("kept from"), "it was begun on this version"
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "edit")
    assert queue.args(request_id)["path"] == "/srv/c"


async def test_the_confirmation_says_too_that_it_was_begun_on_another_version(queue: Queue) -> None:
    request_id = queue.add(path="/srv/a")
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await draft_and_change(desk, queue, request_id)
        await desk.until_shown("kept from v1")
        await desk.press("ctrl+s")
        await desk.until_shown("with these changes?", "kept from v1; the call is now v3")
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "edit")
        await desk.settled()
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)
    decision = queue.decision(request_id)
    assert decision is not None
    assert decision.version == 4
    assert queue.args(request_id)["path"] == "/srv/b"


async def test_a_draft_is_shown_against_the_arguments_of_the_new_version(queue: Queue) -> None:
    request_id = pay(queue, TWO)
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await draft(desk, '{"amount": 300, "to": "acme"}')
        queue.gate.reviewer("ana").edit(queue.gate.get(request_id), {"amount": 400})
        await version(desk, 2)
        await desk.press("e")
        await desk.until_shown("kept from v1; the call is now v2", "amount 400 → 300")


async def test_a_draft_that_another_made_true_is_none_any_more(queue: Queue) -> None:
    request_id = pay(queue, TWO)
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await draft(desk, '{"amount":400, "to": "acme"}')
        queue.gate.reviewer("ana").edit(queue.gate.get(request_id), {"amount": 400})
        await version(desk, 2)
        await desk.press("e")
        await desk.until_shown("nothing changed")
        assert not desk.has("kept from")
        await desk.press("escape", "q")
        await desk.until(lambda: not desk.app.is_running)


async def test_an_answer_that_was_begun_is_there_again_in_the_next_version(queue: Queue) -> None:
    request_id = ask(queue, "What is it called?")
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await desk.press("a")
        await desk.until(lambda: isinstance(desk.app.screen, AnswerScreen) and desk.app.focused is not None)
        await desk.type("Bob")
        await desk.press("escape")
        ana = queue.gate.reviewer("ana", hold=60)
        ana.answer(queue.gate.get(request_id), "Eve")
        ana.undo(queue.gate.get(request_id))
        now = queue.gate.get(request_id).version
        await version(desk, now)
        await desk.press("a")
        await desk.until_shown(f"kept from v1; the question is now v{now}", 'answer "Bob"')
        await desk.press("ctrl+s")
        await desk.until_shown("Give this answer", f"is now v{now}")
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "answer")
    assert queue.args(request_id)["answer"] == "Bob"


async def test_a_permission_that_was_begun_is_there_again_as_far_as_it_fits(queue: Queue) -> None:
    @gated_step(gate=queue.gate, policy=TWO, wait=0, on_suspend="return")
    def resize(size: Any) -> None: ...

    request_id = made_by(queue, lambda: resize(5))
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await desk.press("w")
        await desk.until_shown("allow for a while")
        await desk.type("30m")
        await desk.press("tab", "tab", "tab", "right")
        await desk.until_shown("(•) bound", "at least")
        await desk.press("escape")
        queue.gate.reviewer("ana").edit(queue.gate.get(request_id), {"size": 6})
        await version(desk, 2)
        await desk.press("w")
        await desk.until_shown("kept from v1; the call is now v2", "30m", "(•) bound")
        await desk.press("escape")
        queue.gate.reviewer("bob").edit(queue.gate.get(request_id), {"size": "large"})
        await version(desk, 3)
        await desk.press("w")
        await desk.until_shown("kept from v1; the call is now v3", "30m", "(•) exactly this  ( ) pattern")
