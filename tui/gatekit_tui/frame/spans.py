"""Styled text as plain data: a line is a row of (text, ink) pairs, testable without a screen. Pure."""

from __future__ import annotations

from typing import Final, Literal
from unicodedata import combining

from rich.cells import cell_len, chop_cells, set_cell_size

Ink = Literal[
    "text", "dim", "title", "label", "string", "number", "constant", "note", "warn", "good", "gone", "rule",
    "added", "removed", "due", "low", "medium", "high", "critical",
]  # fmt: skip
"""What a piece of text means; the theme gives it a colour."""
GAP: Final = 2
"""Cells between the two sides of a line, at least."""
Span = tuple[str, Ink]
Inked = tuple[Span, ...]

_MARKS = 8
"""How many characters are looked at beyond a line's width, for marks that take no cell."""


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: filled up with blanks, or cut with `…` as the last cell."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    return set_cell_size(text, width - 1) + "…"


def wrap(text: str, width: int) -> list[str]:
    """The text in pieces of at most `width` cells, every character kept: joined they are the text.

    A piece ends after a blank if there is one in its second half, so that words stay whole where they can.
    """
    width = max(2, width)
    pieces: list[str] = []
    start = 0
    while len(text) - start > width or cell_len(text[start:]) > width:
        head = _head(text[start : start + width + _MARKS], width)
        blank = head.rfind(" ") + 1
        if blank * 2 >= len(head) and text[start + len(head) : start + len(head) + 1] != " ":
            head = head[:blank]
        pieces.append(head)
        start += len(head)
    return [*pieces, text[start:]]


def _head(text: str, width: int) -> str:
    """As much of the text as fits; marks stay with their letter."""
    head = text[:width] if text.isascii() else (chop_cells(text, width) or [text])[0]
    while len(head) < len(text) and combining(text[len(head)]):
        head += text[len(head)]
    return head


def spread(left: Inked, right: Inked, width: int, fill: str = " ") -> Inked:
    """The left spans, then the right ones at the end of the line; the right ones go if there is no room."""
    room = width - length(left) - length(right)
    if room < GAP:
        return left
    return (*left, (fill * room, "rule"), *right)


def length(spans: Inked) -> int:
    """How many cells the spans take."""
    return sum(cell_len(text) for text, _ in spans)


def wrap_inked(line: Inked, width: int) -> list[Inked]:
    """The line in pieces of at most `width` cells, each piece of text in its ink.

    A piece ends after a blank if there is one in its second half, as in `wrap`.
    """
    width = max(2, width)
    rows: list[list[Span]] = [[]]
    room = width
    for text, ink in line:
        start = 0
        while start < len(text):
            if room < 2:
                rows.append([])
                room = width
            head = _whole_words(text, start, _head(text[start : start + room + _MARKS], room), room, width)
            if head:
                rows[-1].append((head, ink))
            start += len(head)
            room = 0 if start < len(text) else room - cell_len(head)
    return [tuple(row) for row in rows]


def _whole_words(text: str, start: int, head: str, room: int, width: int) -> str:
    """What goes on the line of `head`, so that no word is cut if the line is half full without it."""
    end = start + len(head)
    if end == len(text) or text[end] == " ":
        return head
    blank = head.rfind(" ") + 1
    is_half_full = (width - room + cell_len(head[:blank])) * 2 >= width
    return head[:blank] if is_half_full else head
