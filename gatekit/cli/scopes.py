"""How long and for which calls: what `gatekit allow` is told, as it is typed, and in words. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from gatekit.cli.edits import json_from
from gatekit.cli.paint import cells, safe, under
from gatekit.errors import UsageError

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RULE: Final = re.compile(r"(.+?)(<=|>=|=)(.*)", re.DOTALL)
_BOUNDS: Final = {"<=": "at_most", ">=": "at_least"}


def duration_from(option: str, text: str) -> timedelta:
    """A span of time. Raises `UsageError`, with the cure, for a text that is none.

    >>> duration_from("--for", "30m"), duration_from("--for", "2d")
    (datetime.timedelta(seconds=1800), datetime.timedelta(days=2))
    """
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"{option} {safe(text)!r} is no span of time: write 30m, 4h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def scope_from(typed: Sequence[str], args: Mapping[str, Any]) -> dict[str, object]:
    """What the named arguments may be, for a call with these.

    For an argument that is a text, what follows `=` is a text or a pattern; for any other, JSON. `<=` and `>=` are
    bounds. What begins with a brace is a rule of the API. Raises `UsageError`, with the cure.

    >>> scope_from(["path=/srv/*", "amount<=100", "amount>=1"], {"path": "/srv/a", "amount": 40})
    {'path': '/srv/*', 'amount': {'at_most': 100, 'at_least': 1}}
    """
    scope: dict[str, object] = {}
    for one in typed:
        found = _RULE.fullmatch(one)
        if found is None:
            raise UsageError(f"--scope {safe(one)!r} says nothing: write path='/srv/*', amount<=100 or force=true")
        name, sign, text = found[1], found[2], found[3]
        if name not in args:
            raise UsageError(f"--scope: the call has no argument {safe(name)!r}; it has {', '.join(map(safe, args))}")
        rule = _rule(name, sign, text, args[name])
        earlier = scope.get(name)
        if isinstance(earlier, dict) and isinstance(rule, dict) and sign != "=" and not earlier.keys() & rule.keys():
            rule = {**earlier, **rule}
        elif name in scope:
            raise UsageError(f"--scope: {safe(name)} is given twice: keep one")
        scope[name] = rule
    return scope


def draw_scope(scope: Mapping[str, Any], width: int) -> list[str]:
    """What each argument may be, as lines: what a permission keeps, in words."""
    if not scope:
        return under("", "calls without arguments", width, column=0)
    names = [safe(name) for name in scope]
    column = 2 + max(8, min(24, max(map(cells, names))))
    return [
        line
        for name, demand in zip(names, scope.values(), strict=True)
        for line in under(name, _words(demand), width, column=column)
    ]


def _rule(name: str, sign: str, text: str, now: object) -> object:
    if sign != "=":
        bound = json_from(f"--scope {name}{sign}", text)
        if type(bound) not in (int, float):
            raise UsageError(f"--scope: {safe(name)}{sign}{safe(text)} needs a number")
        return {_BOUNDS[sign]: bound}
    if isinstance(now, str) and not text.startswith("{"):
        return text
    return json_from(f"--scope {name}", text)


def _words(demand: Mapping[str, Any]) -> str:
    if "any" in demand:
        return "anything"
    if "glob" in demand:
        return f"like {_json(demand['glob'])}"
    if "is" in demand:
        exact = demand["is"]
        # Each call's marker has a salt of its own.
        redacted = isinstance(exact, dict) and "$gatekit" in exact
        return "[redacted], as in this call alone" if redacted else f"exactly {_json(exact)}"
    low, high = demand.get("at_least"), demand.get("at_most")
    bounds = [
        f"at least {safe(str(low))}" if low is not None else "",
        f"at most {safe(str(high))}" if high is not None else "",
    ]
    return ", ".join(filter(None, bounds))


def _json(value: object) -> str:
    return safe(json.dumps(value, ensure_ascii=False))
