"""A permission for a while: read from what was typed, and said in plain words. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from gatekit.models import Grant
from gatekit_tui.frame.row_text import one_line, person
from gatekit_tui.frame.spans import Inked

Within = Literal["run", "agent", "all"]
How = Literal["exactly", "pattern", "bound", "anything"]
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NAMES: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What was chosen for one argument."""

    how: How = "exactly"
    pattern: str = ""
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form."""

    lasts: str = ""
    uses: str = ""
    within: Within = "agent"
    wishes: Mapping[str, Wish] = field(default_factory=dict[str, Wish])


@dataclass(frozen=True, slots=True)
class Permit:
    """What a draft asks for: the options of `reviewer.allow`."""

    for_: int | None
    uses: int | None
    scope: dict[str, Any]
    within: Within


def hows_for(value: object) -> tuple[How, ...]:
    """What an argument with this value can be limited to."""
    if isinstance(value, str):
        return ("exactly", "pattern", "anything")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return ("exactly", "bound", "anything")
    return ("exactly", "anything")


def read_span(text: str) -> int | None:
    """Seconds: `90s`, `30m`, `4h`, `1h30m`, `2d`; None if it is not that.

    >>> read_span("1h30m")
    5400
    """
    squeezed = text.replace(" ", "").lower()
    if not re.fullmatch(r"([0-9]{1,6}[smhd])+", squeezed):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([smhd])", squeezed)) or None


def read_permit(draft: Draft, args: Mapping[str, Any]) -> Permit | tuple[str, ...]:
    """What the draft asks for, or all that is wrong with it."""
    errors: list[str] = []
    for_ = uses = None
    if draft.lasts.strip() and (for_ := read_span(draft.lasts)) is None:
        errors.append("for how long: write 30m, 4h, 1h30m or 2d")
    if text := draft.uses.strip():
        uses = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
        if not uses:
            errors.append("how many calls: write a whole number from 1")
    if not draft.lasts.strip() and not draft.uses.strip():
        errors.append("say for how long, or for how many calls: a permission has an end")
    scope: dict[str, Any] = {}
    for name, wish in draft.wishes.items():
        demand = _demand(wish, args[name])
        if isinstance(demand, str):
            errors.append(f"{one_line(name)}: {demand}")
        elif demand:
            scope[name] = demand.get("glob", demand)
    return tuple(errors) or Permit(for_, uses, scope, draft.within)


def _demand(wish: Wish, value: object) -> dict[str, Any] | str:
    """What one argument may be; empty: exactly what it is; a text says what is wrong."""
    match wish.how:
        case "exactly":
            return {}
        case "anything":
            return {"any": True}
        case "pattern":
            marked = "*" in wish.pattern or "?" in wish.pattern
            return {"glob": wish.pattern} if marked else "a pattern holds a * or a ?"
        case "bound":
            return _bound(wish, value)


def _bound(wish: Wish, value: object) -> dict[str, Any] | str:
    bounds: dict[str, Any] = {}
    for key, text in (("at_least", wish.low.strip()), ("at_most", wish.high.strip())):
        if text:
            try:
                number = Decimal(text)
            except InvalidOperation:
                return f"{text!r} is not a number"
            if not number.is_finite():
                return f"{text!r} is not a number"
            bounds[key] = number
    if not bounds:
        return "give the least, the most, or both"
    here = Decimal(str(value))
    if here < bounds.get("at_least", here) or here > bounds.get("at_most", here):
        return f"this call has {value}, which is outside"
    return bounds


def permit_lines(permit: Permit, tool: str, requester: str, run: str | None, args: Mapping[str, Any]) -> list[Inked]:
    """What will be allowed, in plain words."""
    whose = {"run": f"in the run {run}", "agent": f"of {person(requester)}", "all": "of any agent"}[permit.within]
    ends = [f"for {span_words(permit.for_)}"] if permit.for_ else []
    if permit.uses:
        ends.append(f"for {permit.uses} more call{'' if permit.uses == 1 else 's'}")
    end = ", ".join(ends) + (", whichever ends first" if len(ends) > 1 else "")
    tail = ", where" if args else ""
    demands = {name: _as_stored(permit.scope[name]) if name in permit.scope else {"is": args[name]} for name in args}
    return [
        (("approves this call, and then without asking ", "text"), ("every call", "warn")),
        ((f"of {one_line(tool)} {one_line(whose)}, {end}{tail}", "text"),),
        *scope_lines(demands),
    ]


def _as_stored(given: Any) -> dict[str, Any]:
    return {"glob": given} if isinstance(given, str) else given


def scope_lines(scope: Mapping[str, Any]) -> list[Inked]:
    """What each argument may be, a line for each, those first that may be more than one value."""
    names = sorted(scope, key=lambda name: "is" in scope[name])
    return [((f"  {one_line(name)} ", "label"), demand_words(scope[name])) for name in names]


def demand_words(demand: Mapping[str, Any]) -> tuple[str, Literal["text", "warn"]]:
    """What one argument may be; `warn` where that is more than one value."""
    if "any" in demand:
        return "is anything at all", "warn"
    if "glob" in demand:
        return f"is like {one_line(demand['glob'])}", "warn"
    if "is" in demand:
        return f"is exactly {one_line(json.dumps(demand['is'], ensure_ascii=False))}", "text"
    parts = [f"at least {demand['at_least']}"] if "at_least" in demand else []
    parts += [f"at most {demand['at_most']}"] if "at_most" in demand else []
    return "is " + one_line(" and ".join(parts)), "warn"


def span_words(seconds: float) -> str:
    """A span in words: `1 hour 30 minutes`."""
    parts: list[str] = []
    left = int(seconds)
    for size, name in _NAMES:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 seconds"


def grant_state(grant: Grant) -> tuple[str, Literal["good", "gone"]]:
    """Whether it permits anything now, and why not."""
    if grant.revoked_at is not None:
        return f"taken back by {person(grant.revoked_by or '')}", "gone"
    return ("in force", "good") if grant.active else ("ended", "gone")


def grant_end(grant: Grant) -> str:
    """How often it was used, and what ends it."""
    used = f"used {grant.used}" + ("" if grant.uses is None else f" of {grant.uses}")
    if grant.expires_at is None:
        return used
    return f"{used} · until {grant.expires_at:%Y-%m-%d %H:%M:%S} UTC"


def grant_whose(grant: Grant) -> str:
    """Whose calls it covers."""
    if grant.run is not None:
        return f"in the run {one_line(grant.run)}"
    return "of any agent" if grant.requester is None else f"of {person(grant.requester)}"
