"""The text of an edit: arguments as JSON to type in, and back, strictly."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, cast

from gatekit.display import visible


class DraftError(ValueError):
    """The draft cannot be read as arguments; the message says where and why."""


def write_draft(args: dict[str, Any]) -> str:
    """The arguments as indented JSON in ASCII: what hides is an escape, and survives the edit unchanged."""
    return _without_del(json.dumps(args, indent=2, ensure_ascii=True, allow_nan=False))


def write_json(args: dict[str, Any]) -> str:
    """The arguments as exact JSON in printable ASCII, on one line."""
    return _without_del(json.dumps(args, ensure_ascii=True, allow_nan=False))


def write_value(value: Any, indent: int | None = None) -> str:
    """One value as exact JSON in printable ASCII, for a field or a part of a draft."""
    return _without_del(json.dumps(value, indent=indent, ensure_ascii=True, allow_nan=False))


def _without_del(text: str) -> str:
    # JSON leaves DEL as it is, the only control character that is none of its own.
    return text.replace("\x7f", "\\u007f")


def read_draft(text: str) -> dict[str, Any]:
    """The arguments that a draft stands for. Raises `DraftError`."""
    value = read_value(text)
    if not isinstance(value, dict):
        raise DraftError("the arguments must be one JSON object: { … }")
    return cast("dict[str, Any]", value)


def read_value(text: str) -> Any:
    """One JSON value, strictly.

    Stricter than `json.loads`, which keeps the last of two equal names and accepts NaN: the reviewer must not
    be able to approve something else than what the draft seems to say. Raises `DraftError`.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise DraftError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise DraftError("it is nested too deeply") from error
    except DraftError:
        raise
    except ValueError as error:
        raise DraftError("a number has too many digits") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DraftError(f"the name {visible(json.dumps(twice))[0]} is there twice")
    return values


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise DraftError(f"{digits[:20]} is larger than a number can be")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise DraftError(f"{name} is not a JSON number")
