"""What an event carries besides its kind: read by name, and nothing of it lost. Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar, cast

from gatekit.models import Event, Request

T = TypeVar("T")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
UNREADABLE: Final = "(not JSON)"
"""Under this name stands what could not be read."""


def data_of(event: Event) -> dict[str, Any]:
    """The event's data; what is no JSON object is there whole, under a name that says so."""
    try:
        data = _parsed(event)
    except (ValueError, RecursionError):
        # A row that gatekit did not write: the model offers no other way to its text.
        return {UNREADABLE: dataclasses.asdict(event)["_data"]}
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {"": data}


def _parsed(event: Event) -> object:
    return event.data


def plain(words: str) -> Words:
    """The words of events that say nothing beside their kind."""
    return lambda reading, event, request: words


def as_json(value: object) -> str:
    """A value as JSON in readable letters, on one line."""
    return json.dumps(value, ensure_ascii=False)


class Reading:
    """Gives what has the type that gatekit writes there, and keeps a record of what nobody has asked for."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._left = dict(data)

    def text(self, name: str) -> str | None:
        """A text."""
        return self._take(name, str)

    def number(self, name: str) -> int | None:
        """A whole number."""
        return self._take(name, int)

    def flag(self, name: str) -> bool | None:
        """A yes or no."""
        return self._take(name, bool)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Several texts."""
        return self._several(name, str)

    def numbers(self, name: str) -> tuple[int, ...] | None:
        """Several whole numbers."""
        return self._several(name, int)

    def moment(self, name: str) -> datetime | None:
        """A moment, which events keep in microseconds."""
        found = self._left.get(name)
        if type(found) is not int:
            return None
        try:
            moment = _EPOCH + timedelta(microseconds=found)
        except OverflowError:
            return None
        del self._left[name]
        return moment

    @property
    def rest(self) -> tuple[tuple[str, str], ...]:
        """What is left: names, and their values as text."""
        return tuple((name, value if isinstance(value, str) else as_json(value)) for name, value in self._left.items())

    def _take(self, name: str, kind: type[T]) -> T | None:
        found = self._left.get(name)
        if type(found) is not kind:
            return None
        del self._left[name]
        return found

    def _several(self, name: str, kind: type[T]) -> tuple[T, ...] | None:
        found = self._left.get(name)
        if not isinstance(found, list) or any(type(one) is not kind for one in cast("list[object]", found)):
            return None
        del self._left[name]
        return tuple(cast("list[T]", found))


Words = Callable[[Reading, Event, Request | None], str]
"""Makes the words of an event; what it takes from the reading is said in them."""
