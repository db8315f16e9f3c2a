"""`visible()`: what a terminal would obey, or a reader could not see, becomes something to see."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Characters of printable categories that leave no mark on the screen (Unicode: Default_Ignorable_Code_Point,
# and the blank Braille pattern and null notehead, whose glyphs are empty).
INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159"
).union(map(chr, range(0xFE00, 0xFE10)), map(chr, range(0xE0100, 0xE01F0)))

# Patterns of wide ranges take milliseconds to compile: `re` does it, and keeps them, where a text asks for one.
# Everything outside these ranges is looked at one by one; inside them all characters are plain, which keeps a
# megabyte of Chinese or Korean as fast as one of English.
_SUSPECT: Final = (
    "[^ -~\u00a1-\u00ac\u00ae-\u0233\u0391-\u03a1\u03a3-\u03ff\u0400-\u0482"
    "\u3001-\u3029\u3030-\u303e\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff\uac00-\ud7a3]"
)
_SPACES: Final = frozenset("\u00a0\u2009\u202f\u3000")
_FRENCH: Final = frozenset("»!?;:%°—–")
_EAST_ASIAN: Final = "[\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uffee]"
_ORDINARY: Final = {"\n": "⏎", "\t": "→"}
_OPEN_BOX: Final = "␣"


def visible(text: str) -> tuple[str, int]:
    r"""The text with nothing in it that hides, moves or commands, and how many characters were hiding.

    Replaced are the Unicode categories Cc, Cf, Cs, Co, Cn, Zl and Zp, every space but U+0020, variation
    selectors, blank fillers, and a combining mark with nothing before it. What replaces them is a control
    picture (`␛`) or the code point (`<U+202E>`); nothing is dropped. A newline is shown as `⏎` and a tab as
    `→`; both are ordinary and not counted. Nor are characters that stand where honest writing puts them,
    although they are shown too: the joiners and selectors inside an emoji, the narrow spaces of French, the
    wide space between East Asian letters. Which code points exist is what this Python's `unicodedata` knows;
    younger ones are shown as `<U+…>`.

    The output of a second pass is the output of the first, with a count of 0; it is at most 10 times as long
    as the input.

    >>> visible("pay \x1b[2J evil")
    ('pay ␛[2J evil', 1)
    """
    if text.isprintable() and INVISIBLE.isdisjoint(text) and not _starts_with_mark(text):
        return text, 0
    hidden = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal hidden
        place = match.start()
        char = text[place]
        if char in _ORDINARY:
            return _ORDINARY[char]
        if _is_plain(char) and not (place == 0 and unicodedata.combining(char)):
            return char
        if _at_home(text, place):
            return _OPEN_BOX if char in _SPACES else f"<U+{ord(char):04X}>"
        hidden += 1
        return _glyph(char)

    return re.sub(_SUSPECT, replace, text), hidden


def _is_plain(char: str) -> bool:
    return char.isprintable() and char not in INVISIBLE


def _starts_with_mark(text: str) -> bool:
    return bool(text) and unicodedata.combining(text[0]) != 0


def _glyph(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def _at_home(text: str, place: int) -> bool:
    """Whether honest writing puts this character here: else a heart in a message would cost a typed name."""
    before = text[place - 1] if place else ""
    after = text[place + 1 : place + 2]
    match text[place]:
        case "\u200d":
            return (_is_pictured(before) or before == "\ufe0f") and _is_pictured(after)
        case "\ufe0f":
            return _is_pictured(before) or (before in "#*0123456789" and before != "" and after == "\u20e3")
        case "\u3000":
            return bool(re.match(_EAST_ASIAN, before) or re.match(_EAST_ASIAN, after))
        case "\u00a0" | "\u202f" | "\u2009":
            number = before.isdigit() and (after.isdigit() or after in ("€", "$"))
            return number or before in ("«", "—", "–") or after in _FRENCH
        case _:
            return False


def _is_pictured(char: str) -> bool:
    """A symbol that may have an emoji form: category So, skin tones, and some arrows and signs."""
    return char != "" and (
        unicodedata.category(char) == "So" or "\U0001f3fb" <= char <= "\U0001f3ff" or char in "↔↕↖↗↘↙©®™‼⁉"
    )
