"""What every screen shows while the queue is stopped."""

from __future__ import annotations

from gatekit.models import Stop
from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.frame.ink_view import InkView
from gatekit_tui.frame.row_text import one_line, person
from gatekit_tui.frame.spans import Inked, fit
from gatekit_tui.frame.theme import Base


class StopBanner(InkView, can_focus=False):
    """One red line: nothing starts, why, and by whose word."""

    DEFAULT_CSS = """
    StopBanner { dock: top; height: 1; display: none; overflow: hidden; scrollbar-gutter: auto; }
    StopBanner.-stopped { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._stop: Stop | None = None

    def on_mount(self) -> None:
        """Follow what the app knows."""
        app = self.app
        assert isinstance(app, GuardedApp)
        self.watch(app, "stopped", self._show)

    def _show(self, stop: Stop | None) -> None:
        self._stop = stop
        self.set_class(stop is not None, "-stopped")
        self.refresh()

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        if self._stop is None:
            return (), "base"
        return ((fit(stop_words(self._stop), self.size.width), "critical"),), "base"


def stop_words(stop: Stop) -> str:
    """That nothing starts, who said so, and why."""
    since = f"{stop.at:%d %b %H:%M} UTC"
    return f" STOPPED by {person(stop.by)}, {since}: nothing starts · {one_line(stop.reason)}"
