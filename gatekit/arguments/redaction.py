"""Secrets: kept by the live call, represented in the queue by a salted hash.

A value that can be guessed can be guessed from its hash by whoever reads the queue file; the salt only keeps
equal values from looking equal.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from gatekit.arguments.canonical import encode
from gatekit.arguments.marker import is_marker, marker
from gatekit.arguments.refused import Refused, Steps


def seal(value: object, salt: str | None = None) -> dict[str, object]:
    """The marker of a JSON value, with a new salt or, to compare it with a stored one, with that one's."""
    salt = salt or secrets.token_hex(16)
    return marker(salt, hashlib.sha256(f"gatekit.redacted.v1\0{salt}\0{encode(value)}".encode()).hexdigest())


def markers_in(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, dict[str, Any]]]:
    """Every marker in a parsed stored text, with its path. No caller can forge one: the key is reserved."""
    if is_marker(value):
        yield steps, value
    elif type(value) is dict:
        for key, item in value.items():
            yield from markers_in(item, (*steps, key))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from markers_in(item, (*steps, index))


def fill(arguments: dict[str, Any], hidden: Mapping[Steps, object]) -> None:
    """Put the live call's secrets, in place, where the stored text has their markers.

    Raises `Refused` unless the markers stand exactly where the step keeps secrets, each for that value.
    """
    found = dict(markers_in(arguments))
    for steps, stored in found.items():
        if steps not in hidden:
            raise Refused("a redacted value that only the call itself holds: make the call again", steps)
        if seal(hidden[steps], stored["salt"]) != stored:
            raise Refused("the call at hand holds another secret than the one that was approved", steps)
        put(arguments, steps, hidden[steps])
    if missing := hidden.keys() - found.keys():
        raise Refused("a redacted value was replaced: its marker has to stay", min(missing, key=repr))


def pick(value: Any, steps: Steps) -> Any:
    """The value at a path."""
    for step in steps:
        value = value[step]
    return value


def put(value: Any, steps: Steps, new: object) -> None:
    """Replace the value at a path, in place."""
    pick(value, steps[:-1])[steps[-1]] = new


def twin(value: Any, shape: Any, steps: Steps) -> Any:
    """The value at a path into `shape`, the JSON form of `value`, in which every key is text."""
    for step in steps:
        value = list(value.values())[list(shape).index(step)] if type(shape) is dict else value[step]
        shape = shape[step]
    return value
