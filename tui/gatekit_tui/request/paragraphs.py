"""Paragraphs of a request's picture: indented, wrapped, two things beside each other. Pure."""

from __future__ import annotations

from gatekit_tui.frame.spans import Ink, Inked, length, spread, wrap, wrap_inked


def inner_width(width: int) -> int:
    """The cells of a line in a pane of so many."""
    return max(20, width - 2)


def indented(lines: list[Inked]) -> tuple[Inked, ...]:
    """The lines away from the edge."""
    return tuple((((" ", "text"), *line) if line else ()) for line in lines)


def beside(left: Inked, right: Inked, width: int) -> list[Inked]:
    """Both on one line if there is room, else one under the other: nothing is left out."""
    if length(left) + length(right) + 2 <= width:
        return [spread(left, right, width)]
    return [*wrap_inked(left, width), *wrap_inked(right, width)]


def paragraph(text: str, width: int, ink: Ink) -> list[Inked]:
    """The text in as many lines as it takes."""
    return [((piece, ink),) for piece in wrap(text, width)]
