"""Edited arguments against a stored schema, in a process that has no tool.

JSON Schema alone is laxer than our canonical text: to it 1.0 is an integer, equal to 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from gatekit.arguments.diff import same_json
from gatekit.arguments.refused import path_of
from gatekit.display import visible

_MOST_ERRORS: Final = 20
_LONGEST: Final = 300


def errors_against(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """What is wrong with the arguments, each with its path; empty if they fit."""
    from jsonschema import ValidationError  # type: ignore[import-untyped]

    try:
        found = sorted(_validator(schema).iter_errors(arguments), key=lambda error: list(map(str, error.absolute_path)))
    except ValidationError as error:
        found = [error]
    except Exception as error:  # noqa: BLE001
        # A schema of the tool's own making can hold what cannot be checked here, as a remote reference.
        return (f"the tool's schema cannot be checked here ({_clean(str(error))}): the edit is refused",)
    return tuple(dict.fromkeys(map(_sentence, found[:_MOST_ERRORS])))


def _validator(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend  # type: ignore[import-untyped]
    from referencing import Registry

    checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    strict = extend(Draft202012Validator, {"const": _const, "enum": _enum, "format": _format}, type_checker=checker)
    # An empty registry retrieves nothing: no schema can make the reviewer's process open a connection.
    return strict(schema, registry=Registry())


def _const(_: Any, wanted: Any, value: Any, __: Any) -> Iterator[Any]:
    return _enum(_, [wanted], value, __)


def _enum(_: Any, choices: Any, value: Any, __: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not any(same_json(choice, value) for choice in choices):
        listed = ", ".join(map(json.dumps, choices))
        yield ValidationError(f"has to be {'one of ' if len(choices) > 1 else ''}{listed}")


def _format(_: Any, kind: Any, value: Any, __: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    # It brings pydantic along, and few schemas have a format.
    from gatekit.arguments.formats import CHECKED

    if type(value) is str and kind in CHECKED and (problem := CHECKED[kind](value)):
        yield ValidationError(problem)


def _sentence(error: Any) -> str:
    problem = _WORDS[error.validator](error) if error.validator in _WORDS else str(error.message)
    path = path_of(tuple(error.absolute_path))
    return f"{path}: {_clean(problem)}" if path else _clean(problem)


def _type(error: Any) -> str:
    wanted = error.validator_value
    names = wanted if isinstance(wanted, str) else " or ".join(wanted)
    return f"has to be of type {names}, is {_kind(error.instance)}"


def _unknown(error: Any) -> str:
    known = error.schema.get("properties", {})
    odd = [json.dumps(key) for key in error.instance if key not in known]
    return f"has no {', '.join(odd)}; it has: {', '.join(map(json.dumps, known)) or 'nothing'}"


def _missing(error: Any) -> str:
    lost = [json.dumps(key) for key in error.validator_value if key not in error.instance]
    return f"misses {', '.join(lost)}"


def _none_fits(error: Any) -> str:
    return f"fits none of the allowed types, is {_kind(error.instance)}"


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "type": _type,
    "additionalProperties": _unknown,
    "required": _missing,
    "anyOf": _none_fits,
    "oneOf": _none_fits,
    "uniqueItems": lambda _: "is a set, and holds a value twice",
}


def _kind(value: object) -> str:
    names: Mapping[type, str] = {
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
        list: "array",
        dict: "object",
    }
    return names.get(type(value), "null")


def _clean(problem: str) -> str:
    text = visible(problem)[0]
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
