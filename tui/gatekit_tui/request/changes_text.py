"""The changes of an edit by path, as lines: what was there before, and what is there now. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from gatekit.display import shorten
from gatekit.models import Change
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked, Span

_SIGN: Final = {"added": "+", "removed": "-", "changed": "~"}
_LONGEST: Final = 20_000
"""Characters of a value that are drawn."""
_MOST: Final = 500
"""Changes that are drawn."""
_LONG: Final = 2_000
"""Characters of two texts beyond which only the part is shown in which they differ."""
_AROUND: Final = 40
"""Characters that are shown before and behind that part."""
_TIMES: Final = 1_000_000
"""How many times as much is told exactly."""
_LONGEST_SUM: Final = 20
"""Characters of a difference that are drawn: a longer one tells less than its sign."""


def change_lines(changes: Sequence[Change]) -> list[Inked]:
    """The changes by path: `~ amount 500 → 50`; and how many are not drawn."""
    lines = [_line(change) for change in changes[:_MOST]]
    rest = len(changes) - _MOST
    return [*lines, ((f"… {rest:,} more changes are not shown", "warn"),)] if rest > 0 else lines


def are_whole(changes: Sequence[Change]) -> bool:
    """Whether their lines show all that comes and goes."""
    return len(changes) <= _MOST and all(
        len(side) <= _LONGEST for change in changes for side in _differing(change)[1:3]
    )


def _line(change: Change) -> Inked:
    path = one_line(change.path.removeprefix("$.") or "$")
    head, before, after, tail = _differing(change)
    old, new = (one_line(shorten(side, _LONGEST)[0]) for side in (before, after))
    match change.kind:
        case "added":
            values: tuple[Span, ...] = ((new, "good"),)
        case "removed":
            values = ((old, "removed"),)
        case _:
            values = (*_same(head, ""), (old, "dim"), (" → ", "dim"), (new, "good"), *_same(tail, " "), *_slope(change))
    return ((f"{_SIGN[change.kind]} {path} ", "label"), *values)


def _slope(change: Change) -> tuple[Span, ...]:
    """Of two numbers, whether there is more now: `▲ ×10`, or `▲ +4,500` where that tells more; `▼`."""
    before, after = _number(change.before), _number(change.after)
    if before is None or after is None or before == after:
        return ()
    if after < before:
        return ((" ▼", "dim"),)
    if before > 0 and after >= 2 * before:
        # Rounded down: it is at least so much.
        times = after / before
        told = f"×{_short(times // Decimal('0.1') / 10)}" if times < _TIMES else f"more than ×{_TIMES:,}"
    else:
        told = f"+{_short(after - before)}"
    return ((f" ▲ {told}" if len(told) <= _LONGEST_SUM else " ▲", "warn"),)


def _number(value: Any) -> Decimal | None:
    """A number as it is written; a yes or no is none."""
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return Decimal(repr(value))
    return None


def _short(number: Decimal) -> str:
    return f"{number.normalize():,f}"


def _same(count: int, blank: str) -> tuple[Span, ...]:
    return ((f"{blank}({count:,} characters as before){' ' * (not blank)}", "note"),) if count else ()


def _differing(change: Change) -> tuple[int, str, str, int]:
    """Both sides as JSON; of two long texts the part that differs, and how much is the same before and behind it."""
    before, after = _json(change.before), _json(change.after)
    if not isinstance(change.before, str) or not isinstance(change.after, str) or len(before) + len(after) < _LONG:
        return 0, before, after, 0
    head = max(0, _common(change.before, change.after) - _AROUND)
    old, new = change.before[head:], change.after[head:]
    tail = max(0, _common(old[::-1], new[::-1]) - _AROUND)
    return head, _json(old[: len(old) - tail]), _json(new[: len(new) - tail]), tail


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
