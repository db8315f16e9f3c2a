"""A stored schema laid over a JSON value: which arrays are sets, and where redacted values stand.

The schema says so in any process, with or without the tool. Where a union leaves open what a place is, the
branches that the value fits are looked at; if they disagree about a set, the value is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gatekit.arguments.canonical import encode
from gatekit.arguments.marker import SCHEMA_KEYWORD
from gatekit.arguments.refused import Refused, Step, Steps

Schema = Mapping[str, Any]


class Shape:
    """One schema of arguments, ready to be laid over values."""

    def __init__(self, schema: Schema, text: str) -> None:
        self._schema = schema
        self._is_plain = f'"{SCHEMA_KEYWORD}":' not in text

    def sort_sets(self, arguments: dict[str, Any]) -> None:
        """Put the items of every set, in place, into the order of their canonical text. Raises `Refused`."""
        if not self._is_plain:
            self._sort_items(arguments, [self._schema])

    def redacted(self, arguments: dict[str, Any]) -> list[Steps]:
        """The paths of the values at places that are redacted. Raises `Refused` for one inside a set."""
        if self._is_plain:
            return []
        return list(self._redacted_items(arguments, [self._schema], (), False))

    def _sort(self, value: Any, schemas: list[Schema]) -> None:
        fitting = self._fitting(value, schemas)
        self._sort_items(value, fitting)
        if type(value) is list and _is_set(fitting):
            value.sort(key=encode)

    def _sort_items(self, value: Any, schemas: list[Schema]) -> None:
        for step, item in _items(value):
            try:
                self._sort(item, list(_below(schemas, step)))
            except Refused as refusal:
                raise refusal.under(step) from None

    def _redacted(self, value: Any, schemas: list[Schema], steps: Steps, in_set: bool) -> Iterator[Steps]:
        fitting = self._fitting(value, schemas)
        hiding = [schema for schema in fitting if schema.get(SCHEMA_KEYWORD) == "redacted"]
        # None beside a secret, as in `SecretStr | None`, says that there is none.
        if not hiding or (value is None and len(hiding) < len(fitting)):
            in_set = in_set or (type(value) is list and _is_set(fitting))
            yield from self._redacted_items(value, fitting, steps, in_set)
        elif in_set:
            raise Refused("a secret inside a set has no place to be kept at: use a list", steps)
        else:
            yield steps

    def _redacted_items(self, value: Any, schemas: list[Schema], steps: Steps, in_set: bool) -> Iterator[Steps]:
        for step, item in _items(value):
            yield from self._redacted(item, list(_below(schemas, step)), (*steps, step), in_set)

    def _fitting(self, value: Any, schemas: list[Schema]) -> list[Schema]:
        return [branch for schema in schemas for branch in self._branches(schema) if _fits(branch, value)]

    def _branches(self, schema: Schema) -> Iterator[Schema]:
        if "$ref" in schema:
            target = self._schema["$defs"].get(str(schema["$ref"]).removeprefix("#/$defs/"), {})
            yield from self._branches(target)
        nested = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
        for branch in nested:
            yield from self._branches(branch)
        if not nested and "$ref" not in schema:
            yield schema


def _is_set(fitting: list[Schema]) -> bool:
    marks = {schema.get(SCHEMA_KEYWORD) == "set" for schema in fitting}
    if marks == {True, False}:
        raise Refused("the type allows a set and a list here, and JSON cannot tell them apart: use one of them")
    return marks == {True}


def _fits(schema: Schema, value: Any) -> bool:
    """A first look, not a validation: enough to tell the branches of a union apart."""
    if schema.get(SCHEMA_KEYWORD) == "redacted":
        return True
    kind = schema.get("type")
    if type(value) is dict:
        return kind in (None, "object") and _fits_object(schema, value)
    if type(value) is list:
        return kind in (None, "array")
    return kind not in ("object", "array")


def _fits_object(schema: Schema, value: dict[str, Any]) -> bool:
    properties: Mapping[str, Any] = schema.get("properties", {})
    if any(name not in value for name in schema.get("required", ())):
        return False
    if schema.get("additionalProperties") is False and not value.keys() <= properties.keys():
        return False
    return all(
        "const" not in described or value[name] == described["const"]
        for name, described in properties.items()
        if name in value
    )


def _items(value: Any) -> Iterator[tuple[Step, Any]]:
    if type(value) is dict:
        yield from value.items()
    elif type(value) is list:
        yield from enumerate(value)


def _below(schemas: list[Schema], step: Step) -> Iterator[Schema]:
    for schema in schemas:
        below = _item_schema(schema, step) if isinstance(step, int) else _property_schema(schema, step)
        if isinstance(below, Mapping):
            yield below


def _item_schema(schema: Schema, index: int) -> Any:
    prefix = schema.get("prefixItems", ())
    return prefix[index] if index < len(prefix) else schema.get("items")


def _property_schema(schema: Schema, name: str) -> Any:
    properties = schema.get("properties", {})
    return properties[name] if name in properties else schema.get("additionalProperties")
