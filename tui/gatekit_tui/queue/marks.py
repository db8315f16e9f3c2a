"""The requests that a reviewer marked to decide on all of them at once, each by its id. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gatekit.models import RequestRow

MOST: Final = 200
"""Requests that are decided at once: more than these nobody reads through."""


class Marks(Mapping[str, str]):
    """By id the token of the version that was marked: another version of it is not what the reviewer saw."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        self.anchor: str | None = None
        """The request that was marked, or unmarked, by itself last: from there on a range goes."""

    def __getitem__(self, request_id: str) -> str:
        return self._tokens[request_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def turn(self, row: RequestRow) -> None:
        """Mark it, or unmark it; a range begins with it."""
        self.anchor = row.id
        if row.id in self._tokens:
            del self._tokens[row.id]
        else:
            self._tokens[row.id] = row.token

    def add(self, rows: Iterable[RequestRow]) -> None:
        """Mark all of these that wait."""
        for row in rows:
            if row.status == "pending":
                self._tokens.setdefault(row.id, row.token)

    def drop(self, request_ids: Iterable[str]) -> None:
        """Unmark these."""
        for request_id in list(request_ids):
            self._tokens.pop(request_id, None)
