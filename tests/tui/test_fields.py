"""What is typed into a form, read as JSON; and what is chosen for a permission, read and said in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import visible
from gatekit_tui.decide.lasting import (
    Draft,
    Permit,
    Wish,
    demand_words,
    hows_for,
    permit_lines,
    read_permit,
    read_span,
    span_words,
)
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.fields import (
    MOST_FIELDS,
    WHOLE,
    Field,
    FormError,
    Raw,
    fields_of,
    read_form,
    takes,
    write_form,
)


def asked(answer: Any, **defs: Any) -> tuple[Field, ...]:
    return fields_of({"type": "object", "properties": {"answer": answer, "prompt": {"type": "string"}}, "$defs": defs})


def form(**properties: Any) -> tuple[Field, ...]:
    return asked({"$ref": "#/$defs/F"}, F={"type": "object", "properties": properties})


def test_each_simple_type_is_one_field() -> None:
    assert asked({"type": "boolean"}) == (Field(WHOLE, "one", (True, False)),)
    assert asked({"type": "string"}) == (Field(WHOLE, "text"),)
    assert asked({"type": "integer"}) == (Field(WHOLE, "integer"),)
    assert asked({"type": "number"}) == (Field(WHOLE, "number"),)
    assert asked({"enum": ["eu", "us"], "type": "string"}) == (Field(WHOLE, "one", ("eu", "us")),)
    some = {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}
    assert asked(some) == (Field(WHOLE, "many", ("a", "b")),)


def test_a_model_is_a_field_for_each_property_and_what_is_nested_is_json() -> None:
    fields = form(
        lr={"type": "number", "description": "learning rate"},
        mode={"$ref": "#/$defs/F/none", "enum": ["a"]},
        note={"anyOf": [{"type": "string"}, {"type": "null"}]},
        flag={"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        tags={"type": "array", "items": {"type": "string"}},
        either={"anyOf": [{"type": "string"}, {"type": "integer"}]},
        one={"const": 3},
    )
    by_name = {field.name: field for field in fields}
    assert by_name["lr"] == Field("lr", "number", note="learning rate")
    assert by_name["mode"].kind == "json", "a reference that leads nowhere is no reason to fail"
    assert by_name["note"] == Field("note", "text", nullable=True)
    assert by_name["flag"] == Field("flag", "one", (True, False, None))
    assert by_name["tags"].kind == by_name["either"].kind == "json"
    assert by_name["one"] == Field("one", "one", (3,))


def test_a_form_that_would_cost_too_many_widgets_is_one_field_of_json() -> None:
    (field,) = form(**{f"f{number}": {"type": "string"} for number in range(MOST_FIELDS + 1)})
    assert (field.name, field.kind) == (WHOLE, "json")


@pytest.mark.parametrize("answer", [{}, True, None, {"anyOf": []}, {"$ref": "#/$defs/F"}, {"enum": "no list"}])
def test_a_schema_that_says_nothing_is_a_field_of_json(answer: Any) -> None:
    assert [field.kind for field in asked(answer, F={"$ref": "#/$defs/F"})] == ["json"]


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        (Field("x", "text"), " as it is ", " as it is "),
        (Field("x", "text", nullable=True), "", None),
        (Field("x", "integer"), " -07 ", -7),
        (Field("x", "integer"), "9" * 30, int("9" * 30)),
        (Field("x", "number"), "1e3", 1000.0),
        (Field("x", "number"), "5", 5),
        (Field("x", "one", (True, False)), (1,), False),
        (Field("x", "one", (True, None)), (1,), None),
        (Field("x", "many", ("a", "b")), (), []),
        (Field("x", "many", ("a", "b")), (0, 1), ["a", "b"]),
        (Field("x", "json"), '{"a": [1]}', {"a": [1]}),
    ],
)
def test_what_is_typed_is_read_as_its_type(field: Field, raw: Raw, value: Any) -> None:
    read = read_form((field,), {"x": raw})["x"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "raw", "told"),
    [
        (Field("x", "text"), "  ", "nothing is filled in"),
        (Field("x", "integer"), "1.0", "a whole number"),
        (Field("x", "integer"), "٣", "a whole number"),
        (Field("x", "number"), "NaN", "a number"),
        (Field("x", "number"), "true", "a number"),
        (Field("x", "number"), '"5"', "a number"),
        (Field("x", "number"), "1,5", "a number"),
        (Field("x", "one", ("a",)), (), "nothing is picked"),
        (Field("x", "json"), '{"a": 1, "a": 2}', "there twice"),
        (Field("x", "json"), "Infinity", "not a JSON number"),
    ],
)
def test_what_is_no_answer_is_told_with_its_field(field: Field, raw: Raw, told: str) -> None:
    with pytest.raises(FormError) as caught:
        read_form((field,), {"x": raw})
    (error,) = caught.value.errors
    assert error.startswith("x: ")
    assert told in error


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(FormError) as caught:
        read_form((Field("x", "text"), Field("y", "one", ("a",)), Field("z", "json")), {"z": "1"})
    assert len(caught.value.errors) == 2


FIELDS = (
    Field("t", "text"),
    Field("i", "integer"),
    Field("n", "number", nullable=True),
    Field("b", "one", (True, False)),
    Field("m", "many", ("a", "b", "c")),
    Field("j", "json"),
)
VALUES = st.fixed_dictionaries(
    {
        "t": st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1),
        "i": st.integers(),
        "n": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "b": st.booleans(),
        "m": st.sets(st.sampled_from("abc")).map(sorted),
        "j": st.dictionaries(st.text(), st.integers() | st.booleans() | st.text()),
    }
)


@given(VALUES)
def test_an_answer_that_was_given_is_in_the_fields_as_it_was(value: dict[str, Any]) -> None:
    assert read_form(FIELDS, write_form(FIELDS, value)) == value


@given(st.text(min_size=1))
def test_a_field_never_holds_a_text_that_is_not_what_it_seems(text: str) -> None:
    written = write_form((Field("t", "text"),), {"t": text})["t"]
    assert written == "" or (written == text and visible(text) == (text, 0))


def test_what_an_answer_takes_is_said_for_each_field_and_choice() -> None:
    assert takes(asked({"type": "boolean"})) == ["yes or no"]
    assert takes(asked({"enum": ["eu", 3]})) == ["one of", "- eu", "- 3"]
    fields = form(lr={"type": "number", "description": "rate"}, mode={"enum": ["a", "b"]})
    assert takes(fields) == ["lr: a number (rate)", "mode: one of: a, b"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("1h30m", 5400),
        (" 2 D ", 172800),
        ("0m", None),
        ("", None),
        ("1", None),
        ("h", None),
        ("-1h", None),
        ("1h x", None),
        ("٣m", None),
    ],
)
def test_a_span_is_read_with_its_units(text: str, seconds: int | None) -> None:
    assert read_span(text) == seconds


def test_a_span_is_said_in_words() -> None:
    assert span_words(90061) == "1 day 1 hour 1 minute 1 second"
    assert span_words(7200) == "2 hours"


def test_what_an_argument_can_be_limited_to_follows_its_value() -> None:
    assert hows_for("x") == ("exactly", "pattern", "anything")
    assert hows_for(3) == hows_for(1.5) == ("exactly", "bound", "anything")
    assert hows_for(True) == hows_for(None) == hows_for([1]) == ("exactly", "anything")


ARGS = {"path": "/srv/a", "size": 12, "force": False}


def test_a_draft_is_read_as_the_options_of_allow() -> None:
    wishes = {
        "path": Wish("pattern", "/srv/*"),
        "size": Wish("bound", high="100"),
        "force": Wish("exactly", "left over", "1"),
    }
    permit = read_permit(Draft("1h", "3", "all", wishes), ARGS)
    assert permit == Permit(3600, 3, {"path": "/srv/*", "size": {"at_most": Decimal(100)}}, "all")
    assert isinstance(permit, Permit)
    assert text(permit_lines(permit, "write", "agent:x", None, ARGS)) == (
        "approves this call, and then without asking every call\n"
        "of write of any agent, for 1 hour, for 3 more calls, whichever ends first, where\n"
        "  path is like /srv/*\n"
        "  size is at most 100\n"
        "  force is exactly false"
    )


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (Draft(), "a permission has an end"),
        (Draft("soon"), "for how long"),
        (Draft("0m"), "for how long"),
        (Draft("", "0"), "how many calls"),
        (Draft("", "-1"), "how many calls"),
        (Draft("1h", "", "agent", {"path": Wish("pattern", "/srv/a")}), "path: a pattern holds"),
        (Draft("1h", "", "agent", {"size": Wish("bound")}), "size: give the least"),
        (Draft("1h", "", "agent", {"size": Wish("bound", low="x")}), "size: 'x' is not a number"),
        (Draft("1h", "", "agent", {"size": Wish("bound", low="NaN")}), "size: 'NaN' is not a number"),
        (Draft("1h", "", "agent", {"size": Wish("bound", high="11")}), "size: this call has 12"),
        (Draft("1h", "", "agent", {"size": Wish("bound", low="13")}), "size: this call has 12"),
    ],
)
def test_what_is_no_permission_is_told(draft: Draft, told: str) -> None:
    errors = read_permit(draft, ARGS)
    assert not isinstance(errors, Permit)
    assert any(told in error for error in errors), errors


def test_what_may_vary_is_said_first() -> None:
    args = {f"a{number}": 0 for number in range(20)}
    permit = read_permit(Draft("", "1", "agent", {"a19": Wish("anything")}), args)
    assert isinstance(permit, Permit)
    lines = permit_lines(permit, "t", "agent:x", None, args)
    assert text(lines).splitlines()[2] == "  a19 is anything at all"
    assert ("is anything at all", "warn") in lines[2]


@pytest.mark.parametrize("demand", [{"is": "\x1b[2J"}, {"glob": "\x1b*"}, {"at_most": "\x1b"}, {"is": {"\x9b": 1}}])
def test_the_words_of_a_scope_are_harmless(demand: dict[str, Any]) -> None:
    assert visible(demand_words(demand)[0])[1] == 0


def test_a_run_and_an_agent_are_named_harmlessly() -> None:
    for within, whose in (("run", "in the run r␛7"), ("agent", "of agent:␛")):
        permit = Permit(60, None, {}, within)  # type: ignore[arg-type]
        assert whose in text(permit_lines(permit, "t", "agent:\x1b", "r\x1b7", {}))


def text(lines: list[Inked]) -> str:
    return "\n".join("".join(part for part, _ in line) for line in lines)
