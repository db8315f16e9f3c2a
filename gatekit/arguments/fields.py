"""One parameter, made ready: how to validate, store and rebuild its values."""

from __future__ import annotations

import typing
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Final, Optional, ParamSpecArgs, ParamSpecKwargs

from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.warnings import UnsupportedFieldAttributeWarning
from typing_extensions import Unpack

from gatekit.arguments.fast import fast_test, plain_test
from gatekit.arguments.hints import Unresolved
from gatekit.errors import UsageError

CURE: Final = "annotate it with a type that pydantic can model, or name it in inject=(…) if no human needs to see it"
_VARIADIC: Final = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter that is queued. `*args` is a list here, `**kwargs` an object."""

    name: str
    adapter: TypeAdapter[Any]
    fast: str | None
    """An expression over the parameter's name that is true for values which need no canonicalising."""
    is_plain: Callable[[object], bool]
    """The same as a function: such a value is its own JSON, and comes back from it as it is."""
    is_starred: bool
    """Whether it is `*args`."""

    def dump(self, value: object) -> Any:
        """The value as JSON, by alias. Raises what pydantic raises for a value that is not of the type."""
        return self.adapter.dump_python(value, mode="json", by_alias=True, round_trip=True, warnings="error")

    def dump_objects(self, value: object) -> Any:
        """The same shape with Python objects as leaves: where the secrets of `dump` are still readable."""
        return self.adapter.dump_python(value, mode="python", by_alias=True, round_trip=True, warnings="error")

    def validate(self, value: object) -> Any:
        """A live value, strictly: nothing is converted but an int to a float. Raises `ValidationError`."""
        return self.adapter.validate_python(value, strict=True)

    def rebuild(self, text: str) -> Any:
        """The value that a JSON text stands for, strictly. Raises `ValidationError`."""
        return self.adapter.validate_json(text, strict=True)


def field_of(parameter: Parameter, hint: object, space: Mapping[str, Any]) -> Field | Unresolved:
    """The field of a parameter. Raises `UsageError`, with the cure, for a type that cannot be modelled."""
    name, kind = parameter.name, parameter.kind
    try:
        with warnings.catch_warnings():
            # An alias or a default inside a parameter's Field(…) means something to its framework, nothing here.
            warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
            adapter = adapter_for(_annotation(parameter, hint), space)
        is_plain = plain_test(adapter.core_schema)
        fast = f"not {name}" if kind in _VARIADIC else fast_test(adapter.core_schema, name)
    except (PydanticUndefinedAnnotation, NameError) as error:
        return Unresolved(repr(hint), str(error))
    except Exception as error:  # noqa: BLE001 - a type's own code runs here and can raise anything
        raise UsageError(f"parameter {name!r} cannot be stored ({_reason(error)}): {CURE}") from None
    return Field(name, adapter, fast, is_plain, kind is Parameter.VAR_POSITIONAL)


def adapter_for(annotation: Any, space: Mapping[str, Any]) -> TypeAdapter[Any]:
    """Pydantic's adapter. `space` helps types that were made at run time and name others by text."""
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    if not adapter.pydantic_complete:
        adapter.rebuild(force=True, _types_namespace={"typing": typing, **space})
    return adapter


def _annotation(parameter: Parameter, hint: Any) -> Any:
    if isinstance(hint, (ParamSpecArgs, ParamSpecKwargs)):
        hint = Any
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return list[hint]
    if parameter.kind is Parameter.VAR_KEYWORD:
        unpacked = typing.get_origin(hint) in (Unpack, typing.Unpack)
        return typing.get_args(hint)[0] if unpacked else dict[str, hint]
    # `path: str = None` is no longer a correct annotation, and still a common one.
    return Optional[hint] if parameter.default is None else hint  # noqa: UP045 - the hint may not support |


def has_checkable_default(parameter: Parameter) -> bool:
    """Whether the default is a value: a pydantic `Field(…)` is for the framework, which replaces it."""
    return parameter.default is not Parameter.empty and not isinstance(parameter.default, FieldInfo)


def _reason(error: Exception) -> str:
    message = error.message if isinstance(error, PydanticUserError) else str(error)
    # Pydantic goes on with advice on a configuration that is not the reader's.
    return message.partition("\n")[0].partition(". Set ")[0] or type(error).__name__
