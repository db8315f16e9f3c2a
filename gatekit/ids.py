"""Identifiers: 26 characters that sort by the time they were made (the ULID layout)."""

from __future__ import annotations

import os
from typing import Final, TypeGuard

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 26


def new_id(now: int) -> str:
    """A new identifier: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32.

    `now` is in microseconds since 1970. The layout is that of the ULID specification.
    """
    number = (now // 1000 & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def could_be_id(given: object) -> TypeGuard[str]:
    r"""Whether a queue could hold something of this id: half a character, which UTF-8 cannot say, is in none.

    >>> could_be_id("run-7"), could_be_id("\ud800"), could_be_id(7)
    (True, False, False)
    """
    return isinstance(given, str) and not any("\ud800" <= char <= "\udfff" for char in given)
