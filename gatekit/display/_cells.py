"""How many cells a text takes in a terminal; cut with a mark, wrapped without losing a character."""

from __future__ import annotations

from unicodedata import combining, east_asian_width


def cells(text: str) -> int:
    """How many cells the text takes on the screen.

    >>> cells("abc"), cells("日本")
    (3, 4)
    """
    return len(text) if text.isascii() else sum(map(_cell, text))


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: filled up with blanks, or cut with `…` at the end.

    >>> fit("abc", 5), fit("abcdef", 4)
    ('abc  ', 'abc…')
    """
    if width <= 0:
        return ""
    if cells(text) <= width:
        return text + " " * (width - cells(text))
    head = _head(text, width - 1)
    return head + "…" + " " * (width - 1 - cells(head))


def wrap(text: str, width: int) -> list[str]:
    """The text in pieces of at most `width` cells; joined they are the text again.

    >>> wrap("pay bob and ann", 8)
    ['pay bob ', 'and ann']
    """
    width = max(2, width)
    pieces: list[str] = []
    start = 0
    # No character takes less than no cell: where so many are left, the rest need not be measured whole.
    while len(text) - start > 2 * width or cells(text[start:]) > width:
        head = _head(text[start : start + 2 * width], width)
        blank = head.rfind(" ") + 1
        if blank > len(head) // 2:
            head = head[:blank]
        pieces.append(head)
        start += len(head)
    return [*pieces, text[start:]]


def under(label: str, text: str, width: int, *, column: int = 10) -> list[str]:
    """A label and its text behind it, wrapped so that no line of the text begins where labels do."""
    first, *others = wrap(text, width - column - 2)
    return [f"  {fit(label, column)}{first}", *(f"  {' ' * column}{piece}" for piece in others)]


def _cell(char: str) -> int:
    return 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1


def _head(text: str, width: int) -> str:
    taken = 0
    for place, char in enumerate(text):
        taken += _cell(char)
        if taken > width:
            return text[:place]
    return text
