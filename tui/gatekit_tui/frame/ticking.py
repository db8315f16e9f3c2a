"""When a picture of times is due to be drawn again: as seldom as its words allow. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

SOONEST: Final = 1
"""Seconds after which a picture is looked at again at the earliest: no word tells less than a second."""
LATEST: Final = 5
"""The same at the latest, however little happens."""


def until_change(told: Callable[[datetime], object], now: datetime) -> int:
    """Whole seconds until time alone changes what is told, from `SOONEST` to `LATEST`.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, 12, 0, 57, tzinfo=UTC)
    >>> until_change(lambda now: now.minute, at)
    3
    """
    told_now = told(now)
    if told(now + timedelta(seconds=LATEST)) == told_now:
        # Words of times never come back once they are gone.
        return LATEST
    changed = (one for one in range(SOONEST, LATEST) if told(now + timedelta(seconds=one)) != told_now)
    return next(changed, LATEST)
