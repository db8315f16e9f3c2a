"""Amounts of a budget: decimal numbers of a size that can be added up exactly."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation, localcontext
from typing import Final

_DIGITS: Final = 30
"""Places before and behind the point: more is no amount of anything, and a number as text can claim a billion."""


def amount_of(value: object) -> Decimal | None:
    """The number that a JSON value is, or says as text; None where it is none, or of an absurd size.

    >>> amount_of("12.50"), amount_of(3), amount_of("1e999999"), amount_of(True)
    (Decimal('12.50'), Decimal('3'), None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    if not number.is_finite() or (number and abs(number.adjusted()) > _DIGITS) or -_exponent(number) > _DIGITS:
        return None
    return number


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exactly. What is below zero adds nothing: it must not make room for others."""
    with localcontext() as context:
        context.prec = 4 * _DIGITS
        return sum((amount for amount in amounts if amount > 0), Decimal(0))


def shown(number: Decimal) -> str:
    """The number without an exponent or closing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
