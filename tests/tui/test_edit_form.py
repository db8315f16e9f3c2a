"""Edit by form: one field for each argument over the same draft as the JSON, and no value changed by the way."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input, TextArea

from gatekit import gated_step
from gatekit.errors import StoreError
from gatekit_tui.edit import checked
from gatekit_tui.edit.args_form import LONGEST, MOST_FIELDS, ArgsForm, NoForm, form_of, read_args, text_of
from gatekit_tui.edit.begun import Begun
from gatekit_tui.edit.edit import EditScreen
from gatekit_tui.frame.menu import PickList
from gatekit_tui.request.draft import DraftError, read_draft, write_draft
from gatekit_tui.request.fields import Field, FormError
from tests.corpus_cases import pick
from tests.tui.asking import made_by
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_edit import JSON
from tests.tui.test_hostile import assert_harmless

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "to": {"type": "string"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "count": {"type": "integer"},
        "rate": {"type": "number"},
        "mode": {"enum": ["fast", "careful"]},
        "force": {"type": "boolean"},
        "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True},
        "more": {},
    },
}
ARGS: dict[str, Any] = {
    "to": "bob",
    "note": None,
    "count": 12345678901234567890123,
    "rate": 1.10,
    "mode": "fast",
    "force": False,
    "tags": ["a", "c"],
    "more": {"x": [1.0, {}]},
}
WORDS = [
    "type", "properties", "$defs", "$ref", "anyOf", "enum", "const", "items", "uniqueItems", "description", "default",
    "a", "b",
]  # fmt: skip


def kinds(args: Any, schema: Any = SCHEMA) -> dict[str, str]:
    return {field.name: field.kind for field in form_of(schema, args).fields}


def exactly(args: dict[str, Any]) -> str:
    """Equal only for the same values of the same types, in the same order."""
    return json.dumps(args)


# -- from arguments to fields and back


def test_each_argument_has_the_field_of_its_type() -> None:
    assert kinds(ARGS) == {
        "to": "text",
        "note": "text",
        "count": "integer",
        "rate": "number",
        "mode": "one",
        "force": "one",
        "tags": "many",
        "more": "json",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("to", "a\u202eb"),
        ("to", "a\tb"),
        ("to", "a\r\nb"),
        ("to", "\x7f"),
        ("to", 5),
        ("to", None),
        ("note", ""),
        ("count", 5.0),
        ("count", True),
        ("count", "5"),
        ("rate", "1.10"),
        ("mode", "faster"),
        ("force", 0),
        ("tags", ["c", "a"]),
        ("tags", ["a", "a"]),
        ("tags", "a"),
        ("to", {"$gatekit": "redacted"}),
    ],
)
def test_a_value_that_its_field_could_not_show_exactly_is_a_field_of_json(name: str, value: Any) -> None:
    form = form_of(SCHEMA, ARGS | {name: value})
    assert kinds(ARGS | {name: value})[name] == "json"
    raw = form.raw[name]
    assert isinstance(raw, str)
    assert raw.isprintable() or "\n" in raw
    assert exactly(json.loads(raw)) == exactly(value)


def test_a_text_of_several_lines_has_a_field_of_several_lines() -> None:
    assert kinds({"to": "a\nb"})["to"] == "lines"
    form = form_of(SCHEMA, {"to": "a\nb"})
    assert read_args(form, form.raw | {"to": "a\nc\n"})["to"] == "a\nc\n"


@given(
    st.dictionaries(st.sampled_from([*ARGS, "another", "\x1b", "[/]"]), JSON, max_size=6)
    | st.fixed_dictionaries({name: st.just(value) | JSON for name, value in ARGS.items()})
)
def test_what_is_not_touched_keeps_its_exact_value(args: dict[str, Any]) -> None:
    form = form_of(SCHEMA, args)
    assert exactly(read_args(form, form.raw)) == exactly(args)
    assert text_of(form, form.raw) == write_draft(args)
    touched = form.raw | {"to": "else"}
    if next(field for field in form.fields if field.name == "to").kind == "text":
        assert exactly(read_args(form, touched)) == exactly(args | {"to": "else"})
        assert exactly(read_draft(text_of(form, touched))) == exactly(args | {"to": "else"})


def changed(**raw: Any) -> dict[str, Any]:
    form = form_of(SCHEMA, ARGS)
    return read_args(form, form.raw | raw)


def test_what_is_typed_keeps_the_type_of_its_argument() -> None:
    assert exactly(changed(count="7", rate="2", to="5")) == exactly(ARGS | {"count": 7, "rate": 2, "to": "5"})
    assert exactly(changed(rate="2.50", mode=(1,), force=(0,))) == exactly(
        ARGS | {"rate": 2.5, "mode": "careful", "force": True}
    )
    assert exactly(changed(tags=(), more="null", note="x")) == exactly(ARGS | {"tags": [], "more": None, "note": "x"})
    assert exactly(changed(to="")) == exactly(ARGS | {"to": ""})
    assert exactly(changed(to="  ")) == exactly(ARGS | {"to": "  "})


def test_what_is_emptied_is_null_where_that_may_be_and_a_number_is_missed() -> None:
    form = form_of(SCHEMA, ARGS | {"note": "x"})
    assert read_args(form, form.raw | {"note": ""})["note"] is None
    with pytest.raises(FormError) as caught:
        read_args(form, form.raw | {"count": " ", "rate": "1,5", "mode": (), "more": "{"})
    assert [error.partition(": ")[0] for error in caught.value.errors] == ["count", "rate", "mode", "more"]


def test_an_argument_that_was_not_given_stays_out_until_it_is_filled_in() -> None:
    form = form_of(SCHEMA, {"to": "bob"})
    assert read_args(form, form.raw) == {"to": "bob"}
    assert read_args(form, form.raw | {"count": "3", "force": (1,)}) == {"to": "bob", "count": 3, "force": False}


def test_a_draft_that_cannot_be_read_yet_is_no_json_but_keeps_what_was_typed() -> None:
    form = form_of(SCHEMA, ARGS)
    for typed in ('5, "admin": true', "1.5", "null", "5}", "x\u202e", ""):
        text = text_of(form, form.raw | {"count": typed, "to": "eve"})
        shown = typed.replace("\u202e", "\\u202e")
        assert f'"count": <{shown}>' in text
        assert '"to": "eve"' in text
        assert text.isascii()
        with pytest.raises(DraftError):
            read_draft(text)


@pytest.mark.parametrize(
    ("schema", "args", "why"),
    [
        ({}, {}, "no arguments"),
        ({"properties": []}, {}, "no arguments"),
        ({}, {"a": 1}, "nested"),
        ({"properties": {f"a{number}": {"type": "string"} for number in range(MOST_FIELDS + 1)}}, {}, "too many"),
        (SCHEMA, {"to": "x" * (LONGEST + 1)}, "to is too long"),
        (SCHEMA, {"": 1}, "empty name"),
    ],
)
def test_what_makes_no_good_form_says_why(schema: Any, args: Any, why: str) -> None:
    with pytest.raises(NoForm, match=why):
        form_of(schema, args)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null", "#/$defs/a", "a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(WORDS), ANY, max_size=4), ANY, st.dictionaries(st.sampled_from("ab"), JSON))
def test_no_schema_of_a_tool_can_break_a_form(whole: Any, properties: Any, args: dict[str, Any]) -> None:
    for schema in (whole, {**whole, "properties": properties}, {"properties": {"a": properties}, "$defs": whole}):
        try:
            form = form_of(schema, args)
        except NoForm:
            continue
        assert exactly(read_args(form, form.raw)) == exactly(args)


@pytest.mark.parametrize(
    "choices", [[1, float("nan")], ["1", 1], [True, "yes"], ["a\u202e", "a<U+202E>"], list(range(201))]
)
def test_choices_that_look_the_same_or_never_end_are_typed_as_json(choices: list[Any]) -> None:
    schema = {"properties": {"a": {"enum": choices}, "b": {"type": "string"}}}
    assert kinds({"a": choices[0]}, schema) == {"a": "json", "b": "text"}


def test_a_number_beyond_all_floats_is_refused() -> None:
    with pytest.raises(DraftError, match="larger than a number can be"):
        read_draft('{"a": 1e400}')


# -- on the screen


class Editing:
    """The editor over a call, opened by hand, and what it gave."""

    def __init__(self, desk: Desk, screen: EditScreen) -> None:
        self.desk = desk
        self.screen = screen
        self.given: list[dict[str, Any] | None] = []

    @property
    def form(self) -> ArgsForm:
        form = self.screen._views._form
        assert form is not None
        return form[0]

    async def fill(self, **values: Any) -> None:
        for number, field in enumerate(self.form.fields):
            if field.name in values:
                self._put(f"#field-{number}", values[field.name])
        await self.desk.pilot.pause(0.3)

    def _put(self, place: str, value: Any) -> None:
        widget = self.screen.query_one(place)
        if isinstance(widget, PickList):
            widget.go_to(value)
            widget.action_pick()
        elif isinstance(widget, Input):
            widget.value = value
        else:
            assert isinstance(widget, TextArea)
            widget.text = value


def send(queue: Queue, **args: Any) -> str:
    @gated_step(gate=queue.gate, name="send", wait=0, on_suspend="return", risk="low")
    def step(
        to: str, count: int = 3, mode: Literal["fast", "careful"] = "fast", note: str | None = None, more: Any = None
    ) -> str:
        return "sent"

    return made_by(queue, lambda: step(**args))


@asynccontextmanager
async def editing(
    queue: Queue,
    request_id: str,
    *,
    size: tuple[int, int] = (100, 40),
    draft: str | None = None,
    schema: Any = ...,
    clock: Callable[[], float] | None = None,
) -> AsyncGenerator[Editing]:
    """As the dashboard opens it; `schema` instead of the call's own."""
    async with sit_down(queue.gate, size=size, clock=clock) as desk:
        study = desk.detail.study
        assert study is not None
        request = queue.gate.get(request_id)

        async def read() -> Any:
            return await queue.gate.aio.schema(request)

        async def check(args: dict[str, Any]) -> Any:
            return await queue.gate.aio.check_edit(request, args, replace=True)

        screen = EditScreen(
            study,
            None if draft is None else Begun(draft, request.version),
            check,
            shown_all=True,
            schema=read if schema is ... else schema,
        )
        editor = Editing(desk, screen)
        desk.app.push_screen(screen, editor.given.append)
        await desk.until_shown("✓" if draft is None else "[JSON]")
        yield editor


@pytest.mark.anyio
async def test_a_form_is_filled_in_checked_and_approved_as_exactly_that(queue: Queue) -> None:
    request_id = send(queue, to="bob", count=2**60)
    async with editing(queue, request_id) as editor:
        desk = editor.desk
        await desk.until_shown("[Form]  JSON", "count · whole number", "(•) fast", "note · may be empty")
        await editor.fill(count="x")
        await desk.until_shown("✗ count: it takes a whole number")
        await desk.press("ctrl+s")
        await desk.until(lambda: "does not fit" in desk.toasts())
        await editor.fill(count="7", mode=1, note="hi")
        await desk.until_shown("✓ fits send, 3 changes", f"~ count {2**60} → 7", '~ note null → "hi"', '→ "careful"')
        await desk.press("ctrl+s")
        await desk.until_shown("with these changes?")
        await desk.press("enter")
        await desk.settled()
        assert not editor.given
        await desk.press("a")
        await desk.until(lambda: editor.given)
    assert editor.given == [{"to": "bob", "count": 7, "mode": "careful", "note": "hi", "more": None}]
    assert type((editor.given[0] or {})["count"]) is int


@pytest.mark.anyio
@pytest.mark.sweep
async def test_switching_keeps_what_was_typed_and_what_is_no_json_stays_in_its_text(queue: Queue) -> None:
    async with editing(queue, send(queue, to="a\u202eb", more={"x": 1.0})) as editor:
        desk = editor.desk
        await desk.until_shown("[Form]", '"a\\u202eb"', "^t form/JSON", "^e $EDITOR")
        await editor.fill(count="8")
        await desk.press("ctrl+t")
        await desk.until_shown("[JSON]", '"count": 8', '"x": 1.0', '"a\\u202eb"', "~ count 3 → 8")
        area = editor.screen.query_one("#draft", TextArea)
        area.text = '{"to": "c", "count": 9, "mode": "fast", "note": null, "more": 1'
        await desk.press("ctrl+t")
        await desk.until(lambda: "has to be read before" in desk.toasts())
        assert desk.has("[JSON]", '"count": 9')
        area.text += "}"
        await desk.press("ctrl+t")
        await desk.until_shown("[Form]", "~ count 3 → 9")
        assert editor.form.raw["to"] == "c"
        await desk.press("ctrl+t")
        await desk.until_shown('{"to": "c", "count": 9')
        await desk.press("ctrl+t", "ctrl+r")
        await desk.until_shown("[Form]", "nothing changed")
        assert editor.screen.unsent is None
        await editor.fill(count="2x")
        await desk.press("ctrl+t")
        await desk.until_shown("[JSON]", '"count": <2x>', "✗")


@pytest.mark.anyio
@pytest.mark.sweep
async def test_a_form_that_cannot_be_read_is_kept_as_a_draft_and_opens_as_its_text(queue: Queue) -> None:
    request_id = send(queue, to="bob")
    async with editing(queue, request_id) as editor:
        await editor.desk.until_shown("[Form]")
        await editor.fill(count="2x", to="eve")
        editor.desk.hit("escape")
        await editor.desk.until(lambda: editor.given)
        begun = editor.screen.unsent
    assert begun is not None
    assert '"count": <2x>' in begun.draft
    async with editing(queue, request_id, draft=begun.draft) as editor:
        await editor.desk.until_shown("[JSON]", "<2x>", '"eve"', "✗")


@pytest.mark.anyio
async def test_an_edit_that_is_not_drawn_whole_costs_the_name(queue: Queue) -> None:
    request_id = send(queue, to="bob")
    args = {**queue.args(request_id), "to": "x" * 30_000}
    async with editing(queue, request_id, draft=write_draft(args)) as editor:
        await editor.desk.until_shown("1 change")
        await editor.desk.press("ctrl+s")
        await editor.desk.until_shown("Type send")
    assert not editor.given


@pytest.mark.anyio
@pytest.mark.sweep
async def test_what_is_sent_right_behind_the_last_letter_is_not_lost_to_the_look_at_it(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "DEBOUNCE", 0.4)
    async with editing(queue, send(queue, to="bob")) as editor:
        await editor.desk.until_shown("[Form]")
        judge, looks, free = editor.screen.judge, 0, anyio.Event()

        async def slow() -> Any:
            nonlocal looks
            looks += 1
            await free.wait()
            return await judge()

        monkeypatch.setattr(editor.screen, "judge", slow)
        editor.screen.query_one(Input).value = "7"
        await editor.desk.pilot.pause()
        editor.desk.hit("ctrl+s")
        await editor.desk.until(lambda: looks)
        await editor.desk.pilot.pause(1.5 * checked.DEBOUNCE)
        free.set()
        await editor.desk.until_shown("with these changes?", "count 3 → 7")


@pytest.mark.anyio
async def test_the_last_key_before_escape_is_in_the_draft(queue: Queue) -> None:
    async with editing(queue, send(queue, to="bob")) as editor:
        await editor.desk.until_shown("[Form]")
        for key in (*"by", "escape"):
            editor.desk.hit(key)
        await editor.desk.until(lambda: editor.given)
    begun = editor.screen.unsent
    assert begun is not None
    assert '"count": <3by>' in begun.draft


@pytest.mark.anyio
@pytest.mark.sweep
async def test_a_click_on_the_other_name_switches_and_one_beside_them_does_not(queue: Queue) -> None:
    async with editing(queue, send(queue, to="bob")) as editor:
        desk = editor.desk
        await desk.until_shown("[Form]")
        line = next(number for number, row in enumerate(desk.lines()) if "[Form]" in row)
        for column, shown in ((2, "[Form]"), (40, "[Form]"), (10, "[JSON]"), (10, "[JSON]"), (2, "[Form]")):
            await desk.pilot.click(offset=(column, line))
            await desk.settled()
            assert desk.has(shown), (column, shown)


@pytest.mark.anyio
@pytest.mark.sweep
async def test_without_a_form_the_text_says_why_and_stays(queue: Queue) -> None:
    async def fails() -> Any:
        raise StoreError("no \x1b[2J such queue")

    for schema, told in ((None, "nothing says"), (fails, "no ␛[2J such queue")):
        async with editing(queue, send(queue, to="bob"), schema=schema) as editor:
            await editor.desk.press("ctrl+t")
            await editor.desk.until(lambda: told in editor.desk.toasts())  # noqa: B023
            assert editor.desk.has("[JSON]", '"bob"')
            assert_harmless(editor.desk)


@pytest.mark.anyio
@pytest.mark.sweep
async def test_every_text_of_the_corpus_is_harmless_in_both_views(queue: Queue) -> None:
    texts = [case.payload for case in pick("terminal", "markup", "unicode") if isinstance(case.payload, str)]
    evil = "".join(texts)
    schema = {
        "properties": {
            evil: {"type": "string", "description": evil},
            "to": {"type": "string"},
            "mode": {"enum": [evil, *texts[:5]], "description": evil},
        }
    }

    async def read() -> Any:
        return schema

    async with editing(queue, send(queue, to=evil, more={evil: evil}), size=(250, 90), schema=read) as editor:
        desk = editor.desk
        await desk.until_shown("[Form]")
        assert_harmless(desk)
        await editor.fill(to=json.dumps(evil + "!"))
        assert_harmless(desk)
        await desk.press("ctrl+t")
        await desk.until_shown("[JSON]")
        await desk.pilot.pause(0.3)
        assert_harmless(desk)


def test_a_field_says_nothing_of_a_value_it_does_not_hold() -> None:
    form = form_of(SCHEMA, {"mode": "faster", "force": 1})
    assert Field("mode", "json") in form.fields
    assert Field("force", "json") in form.fields
