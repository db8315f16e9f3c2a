"""The first look at live values: the limits and the texts, before anything walks them without limits."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from gatekit.arguments.canonical import (
    MAX_DEPTH,
    Budget,
    check_float,
    check_int,
    check_key,
    check_text,
    type_name,
)
from gatekit.arguments.refused import Refused, Step


def survey(value: object, budget: Budget) -> None:
    """Raise `Refused`, naming the path inside the value, for what no JSON could hold whatever its type.

    That is NaN, lone surrogates, reserved keys, integers that are too long, and what is too deep, circular or
    too large. An iterator is refused before anything reads it: that could not be undone, or might never end.
    Types are looked up with `type()`: a value can lie about its `__class__`.
    """
    _survey(value, MAX_DEPTH, budget)


def _survey(value: Any, room: int, budget: Budget) -> None:
    budget.spend(1)
    kind = type(value)
    if issubclass(kind, str):
        check_text(str.__str__(value), budget)
    elif issubclass(kind, (bytes, bytearray)):
        budget.spend(len(value))
    elif issubclass(kind, float):
        check_float(float.__float__(value))
    elif issubclass(kind, int):
        check_int(int.__int__(value))
    else:
        _inside(_inner(value, kind, budget), room, budget)


def _inside(inner: Iterable[tuple[Step, object]], room: int, budget: Budget) -> None:
    for step, item in inner:
        if room < 1:
            raise Refused(f"nested deeper than {MAX_DEPTH} levels (or it contains itself)")
        try:
            _survey(item, room - 1, budget)
        except Refused as refusal:
            raise refusal.under(step) from None


def _inner(value: Any, kind: type, budget: Budget) -> Iterable[tuple[Step, object]]:
    if issubclass(kind, dict):
        return _items(value, budget)
    if issubclass(kind, (list, tuple, set, frozenset, deque)):
        return enumerate(value)
    if issubclass(kind, BaseModel):
        return [*value.__dict__.items(), *(value.__pydantic_extra__ or {}).items()]
    if dataclasses.is_dataclass(kind):
        return [(field.name, getattr(value, field.name, None)) for field in dataclasses.fields(kind)]
    if hasattr(kind, "__next__"):
        raise Refused(f"{type_name(value)} can be read only once: pass a list, or name the parameter in inject=(…)")
    return ()


def _items(value: dict[Any, object], budget: Budget) -> Iterable[tuple[Step, object]]:
    # dict.items: a subclass can hide its keys from its own items().
    for key, item in dict.items(value):
        if issubclass(type(key), str):
            check_key(str.__str__(key), budget)
            yield str.__str__(key), item
        else:
            yield repr(key)[:40], item
