"""`draw_arguments()`: what is drawn can be read back, what is left out is said, and nothing poses as ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import Line, draw_arguments, visible

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
arguments = st.dictionaries(st.text(), values, max_size=5)


def shown(args: object, limit: int | None = None) -> list[str]:
    lines = draw_arguments(args, limit=limit).lines
    return [f"{line.path} = {line.text}" if line.path else line.text for line in lines]


def test_each_leaf_is_a_line_with_its_whole_path() -> None:
    args = {"to": ["a", "b"], "who": {"first name": "x", "age": 5}, "ok": True, "none": None, "rest": {}}
    assert shown(args) == [
        'to[0] = "a"',
        'to[1] = "b"',
        'who["first name"] = "x"',
        "who.age = 5",
        "ok = true",
        "none = null",
        "rest = {}",
    ]


def test_a_text_of_several_lines_is_broken_where_it_breaks() -> None:
    assert draw_arguments({"body": "Hi\n\nbye"}).lines == (
        Line("body", '"Hi\\n', "string"),
        Line("", "\\n", "string"),
        Line("", 'bye"', "string"),
    )


def test_a_text_cannot_pose_as_the_end_of_itself() -> None:
    assert shown({"a": 'x", "force": "no'}) == ['a = "x\\", \\"force\\": \\"no"']
    assert shown({"a": "x\\n\t"}) == ['a = "x\\\\n\\t"']


def test_a_number_in_quotes_and_a_number_do_not_look_alike() -> None:
    assert shown({"a": "1", "b": 1, "c": 1.0}) == ['a = "1"', "b = 1", "c = 1.0"]


def test_no_arguments_are_said_to_be_none() -> None:
    drawing = draw_arguments({})
    assert shown({}) == ["none"]
    assert drawing.shown_all


def test_a_redacted_value_shows_neither_salt_nor_hash() -> None:
    marker = {"$gatekit": "redacted", "salt": "5a17", "sha256": "ab12"}
    drawing = draw_arguments({"token": marker})
    assert [line.kind for line in drawing.lines] == ["redacted"]
    assert "5a17" not in drawing.lines[0].text
    assert "ab12" not in drawing.lines[0].text


def test_what_is_left_out_is_counted_and_said() -> None:
    drawing = draw_arguments({"a": "x" * 50, "b": 1, "c": "z"}, limit=20)
    assert [line.text for line in drawing.lines] == [
        '"' + "x" * 20,
        "… 30 more characters",
        "… 2 more values not shown",
    ]
    assert drawing.cut == 30 + 2 + 2
    assert not drawing.shown_all


def test_the_last_of_five_thousand_names_is_drawn_or_said_to_be_missing() -> None:
    args = {**{f"k{number}": 0 for number in range(5000)}, "zz_force": True}
    assert shown(args)[-1] == "zz_force = true"
    assert "more values not shown" in shown(args, limit=1000)[-1]


def test_a_tail_behind_blanks_is_warned_of_even_where_it_is_cut() -> None:
    args = {"cmd": "ls" + " " * 100_000 + "; rm -rf /"}
    for limit in (None, 100):
        assert draw_arguments(args, limit=limit).warnings == (
            "cmd: 100,000 blanks in a row, with more text behind them",
        )


def test_hidden_characters_count_in_names_and_in_what_is_cut() -> None:
    args = {"a\u200b": {"x": 1, "y": 2}, "b": "\u202e" * 3}
    assert draw_arguments(args).hidden == 4
    assert draw_arguments(args, limit=0).hidden == 4


def test_a_blank_name_and_a_name_that_deceives_are_flagged() -> None:
    warnings = draw_arguments({"   ": 1, "": 2, "am\u043eunt": 3}).warnings
    assert warnings[:2] == ('["   "]: its name is blank', '[""]: its name is blank')
    assert "its name: “am\u043eunt” mixes CYRILLIC and LATIN" in warnings[2]


def test_a_flood_of_warnings_is_counted_not_listed() -> None:
    warnings = draw_arguments({f"k{n}": "p\u0430y" for n in range(500)}).warnings
    assert len(warnings) == 7
    assert warnings[-1] == "494 more warnings"


@given(arguments)
def test_no_drawn_line_can_do_or_hide_anything(args: dict[str, Any]) -> None:
    for line in draw_arguments(args).lines:
        assert visible(line.text) == (line.text, 0)
        assert visible(line.path) == (line.path, 0)


@given(arguments)
def test_a_drawing_without_a_limit_shows_all_of_it(args: dict[str, Any]) -> None:
    drawing = draw_arguments(args)
    assert drawing.shown_all
    assert not any(line.kind == "more" for line in drawing.lines)


@given(st.dictionaries(st.text(), st.text(st.characters(min_codepoint=32, max_codepoint=126)), min_size=1))
def test_a_drawn_string_reads_back_as_the_stored_one(args: dict[str, str]) -> None:
    drawn = [json.loads(line.text) for line in draw_arguments(args).lines]
    assert drawn == list(args.values())


@given(arguments, st.integers(0, 200))
def test_a_limit_bounds_what_is_drawn(args: dict[str, Any], limit: int) -> None:
    drawing = draw_arguments(args, limit=limit)
    drawn = sum(len(line.text) for line in drawing.lines if line.kind != "more")
    assert drawn <= 10 * limit + 60
    assert drawing.shown_all == (not any(line.kind == "more" for line in drawing.lines))


@pytest.mark.parametrize("depth", [10, 60])
def test_deep_values_keep_their_whole_path(depth: int) -> None:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"d": value}
    assert shown(value) == [".".join("d" * depth) + " = {}"]
