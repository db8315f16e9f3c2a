"""What has to hold for all JSON values, not only for those that somebody thought of."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatekit.arguments.canonical import canonical, digest_of
from gatekit.arguments.diff import diff
from gatekit.arguments.edits import apply_edit
from gatekit.arguments.parameters import Parameters
from gatekit.arguments.parsing import parse
from gatekit.models import Change

FEW = settings(max_examples=50, deadline=None)
KEYS = st.text(st.characters(codec="utf-8"), max_size=6).filter(lambda key: not key.startswith("$gatekit"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)


def anything(**arguments: object) -> None: ...


def typed(numbers: list[float], names: set[str], table: dict[int, tuple[str, bool]], count: int) -> None: ...


ANYTHING = Parameters.of(anything, tool="anything")
TYPED = Parameters.of(typed, tool="typed")
TYPED_VALUES = st.fixed_dictionaries(
    {
        "numbers": st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4),
        "names": st.sets(st.text(st.characters(codec="utf-8"), max_size=4), max_size=4),
        "table": st.dictionaries(st.integers(), st.tuples(st.text("ab"), st.booleans()), max_size=3),
        "count": st.integers(),
    }
)


@FEW
@given(OBJECTS)
def test_canonical_text_is_read_back_the_same(value: dict[str, Any]) -> None:
    text = canonical(value)
    assert repr_of(parse(text)) == repr_of(value)
    assert canonical(parse(text)) == text
    assert text.isascii()


@FEW
@given(OBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_no_digest(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert digest_of("t", canonical(dict(items))) == digest_of("t", canonical(value))


@FEW
@given(OBJECTS, OBJECTS)
def test_two_texts_are_equal_if_and_only_if_there_is_no_difference(one: Any, other: Any) -> None:
    before, after = canonical(one), canonical(other)
    assert (diff(before, after) == ()) == (before == after)


@FEW
@given(OBJECTS, OBJECTS)
def test_a_diff_applied_to_what_was_before_gives_what_comes_after(one: Any, other: Any) -> None:
    patched = copy.deepcopy(one)
    changes = diff(canonical(one), canonical(other))
    for change in reversed([change for change in changes if change.kind == "removed"]):
        apply(patched, change)
    for change in [change for change in changes if change.kind != "removed"]:
        apply(patched, change)
    assert canonical(patched) == canonical(other)


@FEW
@given(OBJECTS)
def test_undeclared_arguments_come_back_the_same(value: dict[str, Any]) -> None:
    snapshot = ANYTHING.snapshot({"arguments": value})
    assert json.loads(snapshot.text) == {"arguments": value}
    assert repr_of(snapshot.fresh()["arguments"]) == repr_of(value)
    assert ANYTHING.rebuild(snapshot.text, None) == {"arguments": value}


@FEW
@given(TYPED_VALUES)
def test_declared_arguments_come_back_the_same_and_fit_their_own_schema(values: dict[str, Any]) -> None:
    snapshot = TYPED.snapshot(values)
    assert TYPED.rebuild(snapshot.text, None) == snapshot.values == values
    assert TYPED.matches(TYPED.snapshot(copy.deepcopy(values)), snapshot.text)
    again = apply_edit(
        tool="typed",
        text=snapshot.text,
        schema_text=TYPED.schema_text,
        changes=json.loads(snapshot.text),
        replace=True,
    )
    assert (again.text, again.digest, again.changed) == (snapshot.text, snapshot.digest, False)


@FEW
@given(OBJECTS, OBJECTS)
def test_an_edit_is_the_old_arguments_with_the_new_ones_over_them(before: Any, changes: Any) -> None:
    for replace in (False, True):
        edited = apply_edit(
            tool="t", text=canonical(before), schema_text='{"type":"object"}', changes=changes, replace=replace
        )
        assert edited.text == canonical(changes if replace else {**before, **changes})
        assert edited.digest == digest_of("t", edited.text)


def repr_of(value: Any) -> str:
    """The value with sorted keys, so that 1, 1.0, True and -0.0 are told apart."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {repr_of(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(repr_of, value))}]"
    return repr(value)


def apply(value: Any, change: Change) -> None:
    """Make one change."""
    *way, last = steps_of(change.path)
    for step in way:
        value = value[step]
    if change.kind == "removed":
        del value[last]
    elif change.kind == "added" and isinstance(value, list):
        value.append(change.after)
    else:
        value[last] = change.after


def steps_of(path: str) -> list[Any]:
    steps: list[Any] = []
    rest = path.removeprefix("$")
    while rest:
        if rest.startswith("."):
            name = rest[1:].split(".")[0].split("[")[0]
            steps.append(name)
            rest = rest[1 + len(name) :]
        else:
            step, end = json.JSONDecoder().raw_decode(rest, 1)
            steps.append(step)
            rest = rest[end + 1 :]
    return steps
