"""What is told anew each second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from textual.dom import DOMNode

from gatekit_tui.frame.guarded import GuardedApp

_SECOND: Final = 1.0


def tell_by_the_second(place: DOMNode, tell: Callable[[], Any]) -> None:
    """Tell it anew each second, as long as `place` is there; not over a slow line, where time alone draws nothing."""
    app = place.app
    assert isinstance(app, GuardedApp)
    if not app.low_bandwidth:
        place.set_interval(_SECOND, tell)
