"""What a scope covers and what a budget leaves, worked out without any of the product's own code for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from gatekit import Gate
from gatekit.models import STATUSES


def matches(pattern: str, text: str) -> bool:
    """`**` is any text, `*` any without a slash, `?` one character that is none: letter by letter."""
    if pattern.startswith("**"):
        return any(matches(pattern[2:], text[cut:]) for cut in range(len(text) + 1))
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "*":
        end = text.find("/") if "/" in text else len(text)
        return any(matches(rest, text[cut:]) for cut in range(end + 1))
    return bool(text) and (text[0] != "/" if first == "?" else text[0] == first) and matches(rest, text[1:])


def leads_out(text: str) -> bool:
    """Whether a part of the path is `..`."""
    return ".." in text.replace("\\", "/").split("/")


def is_plain(text: str) -> bool:
    """Whether everything in it can be seen; the end of a line can."""
    return all(unicodedata.category(letter)[0] in "LNPS" or letter in " \n" for letter in text)


def meets(demand: object, value: object) -> bool:
    """Whether a value is what a scope, as a reviewer writes it, lets it be."""
    if demand == {"any": True}:
        return True
    if isinstance(demand, str) and ("*" in demand or "?" in demand):
        return isinstance(value, str) and is_plain(value) and not leads_out(value) and matches(demand, value)
    if isinstance(demand, Mapping):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        number = Fraction(str(value))
        low, high = demand.get("at_least"), demand.get("at_most")
        return (low is None or number >= Fraction(str(low))) and (high is None or number <= Fraction(str(high)))
    return is_same(demand, value)


def is_same(one: object, other: object) -> bool:
    """As JSON has it: 1, 1.0 and true are three things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return one == other


def spent(gate: Gate, tool: str, per: int, *, field: str | None, but: str = "") -> Decimal:
    """What the calls of the tool that were let pass within the last `per` seconds add up to, by their records."""
    total = Decimal(0)
    for row in gate.requests(STATUSES, tool=tool, limit=1000):
        request = gate.get(row.id)
        decision: Any = request.decision
        if row.id == but or request.status not in ("approved", "running", "unknown", "succeeded", "failed"):
            continue
        allowed_at = decision.effective_at or decision.at
        if (gate.now() - allowed_at).total_seconds() < per:
            total += max(Decimal(0), Decimal(1) if field is None else Decimal(str(request.args[field])))
    return total
