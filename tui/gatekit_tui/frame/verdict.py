"""A screen with what is known of its draft at the foot, which is read on by keys while the draft keeps the focus."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType

from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.moves import page_of, scroll_by

T = TypeVar("T")


class VerdictModal(DeliberateModal[T]):
    """Its `LinesView` of the id `verdict` may be longer than its room."""

    DEFAULT_CSS = """
    VerdictModal {
        background: $background;
        #verdict { height: auto; max-height: 40%; min-height: 3; background: $panel; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+pagedown", "read_on(1)", "more of what is below", show=False, priority=True),
        Binding("ctrl+pageup", "read_on(-1)", "back in what is below", show=False, priority=True),
    ]

    def action_read_on(self, step: int) -> None:
        """Scroll what is known of the draft."""
        verdict = self.query_one("#verdict", LinesView)
        scroll_by(verdict, step * page_of(verdict))
