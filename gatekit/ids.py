"""Identifiers: 26 characters that sort by the time they were made (the ULID layout)."""

from __future__ import annotations

import os
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 26


def new_id(now: int) -> str:
    """A new identifier: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32.

    `now` is in microseconds since 1970. The layout is that of the ULID specification.
    """
    number = (now // 1000 & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))
