"""A draft of arguments as the fields of a form, and back. What is not touched keeps its exact value. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from gatekit.display import visible
from gatekit_tui.request.draft import DraftError, read_value, write_value
from gatekit_tui.request.fields import WHOLE, Field, FormError, Raw, field_of, read_number, shown

MOST_FIELDS: Final = 30
"""Arguments beyond which a text is easier to find one's way in."""
LONGEST: Final = 20_000
"""Characters of one argument beyond which a field gets slow."""

_MOST_CHOICES: Final = 200
_UNTYPABLE: Final = re.compile(r"[^\n -~]")


class NoForm(ValueError):
    """These arguments are edited as JSON only; the message says why."""


@dataclass(frozen=True, slots=True)
class ArgsForm:
    """The fields of some arguments, and what stood in them first."""

    fields: tuple[Field, ...]
    args: dict[str, Any]
    """The arguments that the fields were written from."""
    raw: dict[str, Raw]
    """What they were written as, by name."""


def form_of(schema: Mapping[str, Any], args: dict[str, Any]) -> ArgsForm:
    """A field for each argument, and for each that the tool would take. Raises `NoForm`."""
    found = schema.get("properties")
    parts = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    names = tuple(dict.fromkeys((*args, *parts)))
    if WHOLE in names:
        raise NoForm("one of the arguments has an empty name")
    if not names:
        raise NoForm("the tool has no arguments to fill in")
    if len(names) > MOST_FIELDS:
        raise NoForm(f"{len(names)} arguments are too many for a form")
    wanted = {name: _tellable(field_of(name, parts.get(name, {}), schema)) for name in names}
    if all(field.kind == "json" for field in wanted.values()):
        raise NoForm("all that the tool takes is nested: there is nothing that a form would make easier")
    fields = tuple(_fitting(wanted[name], (args[name],) if name in args else ()) for name in names)
    raw = {field.name: _write(field, (args[field.name],) if field.name in args else ()) for field in fields}
    for name, text in raw.items():
        if len(text) > LONGEST:
            raise NoForm(f"{name} is too long for a field: {len(text):,} characters")
    return ArgsForm(fields, args, raw)


def read_args(form: ArgsForm, raw: Mapping[str, Raw]) -> dict[str, Any]:
    """The arguments that stand in the fields. Raises `FormError` naming everything that cannot be read."""
    read, errors = _read_all(form, raw)
    if errors:
        raise FormError(tuple(f"{name}: {error}" for name, error in errors.items()))
    return {name: value for name, (value,) in read.items()}


def text_of(form: ArgsForm, raw: Mapping[str, Raw]) -> str:
    """The draft as JSON. What cannot be read yet stands in it as it was typed, in `<…>`: no JSON begins like that."""
    read, errors = _read_all(form, raw)
    lines = [
        f"  {write_value(field.name)}: {_part(field, raw, read, errors)}"
        for field in form.fields
        if field.name in read or field.name in errors
    ]
    return "{\n" + ",\n".join(lines) + "\n}" if lines else "{}"


def _part(field: Field, raw: Mapping[str, Raw], read: Mapping[str, tuple[Any]], errors: Mapping[str, str]) -> str:
    if field.name in errors:
        typed = raw.get(field.name, "")
        return f"<{_UNTYPABLE.sub(_escaped, typed)}>" if isinstance(typed, str) else "<>"
    # A line break in a JSON text is layout: those of its strings are escapes.
    return write_value(read[field.name][0], indent=2).replace("\n", "\n  ")


def _escaped(found: re.Match[str]) -> str:
    return write_value(found[0])[1:-1]


def _read_all(form: ArgsForm, raw: Mapping[str, Raw]) -> tuple[dict[str, tuple[Any]], dict[str, str]]:
    """Each argument that is given, and why each of the others cannot be read; one that is left out is in neither."""
    values: dict[str, tuple[Any]] = {}
    errors: dict[str, str] = {}
    for field in form.fields:
        name, said = field.name, raw.get(field.name, form.raw[field.name])
        if said == form.raw[name]:
            if name in form.args:
                values[name] = (form.args[name],)
            continue
        try:
            found = _read(field, said, given=name in form.args)
        except DraftError as error:
            errors[name] = str(error)
        else:
            values.update({name: found} if found else {})
    return values, errors


def _read(field: Field, raw: Raw, *, given: bool) -> tuple[Any] | tuple[()]:
    if isinstance(raw, tuple):
        picked = [field.choices[place] for place in raw]
        if field.kind == "many":
            return (picked,)
        if not picked:
            raise DraftError("nothing is picked yet")
        return (picked[0],)
    if field.kind in ("text", "lines"):
        return () if not raw and not given else (None if not raw and field.nullable else raw,)
    if raw.strip():
        return (read_value(raw) if field.kind == "json" else read_number(field.kind, raw.strip()),)
    if field.nullable:
        return (None,)
    if not given:
        return ()
    raise DraftError("nothing is filled in yet")


def _tellable(field: Field) -> Field:
    """The field, unless its choices are too many, are no JSON, or two of them look the same, as `1` and `"1"` do."""
    texts = {visible(shown(choice))[0] for choice in field.choices}
    try:
        write_value(field.choices)
    except ValueError:
        return _json(field)
    return field if len(texts) == len(field.choices) <= _MOST_CHOICES else _json(field)


def _fitting(field: Field, value: tuple[Any] | tuple[()]) -> Field:
    """The field, if it can show this value so that none would look like another; else one of JSON."""
    if not value:
        return field
    (given,) = value
    match field.kind:
        case "text":
            if isinstance(given, str) and "\n" in given:
                return replace(field, kind="lines") if _is_plain(given.replace("\n", "")) else _json(field)
            fits = _is_plain(given) and not (given == "" and field.nullable)
        case "integer":
            fits = isinstance(given, int) and not isinstance(given, bool)
        case "number":
            fits = isinstance(given, (int, float)) and not isinstance(given, bool)
        case "one" | "many":
            listed = given if field.kind == "many" else [given]
            known = list(map(write_value, field.choices))
            fits = isinstance(listed, list) and _in_order(list(map(write_value, listed)), known)
        case _:
            return field
    return field if fits or (given is None and field.nullable) else _json(field)


def _json(field: Field) -> Field:
    return replace(field, kind="json", choices=())


def _in_order(listed: list[str], known: list[str]) -> bool:
    return listed == [text for text in known if text in listed]


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) and visible(value) == (value, 0)


def _write(field: Field, value: tuple[Any] | tuple[()]) -> Raw:
    if not value:
        return () if field.kind in ("one", "many") else ""
    (given,) = value
    if field.kind in ("one", "many"):
        listed = given if field.kind == "many" else [given]
        known = list(map(write_value, listed))
        return tuple(place for place, choice in enumerate(field.choices) if write_value(choice) in known)
    if field.kind in ("text", "lines"):
        return given or ""
    if given is None and field.nullable and field.kind != "json":
        return ""
    return write_value(given, indent=2 if field.kind == "json" else None)
