"""A draft outlives the version of the request that it was begun on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gatekit.models import Request

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Begun(Generic[D]):
    """A draft, and the version that its reviewer had in front of them when they began it."""

    draft: D
    version: int


def notes_of(begun: Begun[Any] | None, request: Request) -> list[str]:
    """That the request is another version now than the draft's; nothing where it is not, or there is no draft.

    A draft of the first version, in the form of the third: `kept from v1; the call is now v3`.
    """
    if begun is None or begun.version == request.version:
        return []
    return [f"kept from v{begun.version}; the {request.kind} is now v{request.version}"]
