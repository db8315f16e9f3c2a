"""The formats that are checked in edits: times and UUIDs, spelt as they are stored.

A second spelling of one value would be another text and so another digest; the message says how to write it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import partial
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

_TYPES: Final[Mapping[str, Any]] = {"date-time": datetime, "date": date, "time": time, "uuid": UUID}


def problem_with(kind: str, text: str) -> str | None:
    """What is wrong with a text of this format, or None.

    >>> problem_with("date", "2026-02-30")
    'is no date: Input should be a valid date in the format YYYY-MM-DD, day value is outside expected range'
    >>> problem_with("date-time", "2026-02-03 10:00:00+00:00")
    'has to be spelt "2026-02-03T10:00:00Z"'
    """
    adapter: TypeAdapter[Any] = TypeAdapter(_TYPES[kind])
    try:
        value = adapter.validate_strings(text, strict=True)
    except ValidationError as error:
        return f"is no {kind}: {error.errors(include_input=False, include_context=False)[0]['msg']}"
    spelling = adapter.dump_python(value, mode="json")
    return None if spelling == text else f'has to be spelt "{spelling}"'


CHECKED: Final[Mapping[str, Callable[[str], str | None]]] = {kind: partial(problem_with, kind) for kind in _TYPES}
"""Format name to its check."""
