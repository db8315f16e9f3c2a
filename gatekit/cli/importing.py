"""Imports that somebody at a terminal waits for."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Generator[None]:
    """Look for no garbage meanwhile: importing makes a great many objects, and next to none of them is garbage.

    The dashboard is there an eighth sooner for it (`make bench`, section h).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
