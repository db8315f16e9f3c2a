"""The JSON Schema of a tool's arguments, as stored beside a request: what an edit has to fit, in any process.

It describes what is *written* (serialization mode, by alias). It is closed: an object allows no keys beyond
its own unless its type does, and defaults are required, because canonical text always holds them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

from gatekit.arguments.fields import CURE, Field
from gatekit.arguments.marker import MARKER_SCHEMA, SCHEMA_KEYWORD
from gatekit.errors import UsageError


def schema_of(fields: Iterable[Field]) -> dict[str, Any]:
    """The schema of the object that holds these parameters. Raises `UsageError` for what is no JSON."""
    fields = tuple(fields)
    for field in fields:
        _require_describable(field)
    described, definitions = _Generator().generate_definitions(
        [(field.name, "serialization", field.adapter.core_schema) for field in fields]
    )
    return {
        "type": "object",
        "properties": {name: schema for (name, _), schema in described.items()},
        "required": [field.name for field in fields],
        "additionalProperties": False,
        "$defs": definitions,
    }


def with_markers(schema: dict[str, Any], redacted: Iterable[str]) -> dict[str, Any]:
    """The schema as it is stored: a redacted parameter holds a marker, whatever its type."""
    return {**schema, "properties": {**schema["properties"], **dict.fromkeys(redacted, MARKER_SCHEMA)}}


def schema_text(schema: dict[str, Any]) -> str:
    """One text for one schema, so that equal schemas are stored once."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def schema_digest(text: str) -> str:
    """The sha256 of a schema's text, as 64 hex digits: its name in the queue."""
    return hashlib.sha256(text.encode()).hexdigest()


def _require_describable(field: Field) -> None:
    try:
        _Generator().generate(field.adapter.core_schema, mode="serialization")
    except PydanticInvalidForJsonSchema as error:
        why = error.message.removeprefix("Cannot generate a JsonSchema for ")
        raise UsageError(f"parameter {field.name!r} cannot be stored as JSON ({why}): {CURE}") from None


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, closed and with our marks.

    It is told apart from a dump by three things that `round_trip=True` does: computed fields are left out, a
    `Json[…]` stays a string, and nothing is left to a default.
    """

    ignored_warning_kinds: ClassVar[set[JsonSchemaWarningKind]] = {  # type: ignore[misc]
        "skipped-choice",
        "non-serializable-default",
        "skipped-discriminator",
    }

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        inner = super().generate_inner(schema)
        # What pydantic writes for SecretStr and SecretBytes, and an author for a value that is never shown.
        if inner.get("writeOnly") is True and inner.get("format") == "password":
            return dict(MARKER_SCHEMA)
        return inner

    def set_schema(self, schema: core_schema.SetSchema) -> JsonSchemaValue:
        return {**super().set_schema(schema), SCHEMA_KEYWORD: "set"}

    def frozenset_schema(self, schema: core_schema.FrozenSetSchema) -> JsonSchemaValue:
        return {**super().frozenset_schema(schema), SCHEMA_KEYWORD: "set"}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def json_schema(self, schema: core_schema.JsonSchema) -> JsonSchemaValue:
        return {"type": "string", "contentMediaType": "application/json"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        if field["type"] == "typed-dict-field":
            return bool(field.get("required", total))
        return field.get("serialization_exclude_if") is None

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _closed(super().model_schema(schema))

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _closed(super().dataclass_schema(schema))

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return _closed(super().typed_dict_schema({**schema, "computed_fields": []}))

    def model_fields_schema(self, schema: core_schema.ModelFieldsSchema) -> JsonSchemaValue:
        return super().model_fields_schema({**schema, "computed_fields": []})

    def dataclass_args_schema(self, schema: core_schema.DataclassArgsSchema) -> JsonSchemaValue:
        return super().dataclass_args_schema({**schema, "computed_fields": []})

    def generator_schema(self, schema: core_schema.GeneratorSchema) -> JsonSchemaValue:
        return self.handle_invalid_for_json_schema(schema, "an iterable can be read only once: annotate it as list")

    def callable_schema(self, schema: core_schema.CallableSchema) -> JsonSchemaValue:
        return self.handle_invalid_for_json_schema(schema, "a function is no JSON value")

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> JsonSchemaValue:
        return self.handle_invalid_for_json_schema(schema, "nothing is known of the type but its name")

    def is_subclass_schema(self, schema: core_schema.IsSubclassSchema) -> JsonSchemaValue:
        return self.handle_invalid_for_json_schema(schema, "a class is no JSON value")


def _closed(schema: JsonSchemaValue) -> JsonSchemaValue:
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema
