"""What may stand in the columns of a record: a row that gatekit did not write is refused where it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from gatekit.errors import StoreError


def names_of(record: type[Any]) -> tuple[str, ...]:
    """The columns: the names of the record's fields, in their order."""
    return tuple(field.name for field in fields(record))


class Columns:
    """The columns of one kind of record, with the types and words that each can hold."""

    def __init__(self, record: type[Any]) -> None:
        hints = get_type_hints(record)
        self._what: Final = record.__name__.removesuffix("Record").lower()
        self._columns: Final = [(name, *_held(hints[name])) for name in names_of(record)]

    def values(self, row: Sequence[Any]) -> dict[str, Any]:
        """The row by name. Raises `StoreError` for a value that gatekit never writes there."""
        values = {}
        for (name, types, words), value in zip(self._columns, row, strict=True):
            if type(value) not in types or (words is not None and value is not None and value not in words):
                raise self.odd(name, value)
            values[name] = value
        return values

    def tree(self, values: dict[str, Any], name: str) -> Any:
        """The JSON in a column."""
        try:
            return json.loads(values[name])
        except ValueError as error:
            raise self.odd(name, values[name]) from error

    def texts(self, values: dict[str, Any], name: str) -> tuple[str, ...]:
        """The JSON list of texts in a column."""
        found = self.tree(values, name)
        if not isinstance(found, list) or not all(type(text) is str for text in found):
            raise self.odd(name, found)
        return tuple(found)

    def numbers(self, values: dict[str, Any], name: str) -> tuple[int, ...]:
        """The JSON list of whole numbers in a column."""
        found = self.tree(values, name)
        if not isinstance(found, list) or not all(type(number) is int and number >= 0 for number in found):
            raise self.odd(name, found)
        return tuple(found)

    def text(self, value: object) -> str:
        """The value, if it is a text; raises `TypeError`."""
        if type(value) is not str:
            raise TypeError(value)
        return value

    def odd(self, name: str, value: object) -> StoreError:
        """The refusal of a value."""
        return StoreError(
            f"the column {name} of a {self._what} holds {value!a:.60}, which gatekit never writes there: "
            f"somebody else changed the queue, restore it from a backup"
        )


_STORED: Final[dict[object, type]] = {bool: int, int: int, NoneType: NoneType}
"""Truth is stored as a number, everything that is not a number as text."""


def _held(hint: Any) -> tuple[frozenset[type], frozenset[str] | None]:
    """The types that a column holds for a field of this annotation, and the words, where only some may stand there."""
    if get_origin(hint) in (Union, UnionType):
        types, words = zip(*map(_held, get_args(hint)), strict=True)
        known = [some for some in words if some is not None]
        return frozenset().union(*types), frozenset().union(*known) if known else None
    if get_origin(hint) is Literal:
        return frozenset({str}), frozenset(get_args(hint))
    return frozenset({_STORED.get(hint, str)}), None
