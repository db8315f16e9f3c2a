"""SQL in inked pieces. Where dialects read a text in different ways it is not coloured at all. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from gatekit_tui.frame.spans import Ink
from gatekit_tui.request.code_text import Doubtful, Token, words

_NAMES: Final = re.compile(r"(?:.*[_-])?(?:sql|query|queries|statement|stmt)", re.I)
_BEGINNING: Final = re.compile(
    r"\s*(?:--[^\n]*\n\s*|\(\s*)*"
    r"(?:select\b.*(?:\bfrom\b|[(*=;])|with\s+\S.*\bas\b|insert\s+into|update\s+\S+\s+set|delete\s+from|merge\s+into|replace\s+into"
    r"|(?:create|alter|drop)\s+(?:or\s+replace\s+|unique\s+|temp\w*\s+)?(?:table|view|index|schema|database|user|role"
    r"|function|procedure|trigger|extension|materialized|sequence|type)|truncate\s|grant\s|revoke\s"
    r"|explain\s+(?:analyze\s+)?(?:select|insert|update|delete|with)|begin\b|pragma\s)",
    re.I | re.S,
)
_KEYWORDS: Final = words(
    "add all and any array as asc analyze begin between by case cast check column commit conflict constraint create "
    "cross database default desc distinct do else end except exists explain false fetch first for foreign from full "
    "function group having if ilike in index inner insert intersect interval into is join key lateral left like limit "
    "materialized natural not nothing null offset on only or order outer over partition pragma primary procedure "
    "recursive references returning right rollback row rows savepoint schema select sequence set similar some table "
    "then to transaction trigger true type union unique using values view when where window with"
)
_GRAVE: Final = words(
    "alter attach call copy delete drop exec execute grant load merge outfile overwrite replace revoke truncate "
    "update vacuum"
)
"""Words that change or destroy what is there, or reach beyond the database."""
_TOKEN: Final = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<note>--(?=\s|$)[^\n]*|/\*(?![!+]).*?\*/)"
    r"|(?P<string>'(?:[^'\\]|''|\\(?!'))*')"
    r'|(?P<name>"(?:[^"\\]|"")*"|`[^`\\]*`)'
    r"|(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?![\w.]))"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<end>;)"
    r"|(?P<sign>[-+*%<>=!|&^~:,.()?@\[\]{}]|/(?!\*)|\$?\d\w*)",
    re.I | re.S,
)
_DOUBTS: Final = (
    (re.compile(r"--(?=\S)"), "a comment to some databases and two minuses to others"),
    (re.compile(r"/\*[!+]"), "a comment that some databases obey"),
    (re.compile(r"#"), "a comment to some databases only"),
    (re.compile(r"\$\w*\$"), "a text in dollar signs"),
    (re.compile(r"\\['\"]|\\\\'"), "a backslash before a quote"),
    (re.compile(r"\bq'", re.I), "a text with quotes of its own"),
    (re.compile(r"\[[^\]]{0,130}?(?:['\"`;\n]|--|/\*)"), "a name in brackets to some databases"),
    (re.compile(r"/\*(?:(?!\*/).)*/\*", re.S), "a comment in a comment"),
)


def looks_like_sql(name: str, text: str) -> bool:
    """Whether an argument of this name and content is SQL, as far as can be told."""
    return _NAMES.fullmatch(name) is not None and _BEGINNING.match(text) is not None


@lru_cache(maxsize=32)
def sql_tokens(text: str, *, is_cut: bool = False) -> tuple[Token, ...]:
    """The pieces of the text; `is_cut` if more of it follows. Raises `Doubtful`."""
    for doubt, why in _DOUBTS:
        if found := doubt.search(text):
            raise Doubtful(f"it holds {found[0][:20]!r}: {why}")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            if not is_cut:
                raise Doubtful(f"{text[at : at + 20]!r} is not closed, or is no SQL")
            return (*tokens, (text[at:], "text"))
        tokens.append((found[0], _ink(found)))
        at = found.end()
    return tuple(tokens)


def _ink(found: re.Match[str]) -> Ink:
    match found.lastgroup:
        case "note":
            return "note"
        case "string":
            return "string"
        case "number" | "name":
            return "number" if found.lastgroup == "number" else "constant"
        case "word":
            word = found[0].lower()
            return "warn" if word in _GRAVE else "label" if word in _KEYWORDS else "text"
        case "end":
            return "warn" if found.string[found.end() :].strip() else "dim"
        case _:
            return "text"
