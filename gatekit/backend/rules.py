"""`RulesBackend`: who may decide, what is permitted for a while, and whether anything may start at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gatekit.models import Grant, ReviewerRow, Stop
from gatekit.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """A standing permission that is about to be given on a request."""

    id: str
    scope: str
    """JSON: for each argument what it may be."""
    run: str | None
    """Only calls of this run."""
    requester: str | None
    """Only calls of this agent."""
    lasts: int | None
    """Microseconds."""
    uses: int | None
    note: str | None = None


class RulesBackend(Protocol):
    """The rules of a queue."""

    def reviewers(self) -> Reply[Sequence[ReviewerRow]]:
        """All whom the queue knows; while there are none, anybody may decide."""
        ...

    def put_reviewer(self, name: str, roles: Sequence[str], by: str) -> Reply[ReviewerRow]:
        """Add a reviewer, or change one's roles."""
        ...

    def drop_reviewer(self, name: str, by: str) -> Reply[bool]:
        """Forget a reviewer; False where the queue knew none of this name."""
        ...

    def grants(self, limit: int) -> Reply[Sequence[Grant]]:
        """The newest standing permissions, also those that have ended."""
        ...

    def revoke(self, grant_id: str, by: str) -> Reply[Grant]:
        """Take one back: it covers no call from now on. Raises `NotAllowed`."""
        ...

    def stopped(self) -> Reply[Stop | None]:
        """Why nothing starts; None: calls start."""
        ...

    def stop(self, reason: str, by: str) -> Reply[Stop]:
        """Let nothing start from now on; the first word stays where it is stopped already."""
        ...

    def lift(self, by: str) -> Reply[bool]:
        """Let calls start again; False where nothing was stopped."""
        ...
