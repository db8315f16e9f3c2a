"""A result is stored if the stored text gives the very same value back, and never in another form."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, SecretStr

from gatekit.arguments.results import decode_result, encode_result
from gatekit.errors import UsageError


@dataclass
class Receipt:
    total: Decimal


class Report(BaseModel):
    lines: tuple[str, ...]


class Awkward:
    """Its author meant harm."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ({"ok": [1, 2.5, None, True, "é"]}, Any),
        (None, None),
        ("a", str),
        ("a", Any),
        (Receipt(Decimal("1.10")), Receipt),
        ([Receipt(Decimal(1))], list[Receipt]),
        (Report(lines=("a", "b")), Report),
        ({3, 1, 2}, set[int]),
        ((1, "a"), tuple[int, str]),
        ({"a": 1}, dict[str, int]),
        ("x" * 2_000_000, str),
    ],
)
def test_a_result_comes_back_the_same(value: Any, annotation: Any) -> None:
    text, lost = encode_result(value, annotation)
    assert text is not None
    assert not lost
    back = decode_result(text, annotation)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ((1, 2), Any),
        (Receipt(Decimal(1)), Any),
        (Text("a"), str),
        (Text("a"), Any),
        (object(), Any),
        (float("nan"), Any),
        (float("nan"), float),
        ("\ud800", str),
        (5, str),
        (SecretStr("a"), SecretStr),
        (iter([1]), Any),
        ("x" * 16_000_001, str),
        ({1: "a"}, Any),
        ({"a": {"b": {1}}}, Any),
    ],
)
def test_a_result_that_would_come_back_as_another_is_lost(value: Any, annotation: Any) -> None:
    assert encode_result(value, annotation) == (None, True)


def test_a_result_whose_every_method_raises_is_lost() -> None:
    assert encode_result(Awkward()) == (None, True)
    assert encode_result([Awkward()], list[Awkward]) == (None, True)


def test_a_result_that_contains_itself_is_lost() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert encode_result(circle) == (None, True)


def test_annotations_that_cannot_be_hashed_work_too() -> None:
    assert encode_result([1], Annotated[list[int], {"unhashable": []}]) == ("[1]", False)


def test_a_stored_result_that_no_longer_fits_is_an_error_and_not_another_value() -> None:
    with pytest.raises(UsageError, match="no longer fits the tool's return annotation"):
        decode_result('{"total":"1"}', list[Receipt])
