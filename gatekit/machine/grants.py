"""A standing permission: which calls it covers, and for how long."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from gatekit.display import visible

_MARKS: Final = frozenset("*?")
_LONGEST: Final = 4096
"""Characters of a value that a pattern is tried on: matching costs more the longer it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRecord:
    """One row of `grants`."""

    id: str
    tool: str
    scope: str
    """JSON: for each argument what it may be."""
    run: str | None
    """Only calls of this run; None: of any."""
    requester: str | None
    """Only calls of this agent; None: of any."""
    by: str
    at: int
    request_id: str
    """The request on which it was given."""
    expires_at: int | None
    uses: int | None
    """How many more calls it covers; None: any number until it ends."""
    used: int = 0
    revoked_at: int | None = None
    revoked_by: str | None = None
    note: str | None = None

    def holds(self, now: int) -> bool:
        """Whether it permits anything at this moment."""
        return (
            self.revoked_at is None
            and self.at <= now
            and (self.expires_at is None or now < self.expires_at)
            and (self.uses is None or self.used < self.uses)
        )

    def is_over(self, now: int) -> bool:
        """Whether its time has come to an end."""
        return self.expires_at is not None and self.expires_at <= now

    def same_terms(
        self, scope: str, run: str | None, requester: str | None, lasts: int | None, uses: int | None
    ) -> bool:
        """Whether it was given on these terms."""
        lasted = None if self.expires_at is None else self.expires_at - self.at
        return (self.scope, self.run, self.requester, lasted, self.uses) == (scope, run, requester, lasts, uses)

    def covers(self, requester: str, run: str, text: str) -> bool:
        """Whether this call is inside its scope."""
        return (
            self.requester in (None, requester)
            and self.run in (None, run)
            and fits(json.loads(self.scope), json.loads(text))
        )


def scope_of(given: Mapping[str, object], args: Mapping[str, Any]) -> dict[str, Any]:
    """What each argument may be: as given, and for every other argument exactly what it was.

    A text with `*` or `?` is a pattern, a mapping with `at_least` or `at_most` a bound, `{"any": True}` is anything;
    every other value is meant exactly. Raises `ValueError` saying what is wrong.

    >>> scope_of({"path": "/srv/*"}, {"path": "/srv/a", "force": False})
    {'path': {'glob': '/srv/*'}, 'force': {'is': False}}
    """
    unknown = sorted(set(given) - set(args))
    if unknown:
        raise ValueError(f"the call has no argument {unknown[0]!r}; it has {', '.join(args) or 'none'}")
    hidden = next((name for name in args if name not in given and _holds_marker(args[name])), None)
    if hidden is not None:
        raise ValueError(
            f"{hidden!r} is redacted, each time in another way, so no other call has the same: "
            f"say {hidden}={{'any': True}}"
        )
    scope = {name: _demand(name, given[name]) if name in given else {"is": value} for name, value in args.items()}
    if not fits(scope, args):
        raise ValueError("the scope does not cover the very call that it is given for")
    return scope


def fits(scope: Mapping[str, Any], args: Mapping[str, Any]) -> bool:
    """Whether these arguments are inside the scope: all of them named, and each as it may be."""
    return scope.keys() == args.keys() and all(_meets(scope[name], args[name]) for name in scope)


def _holds_marker(value: object) -> bool:
    if isinstance(value, Mapping):
        return "$gatekit" in value or any(map(_holds_marker, value.values()))
    return isinstance(value, list) and any(map(_holds_marker, value))


def _demand(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, str) and _MARKS & set(value):
        return {"glob": value}
    if not isinstance(value, Mapping):
        return {"is": value}
    demand = dict(value)
    if demand == {"any": True}:
        return demand
    bounds = {key: demand[key] for key in demand if key in ("at_least", "at_most")}
    if not bounds or bounds != demand or not all(map(_is_number, bounds.values())):
        raise ValueError(
            f"{name}={value!r}: a mapping in a scope is {{'at_most': number}}, {{'at_least': number}}, both, or "
            "{'any': True}"
        )
    return {key: str(bound) for key, bound in bounds.items()}


def _meets(demand: Mapping[str, Any], value: object) -> bool:
    if "any" in demand:
        return True
    if "glob" in demand:
        return isinstance(value, str) and _matches(demand["glob"], value)
    if "is" in demand:
        return _same(demand["is"], value)
    if not _is_number(value):
        return False
    number = Decimal(str(value))
    low, high = demand.get("at_least"), demand.get("at_most")
    return (low is None or number >= Decimal(low)) and (high is None or number <= Decimal(high))


def _same(one: object, other: object) -> bool:
    # As text, because in Python 1 is 1.0 is True.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and Decimal(str(value)).is_finite()


def _matches(pattern: str, value: str) -> bool:
    """`*` is any text within one part of a path, `**` any text, `?` one character.

    What leads out of a folder again, or cannot be seen, matches no pattern.
    """
    if len(value) > _LONGEST or ".." in re.split(r"[/\\]", value) or visible(value)[1]:
        return False
    parts = [
        ".*" if part == "**" else "[^/]*" if part == "*" else "[^/]" if part == "?" else re.escape(part)
        for part in re.split(r"(\*\*|\*|\?)", pattern)
    ]
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None
