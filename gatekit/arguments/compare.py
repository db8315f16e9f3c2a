"""Whether what comes back from the stored text is what went in: the same types and the same values."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from gatekit.arguments.canonical import type_name
from gatekit.arguments.refused import Refused, Step

_CURE: Final = "annotate the parameter with a type that says so, or name it in inject=(…)"
_SCALARS: Final = frozenset({str, int, bool, type(None)})
_BUILTINS: Final = (str, int, float, bytes, list, dict, tuple, set, frozenset)


def require_plain(given: Any, validated: Any) -> None:
    """Raise `Refused` where validation quietly turned the caller's object into another.

    A subclass of a builtin type can show one thing and be another; keys that a type does not know get lost.
    """
    kind = type(validated)
    if type(given) is not kind:
        if kind in _BUILTINS and issubclass(type(given), kind) and type(given) is not bool:
            raise Refused(f"{type_name(given)} is a subclass of {kind.__name__}: pass a plain {kind.__name__}")
        return
    if kind is dict and (lost := [key for key in given if key not in validated]):
        raise Refused(f"the key {lost[0]!r:.40} is not known to the annotation: leave it out, or declare it")
    for step, one, other in _pairs(given, validated) if kind in (list, dict, tuple) else ():
        try:
            require_plain(one, other)
        except Refused as refusal:
            raise refusal.under(step) from None


def require_same(before: Any, after: Any) -> None:
    """Raise `Refused`, naming the path, unless `after` equals `before` in type and value, throughout."""
    if type(before) is not type(after):
        raise Refused(f"{type_name(before)} would reach the tool as {type_name(after)}: {_CURE}")
    if type(before) in _SCALARS and before == after:
        return
    if _sizes(before) != _sizes(after):
        raise Refused(f"parts of this {type_name(before)} get lost in JSON, or it changed while it was read: {_CURE}")
    pairs = list(_pairs(before, after))
    for step, one, other in pairs:
        try:
            require_same(one, other)
        except Refused as refusal:
            raise refusal.under(step) from None
    if not pairs and not _equal(before, after):
        raise Refused(f"this {type_name(before)} does not come back the same from JSON: {_CURE}")


def require_same_json(before: Any, after: Any) -> None:
    """Raise `Refused`, naming the path, unless two JSON values are the same.

    The one tolerance: an integer may come back as the equal float, where the annotation says float.
    """
    kinds = (type(before), type(after))
    if (kinds == (int, float) or (kinds[0] is kinds[1] and kinds[0] in _SCALARS)) and before == after:
        return
    if type(before) is not type(after) or _sizes(before) != _sizes(after):
        raise Refused(f"{_short(before)} comes back from the tool's types as {_short(after)}")
    pairs = list(_pairs(before, after))
    for step, one, other in pairs:
        try:
            require_same_json(one, other)
        except Refused as refusal:
            raise refusal.under(step) from None
    if not pairs and not _equal(before, after):
        raise Refused(f"{_short(before)} comes back from the tool's types as {_short(after)}")


def _sizes(value: Any) -> object:
    """What must agree before the parts are compared one by one."""
    kind = type(value)
    if issubclass(kind, (set, frozenset)):
        return Counter(map(type, value))
    if issubclass(kind, dict):
        return {(type(key), key) for key in dict.keys(value)}
    return len(value) if issubclass(kind, (list, tuple, deque)) else None


def _pairs(before: Any, after: Any) -> Iterator[tuple[Step, Any, Any]]:
    kind = type(before)
    if issubclass(kind, dict):
        yield from ((_step(key), item, after[key]) for key, item in dict.items(before))
    elif issubclass(kind, (list, tuple, deque)):
        yield from ((index, one, other) for index, (one, other) in enumerate(zip(before, after, strict=True)))
    elif fields := _fields(before):
        others = _fields(after)
        yield from ((name, item, others.get(name)) for name, item in fields.items())


def _fields(value: Any) -> Mapping[str, Any]:
    if isinstance(value, BaseModel):
        return {**value.__dict__, **(value.__pydantic_extra__ or {})}
    if dataclasses.is_dataclass(type(value)):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return {}


def _step(key: object) -> Step:
    return key if isinstance(key, (str, int)) else repr(key)


def _equal(before: Any, after: Any) -> bool:
    if type(before) is float:
        return repr(before) == repr(after)
    # Without an __eq__ of its own a type says nothing: its canonical text, compared elsewhere, has to do.
    return vars(object)["__eq__"] is type(before).__eq__ or bool(before == after)


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
