"""A reviewer's edit: merged, validated against the stored schema and hashed, with stored data only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatekit.arguments.canonical import check, digest_of, encode
from gatekit.arguments.parsing import read_object
from gatekit.arguments.redaction import markers_in
from gatekit.arguments.refused import Refused
from gatekit.arguments.shape import Shape
from gatekit.arguments.validation import errors_against
from gatekit.errors import InvalidEdit


@dataclass(frozen=True, slots=True)
class Edited:
    """The arguments after an edit."""

    text: str
    """The canonical text."""
    digest: str
    """Its digest, with the tool's name."""
    changed: bool
    """False if the edit came to the same text: then it is an approval."""


def apply_edit(*, tool: str, text: str, schema_text: str, changes: Mapping[str, object], replace: bool) -> Edited:
    """Put `changes` over the arguments in `text`; with `replace` they are all the arguments.

    Values are plain JSON values. Raises `InvalidEdit`, naming every place that does not fit the schema, and
    where a redaction marker was touched: a secret can be rejected, never edited.

    >>> schema = '{"type":"object","properties":{"amount":{"type":"integer"}},"additionalProperties":false}'
    >>> old = '{"amount":100}'
    >>> apply_edit(tool="pay", text=old, schema_text=schema, changes={"amount": 40}, replace=False).text
    '{"amount":40}'
    """
    try:
        before = read_object(text, markers=True)
        after = _merged(before, changes, replace)
        _require_markers_kept(before, after)
        return _validated(tool, text, schema_text, after)
    except Refused as refusal:
        raise InvalidEdit((str(refusal),)) from None


def changes_of(text: str) -> dict[str, Any]:
    """The changes that a reviewer typed as JSON, read strictly: see `parse`. Raises `InvalidEdit`.

    >>> changes_of('{"amount": 40}')
    {'amount': 40}
    """
    try:
        return read_object(text, markers=True)
    except Refused as refusal:
        raise InvalidEdit((str(refusal),)) from None


def _merged(before: Mapping[str, Any], changes: Mapping[str, object], replace: bool) -> dict[str, Any]:
    given: dict[str, Any] = dict(changes)
    check(given, markers=True)
    after = given if replace else {**before, **given}
    # Through text: what was checked is then what is kept, whoever else holds the reviewer's objects.
    return read_object(encode(after), markers=True)


def _require_markers_kept(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    old, new = dict(markers_in(before)), dict(markers_in(after))
    for steps in [*old, *new]:
        if old.get(steps) != new.get(steps):
            raise Refused("is redacted, and its marker has to stay as it is: reject the call instead", steps)


def _validated(tool: str, text: str, schema_text: str, after: dict[str, Any]) -> Edited:
    schema = json.loads(schema_text)
    if errors := errors_against(schema, after):
        raise InvalidEdit(errors)
    Shape(schema, schema_text).sort_sets(after)
    edited = encode(after)
    return Edited(edited, digest_of(tool, edited), edited != text)
