"""The changes of `gatekit edit`, as they are typed: `NAME=JSON`, nothing else. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from gatekit.arguments.edits import changes_of
from gatekit.cli.paint import safe
from gatekit.errors import InvalidEdit, UsageError


def changes_from(typed: Sequence[str]) -> dict[str, Any]:
    """The new arguments by name. The text behind the first `=` is JSON; so a text needs its quotes.

    Raises `UsageError`, with the cure, for anything else: what a bare word means would be a guess.

    >>> changes_from(["amount=40", 'note="x"', "tags=[1, 2]"])
    {'amount': 40, 'note': 'x', 'tags': [1, 2]}
    """
    changes: dict[str, Any] = {}
    for one in typed:
        name, found, text = one.partition("=")
        if not found or not name:
            raise UsageError(f"{safe(one)!r} is no change: write NAME=JSON, as in amount=40")
        if name in changes:
            raise UsageError(f"{safe(name)} is given twice: keep one")
        changes[name] = _value(name, text)
    return changes


def split(typed: str) -> list[str]:
    r"""A line as a shell would split it. Raises `UsageError` where a quote is not closed.

    >>> split("amount=40 note='\"for June\"'")
    ['amount=40', 'note="for June"']
    """
    try:
        return shlex.split(typed)
    except ValueError as error:
        raise UsageError(f"{safe(typed)}: a quote is not closed") from error


def json_from(option: str, text: str) -> Any:
    """The value of an option that takes JSON. Raises `UsageError`, with the cure, for a text that is none.

    >>> json_from("--result", '{"id": 7}')
    {'id': 7}
    """
    return _read(option, text, f"{option} {shlex.quote(safe(json.dumps(text)))}")


def _value(name: str, text: str) -> Any:
    return _read(name, text, shlex.quote(safe(f"{name}={json.dumps(text)}")))


def _read(name: str, text: str, as_text: str) -> Any:
    try:
        read = changes_of(f"{{{json.dumps(name)}: {text}\n}}")
    except InvalidEdit as error:
        raise UsageError(
            f"{safe(name)}: {safe(text)} cannot be read as JSON ({'; '.join(error.errors)}); "
            f"if it is meant as text, write {as_text}"
        ) from None
    if read.keys() != {name}:
        # What is typed could close the value and begin another name.
        raise UsageError(f"{safe(name)}: {safe(text)} is more than one JSON value")
    return read[name]
