"""What tokenizers and their drawing share: a text in inked pieces, none of it left out, added or moved. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from gatekit.display import visible
from gatekit_tui.frame.spans import Ink, Inked, Span, wrap_inked

Token = tuple[str, Ink]
"""A piece of a text as it is, before it was made visible, and what it means. In their order they are the text."""


class Doubtful(ValueError):
    """The text may mean something else than a reader of one language would think; the message says why."""


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def code_lines(text: str, tokens: Sequence[Token], width: int) -> list[Inked]:
    """The text line by line in the inks of its tokens; each line but the last ends with the `⏎` of its line break.

    Raises `Doubtful` where something hides in it, or the tokens are not the text.
    """
    shown, hidden = visible(text)
    if hidden:
        raise Doubtful(f"it holds {hidden} hidden character{'' if hidden == 1 else 's'}")
    if "".join(piece for piece, _ in tokens) != text:
        raise Doubtful("it was not read to its end")
    places = _places(text, shown)
    lines: list[list[Span]] = [[]]
    start = 0
    for piece, ink in tokens:
        for part in piece.splitlines(keepends=True):
            end = start + len(part)
            lines[-1].append((shown[places[start] : places[end]], ink))
            if part.endswith("\n"):
                lines.append([])
            start = end
    if not lines[-1]:
        lines.pop()
    if any(cell_len(piece) == 0 for line in lines for piece, _ in line):
        raise Doubtful("it holds a mark that belongs to no letter")
    return [piece for line in lines for piece in wrap_inked(tuple(line), width)]


def _places(text: str, shown: str) -> Sequence[int]:
    """Where each character of the text begins in what is shown of it, and where that ends."""
    if len(text) == len(shown):
        return range(len(text) + 1)
    places, at = [], 0
    for char in text:
        places.append(at)
        is_code = shown[at] != char and shown[at] == "<"
        at = shown.index(">", at) + 1 if is_code else at + 1
    return [*places, at]
