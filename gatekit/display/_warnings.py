"""`warnings_of()`: text that can be seen whole and still deceives: look-alikes, far-away tails."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Final

from gatekit.display._text import shorten
from gatekit.display._visible import visible

_SAMPLE = 24
_MANY_BLANKS: Final = re.compile(r"[ \t]{64,}+")
_MANY_LINES: Final = re.compile(r"(?:\n[ \t]*+){20,}+")
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
_FOREIGN_RUN: Final = re.compile(r"[^\x00-\x7f]{2,}")
_EAST_ASIAN: Final = "[\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]"
"""Compiled where a text asks for it: that takes milliseconds."""

# Letters drawn like Latin ones in common fonts (from Unicode's confusables.txt, the ones without any
# difference).
_LATIN_TWINS: Final = {
    "CYRILLIC": frozenset("асеһіјӏорԛѕԝхуѵьАВЕЅНІЈКМОРСТХУԌԚԜҮӀ"),
    "GREEK": frozenset("ονικρυϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ"),
}
_ALPHABETS: Final = frozenset(
    ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "HEBREW", "ARABIC", "GEORGIAN")
)
# Signs that pass for another wherever they stand.
_TWIN_ALWAYS: Final = {"\u037e": ";", "\u1fef": "`", "\u212a": "K", "\u212b": "Å"}
# Signs that pass for ASCII ones, but are at home among numbers or alone.
_TWIN_BESIDE_LETTERS: Final = {
    "\u01c0": "|", "\u01c3": "!", "\u02d7": "-", "\u0338": "/", "\u05c3": ":", "\u066d": "*", "\u06d4": ".",
    "\u2024": ".", "\u2044": "/", "\u2212": "-", "\u2215": "/", "\u2216": "\\", "\u2217": "*", "\u2223": "|",
    "\u2236": ":", "\u223c": "~", "\u29f5": "\\", "\u29f8": "/", "\u29f9": "\\", "\ua4f8": ".", "\ua789": ":",
    "\ufe68": "\\", "\ufe6b": "@",
}  # fmt: skip
_TWIN_SIGN: Final = re.compile("(?<=[A-Za-z])[{0}]|[{0}](?=[A-Za-z])".format(re.escape("".join(_TWIN_BESIDE_LETTERS))))
_OVERLAYS: Final = frozenset("\u0334\u0335\u0336\u0337\u0338\u20d2\u20d3\u20d8\u20d9\u20da\u20dd\u20de\u20df\u20e0")


def warnings_of(text: str) -> tuple[str, ...]:
    r"""What could mislead a reader of this text although all of it can be seen; empty for honest writing.

    Found are letters of several alphabets in one word, alphabets used only for letters that look Latin,
    styled letters and signs that pass for ASCII ones, accents written apart (two spellings of one look),
    marks drawn over letters, and a tail behind a long run of blanks. Each kind is named once, with a sample
    made visible. This is help for the eye, not a proof: what is not warned of is not thereby safe.

    >>> warnings_of("ls\u037e rm")[0][-17:]
    '“;” but is U+037E'
    """
    checks = _ANY_TEXT if text.isascii() else (*_ANY_TEXT, *_FOREIGN_TEXT)
    return tuple(warning for check in checks if (warning := check(text)))


def _tail_behind_blanks(text: str) -> str | None:
    # Cut first: every run that is left has text behind it, and no pattern can run to the end of the text in
    # vain.
    text = text.rstrip()
    if blanks := _MANY_BLANKS.search(text):
        return f"{len(blanks[0]):,} blanks in a row, with more text behind them"
    if lines := _MANY_LINES.search(text):
        return f"{lines[0].count(chr(10)) - 1:,} empty lines in a row, with more text behind them"
    return None


def _mixed_alphabets(text: str) -> str | None:
    for word in _LETTERS.findall(text):
        if not word.isascii():
            found = {_alphabet(char) for char in word if not _is_science(char)} & _ALPHABETS
            if len(found) > 1:
                return f"“{_sample(word)}” mixes {' and '.join(sorted(found))} letters"
    return None


def _all_twins(text: str) -> str | None:
    chars = {char for char in text if char > "\u036f"}
    for alphabet, twins in _LATIN_TWINS.items():
        used = {char for char in chars if _alphabet(char) == alphabet}
        words = _LETTERS.findall(text) if alphabet == "GREEK" else [text]
        if used and used <= twins and any(used & set(word) for word in words):
            return f"every {alphabet} letter here looks like a Latin one ({_codes(used)})"
    return None


def _styled_letters(text: str) -> str | None:
    wide_is_honest = re.search(_EAST_ASIAN, text) is not None
    for run in _FOREIGN_RUN.findall(text):
        styled = [_is_styled(char, wide_is_honest) for char in run]
        if any(one and two for one, two in pairwise(styled)):
            return f"“{_sample(run)}” is styled to look like “{_sample(unicodedata.normalize('NFKC', run))}”"
    return None


def _twin_signs(text: str) -> str | None:
    for char, like in _TWIN_ALWAYS.items():
        if char in text:
            return _twin(char, like)
    if found := _TWIN_SIGN.search(text):
        return _twin(found[0], _TWIN_BESIDE_LETTERS[found[0]])
    if not re.search(_EAST_ASIAN, text) and (wide := re.search("[\uff01-\uff5e]", text)):
        return _twin(wide[0], unicodedata.normalize("NFKC", wide[0]))
    return None


def _odd_marks(text: str) -> str | None:
    if not any(unicodedata.combining(char) or char in _OVERLAYS for char in set(text)):
        return None
    piled = 0
    for before, char in zip(" " + text, text, strict=False):
        piled = piled + 1 if unicodedata.combining(char) else 0
        if char in _OVERLAYS:
            return f"a mark is drawn over “{_sample(before + char)}” (U+{ord(char):04X})"
        if piled > 4:
            return "marks are piled on one letter"
        if piled and len(unicodedata.normalize("NFC", before + char)) == 1:
            return f"“{_sample(before + char)}” is written in two parts: the same look has another spelling"
    return None


_ANY_TEXT: Final[tuple[Callable[[str], str | None], ...]] = (_tail_behind_blanks,)
_FOREIGN_TEXT: Final[tuple[Callable[[str], str | None], ...]] = (
    lambda text: _mixed_alphabets(text) or _all_twins(text),
    _styled_letters,
    _twin_signs,
    _odd_marks,
)


@lru_cache(maxsize=4096)
def _alphabet(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


def _is_science(char: str) -> bool:
    """Greek letters that stand beside Latin ones in formulas (Δx, λ) and cannot be taken for them."""
    return _alphabet(char) == "GREEK" and char not in _LATIN_TWINS["GREEK"]


def _is_styled(char: str, wide_is_honest: bool) -> bool:
    if wide_is_honest and "\uff01" <= char <= "\uff5e":
        return False
    if unicodedata.category(char) not in ("Lu", "Ll", "Nd", "So"):
        return False
    plain = unicodedata.normalize("NFKC", char)
    return len(plain) == 1 and plain.isascii() and plain.isalnum()


def _twin(char: str, like: str) -> str:
    return f"“{char}” looks like “{like}” but is U+{ord(char):04X}"


def _codes(chars: set[str]) -> str:
    return ", ".join(f"U+{ord(char):04X}" for char in sorted(chars)[:4])


def _sample(text: str) -> str:
    return visible(shorten(text, _SAMPLE)[0])[0]
