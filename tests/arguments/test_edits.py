"""Edits are checked where they are made, with stored data only: no tool, no class of it."""

from __future__ import annotations

import datetime as dt
import json
import socket
import uuid
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import BaseModel, Field, WithJsonSchema, computed_field
from typing_extensions import TypedDict

from gatekit.arguments.canonical import digest_of
from gatekit.arguments.diff import diff
from gatekit.arguments.edits import Edited, apply_edit, changes_of
from gatekit.arguments.parameters import Parameters
from gatekit.errors import InvalidEdit


class Kind(Enum):
    A = "a"
    B = "b"


class Options(TypedDict):
    retries: int
    label: NotRequired[str]


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: set[int] = Field(default_factory=set)


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    lives: list[int] = Field(default_factory=list)

    @computed_field
    def loud(self) -> bool:
        return True


@dataclass
class Address:
    street: str
    number: int = 1


class Person(BaseModel):
    full_name: str = Field(alias="fullName")
    home: Address | None = None
    friends: list[Person] = Field(default_factory=list)


def everything(
    to: str,
    amount: int = 100,
    rate: float = 0.5,
    tags: set[str] = {"a"},  # noqa: B006
    kind: Kind = Kind.A,
    when: dt.datetime = dt.datetime(2026, 2, 3, 4, 5, tzinfo=dt.UTC),
    day: dt.date = dt.date(2026, 2, 3),
    at: dt.time = dt.time(4, 5),
    uid: uuid.UUID = uuid.UUID(int=1),  # noqa: B008
    price: Decimal = Decimal("1.10"),
    options: Options = {"retries": 1},  # noqa: B006
    person: Person = Person(fullName="Ann", home=Address("x")),  # noqa: B008
    pet: Cat | Dog = Cat(lives={9}),  # noqa: B008
    pair: tuple[int, str] = (1, "a"),
    maybe: str | None = None,
    level: Literal[1, 2] = 1,
    anything: Any = None,
    short: Annotated[str, Field(max_length=3)] = "",
    **rest: int,
) -> None: ...


PARAMETERS = Parameters.of(everything, tool="everything")
TEXT = PARAMETERS.snapshot(PARAMETERS.bind(("bob",), {})).text


def edit(changes: Any, *, replace: bool = False) -> Edited:
    schema = PARAMETERS.schema_text
    return apply_edit(tool="everything", text=TEXT, schema_text=schema, changes=changes, replace=replace)


def test_what_a_snapshot_writes_fits_its_own_schema() -> None:
    edited = edit(json.loads(TEXT), replace=True)
    assert edited == Edited(TEXT, digest_of("everything", TEXT), False)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 40},
        {"rate": 2},
        {"tags": ["b", "c"]},
        {"kind": "b"},
        {"when": "2027-01-01T00:00:00.500000Z"},
        {"when": "2027-01-01T00:00:00"},
        {"day": "2028-02-29"},
        {"at": "10:00:00"},
        {"uid": "00000000-0000-0000-0000-000000000002"},
        {"price": "2.50"},
        {"options": {"retries": 2, "label": "x"}},
        {"person": {"fullName": "Bob", "home": None, "friends": [json.loads(TEXT)["person"]]}},
        {"pet": {"kind": "dog", "lives": [3, 1]}},
        {"pair": [2, "b"]},
        {"maybe": "x", "level": 2},
        {"anything": {"a": [1.5, None]}},
        {"rest": {"x": 1}},
    ],
)
def test_an_edit_that_fits_is_what_the_tool_would_get(changes: dict[str, Any]) -> None:
    edited = edit(changes)
    assert edited.changed
    assert edited.digest == digest_of("everything", edited.text)
    assert json.loads(edited.text) == json.loads(TEXT) | changes
    values = PARAMETERS.rebuild(edited.text, None)
    assert {name: type(value) for name, value in values.items() if name not in ("maybe", "anything", "pet")} == {
        name: type(value)
        for name, value in PARAMETERS.rebuild(TEXT, None).items()
        if name not in ("maybe", "anything", "pet")
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"amount": "5"}, "amount: has to be of type integer, is string"),
        ({"amount": True}, "amount: has to be of type integer, is boolean"),
        ({"amount": 5.0}, "amount: has to be of type integer, is number"),
        ({"amount": None}, "amount: has to be of type integer, is null"),
        ({"to": None}, "to: has to be of type string, is null"),
        ({"rate": True}, "rate: has to be of type number, is boolean"),
        ({"evil": 1}, 'has no "evil"; it has: "amount", "anything"'),
        ({"__class__": "x"}, 'has no "__class__"'),
        ({"tags": ["a", "a"]}, "tags: is a set, and holds a value twice"),
        ({"kind": "c"}, 'kind: has to be one of "a", "b"'),
        ({"level": 1.0}, "level: has to be one of 1, 2"),
        ({"level": True}, "level: has to be one of 1, 2"),
        ({"when": "2027-01-01T00:00:00+00:00"}, 'when: has to be spelt "2027-01-01T00:00:00Z"'),
        ({"when": "2027-01-01T00:00:00.5Z"}, 'when: has to be spelt "2027-01-01T00:00:00.500000Z"'),
        ({"when": "1767225600"}, "when: "),
        ({"when": "soon"}, "when: is no date-time"),
        ({"day": "2027-02-29"}, "day: is no date"),
        ({"at": "25:00"}, "at: is no time"),
        ({"uid": "00000000-0000-0000-0000-00000000000"}, "uid: is no uuid"),
        ({"uid": "00000000-0000-0000-0000-00000000000A"}, 'uid: has to be spelt "00000000'),
        ({"options": {}}, 'options: misses "retries"'),
        ({"options": {"retries": 1, "more": 2}}, 'options: has no "more"; it has: "label", "retries"'),
        ({"person": {"full_name": "x", "home": None, "friends": []}}, "person: "),
        ({"person": {"fullName": "x", "home": {"street": "s"}, "friends": []}}, "person.home: fits none"),
        ({"person": {"fullName": "x", "home": None}}, 'person: misses "friends"'),
        ({"pet": {"kind": "cow", "lives": []}}, "pet: fits none of the allowed types"),
        ({"pet": {"kind": "dog", "lives": [], "loud": False}}, "pet: fits none of the allowed types"),
        ({"pair": [1]}, "pair: "),
        ({"pair": [1, "a", 2]}, "pair: "),
        ({"short": "abcd"}, "short: "),
        ({"rest": {"x": "y"}}, "rest.x: has to be of type integer"),
        ({"anything": float("nan")}, "anything: nan is no JSON number"),
        ({"anything": (1,)}, "anything: tuple is no JSON type"),
        ({"anything": "\ud800"}, "anything: holds a lone surrogate"),
        ({"anything": {"$gatekit": 1}}, "anything: the key '$gatekit' begins with"),
        ({1: 2}, "the key 1 is an int"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_by_its_path(changes: Any, says: str) -> None:
    with pytest.raises(InvalidEdit) as refused:
        edit(changes)
    assert refused.value.errors[0].startswith(says), refused.value.errors


def test_every_place_that_does_not_fit_is_named() -> None:
    with pytest.raises(InvalidEdit) as refused:
        edit({"amount": "5", "to": 1, "options": {"retries": "x"}})
    assert [error.partition(":")[0] for error in refused.value.errors] == ["amount", "options.retries", "to"]


def test_given_keys_replace_and_the_others_stay() -> None:
    assert json.loads(edit({"amount": 1}).text)["to"] == "bob"


def test_with_replace_nothing_stays() -> None:
    with pytest.raises(InvalidEdit, match='misses "to"'):
        edit({"amount": 1}, replace=True)


def test_sets_are_put_in_order_and_lists_are_not() -> None:
    edited = edit({"tags": ["c", "b"], "pet": {"kind": "cat", "lives": [9, 10, 1]}, "anything": [3, 1]})
    stored = json.loads(edited.text)
    assert stored["tags"] == ["b", "c"]
    assert stored["pet"]["lives"] == [1, 10, 9]
    assert stored["anything"] == [3, 1]
    assert json.loads(edit({"pet": {"kind": "dog", "lives": [3, 1]}}).text)["pet"]["lives"] == [3, 1]
    assert PARAMETERS.rebuild(edited.text, None)["pet"] == Cat(lives={1, 9, 10})


def test_sets_that_differ_in_order_only_are_no_change() -> None:
    before = edit({"tags": ["a", "b"]}).text
    schema = PARAMETERS.schema_text
    edited = apply_edit(tool="everything", text=before, schema_text=schema, changes={"tags": ["b", "a"]}, replace=False)
    assert not edited.changed


def test_the_reviewer_keeps_no_hold_on_what_was_checked() -> None:
    given: list[Any] = [1]
    edited = edit({"anything": given})
    given.append(object())
    assert json.loads(edited.text)["anything"] == [1]


def test_a_remote_reference_opens_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = Annotated[str, WithJsonSchema({"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"})]

        def tool(v: Any):
            """A type with a schema of its own."""

        tool.__annotations__ = {"v": far}
        schema = Parameters.of(tool, tool="t").schema_text
        server.settimeout(0)
        socket.setdefaulttimeout(1)
        try:
            with pytest.raises(InvalidEdit, match="cannot be checked here"):
                apply_edit(tool="t", text='{"v":"a"}', schema_text=schema, changes={"v": "b"}, replace=False)
        finally:
            socket.setdefaulttimeout(None)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_schema_is_closed_and_holds_no_default() -> None:
    schema = json.loads(PARAMETERS.schema_text)
    closed = [schema, *(schema["$defs"][name] for name in ("Address", "Cat", "Dog", "Options", "Person"))]
    assert all(described["additionalProperties"] is False for described in closed)
    assert schema["required"] == list(PARAMETERS.names)
    assert schema["$defs"]["Dog"]["required"] == ["kind", "lives"]
    assert schema["$defs"]["Options"]["required"] == ["retries"]
    assert '"default"' not in PARAMETERS.schema_text


def test_equal_tools_share_one_schema() -> None:
    def first(a: int) -> None: ...

    def second(a: int = 3) -> None: ...

    one, other = Parameters.of(first, tool="one"), Parameters.of(second, tool="other")
    assert one.schema_digest == other.schema_digest
    assert one.schema_digest != PARAMETERS.schema_digest
    assert len(one.schema_digest) == 64


def test_a_text_that_a_reviewer_types_is_read_strictly() -> None:
    assert changes_of('{"amount": 40}') == {"amount": 40}
    with pytest.raises(InvalidEdit, match="stands twice"):
        changes_of('{"amount": 40, "amount": 41}')


# The diff.


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("$.a", "changed", 1, 2)]),
        ({"a": 1}, {"a": 1.0}, [("$.a", "changed", 1, 1.0)]),
        ({"a": 1}, {"a": True}, [("$.a", "changed", 1, True)]),
        ({"a": -0.0}, {"a": 0.0}, [("$.a", "changed", -0.0, 0.0)]),
        ({"a": None}, {}, [("$.a", "removed", None, None)]),
        ({}, {"a": None}, [("$.a", "added", None, None)]),
        ({"a": {"b c": [1, 2]}}, {"a": {"b c": [1]}}, [('$.a["b c"][1]', "removed", 2, None)]),
        ({"a": [1]}, {"a": {"0": 1}}, [("$.a", "changed", [1], {"0": 1})]),
        ({"\u202e": 1}, {"\u202e": 2}, [('$["\\u202e"]', "changed", 1, 2)]),
    ],
)
def test_a_diff_is_by_path(before: Any, after: Any, changes: list[Any]) -> None:
    found = diff(json.dumps(before), json.dumps(after))
    assert repr([(change.path, change.kind, change.before, change.after) for change in found]) == repr(changes)
