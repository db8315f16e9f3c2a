"""From a tool's signature to its fields: what is injected, what is stored, what cannot be."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from gatekit.arguments.fields import Field, field_of
from gatekit.arguments.hints import (
    RETURN,
    Unresolved,
    first_is_receiver,
    namespace_of,
    resolved_hints,
    signature_of,
)
from gatekit.arguments.injection import injected_by_annotation, injected_by_default, injected_by_text
from gatekit.arguments.schema import schema_of, schema_text, with_markers
from gatekit.arguments.shape import Shape
from gatekit.errors import UsageError


@dataclass(frozen=True, slots=True)
class Compiled:
    """The parameters of a tool as far as they are known."""

    signature: inspect.Signature
    names: tuple[str, ...]
    """What is stored, in the order of the signature."""
    injected: frozenset[str]
    redacted: frozenset[str]
    returns: object
    """The return annotation; `Any` where there is none, or none that can be resolved."""
    fields: Mapping[str, Field]
    shape: Shape
    """Where sets and secrets are, redacted parameters seen through."""
    schema_text: str
    """The schema as it is stored."""
    unresolved: Mapping[str, Unresolved]
    """Parameters whose annotations name what does not exist yet; they have no field."""


def compile_parameters(
    tool: Callable[..., Any], *, inject: Sequence[str], redact: Sequence[str], skip_first: bool | None
) -> Compiled:
    """Raises `UsageError`, naming the parameter and the cure, for what can never work."""
    signature = signature_of(tool)
    hints = resolved_hints(tool, signature)
    injected = _injected(tool, signature, hints, inject, skip_first)
    redacted = _named(signature, redact, "redact")
    if both := redacted & injected:
        raise UsageError(f"parameter {min(both)!r} is injected, so nothing of it is stored: take it out of redact")
    stored = [parameter for name, parameter in signature.parameters.items() if name not in injected]
    made = {one.name: _field(one, hints[one.name], namespace_of(tool)) for one in stored}
    fields = {name: field for name, field in made.items() if isinstance(field, Field)}
    open_schema = schema_of(fields.values())
    returns = hints[RETURN]
    return Compiled(
        signature=signature,
        names=tuple(made),
        injected=injected,
        redacted=redacted,
        returns=Any if isinstance(returns, Unresolved) else returns,
        fields=fields,
        shape=Shape(open_schema, schema_text(open_schema)),
        schema_text=schema_text(with_markers(open_schema, redacted & fields.keys())),
        unresolved={name: field for name, field in made.items() if isinstance(field, Unresolved)},
    )


def _field(parameter: Parameter, hint: object, space: Mapping[str, Any]) -> Field | Unresolved:
    return hint if isinstance(hint, Unresolved) else field_of(parameter, hint, space)


def _injected(
    tool: Callable[..., Any],
    signature: inspect.Signature,
    hints: Mapping[str, object],
    inject: Sequence[str],
    skip_first: bool | None,
) -> frozenset[str]:
    names = set(_named(signature, inject, "inject"))
    names.update(name for name, one in signature.parameters.items() if _is_injected(hints[name], one.default))
    skip = first_is_receiver(tool, signature) if skip_first is None else skip_first
    if skip:
        names.update(list(signature.parameters)[:1])
    return frozenset(names)


def _is_injected(hint: object, default: object) -> bool:
    if default is not Parameter.empty and injected_by_default(default):
        return True
    return injected_by_text(hint.text) if isinstance(hint, Unresolved) else injected_by_annotation(hint)


def _named(signature: inspect.Signature, names: Sequence[str], option: str) -> frozenset[str]:
    if isinstance(names, str):
        raise UsageError(f"{option}={names!r} is one text: write {option}=({names!r},)")
    for name in names:
        if name not in signature.parameters:
            known = ", ".join(signature.parameters) or "none"
            raise UsageError(f"{option} names {name!r}, which is no parameter of the tool; it has: {known}")
    return frozenset(names)
