"""A unified difference as lines: each keeps its sign, so that it can be read without colours. Pure."""

from __future__ import annotations

import re
from typing import Final

from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink, Inked, wrap

_HUNK: Final = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_INK_OF: Final[dict[str, Ink]] = {"+": "added", "-": "removed", "\\": "dim"}


def is_diff(text: str) -> bool:
    """Whether a text is a unified difference: two names, and a part that says where it belongs."""
    lines = text.split("\n")
    heads = zip(lines, lines[1:], lines[2:], strict=False)
    return any(
        old.startswith("--- ") and new.startswith("+++ ") and _HUNK.match(hunk) is not None for old, new, hunk in heads
    )


def diff_lines(text: str, width: int) -> list[Inked]:
    """The lines of a difference, the names and places dim, what comes and what goes in its colour."""
    lines: list[Inked] = []
    old = new = 0
    for line in text.removesuffix("\n").split("\n"):
        sign = line[:1]
        ink: Ink = "label"
        if old > 0 or new > 0:
            ink = _INK_OF.get(sign, "text")
            old -= sign in ("-", " ", "")
            new -= sign in ("+", " ", "")
        elif found := _HUNK.match(line):
            ink = "dim"
            old, new = (1 if count is None else int(count[:9]) for count in found.groups())
        elif sign == "\\":
            ink = "dim"
        lines.extend(((piece, ink),) for piece in _pieces(line, width))
    return lines


def _pieces(line: str, width: int) -> list[str]:
    """The line in pieces; all but the first stand behind the sign's column, so that none of them looks like one."""
    first, *others = wrap(one_line(line), width)
    rest = "".join(others)
    return [first, *(f"  {piece}" for piece in wrap(rest, width - 2))] if rest else [first]
