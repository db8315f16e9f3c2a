"""Nothing that was typed is lost: who leaves is told of it once, also from inside the form it stands in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gatekit import Policy
from gatekit_tui.decide.unsent import Unsent
from gatekit_tui.queue.settings import Settings
from tests.tui.asking import ask, pay
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_settling import leave_unknown

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]

FORMS = {
    "an edit": (["e"], "nothing changed"),
    "a permission": (["w"], "allow for a while"),
    "a reason": (["r"], "Reject write_file?"),
    "a reason for many": (["space", "R"], "Reject 1 request?"),
    "a response": (["m"], "Answer instead"),
    "a handover": (["D"], "Who decides in your place"),
    "an escalation": (["E"], "Escalate pay?"),
    "why to stop": (["S"], "Stop the queue?"),
    "an answer": (["a"], "nothing is filled in yet"),
    "a settlement": (["]", "s"], "How did pay end?"),
}
SHORT = {"an edit", "a reason", "an answer", "a settlement"}
SOME = [pytest.param(form, marks=() if form in SHORT else pytest.mark.long) for form in FORMS]


def fill(queue: Queue, form: str) -> None:
    """What the form is about."""
    if form == "an answer":
        ask(queue, "What is it called?")
    elif form == "a settlement":
        leave_unknown(queue)
    elif form == "an escalation":
        pay(queue, Policy(escalate_after={timedelta(hours=4): "dora"}))
    else:
        queue.add()


async def open_form(desk: Desk, form: str) -> None:
    """By the keys of a hand."""
    keys, shown = FORMS[form]
    for key in keys:
        await desk.press(key)
        # Another list is empty at first, and its keys are dead until its first request is drawn.
        await desk.until(lambda: desk.chosen() is not None and desk.drawn(), "a request to speak of")
        await desk.settled()
    await desk.until_shown(shown)


@pytest.mark.parametrize("form", SOME)
async def test_ctrl_q_in_a_form_with_something_typed_warns_once_for_each_state_of_it(queue: Queue, form: str) -> None:
    fill(queue, form)
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await open_form(desk, form)
        for _ in range(2):
            await desk.type("12")
            desk.app.clear_notifications()
            await desk.press("ctrl+q")
            await desk.until(lambda: "not sent yet. Ctrl-Q again leaves without it." in desk.toasts())
            assert desk.app.is_running
            assert desk.has("12")
            assert len(desk.app.screen_stack) == 3
        await desk.press("ctrl+q")
        await desk.until(lambda: not desk.app.is_running)
    assert queue.gate.stopped() is None


@pytest.mark.parametrize("form", SOME)
async def test_a_form_in_which_nothing_was_typed_is_left_at_once(queue: Queue, form: str) -> None:
    fill(queue, form)
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await open_form(desk, form)
        await desk.press("ctrl+q")
        await desk.until(lambda: not desk.app.is_running)


async def test_a_reason_that_was_kept_is_asked_about_and_one_that_was_sent_is_not(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate) as desk:
        await desk.press("r")
        await desk.until_shown("Reject")
        await desk.type("too mu")
        await desk.press("escape", "q")
        await desk.until(lambda: "not sent yet" in desk.toasts())
        await desk.press("r")
        await desk.until_shown("too mu")
        await desk.type("ch")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "reject")
        await desk.settled()
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)
    assert queue.reason(request_id) == "too much"


async def test_what_was_begun_about_a_call_is_over_once_the_call_is_decided(queue: Queue) -> None:
    queue.add()
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        for key, shown in (("r", "Reject"), ("m", "Answer instead"), ("w", "for how long")):
            await desk.press(key)
            await desk.until_shown(shown)
            await desk.type("4")
            await desk.press("escape")
        await desk.press("a")
        await desk.until_shown("approved by alice")
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)


async def test_who_is_asked_about_what_is_held_is_asked_once(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate, settings=Settings(hold=60)) as desk:
        await desk.press("a")
        await desk.until_shown("1 held")
        await desk.press("ctrl+q")
        await desk.until_shown("can still be undone")
        await desk.press("ctrl+q", "escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
    assert queue.gate.get(request_id).status == "held"


def test_what_is_unsent_is_what_stands_in_the_open_form_and_what_was_kept_of_others() -> None:
    unsent = Unsent()
    reasons, responses = unsent.kind(), unsent.kind()
    stands: list[str | None] = [None]
    reasons.open("one", lambda: stands[0])
    assert unsent.all() == []
    stands[0] = "no"
    before = unsent.all()
    assert len(before) == 1
    stands[0] = "not"
    assert unsent.all() != before
    stands[0] = "no"
    assert unsent.all() == before
    reasons.close("one")
    assert unsent.all() == before
    responses.open("one", lambda: "no")
    responses.close("one")
    assert len(unsent.all()) == 2
    assert unsent.all()[1] not in before, "the same words in another form are other words"
    reasons.open("one", lambda: None)
    assert len(unsent.all()) == 1, "taken out of the form again"
    reasons.close("one")
    assert (reasons.get("one"), responses.get("one")) == (None, "no")
    unsent.decided("one")
    assert unsent.all() == []
