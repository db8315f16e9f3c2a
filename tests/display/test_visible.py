"""`visible()`: nothing that a terminal obeys or an eye misses gets through, and nothing is dropped."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import visible, warnings_of
from gatekit.display._visible import _SUSPECT, INVISIBLE
from tests.corpus_cases import Case, pick

BANNED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
TEXTS = [case for case in pick("terminal", "markup", "unicode") if case.py is None]


def banned_in(text: str) -> list[str]:
    """Every character of the text that must never be shown as it is."""
    return [
        char
        for char in text
        if unicodedata.category(char) in BANNED
        or (unicodedata.category(char) == "Zs" and char != " ")
        or char in INVISIBLE
    ]


any_text = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)
"""Text of any code points, lone surrogates too."""


@given(any_text)
def test_nothing_banned_is_left_whatever_the_text(text: str) -> None:
    shown, _ = visible(text)
    assert banned_in(shown) == []
    assert not (shown and unicodedata.combining(shown[0]))
    shown.encode("utf-8")


@given(any_text)
def test_a_second_pass_changes_nothing_and_counts_nothing(text: str) -> None:
    shown, _ = visible(text)
    assert visible(shown) == (shown, 0)


@given(any_text)
def test_nothing_is_dropped_and_the_length_is_bounded(text: str) -> None:
    shown, hidden = visible(text)
    assert len(text) <= len(shown) <= 10 * len(text)
    assert hidden <= len(text)


@given(st.text(alphabet=st.characters(categories=("L", "N", "P")), min_size=1).filter(lambda t: not banned_in(t)))
def test_plain_letters_digits_and_punctuation_stay_as_they_are(text: str) -> None:
    assert visible(text) == (text, 0)


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case.id)
def test_every_text_of_the_corpus_is_made_harmless(case: Case) -> None:
    shown, hidden = visible(case.payload)
    assert banned_in(shown) == []
    if case.category == "terminal":
        assert hidden > 0
    if case.category == "markup":
        assert shown.replace("⏎", "\n") == case.payload
    if case.category == "unicode":
        assert hidden > 0 or warnings_of(case.payload)


@pytest.mark.parametrize(
    ("text", "shown", "hidden"),
    [
        ("\x1b[2J", "␛[2J", 1),
        ("a\nb\tc", "a⏎b→c", 0),
        ("a\r\nb", "a␍⏎b", 1),
        ("\x7f", "␡", 1),
        ("\x9b31m", "<U+009B>31m", 1),
        ("gpj\u202etxt", "gpj<U+202E>txt", 1),
        ("\ud800", "<U+D800>", 1),
        ("\U000e0041", "<U+E0041>", 1),
        ("a\u034fb", "a<U+034F>b", 1),
        ("\u2800", "<U+2800>", 1),
        ("\u0301e", "<U+0301>e", 1),
        ("rm\u00a0-rf", "rm<U+00A0>-rf", 1),
        ("admin\ufe0f", "admin<U+FE0F>", 1),
        ("ad\u200dmin", "ad<U+200D>min", 1),
    ],
)
def test_what_hides_is_shown_and_counted(text: str, shown: str, hidden: int) -> None:
    assert visible(text) == (shown, hidden)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Merci\u00a0! «\u202fOui\u202f»", "Merci␣! «␣Oui␣»"),
        ("12\u202f500\u00a0€", "12␣500␣€"),
        ("東京\u3000大阪", "東京␣大阪"),
        ("❤\ufe0f", "❤<U+FE0F>"),
        ("👩\u200d💻", "👩<U+200D>💻"),
        ("1\ufe0f\u20e3", "1<U+FE0F>\u20e3"),
    ],
)
def test_what_honest_writing_needs_is_shown_but_not_held_against_it(text: str, shown: str) -> None:
    assert visible(text) == (shown, 0)


def test_the_ranges_that_are_not_looked_at_hold_only_plain_characters() -> None:
    skipped = [chr(code) for code in range(0x110000) if not re.match(_SUSPECT, chr(code))]
    assert len(skipped) > 30_000
    assert banned_in("".join(skipped)) == []
    assert not any(unicodedata.combining(char) for char in skipped)


def test_a_megabyte_is_made_harmless_as_a_line_is() -> None:
    for sample in ("x\n", "漢字\n", "é\u0301\u200d"):
        shown, _ = visible(sample * (1_000_000 // len(sample)))
        assert not re.search("[\x00-\x1f\u200d]", shown)
