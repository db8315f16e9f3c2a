"""What was typed and is not sent yet: in a form that is open, or kept since it was left. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """What was typed into one kind of form, by the id of the request it is about; for others by nothing."""

    def __init__(self) -> None:
        self._left: dict[str, T] = {}
        self._open: dict[str, Callable[[], T | None]] = {}

    def get(self, about: str) -> T | None:
        """What was typed when such a form was left last."""
        return self._left.get(about)

    def open(self, about: str, typed: Callable[[], T | None]) -> None:
        """A form is open. `typed` gives what was typed there: None where it is as it was."""
        self._open[about] = typed

    def close(self, about: str) -> None:
        """It was left: keep what was typed."""
        typed = self._open.pop(about)()
        if typed is None:
            self.drop(about)
        else:
            self._left[about] = typed

    def drop(self, about: str) -> None:
        """It was sent, or is of no use any more."""
        self._left.pop(about, None)

    def unsent(self) -> list[object]:
        """All of it, each once, as something that is equal only to the same at the same place."""
        stands = {**self._left, **{about: typed() for about, typed in self._open.items()}}
        return [(self, about, typed) for about, typed in stands.items() if typed is not None]


class Unsent:
    """Every kind of form that keeps what was typed."""

    def __init__(self) -> None:
        self._kinds: list[Kept[Any]] = []

    def kind(self) -> Kept[Any]:
        """One more."""
        self._kinds.append(Kept())
        return self._kinds[-1]

    def all(self) -> list[object]:
        """What is not sent, of every kind."""
        return [one for kind in self._kinds for one in kind.unsent()]

    def decided(self, request_id: str) -> None:
        """Nothing that was typed about this request is to be sent any more."""
        for kind in self._kinds:
            kind.drop(request_id)
