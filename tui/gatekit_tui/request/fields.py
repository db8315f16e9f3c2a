"""The fields that an answer is typed into, read from its JSON Schema; and what was typed, read as JSON. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, cast

from gatekit.display import visible
from gatekit_tui.request.draft import DraftError, read_value

FieldKind = Literal["text", "lines", "integer", "number", "one", "many", "json"]
Raw: TypeAlias = "str | tuple[int, ...]"
"""What stands in a field: its text, or the places of what is picked."""
WHOLE: Final = ""
"""The name of the only field of an answer that is no form."""
MOST_FIELDS: Final = 60
"""A form with more is one field of JSON: each costs widgets."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    name: str
    kind: FieldKind
    """What is typed or picked; `lines` is a text of several."""
    choices: tuple[Any, ...] = ()
    """The JSON values of which one, or some, are picked."""
    nullable: bool = False
    """Whether it may be left empty, which then means null."""
    note: str = ""
    """What its author says of it."""
    default: tuple[Any, ...] = ()
    """The JSON value that it has where nobody says another; empty: there is none."""


class FormError(ValueError):
    """What was typed is no answer yet; `errors` say where and why."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(*errors)
        self.errors = errors


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of the answer to a question whose request has this schema: one for each property of a form."""
    answer, nullable = _resolved(_properties(schema).get("answer", {}), schema)
    properties = _properties(answer)
    if answer.get("type") == "object" and properties and len(properties) <= MOST_FIELDS and not nullable:
        return tuple(_field(name, part, schema) for name, part in properties.items())
    return (_field(WHOLE, _properties(schema).get("answer", {}), schema),)


def takes(fields: tuple[Field, ...]) -> list[str]:
    """What the answer is to be, in words, a line for each field or choice; foreign text is in them."""
    lines: list[str] = []
    for field in fields:
        lead = f"{field.name}: " if field.name else ""
        tail = f" ({field.note})" if field.note else ""
        lines.append(
            lead + _kind_words(field) + (", or nothing" if field.nullable else "") + _unless_said(field) + tail
        )
        if field.name == WHOLE and field.choices and not _is_truth(field):
            lines += [f"- {shown(choice)}" for choice in field.choices]
    return lines


def _unless_said(field: Field) -> str:
    return f", {shown(field.default[0])} unless you say otherwise" if field.default else ""


def _kind_words(field: Field) -> str:
    if _is_truth(field):
        return "yes or no"
    listed = "" if field.name == WHOLE else ": " + ", ".join(map(shown, field.choices))
    words = {"text": "a text", "integer": "a whole number", "number": "a number", "json": "a JSON value"}
    return words.get(field.kind) or ("one of" if field.kind == "one" else "any of") + listed


def _is_truth(field: Field) -> bool:
    return tuple(choice for choice in field.choices if choice is not None) == (True, False)


def shown(choice: Any) -> str:
    """A choice as it is offered: `yes` and `no` for a truth value."""
    if isinstance(choice, bool):
        return "yes" if choice else "no"
    if choice is None:
        return "nothing"
    return choice if isinstance(choice, str) else json.dumps(choice, ensure_ascii=False)


def read_form(fields: tuple[Field, ...], raw: Mapping[str, Raw]) -> Any:
    """The answer as a JSON value. Raises `FormError` naming everything that is missing or cannot be read."""
    values: dict[str, Any] = {}
    errors: list[str] = []
    for field in fields:
        try:
            values[field.name] = _read(field, raw.get(field.name, ()))
        except DraftError as error:
            errors.append(f"{field.name}: {error}" if field.name else str(error))
    if errors:
        raise FormError(tuple(errors))
    return values[WHOLE] if [field.name for field in fields] == [WHOLE] else values


def write_form(fields: tuple[Field, ...], answer: Any) -> dict[str, Raw]:
    """What stands in the fields for an answer that was given before; what has a default is filled in with it."""
    if answer is None:
        return {field.name: _write(field, field.default[0]) for field in fields if field.default}
    if [field.name for field in fields] == [WHOLE]:
        return {WHOLE: _write(fields[0], answer)}
    given = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    return {field.name: _write(field, given[field.name]) for field in fields if field.name in given}


def _read(field: Field, raw: Raw) -> Any:
    if field.kind in ("one", "many"):
        picked = [field.choices[place] for place in raw] if isinstance(raw, tuple) else []
        if field.kind == "many":
            return picked
        if not picked:
            raise DraftError("nothing is picked yet")
        return picked[0]
    text = raw if isinstance(raw, str) else ""
    if not text.strip():
        if field.nullable:
            return None
        if field.kind == "text" and field.default == ("",):
            return ""
        raise DraftError("nothing is filled in yet")
    return text if field.kind == "text" else read_number(field.kind, text.strip())


def read_number(kind: FieldKind, text: str) -> Any:
    """A number, or any JSON, as it was typed. Raises `DraftError`."""
    if kind == "json":
        return read_value(text)
    if kind == "integer" and not re.fullmatch(r"-?[0-9]{1,400}", text):
        raise DraftError("it takes a whole number")
    try:
        value = read_value(re.sub(r"^(-?)0+(?=[0-9])", r"\1", text))
    except DraftError as error:
        raise DraftError("it takes a number") from error
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DraftError("it takes a number")
    return value


def _write(field: Field, value: Any) -> Raw:
    if field.kind in ("one", "many"):
        listed: list[Any] = value if field.kind == "many" and isinstance(value, list) else [value]
        known = [json.dumps(choice) for choice in field.choices]
        return tuple(known.index(text) for text in map(json.dumps, listed) if text in known)
    if value is None and field.nullable:
        return ""
    if field.kind == "text" and isinstance(value, str):
        # A field shows its text as it is: what hides in it must be typed again by somebody who saw it.
        bare = value.replace("\n", "") if field.name == WHOLE else value
        return value if visible(bare) == (bare, 0) else ""
    return json.dumps(value, ensure_ascii=True)


def _field(name: str, part: Any, schema: Mapping[str, Any]) -> Field:
    field = field_of(name, part, schema)
    if name == WHOLE or not isinstance(part, dict) or "default" not in part:
        return field
    return replace(field, default=(cast("dict[str, Any]", part)["default"],))


def field_of(name: str, part: Any, schema: Mapping[str, Any]) -> Field:
    """The field for a part of a schema, whose references lead into the whole; its default is left out."""
    resolved, nullable = _resolved(part, schema)
    own = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
    note = own.get("description", resolved.get("description", ""))
    field = Field(name, "json", nullable=nullable, note=note if isinstance(note, str) else "")
    choices = _choices(resolved)
    if choices:
        return replace(field, kind="one", choices=(*choices, None) if nullable else choices, nullable=False)
    kind = resolved.get("type")
    if kind == "array":
        items, item_nullable = _resolved(resolved.get("items", {}), schema)
        if (some := _choices(items)) and not item_nullable and not nullable and resolved.get("uniqueItems"):
            return replace(field, kind="many", choices=some)
    if kind == "string":
        return replace(field, kind="text")
    return replace(field, kind=kind) if kind in ("integer", "number") else field


def _choices(part: Mapping[str, Any]) -> tuple[Any, ...]:
    if part.get("type") == "boolean":
        return (True, False)
    listed = part.get("enum", [part["const"]] if "const" in part else [])
    return tuple(listed) if isinstance(listed, list) else ()


def _resolved(part: Any, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The part that a reference stands for, and whether null would do too."""
    nullable = False
    for _ in range(10):
        if not isinstance(part, dict):
            return {}, nullable
        known = cast("dict[str, Any]", part)
        options = known.get("anyOf")
        if isinstance(options, list):
            others = [option for option in options if option != {"type": "null"}]
            if len(others) != 1:
                return {}, False
            nullable = nullable or len(others) < len(options)
            part = others[0]
        elif isinstance(known.get("$ref"), str):
            parts = schema.get("$defs")
            part = parts.get(known["$ref"].removeprefix("#/$defs/")) if isinstance(parts, dict) else None
        else:
            return known, nullable
    return {}, nullable


def _properties(part: Mapping[str, Any]) -> dict[str, Any]:
    found = part.get("properties")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
