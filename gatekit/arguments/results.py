"""What a tool returned, as JSON that gives the same value back, or not at all."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from gatekit.arguments.canonical import Budget, check
from gatekit.arguments.compare import require_same
from gatekit.arguments.fields import adapter_for
from gatekit.arguments.live import survey
from gatekit.errors import UsageError

MAX_RESULT: Final = 16_000_000
"""The longest stored result, in bytes: they are kept to answer a repeated call, not as an archive."""


def encode_result(value: object, annotation: object = Any) -> tuple[str | None, bool]:
    """The JSON text of a result and False, or `(None, True)` if no JSON text would give this very value back.

    It goes through the tool's return annotation, as `decode_result` will. Without one only exact JSON values
    are kept: a tuple would come back as a list. Never raises.

    >>> encode_result({"ok": True})
    ('{"ok":true}', False)
    >>> encode_result(object())
    (None, True)
    """
    try:
        return _encoded(value, annotation), False
    except Exception:  # noqa: BLE001 - the value's own code runs here; the tool has run, so its caller gets the value
        return None, True


def decode_result(text: str, annotation: object = Any) -> Any:
    """The value that a stored text stands for.

    Raises `UsageError` if it does not fit the annotation, as after a change of the tool.

    >>> decode_result('[1,2]', tuple[int, int])
    (1, 2)
    """
    try:
        return _adapter(annotation).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise UsageError(
            f"the stored result no longer fits the tool's return annotation ({first['msg']}): "
            f"change the annotation back, or call the tool under a new call id"
        ) from None


def _encoded(value: object, annotation: object) -> str:
    survey(value, Budget(MAX_RESULT))
    adapter = _adapter(annotation)
    valid = adapter.validate_python(value, strict=True)
    tree = adapter.dump_python(valid, mode="json", by_alias=True, round_trip=True, warnings="error")
    check(tree, Budget(MAX_RESULT))
    text = json.dumps(tree, separators=(",", ":"), allow_nan=False)
    require_same(value, decode_result(text, annotation))
    return text


def _adapter(annotation: object) -> TypeAdapter[Any]:
    try:
        return _kept_adapter(annotation)
    except TypeError:  # an annotation whose metadata cannot be hashed
        return adapter_for(annotation, {})


@lru_cache(maxsize=256)
def _kept_adapter(annotation: object) -> TypeAdapter[Any]:
    return adapter_for(annotation, {})
