"""Text in a terminal. Pure."""

from __future__ import annotations

import json
from datetime import datetime

from gatekit.display import ago, cells, fit, under, visible, wrap

__all__ = ["as_json", "cells", "fit", "moment", "safe", "since", "under", "wrap"]


def safe(text: str) -> str:
    """Foreign text, with nothing left in it that a terminal would obey; always one line."""
    return visible(text)[0]


def as_json(value: object) -> str:
    """A JSON text in ASCII: what hides or commands stands in it as an escape."""
    return json.dumps(value, indent=2)


def since(at: datetime, now: datetime) -> str:
    """How long it is from one moment to another, in at most five characters."""
    return ago((now - at).total_seconds())


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
