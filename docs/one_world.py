"""A world in which everything that is random or belongs to a machine is the same each time."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Final
from unittest.mock import patch

import gatekit.ids
import gatekit.owner

_PID: Final = 4711


@contextmanager
def one_world() -> Generator[None]:
    """The same ids in the same order, and the same process on the same machine, whoever draws."""
    numbers = count(0x5EED)
    here = gatekit.owner.Owner("agents-1", "boot", "1", _PID, "900")
    with (
        patch.object(gatekit.ids, "os", SimpleNamespace(urandom=lambda size: _scatter(next(numbers), size))),
        patch.object(gatekit.owner, "os", SimpleNamespace(**{**vars(os), "getpid": lambda: _PID})),
        patch.object(gatekit.owner, "_current", here),
    ):
        yield


def _scatter(number: int, size: int) -> bytes:
    return (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 8 * size)).to_bytes(size, "big")
