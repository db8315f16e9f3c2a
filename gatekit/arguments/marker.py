"""The marker that stands in the queue where a redacted value was."""

from __future__ import annotations

import re
from typing import Final

RESERVED: Final = "$gatekit"
"""No key of an argument may begin so: a caller could otherwise forge a marker."""

_HEX = {"salt": re.compile(r"[0-9a-f]{32}"), "sha256": re.compile(r"[0-9a-f]{64}")}

SCHEMA_KEYWORD: Final = "x-gatekit"
"""Our keyword in stored schemas: `"set"` on an array without order, `"redacted"` where a marker stands."""

MARKER_SCHEMA: Final[dict[str, object]] = {
    SCHEMA_KEYWORD: "redacted",
    "type": "object",
    "properties": {
        RESERVED: {"const": "redacted"},
        **{name: {"type": "string", "pattern": f"^{shape.pattern}$"} for name, shape in _HEX.items()},
    },
    "required": [RESERVED, *_HEX],
    "additionalProperties": False,
}


def marker(salt: str, sha256: str) -> dict[str, object]:
    """The marker of one value: 32 and 64 lower-case hex digits.

    >>> sorted(marker("0" * 32, "0" * 64))
    ['$gatekit', 'salt', 'sha256']
    """
    return {RESERVED: "redacted", "salt": salt, "sha256": sha256}


def is_marker(value: object) -> bool:
    """Whether this JSON value is a well-formed marker, and nothing beside it.

    >>> is_marker({"$gatekit": "redacted"})
    False
    """
    if type(value) is not dict or value.keys() != {RESERVED, *_HEX} or value[RESERVED] != "redacted":
        return False
    return all(type(value[name]) is str and shape.fullmatch(value[name]) for name, shape in _HEX.items())
