"""Canonical text v1: one text for one set of arguments, and the digest that decisions name.

The format is fixed: JSON with sorted keys, no blanks, ASCII only, floats by their repr (1.0 is not 1).
What JSON would bend is refused instead: see `check`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Final

from gatekit.arguments.marker import RESERVED, is_marker
from gatekit.arguments.refused import Refused
from gatekit.errors import UsageError

MAX_DEPTH: Final = 64
"""How many keys and indexes may lead from a parameter's value to the deepest value in it."""
MAX_SIZE: Final = 1_000_000
"""The longest canonical text, in bytes."""
MAX_DIGITS: Final = 4300
"""The longest integer: Python's own limit for reading one from text."""

_TOO_LONG: Final = 10**MAX_DIGITS
_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, check_circular=False
)


def canonical(value: object) -> str:
    r"""The canonical text of a JSON value, usually the object of a call's arguments.

    Raises `UsageError`, naming the path, for what JSON cannot hold exactly: NaN and infinities, keys that are
    no str or begin with `$gatekit`, lone surrogates, subclasses of the builtin types, any other type, more
    than 64 levels, more than 1 MB.

    >>> canonical({"b": [1.0, 1, True, None], "a": "é"})
    '{"a":"\\u00e9","b":[1.0,1,true,null]}'
    """
    try:
        check(value)
        return encode(value)
    except Refused as refusal:
        raise UsageError(str(refusal)) from None


def digest_of(tool: str, text: str) -> str:
    """The digest of a call, 64 hex digits: sha256 over a format label, the tool's name and the text.

    The text begins with `{` and holds no raw NUL, so no two pairs of tool and text share their bytes.

    >>> digest_of("send_email", "{}")[:16]
    'd83f6f257d964c4d'
    """
    return hashlib.sha256(f"gatekit.v1\0{tool}\0{text}".encode()).hexdigest()


def encode(value: object) -> str:
    """The canonical text of a value that `check` has passed. Raises `Refused` above 1 MB."""
    text = _ENCODER.encode(value)
    if len(text) > MAX_SIZE:
        raise Refused(f"larger than 1 MB in all ({len(text):,} bytes): pass a reference to the data")
    return text


def check(value: object, budget: Budget | None = None, *, markers: bool = False) -> None:
    """Raise `Refused` unless the value is exact JSON within the limits.

    `markers` lets well-formed redaction markers pass: for text that is stored, or made from it.
    """
    _check(value, MAX_DEPTH + 1, budget or Budget(), markers)


class Budget:
    """How much text is left. It ends the walk over values that share parts, which unfold without bound."""

    __slots__ = ("left",)

    def __init__(self, size: int = MAX_SIZE) -> None:
        self.left = size

    def spend(self, size: int) -> None:
        """Take `size` bytes; raises `Refused` when there are none left."""
        self.left -= size
        if self.left < 0:
            raise Refused("larger than 1 MB in all: pass a reference to the data")


def _check(value: object, room: int, budget: Budget, markers: bool) -> None:
    budget.spend(1)
    if value is None or type(value) is bool:
        return
    if type(value) is str:
        check_text(value, budget)
    elif type(value) is int:
        check_int(value)
    elif type(value) is float:
        check_float(value)
    elif type(value) is list:
        _check_list(value, room, budget, markers)
    elif type(value) is dict:
        if not (markers and is_marker(value)):
            _check_dict(value, room, budget, markers)
    else:
        raise Refused(f"{type_name(value)} is no JSON type: use str, int, float, bool, None, list and dict")


def _check_list(value: list[object], room: int, budget: Budget, markers: bool) -> None:
    check_room(value, room)
    for index, item in enumerate(value):
        try:
            _check(item, room - 1, budget, markers)
        except Refused as refusal:
            raise refusal.under(index) from None


def _check_dict(value: Mapping[object, object], room: int, budget: Budget, markers: bool) -> None:
    check_room(value, room)
    for key, item in value.items():
        if type(key) is not str:
            raise Refused(f"the key {key!r:.40} is {_a(type_name(key))}: JSON has only str keys")
        check_key(key, budget)
        try:
            _check(item, room - 1, budget, markers)
        except Refused as refusal:
            raise refusal.under(key) from None


def check_room(value: Mapping[object, object] | list[object], room: int) -> None:
    """Raise `Refused` if the values in this container lie too deep. A circle ends here too."""
    if value and room < 1:
        raise Refused(f"nested deeper than {MAX_DEPTH} levels (or it contains itself)")


def check_key(key: str, budget: Budget) -> None:
    """Raise `Refused` for a key that is reserved, or no text."""
    if key.startswith(RESERVED):
        raise Refused(f"the key {key!a:.60} begins with {RESERVED}, which is reserved")
    check_text(key, budget)


def check_text(text: str, budget: Budget) -> None:
    """Raise `Refused` for lone surrogates and for more text than is left."""
    budget.spend(len(text))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused("holds a lone surrogate, which is no character: decode the text it came from") from None


def check_int(number: int) -> None:
    """Raise `Refused` for an integer that could not be read back."""
    if not -_TOO_LONG < number < _TOO_LONG:
        raise Refused(f"the integer has more than {MAX_DIGITS} digits: pass it as text")


def check_float(number: float) -> None:
    """Raise `Refused` for what JSON has no number for."""
    if not math.isfinite(number):
        raise Refused(f"{number!r} is no JSON number: pass None or text instead")


def type_name(value: object) -> str:
    """The name of a value's type, for messages, whatever the value says of itself."""
    return type(value).__qualname__


def _a(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
