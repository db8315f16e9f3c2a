"""The choke point: whatever a widget draws passes here on its way to the terminal."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from gatekit.display import visible

_REPLACEMENT = "\ufffd"


class VisibleFilter(LineFilter):
    """Replaces what a terminal would obey by `\ufffd`, one for one.

    It is the net under `visible()`, which every foreign string has passed before it comes here: it fires only
    where that was forgotten, and then it may cost a column of alignment, but never lets the character
    through.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with nothing in them that is not printable."""
        if all(text.isascii() and text.isprintable() for text, _, _ in segments):
            return segments
        return [segment if segment.control else Segment(_clean(segment.text), segment.style) for segment in segments]


def _clean(text: str) -> str:
    if visible(text) == (text, 0):
        return text
    return "".join(char if visible(f"x{char}") == (f"x{char}", 0) else _REPLACEMENT for char in text)
