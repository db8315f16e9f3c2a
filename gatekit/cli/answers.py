"""What answer a question takes, read from its JSON Schema, and an answer as it is typed. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from gatekit.cli.edits import changes_from, json_from
from gatekit.cli.paint import cells, safe, under
from gatekit.errors import UsageError

Kind = Literal["bool", "text", "whole", "number", "choice", "many", "form", "json"]

_WIDEST_NAME: Final = 24
_INDENT: Final = 2
"""Cells: what is foreign begins no line where our labels do."""
_ANSWER: Final = "the answer"
_TYPES: Final[dict[str, Kind]] = {"boolean": "bool", "string": "text", "integer": "whole", "number": "number"}
_TRUTH: Final = {"true": True, "yes": True, "false": False, "no": False}
_WORDS: Final[dict[Kind, str]] = {
    "bool": "yes or no",
    "text": "a text",
    "whole": "a whole number",
    "number": "a number",
    "choice": "one of",
    "many": "any of",
    "json": "a JSON value",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The answer that a question takes, or one field of it."""

    kind: Kind
    choices: tuple[str, ...] = ()
    fields: tuple[tuple[str, Wanted], ...] = ()
    """Of a form: its fields by name."""
    optional: bool = False
    """Whether it may be null."""


def wanted_of(schema: Mapping[str, Any]) -> Wanted:
    """What the question with these arguments' schema wants to know.

    >>> wanted_of({"properties": {"answer": {"type": "string", "enum": ["eu", "us"]}}})
    Wanted(kind='choice', choices=('eu', 'us'), fields=(), optional=False)
    """
    return _wanted(schema["properties"]["answer"], schema.get("$defs", {}), whole=True)


def answer_from(wanted: Wanted, typed: Sequence[str]) -> object:
    """The answer that was typed. Raises `UsageError`, with the cure, for what is none.

    >>> answer_from(Wanted("bool"), ["yes"]), answer_from(Wanted("many", ("eu", "us")), ["us", "eu"])
    (True, ['us', 'eu'])
    """
    if wanted.kind == "form":
        return _form(wanted, typed)
    if wanted.kind == "many":
        return [_choice(_ANSWER, wanted.choices, one) for one in typed]
    if len(typed) != 1:
        raise UsageError(f"the question takes one value, not {len(typed)}: put one of several words in quotes")
    return _value(_ANSWER, wanted, typed[0])


def draw_how(request_id: str, wanted: Wanted, width: int) -> list[str]:
    """How the question is answered, as lines."""
    lines = ["answer it with"]
    column = 2 + max((min(_WIDEST_NAME, cells(safe(name))) for name, _ in wanted.fields), default=0)
    for name, field in wanted.fields:
        lines += under(safe(name), _told(field), width, column=column)
    if wanted.kind != "form":
        lines += [line for text in _told_apart(wanted) for line in under("", text, width, column=_INDENT)]
    return [*lines, *under("", f"gatekit answer {request_id} {_sample(wanted)}", width, column=_INDENT)]


def _wanted(node: Mapping[str, Any], defs: Mapping[str, Any], *, whole: bool) -> Wanted:
    node = _followed(node, defs)
    choices = _choices(node)
    if choices:
        return Wanted("choice", choices)
    others = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
    if len(others) == 1 and len(node["anyOf"]) == 2:
        inner = _wanted(others[0], defs, whole=False)
        return Wanted(inner.kind, inner.choices, optional=inner.kind != "json")
    if whole and node.get("type") == "array" and _choices(_followed(node.get("items", {}), defs)):
        return Wanted("many", _choices(_followed(node["items"], defs)))
    if whole and node.get("type") == "object" and node.get("properties"):
        fields = node["properties"].items()
        return Wanted("form", fields=tuple((name, _wanted(field, defs, whole=False)) for name, field in fields))
    return Wanted(_TYPES.get(str(node.get("type")), "json"))


def _followed(node: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    found: Mapping[str, Any] = defs.get(name, node)
    return found


def _choices(node: Mapping[str, Any]) -> tuple[str, ...]:
    found = node.get("enum", [node["const"]] if "const" in node else [])
    return tuple(found) if all(isinstance(choice, str) for choice in found) else ()


def _form(wanted: Wanted, typed: Sequence[str]) -> dict[str, object]:
    fields, answer = dict(wanted.fields), dict[str, object]()
    for one in typed:
        name, found, text = one.partition("=")
        if not found:
            raise UsageError(f"{safe(one)!r} is no field: write NAME=VALUE, as in {safe(wanted.fields[0][0])}=…")
        if name not in fields:
            raise UsageError(f"the form has no field {safe(name)}; it has {', '.join(map(safe, fields))}")
        if name in answer:
            raise UsageError(f"{safe(name)} is given twice: keep one")
        answer[name] = _value(name, fields[name], text)
    missing = [name for name in fields if name not in answer]
    if missing:
        raise UsageError(f"the form is not complete: give {', '.join(f'{safe(name)}=…' for name in missing)} too")
    return answer


def _value(name: str, wanted: Wanted, text: str) -> object:
    if wanted.optional and text == "null":
        return None
    match wanted.kind:
        case "bool" if text.lower() in _TRUTH:
            return _TRUTH[text.lower()]
        case "bool":
            raise UsageError(f"{safe(name)}: {safe(text)} is neither yes nor no")
        case "choice":
            return _choice(name, wanted.choices, text)
        case "whole" | "number":
            return _number(name, text)
        case "text":
            return text
        case _ if name == _ANSWER:
            return json_from("--json-value", text)
        case _:
            return changes_from([f"{name}={text}"])[name]


def _choice(name: str, choices: Sequence[str], text: str) -> str:
    if text not in choices:
        raise UsageError(f"{safe(name)}: {safe(text)} is none of {', '.join(map(safe, choices))}")
    return text


def _number(name: str, text: str) -> object:
    try:
        number = json_from(name, text)
    except UsageError:
        number = None
    if type(number) not in (int, float):
        raise UsageError(f"{safe(name)}: {safe(text)} is no number")
    return number


def _told(wanted: Wanted) -> str:
    listed = f" {', '.join(map(safe, wanted.choices))}" if wanted.choices else ""
    return _WORDS[wanted.kind] + listed + (", or null" if wanted.optional else "")


def _told_apart(wanted: Wanted) -> list[str]:
    """Each choice on a line of its own, whole; and as JSON where it holds what cannot be typed."""
    if not wanted.choices:
        return [_told(wanted)]
    return [f"{_WORDS[wanted.kind]}:", *(f"  {_typeable(choice)}" for choice in wanted.choices)]


def _typeable(choice: str) -> str:
    shown = safe(choice)
    return shown if shown == choice else f"{shown}  (as JSON: {json.dumps(choice)})"


def _sample(wanted: Wanted) -> str:
    match wanted.kind:
        case "bool":
            return "yes"
        case "text":
            return "'some words'"
        case "whole" | "number":
            return "NUMBER"
        case "choice":
            return _sample_choice(wanted.choices[0])
        case "many":
            return f"{_sample_choice(wanted.choices[0])} …"
        case "form":
            return " ".join(f"{shlex.quote(safe(name))}=…" for name, _ in wanted.fields)
        case "json":
            return "--json-value JSON"


def _sample_choice(choice: str) -> str:
    if safe(choice) != choice:
        return f"--json-value {shlex.quote(json.dumps(choice))}"
    return f"-- {shlex.quote(choice)}" if choice.startswith("-") else shlex.quote(choice)
