"""Questions as forms, and confirmations: what is picked or typed, checked, confirmed and stored as exactly that."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from textual.widgets import Input, TextArea

from gatekit import Policy, Stage
from gatekit_tui.edit.answer import AnswerScreen
from gatekit_tui.frame.menu import PickList
from tests.corpus_cases import pick
from tests.tui.asking import ask, confirm
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_guard import LONG, Hand
from tests.tui.test_hostile import assert_harmless

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]


class Tuning(BaseModel):
    rate: float = Field(gt=0, description="learning rate")
    epochs: int
    name: str
    note: str | None
    mode: Literal["fast", "careful"]
    force: bool
    layers: list[int]


async def open_form(desk: Desk) -> None:
    await desk.press("a")
    await desk.until(lambda: isinstance(desk.app.screen, AnswerScreen), "the form")
    await desk.until(lambda: desk.app.focused is not None, "the first field")


async def send(desk: Desk) -> None:
    await desk.press("ctrl+s")
    await desk.until_shown("Press a to answer")
    await desk.press("a")


def answer_of(queue: Queue, request_id: str) -> Any:
    return queue.args(request_id)["answer"]


async def test_yes_or_no_has_two_buttons_and_no_default(queue: Queue) -> None:
    request_id = ask(queue, "Deploy now?", bool, name="deploy", details={"version": "2.3"})
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("the agent asks", "│ Deploy now?", "version", "yes or no", "a answer")
        assert not desk.has("e edit")
        assert not desk.has("w allow")
        await open_form(desk)
        await desk.until_shown("( ) yes", "( ) no", "nothing is picked yet")
        await desk.press("ctrl+s")
        await desk.until(lambda: "It is no answer yet" in desk.toasts())
        await desk.press("down")
        await desk.settled()
        assert not desk.has("(•)"), "moving picks nothing"
        await desk.press("space")
        await desk.until_shown("(•) no", "✓ it fits", "answer no")
        await desk.press("ctrl+s")
        await desk.until_shown("Give this answer to deploy?", "answer no")
        await desk.press("enter", "y")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press("a")
        await desk.until_shown("answered by alice")
    assert answer_of(queue, request_id) is False


@pytest.mark.long
async def test_a_text_may_have_lines(queue: Queue) -> None:
    request_id = ask(queue, "Write the apology.\nKeep it short.")
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.until_shown("Write the apology.", "Keep it short.", "nothing is filled in yet")
        await desk.type("sorry")
        await desk.press("enter")
        await desk.type("again")
        await desk.until_shown('answer "sorry\\nagain"')
        await send(desk)
        await desk.until(lambda: queue.verb(request_id) == "answer")
    assert answer_of(queue, request_id) == "sorry\nagain"


@pytest.mark.parametrize(("kind", "typed", "value"), [(int, "-12", -12), (float, "0.5", 0.5)])
async def test_a_number_is_a_number(queue: Queue, kind: Any, typed: str, value: Any) -> None:
    request_id = ask(queue, "How many?", kind)
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.type("x")
        await desk.until_shown("number")
        await desk.press("backspace")
        await desk.type(typed)
        await desk.until_shown("✓ it fits")
        await send(desk)
        await desk.until(lambda: queue.verb(request_id) == "answer")
    assert answer_of(queue, request_id) == value


@pytest.mark.long
async def test_one_of_some_choices(queue: Queue) -> None:
    request_id = ask(queue, "Which region?", choices=("eu", "us", "asia"))
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("one of", "- asia")
        await open_form(desk)
        await desk.press("down", "enter", "down", "space")
        await desk.until_shown("( ) us", "(•) asia", 'answer "asia"')
        await send(desk)
        await desk.until(lambda: queue.verb(request_id) == "answer")
    assert answer_of(queue, request_id) == "asia"


async def test_some_of_many_choices(queue: Queue) -> None:
    request_id = ask(queue, "Skip which?", choices=("a", "b", "c"), many=True)
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.press("end", "space", "home", "space", "down", "space", "space")
        await desk.until_shown("[x] a", "[ ] b", "[x] c", 'answer ["a", "c"]')
        await send(desk)
        await desk.until(lambda: queue.verb(request_id) == "answer")
    assert answer_of(queue, request_id) == ["a", "c"]


@pytest.mark.long
async def test_a_click_picks_a_choice(queue: Queue) -> None:
    ask(queue, "Which region?", choices=("eu", "us"))
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.until_shown("( ) us")
        line = next(number for number, text in enumerate(desk.lines()) if "( ) us" in text)
        await desk.pilot.click(offset=(6, line))
        await desk.until_shown("(•) us", 'answer "us"')


async def fill(desk: Desk, **values: str | int) -> None:
    """Each field by its name, as the form's labels name them."""
    screen = desk.app.screen
    assert isinstance(screen, AnswerScreen)
    for number, field in enumerate(screen._fields):
        if field.name not in values:
            continue
        widget, value = screen.query_one(f"#field-{number}"), values[field.name]
        screen.set_focus(widget)
        if isinstance(widget, PickList):
            widget.go_to(int(value))
            widget.action_pick()
        elif isinstance(widget, Input):
            widget.value = str(value)
        else:
            assert isinstance(widget, TextArea)
            widget.text = str(value)
    await desk.pilot.pause(0.3)


async def test_a_model_has_a_field_for_each_property_and_is_checked_while_it_is_filled_in(queue: Queue) -> None:
    request_id = ask(queue, "Parameters?", Tuning, name="tune")
    async with sit_down(queue.gate, size=(100, 50)) as desk:
        await desk.until_shown("rate: a number (learning rate)", "mode: one of: fast, careful", "force: yes or no")
        await open_form(desk)
        await desk.until_shown(
            "epochs · whole number", "layers · JSON", "note · may be empty", "rate · number · learning"
        )
        await fill(desk, rate="-1", epochs="3", name="x", mode=1, force=0, layers="[1, 2]")
        await desk.until_shown("rate: -1 is less than or equal to the minimum of 0")
        await desk.press("ctrl+s")
        await desk.settled()
        assert isinstance(desk.app.screen, AnswerScreen)
        await fill(desk, rate="0.5", layers='{"a": 1')
        await desk.until_shown("layers: line 1")
        await fill(desk, layers='["x"]')
        await desk.until_shown("layers[0]")
        await fill(desk, layers="[3]")
        await desk.until_shown("✓ it fits", "force yes", "rate 0.5", "note null")
        await desk.press("ctrl+s")
        await desk.until_shown("Give this answer to tune?", 'mode "careful"')
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "answer")
    expected = {"rate": 0.5, "epochs": 3, "name": "x", "note": None, "mode": "careful", "force": True, "layers": [3]}
    assert answer_of(queue, request_id) == expected


@pytest.mark.long
async def test_tab_and_enter_go_from_field_to_field_and_send_nothing(queue: Queue) -> None:
    request_id = ask(queue, "Parameters?", Tuning)
    async with sit_down(queue.gate, size=(80, 24)) as desk:
        await open_form(desk)
        await desk.type("3")
        for _ in Tuning.model_fields:
            await desk.press("tab")
        await desk.type("4")
        await desk.press("enter")
        screen = desk.app.screen
        assert isinstance(screen, AnswerScreen)
        assert screen.query_one("#field-0", Input).value == "34"
    assert queue.verb(request_id) is None


async def test_high_risk_costs_a_word_here_too(queue: Queue) -> None:
    request_id = ask(queue, "Go?", bool, risk="high")
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.press("space", "ctrl+s")
        await desk.until_shown("Type yes")
        await desk.press("a", "enter")
        await desk.settled()
        assert queue.verb(request_id) is None
        await desk.press("backspace")
        await desk.type("yes")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "answer")


@pytest.mark.long
async def test_what_was_filled_in_is_there_again_and_leaving_asks(queue: Queue) -> None:
    ask(queue, "Which region?", choices=("eu", "us"))
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.press("down", "space", "escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        await desk.press("q")
        await desk.until(lambda: "Ctrl-Q again leaves without it" in desk.toasts())
        await open_form(desk)
        await desk.until_shown("( ) eu", "(•) us")


async def test_a_form_that_was_only_looked_at_leaves_no_draft(queue: Queue) -> None:
    ask(queue, "Which region?", choices=("eu", "us"))
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.press("escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)


@pytest.mark.long
async def test_a_question_can_be_rejected(queue: Queue) -> None:
    request_id = ask(queue, "Which region?", choices=("eu", "us"))
    async with sit_down(queue.gate) as desk:
        await desk.press("r")
        await desk.until_shown("Reject ask?")
        await desk.type("none")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "reject")


async def test_a_later_stage_sees_the_answer_and_confirms_it_or_gives_another(queue: Queue) -> None:
    request_id = ask(queue, "Which?", choices=("eu", "us"), policy=Policy(Stage("one", "bob"), Stage("two", "alice")))
    queue.gate.reviewer("bob").answer(queue.gate.get(request_id), "us")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("(answer so far)", '"us"', "✓ one  yes from bob")
        await open_form(desk)
        await desk.until_shown("(•) us")
        await send(desk)
        await desk.until(lambda: queue.gate.get(request_id).status == "answered")
    assert (answer_of(queue, request_id), queue.by(request_id)) == ("us", "human:alice")


@pytest.mark.long
async def test_another_answered_while_the_form_was_open(queue: Queue) -> None:
    request_id = ask(queue, "Which?", choices=("eu", "us"))
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.press("space")
        await desk.until_shown("✓ it fits")
        queue.gate.reviewer("ana").answer(queue.gate.get(request_id), "us")
        await desk.settled()
        await send(desk)
        await desk.until(lambda: "decided elsewhere: answered by ana" in desk.toasts())
        await desk.until_shown("answered by ana")
    assert answer_of(queue, request_id) == "us"


async def test_another_gave_another_answer_to_an_earlier_stage_meanwhile(queue: Queue) -> None:
    policy = Policy(Stage("one"), Stage("two"))
    request_id = ask(queue, "Which?", choices=("eu", "us"), policy=policy)
    async with sit_down(queue.gate) as desk:
        await open_form(desk)
        await desk.press("space")
        queue.gate.reviewer("ana").answer(queue.gate.get(request_id), "us")
        await desk.settled()
        await send(desk)
        await desk.until(lambda: "changed since you looked" in desk.toasts())
    assert (answer_of(queue, request_id), queue.gate.get(request_id).status) == ("us", "pending")


@pytest.mark.long
async def test_the_form_is_dead_right_after_it_opened(queue: Queue) -> None:
    request_id = ask(queue, "Go?", bool)
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        clock.seconds += LONG
        await open_form(desk)
        await desk.press("space", "ctrl+s")
        await desk.until(lambda: "Too soon" in desk.toasts())
        clock.seconds += LONG
        await desk.press("ctrl+s")
        await desk.until_shown("Press a to answer")
        await desk.press("a")
        await desk.settled()
        assert queue.verb(request_id) is None
        clock.seconds += LONG
        await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "answer")


async def test_a_confirmation_looks_like_an_approval_with_prompt_and_details(queue: Queue) -> None:
    request_id = confirm(queue, "Sign off 2.3?", name="release", details={"changes": 12}, risk="high")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("│ Sign off 2.3?", "changes  12", "a approve", "r reject")
        assert not desk.has("e edit")
        await desk.press("e", "w")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
        await desk.press("a")
        await desk.until_shown("Approve release?", "Type yes")
        await desk.type("yes")
        await desk.press("enter")
        await desk.until_shown("approved by alice")
    assert queue.gate.get(request_id).status == "approved" or queue.verb(request_id) == "approve"


@pytest.mark.long
async def test_a_prompt_that_was_not_read_to_its_end_costs_the_name(queue: Queue) -> None:
    confirm(queue, "\n".join(f"line {number}" for number in range(60)), name="release", risk="low")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until_shown("You have not seen all", "Type release")


async def test_hidden_characters_in_a_choice_cost_the_name(queue: Queue) -> None:
    ask(queue, "Which?", choices=("safe\u202eelif", "x"), risk="low", name="region")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("▲ 1 hidden character", "- safe<U+202E>elif")
        await open_form(desk)
        await desk.press("down", "space", "ctrl+s")
        await desk.until_shown("Type region")


class Plan(BaseModel):
    region: str = "eu"
    size: int = 3
    mode: Literal["fast", "careful"] = "careful"
    comment: str = ""
    budget: float


@pytest.mark.long
async def test_what_has_a_default_is_filled_in_and_the_order_is_the_authors(queue: Queue) -> None:
    request_id = ask(queue, "How?", Plan, name="plan")
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await desk.until_shown("region: a text, eu unless you say otherwise", "budget: a number")
        await open_form(desk)
        await desk.until_shown("(•) careful", "budget: nothing is filled in yet")
        text = desk.text()
        assert sorted(Plan.model_fields, key=text.index) == list(Plan.model_fields)
        await desk.press("escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        await desk.press("q")
        assert not desk.toasts(), "what was filled in by itself is no draft"
    assert queue.verb(request_id) is None


async def test_an_answer_holds_the_defaults_that_were_left(queue: Queue) -> None:
    request_id = ask(queue, "How?", Plan, name="plan")
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await open_form(desk)
        await fill(desk, budget="2.5", size="4")
        await desk.until_shown("✓ it fits", "region", '"eu"')
        await send(desk)
        await desk.until_shown("answered by alice")
    assert answer_of(queue, request_id) == {
        "region": "eu", "size": 4, "mode": "careful", "comment": "", "budget": 2.5
    }  # fmt: skip


@pytest.mark.long
@pytest.mark.sweep
@pytest.mark.parametrize("category", ["terminal", "markup", "unicode"])
async def test_foreign_text_in_a_question_is_harmless(queue: Queue, category: str) -> None:
    texts = list(dict.fromkeys(case.payload for case in pick(category) if case.py is None and case.payload.strip()))
    texts = [text[:200] for text in texts]
    whole = " ".join(texts)[:1900]
    ask(queue, whole, choices=tuple(dict.fromkeys(texts)), details={whole: whole}, name=whole.replace("\0", "")[:150])
    async with sit_down(queue.gate, size=(120, 60)) as desk:
        assert_harmless(desk)
        await open_form(desk)
        assert_harmless(desk)
        await desk.press("space")
        await desk.until_shown("✓ it fits")
        assert_harmless(desk)
        await desk.press("ctrl+s")
        await desk.until_shown("Give this answer")
        assert_harmless(desk)


async def test_foreign_text_in_a_form_is_harmless(queue: Queue) -> None:
    from pydantic import create_model

    evil = "x\x1b[2J[/]\u202e"
    fields: dict[str, Any] = {"a": (str, Field(alias=evil, description=evil)), "b": (Literal[evil, "y"], ...)}  # type: ignore[valid-type]
    ask(queue, "?", create_model("M", **fields), policy=Policy(Stage("one", "alice"), Stage("two", "bob")))
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await open_form(desk)
        await desk.until_shown("x␛[2J[/]<U+202E>")
        assert_harmless(desk)
        await fill(desk, b=0)
        assert_harmless(desk)


@pytest.mark.long
async def test_a_hostile_answer_so_far_is_seen_and_not_typed_into_a_field(queue: Queue) -> None:
    evil = "eu\x1b[>q\u202e"
    request_id = ask(queue, "Which?", policy=Policy(Stage("one", "bob"), Stage("two", "alice")))
    queue.gate.reviewer("bob").answer(queue.gate.get(request_id), evil)
    async with sit_down(queue.gate, size=(100, 40)) as desk:
        await desk.until_shown("eu␛[>q<U+202E>")
        assert_harmless(desk)
        await open_form(desk)
        assert_harmless(desk)
        assert desk.app.screen.query_one(TextArea).text == ""


async def test_a_question_of_nothing_but_a_mark_is_shown(queue: Queue) -> None:
    request_id = ask(queue, "\u0abe", bool)
    async with sit_down(queue.gate) as desk:
        await desk.until(lambda: desk.detail.study and desk.detail.study.request.id == request_id)
        await desk.until_shown("the agent asks", "the answer")
