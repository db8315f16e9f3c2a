"""From a live call to stored text and back, by the kinds of parameters that tools have."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, computed_field
from typing_extensions import TypedDict, Unpack

from gatekit.arguments.parameters import Parameters
from gatekit.arguments.snapshot import Snapshot
from gatekit.errors import UsageError

if TYPE_CHECKING:
    from nowhere import Later, RunContext  # pyright: ignore[reportMissingImports]


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclass
class Item:
    name: str
    tags: set[str] = field(default_factory=set)
    extra: Any = None


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Options(TypedDict, total=False):
    retries: int
    color: Color


class Mail(BaseModel):
    to: str = Field(alias="recipient")
    body: Json[list[int]] = Field(default="[]", validate_default=True)

    @computed_field
    def size(self) -> int:
        return len(self.to)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


class Hiding(BaseModel):
    a: int = 1
    left_out: int = Field(default=2, exclude=True)


def taken(annotation: Any, value: Any) -> tuple[Parameters, Snapshot]:
    def tool(v: Any):
        """One parameter of the given annotation."""

    tool.__annotations__ = {"v": annotation}
    parameters = Parameters.of(tool, tool="tool")
    return parameters, parameters.snapshot({"v": value})


@pytest.mark.parametrize(
    ("annotation", "value", "stored"),
    [
        (str, "a", '"a"'),
        (str | None, None, "null"),
        (float, 2.5, "2.5"),
        (list[int], [3, 1], "[3,1]"),
        (tuple[int, str], (1, "a"), '[1,"a"]'),
        (tuple[int, ...], (1, 2), "[1,2]"),
        (set[str], {"b", "a", "c"}, '["a","b","c"]'),
        (frozenset[int], frozenset({10, 9}), "[10,9]"),
        (set[tuple[int, str]], {(2, "a"), (10, "b")}, '[[10,"b"],[2,"a"]]'),
        (set[Color], {Color.RED}, '["red"]'),
        (dict[int, str], {2: "b", 1: "a"}, '{"1":"a","2":"b"}'),
        (dict[str, list[Decimal]], {"a": [Decimal("1.10")]}, '{"a":["1.10"]}'),
        (Color, Color.RED, '"red"'),
        (Level, Level.HIGH, "3"),
        (uuid.UUID, uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Path, Path("/srv/a"), '"/srv/a"'),
        (dt.date, dt.date(2026, 2, 3), '"2026-02-03"'),
        (dt.datetime, dt.datetime(2026, 2, 3, 4, 5, tzinfo=dt.UTC), '"2026-02-03T04:05:00Z"'),
        (dt.timedelta, dt.timedelta(days=1, microseconds=3), '"P1DT0.000003S"'),
        (bytes, b"abc", '"abc"'),
        (deque[int], deque([1, 2]), "[1,2]"),
        (OrderedDict[str, int], OrderedDict(a=1), '{"a":1}'),
        (Item, Item("a", {"z", "y"}, [1]), '{"extra":[1],"name":"a","tags":["y","z"]}'),
        (list[Item], [Item("a")], '[{"extra":null,"name":"a","tags":[]}]'),
        (Point, Point(1), "[1,0.5]"),
        (Options, {"color": Color.RED}, '{"color":"red"}'),
        (Mail, Mail.model_validate({"recipient": "bob", "body": "[1]"}), '{"body":"[1]","recipient":"bob"}'),
        (Open, Open.model_validate({"a": 1, "b": [2]}), '{"a":1,"b":[2]}'),
        (Item | Color | None, Item("a"), '{"extra":null,"name":"a","tags":[]}'),
        (Literal["a", 1], 1, "1"),
        (Any, {"a": [1, 2.0, None, True]}, '{"a":[1,2.0,null,true]}'),
        (Annotated[str, "who gets it"], "bob", '"bob"'),
        (Annotated[str, Field(alias="recipient")], "bob", '"bob"'),
    ],
)
def test_a_declared_type_is_stored_and_comes_back_the_same(annotation: Any, value: Any, stored: str) -> None:
    parameters, snapshot = taken(annotation, value)
    assert snapshot.text == f'{{"v":{stored}}}'
    for back in (snapshot.values["v"], snapshot.fresh()["v"], parameters.rebuild(snapshot.text, None)["v"]):
        assert back == value
        assert type(back) is type(value)
    assert parameters.matches(parameters.snapshot({"v": value}), snapshot.text)


def test_an_integer_for_a_float_becomes_the_float() -> None:
    _, snapshot = taken(float, 1)
    assert snapshot.text == '{"v":1.0}'
    assert type(snapshot.values["v"]) is float


class Text(str):
    __slots__ = ()


class Sly(dict[str, str]):
    def items(self) -> Any:
        return []


class Wide(Mail):
    more: int = 1


@pytest.mark.parametrize(
    ("annotation", "value", "says"),
    [
        (int, "5", "v: Input should be a valid integer"),
        (int, True, "v: Input should be a valid integer"),
        (int, 1.0, "v: Input should be a valid integer"),
        (str, Text("a"), "v: Text is a subclass of str"),
        (list[str], ["a", Text("a")], "v[1]: Text is a subclass of str"),
        (dict[str, str], Sly(a="b"), "v: Sly is a subclass of dict"),
        (list[str], ["a", 3], "v[1]: Input should be a valid string"),
        (list[str], ("a",), "v: Input should be a valid list"),
        (Any, [Text("a")], "v[0]: Text would reach the tool as str"),
        (dict[str, Any], {"a b": (1,)}, 'v["a b"]: tuple would reach the tool as list'),
        (Item, Item("a", set(), Decimal(1)), "v.extra: Decimal would reach the tool as str"),
        (Item, {"name": "a"}, "v: Input should be an instance of Item"),
        (Options, {"retries": 1, "evil": 2}, "v: the key 'evil' is not known"),
        (Mail, Wide(recipient="a"), "v: Wide would reach the tool as Mail"),
        (Hiding, Hiding(left_out=5), "v.left_out: this int does not come back the same"),
        (bytes, b"\xff", "v: cannot be written as JSON"),
        (float, float("nan"), "v: nan is no JSON number"),
        (dict[str, float], {"a": float("inf")}, "v.a: inf is no JSON number"),
        (dict[str, int], {"$gatekit": 1}, "v: the key '$gatekit' begins with"),
        (dict[int | str, str], {1: "a", "1": "b"}, "v: parts of this dict get lost"),
        (set[int] | list[int], [2, 1], "v: the type allows a set and a list here"),
        (Any, iter([1]), "v: list_iterator can be read only once"),
        (Annotated[int, AfterValidator(lambda value: value + 1)], 1, "v: "),
    ],
)
def test_what_does_not_fit_or_would_not_come_back_is_refused_by_its_path(
    annotation: Any, value: Any, says: str
) -> None:
    with pytest.raises(UsageError) as refused:
        taken(annotation, value)
    assert str(refused.value).startswith(f"tool: {says}")


def test_an_endless_iterator_is_not_read() -> None:
    def endless() -> Iterator[int]:
        read.append(1)
        yield 1

    read: list[int] = []
    with pytest.raises(UsageError, match="only once"):
        taken(Any, endless())
    assert not read


class Nothing:
    """A type of which pydantic knows nothing."""


@pytest.mark.parametrize(
    "annotation",
    [Nothing, IO[str], Callable[[int], int], type[int], Iterable[int], Iterator[int], list[Nothing], Nothing | None],
)
def test_what_an_annotation_shows_to_be_impossible_is_refused_at_decoration(annotation: Any) -> None:
    def tool(v: Any):
        """One parameter of the given annotation."""

    tool.__annotations__ = {"v": annotation}
    with pytest.raises(UsageError) as refused:
        Parameters.of(tool, tool="tool")
    assert "tool: parameter 'v' cannot be stored" in str(refused.value)
    assert "inject=" in str(refused.value)
    assert Parameters.of(tool, tool="tool", inject=("v",)).names == ()


def test_every_kind_of_parameter_is_stored_under_its_own_name() -> None:
    def tool(a: int, /, b: str = "x", *rest: int, c: bool, **more: str) -> None: ...

    parameters = Parameters.of(tool, tool="tool")
    assert parameters.names == ("a", "b", "rest", "c", "more")
    snapshot = parameters.snapshot(parameters.bind((1, "y", 2, 3), {"c": True, "d": "z"}))
    assert snapshot.text == '{"a":1,"b":"y","c":true,"more":{"d":"z"},"rest":[2,3]}'
    assert snapshot.values == {"a": 1, "b": "y", "rest": [2, 3], "c": True, "more": {"d": "z"}}
    with pytest.raises(UsageError, match=r"rest\[0\]: Input should be a valid integer"):
        parameters.snapshot(parameters.bind((1, "y", "z"), {"c": True}))


def test_keyword_arguments_of_a_typed_dict_are_its_object() -> None:
    def tool(**options: Unpack[Options]) -> None: ...

    snapshot = Parameters.of(tool, tool="tool").snapshot({"options": {"color": Color.RED}})
    assert snapshot.values == {"options": {"color": Color.RED}}


def test_names_that_pydantic_uses_itself_are_names_like_any() -> None:
    def tool(model_dump: int, copy: int, schema: int, model_config: int, items: int) -> None: ...

    parameters = Parameters.of(tool, tool="tool")
    view = parameters.view(parameters.snapshot(dict.fromkeys(parameters.names, 1)).values)
    assert (view.model_dump, view.copy, view.schema, view.model_config, view.items) == (1, 1, 1, 1, 1)


def test_defaults_are_stored() -> None:
    def tool(a: int, b: str = "x", c: str = None) -> None: ...  # type: ignore[assignment] # noqa: RUF013

    parameters = Parameters.of(tool, tool="tool")
    assert parameters.snapshot(parameters.bind((1,), {})).text == '{"a":1,"b":"x","c":null}'


@pytest.mark.parametrize(("annotation", "default"), [(int, "a"), (list[str], ()), (Any, object())])
def test_a_default_that_could_never_be_stored_is_refused_at_decoration(annotation: Any, default: Any) -> None:
    def tool(v: Any = default):
        """A default that does not fit."""

    tool.__annotations__ = {"v": annotation}
    with pytest.raises(UsageError, match="the default of parameter 'v' could never be stored"):
        Parameters.of(tool, tool="tool")


def test_a_field_as_default_is_left_to_the_framework_that_reads_it() -> None:
    def tool(v: int = Field(default=3, description="how many")) -> None: ...

    assert Parameters.of(tool, tool="tool").snapshot({"v": 4}).text == '{"v":4}'


# Hints that cannot be resolved.


def later(v: NotYet) -> None: ...  # type: ignore[name-defined] # noqa: F821


def test_a_hint_that_is_defined_later_is_resolved_at_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = Parameters.of(later, tool="later")
    assert not parameters.is_ready
    assert parameters.fast_expression("v") is None
    with pytest.raises(UsageError, match=r"annotation of parameter 'v' cannot be resolved .*NotYet"):
        parameters.snapshot({"v": 1})
    monkeypatch.setitem(later.__globals__, "NotYet", int)
    assert parameters.snapshot({"v": 1}).text == '{"v":1}'
    assert parameters.is_ready
    assert parameters.fast_expression("v") == "type(v) is int"


def test_one_hint_for_type_checkers_hides_no_other() -> None:
    def tool(context: RunContext[Later], amount: int) -> Later: ...

    parameters = Parameters.of(tool, tool="tool")
    assert parameters.injected == {"context"}
    assert parameters.is_ready
    assert parameters.returns is Any
    assert parameters.snapshot({"context": object(), "amount": 1}).text == '{"amount":1}'


# The exact-type test of the short path.


@pytest.mark.parametrize(
    ("annotation", "passes", "does_not"),
    [
        (str, ["", "\ud800"], [Text("a"), 1, None]),
        (int, [0, 2**70], [True, 1.0]),
        (bool, [True], [1, 0]),
        (float, [1.0, -0.0, 1e308], [1, float("nan"), float("inf"), float("-inf")]),
        (str | None, [None, "a"], [1]),
        (int | float, [1, 1.5], [True, float("nan")]),
        (Annotated[str, Field(description="who")], ["a"], [1]),
        (Literal["a", "it's"], ["a", "it's"], ["b", Text("a"), 1]),
        (Any, ["a", 1, True, None], [1.0, [], Text("a"), object()]),
    ],
)
def test_only_exact_scalars_of_the_annotated_type_pass_as_they_came(
    annotation: Any, passes: list[Any], does_not: list[Any]
) -> None:
    def tool(v: Any):
        """One parameter of the given annotation."""

    tool.__annotations__ = {"v": annotation}
    expression = Parameters.of(tool, tool="tool").fast_expression("v")
    assert expression is not None
    assert all(eval(expression, {"v": value}) is True for value in passes)
    assert not any(eval(expression, {"v": value}) for value in does_not)


@pytest.mark.parametrize(
    "annotation",
    [
        list[str],
        Color,
        Annotated[int, Field(ge=1)],
        Annotated[str, AfterValidator(str.strip)],
        Literal["a", 1],
        bytes,
        Item,
    ],
)
def test_any_other_annotation_always_takes_the_long_path(annotation: Any) -> None:
    def tool(v: Any):
        """One parameter of the given annotation."""

    tool.__annotations__ = {"v": annotation}
    assert Parameters.of(tool, tool="tool").fast_expression("v") is None


def test_a_parameter_that_hides_a_builtin_of_the_test_takes_the_long_path() -> None:
    def tool(type: str, v: str) -> None: ...

    parameters = Parameters.of(tool, tool="tool")
    assert parameters.fast_expression("v") is None
    assert parameters.snapshot({"type": "a", "v": "b"}).values == {"type": "a", "v": "b"}


def test_no_extra_arguments_pass_as_they_came() -> None:
    def tool(*args: int, **kwargs: int) -> None: ...

    parameters = Parameters.of(tool, tool="tool")
    assert parameters.fast_expression("args") == "not args"
    assert parameters.fast_expression("kwargs") == "not kwargs"


# Stored text and a changed tool.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a":1}', "which has changed: b"),
        ('{"a":1,"b":"x","c":2}', "which has changed: c"),
        ('{"a":"1","b":"x"}', "a: Input should be a valid integer"),
        ('{"a":true,"b":"x"}', "a: Input should be a valid integer"),
        ('{"a":1.0,"b":"x"}', "a: Input should be a valid integer"),
        ('{"a":1,"b":null}', "b: Input should be a valid string"),
        ("{", "not valid JSON"),
    ],
)
def test_stored_text_that_no_longer_fits_is_refused(text: str, says: str) -> None:
    def tool(a: int, b: str) -> None: ...

    with pytest.raises(UsageError) as refused:
        Parameters.of(tool, tool="tool").rebuild(text, None)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("annotation", "stored"),
    [
        (dt.datetime, '"2026-02-03T04:05:00+00:00"'),
        (Decimal, "1.10"),
        (set[str], '["b","a"]'),
        (Annotated[str, AfterValidator(str.strip)], '" a"'),
        (Mail, '{"body":"[1]","recipient":"bob","size":3}'),
    ],
)
def test_stored_text_is_what_its_own_values_are_written_as(annotation: Any, stored: str) -> None:
    parameters, _ = taken(annotation, _sample(annotation))
    with pytest.raises(UsageError):
        parameters.rebuild(f'{{"v":{stored}}}', None)


def _sample(annotation: Any) -> Any:
    if annotation is dt.datetime:
        return dt.datetime(2026, 2, 3, tzinfo=dt.UTC)
    return {Decimal: Decimal(1), set[str]: {"a"}, Mail: Mail(recipient="a")}.get(annotation, "a")


def test_an_integer_stored_for_a_float_is_tolerated() -> None:
    parameters, _ = taken(list[float], [1.5])
    assert parameters.rebuild('{"v":[1,2.5]}', None) == {"v": [1.0, 2.5]}


# Methods and other callables.


class Service:
    def method(self, a: int) -> None: ...

    @classmethod
    def of_class(cls, a: int) -> None: ...

    def __call__(self, a: Color) -> None: ...


def test_self_and_cls_are_injected() -> None:
    assert Parameters.of(Service.method, tool="t").names == ("a",)
    assert Parameters.of(Service.method, tool="t").injected == {"self"}
    assert Parameters.of(Service.of_class.__func__, tool="t").injected == {"cls"}  # type: ignore[attr-defined]
    assert Parameters.of(Service().method, tool="t").injected == frozenset()

    def local(self: Any, a: int) -> None: ...

    assert Parameters.of(local, tool="t").names == ("self", "a")
    assert Parameters.of(local, tool="t", skip_first=True).names == ("a",)


def test_a_callable_object_is_read_by_its_call() -> None:
    assert Parameters.of(Service(), tool="t").snapshot({"a": Color.RED}).text == '{"a":"red"}'


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"inject": "amount"}, "inject='amount' is one text: write inject=('amount',)"),
        ({"redact": ("amuont",)}, "redact names 'amuont', which is no parameter of the tool; it has: amount"),
        ({"inject": ("amount",), "redact": ("amount",)}, "parameter 'amount' is injected"),
    ],
)
def test_options_that_name_no_parameter_are_refused(options: Any, says: str) -> None:
    def pay(amount: int) -> None: ...

    with pytest.raises(UsageError) as refused:
        Parameters.of(pay, tool="pay", **options)
    assert says in str(refused.value)
