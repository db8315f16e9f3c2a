"""A tool's signature and its annotations, each resolved on its own.

One name that only exists for type checkers must not hide the annotations of the other parameters.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatekit.errors import UsageError


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An annotation that names something which does not exist, or not yet."""

    text: str
    """The annotation as it is written."""
    problem: str
    """Why it could not be resolved."""


RETURN: Final = "return"


def signature_of(tool: Callable[..., Any]) -> inspect.Signature:
    """The signature with annotations as written. Raises `UsageError` for what has none."""
    try:
        return inspect.signature(tool)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{tool!r} has no signature ({error}): wrap it in a function with named parameters") from None


def resolved_hints(tool: Callable[..., Any], signature: inspect.Signature) -> dict[str, object]:
    """Parameter name (and "return") to annotation; `Any` where there is none, `Unresolved` where it fails."""
    space = namespace_of(tool)
    written = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    written[RETURN] = signature.return_annotation
    return {name: _resolve(annotation, space) for name, annotation in written.items()}


def namespace_of(tool: Callable[..., Any]) -> Mapping[str, Any]:
    """The globals in which the tool's annotations were written."""
    function = inspect.unwrap(tool)
    if not hasattr(function, "__globals__") and not isinstance(function, types.MethodType):
        function = type(function).__call__
    found: Mapping[str, Any] = getattr(inspect.unwrap(function), "__globals__", {})
    return found


def first_is_receiver(tool: Callable[..., Any], signature: inspect.Signature) -> bool:
    """Whether the first parameter is the `self` or `cls` of a function that stands in a class body."""
    outer = getattr(tool, "__qualname__", "").rpartition(".")[0]
    in_class = bool(outer) and not outer.endswith("<locals>") and not inspect.ismethod(tool)
    return in_class and next(iter(signature.parameters), None) in ("self", "cls")


def _resolve(annotation: object, space: Mapping[str, Any]) -> object:
    if annotation is inspect.Parameter.empty:
        return Any
    # get_type_hints takes anything with annotations, and handles strings at any depth of a generic type.
    holder: Any = types.SimpleNamespace(__annotations__={"hint": annotation})
    try:
        return typing.get_type_hints(holder, dict(space), include_extras=True)["hint"]
    except Exception as error:  # noqa: BLE001 - evaluating foreign text can raise anything
        return Unresolved(annotation if isinstance(annotation, str) else repr(annotation), str(error))
