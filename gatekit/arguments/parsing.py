"""JSON text from outside, read strictly: what two readers could understand differently is refused."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from gatekit.arguments.canonical import MAX_DIGITS, MAX_SIZE, check, check_float
from gatekit.arguments.refused import Refused
from gatekit.errors import UsageError


def parse(text: str, *, markers: bool = False) -> dict[str, Any]:
    """The arguments that a JSON text holds.

    `markers` lets redaction markers pass: for stored text, and for edits of it. Raises `UsageError`, naming
    the path, for duplicate keys, NaN, numbers that overflow, integers of more than 4300 digits, lone
    surrogates, keys beginning `$gatekit`, more than 64 levels, more than 1 MB, and anything but one object.

    >>> parse('{"to": "bob", "amount": 1e2}')
    {'to': 'bob', 'amount': 100.0}
    """
    try:
        return read_object(text, markers=markers)
    except Refused as refusal:
        raise UsageError(str(refusal)) from None


def read_object(text: str, *, markers: bool) -> dict[str, Any]:
    """`parse`, raising `Refused`."""
    if len(text) > MAX_SIZE:
        raise Refused(f"the JSON text is larger than 1 MB ({len(text):,} characters)")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Refused(f"not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise Refused("nested too deep to be read") from None
    if type(value) is not dict:
        raise Refused('must be one JSON object with the arguments by name, as {"amount": 40}')
    check(value, markers=markers)
    return value


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise Refused(f"the key {twice!a:.60} stands twice in one object: keep one")
    return found


def _int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise Refused(f"an integer has more than {MAX_DIGITS} digits: write it as text")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    check_float(number)
    return number


def _constant(name: str) -> NoReturn:
    raise Refused(f"{name} is no JSON number: use null or text")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_int, parse_float=_float, parse_constant=_constant
)
