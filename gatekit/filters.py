"""The filter language: `risk>=high tool:deploy* older:10m words` becomes a `Filter`. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, get_args

from gatekit.display import visible
from gatekit.errors import UsageError
from gatekit.models import RISKS, Kind, Risk

T = TypeVar("T", bound=str)
Pattern = tuple[str, ...]
"""The pieces of a text between any other text: `("deploy", "")` is all that begins with `deploy`."""
Pieces = list[tuple[str, bool]]
"""What was typed, and whether it stood in quotes."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_REQUESTERS: Final = ("agent", "human", "system")
_LONGEST: Final = 1000
_MOST_WORDS: Final = 16
_MOST_STARS: Final = 4
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORD: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"])+', re.DOTALL)
_PIECE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^"]+)', re.DOTALL)
_TERM: Final = re.compile(r"([^\W\d][\w-]*)(>=|<=|>|<|=|:)")
_SMALL: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which requests are wanted: those for which all that is given here holds."""

    risks: tuple[Risk, ...] | None = None
    """One of these."""
    tool: Pattern | None = None
    """The tool's name."""
    run: Pattern | None = None
    """The run's id."""
    by: tuple[Pattern, ...] | None = None
    """Whoever asks: one of these."""
    kind: Kind | None = None
    """The kind of request."""
    claimed: bool | None = None
    """Whether somebody has taken it."""
    stage: int | None = None
    """The stage that is asked, from 1, of those that have several."""
    older: float | None = None
    """Seconds since it was made, at least."""
    newer: float | None = None
    """Seconds since it was made, less than."""
    expires: float | None = None
    """Seconds until its deadline, at most; what has none never does."""
    words: tuple[str, ...] = ()
    """Each stands in the tool's name, the description or the arguments."""

    @property
    def exact_tool(self) -> str | None:
        """The one tool that is wanted, if it is one."""
        return self.tool[0] if self.tool is not None and len(self.tool) == 1 else None


def filter_from(text: str) -> Filter:
    r"""Read a filter. Raises `UsageError`, with the word that is wrong and what there is.

    What holds blanks goes in quotes, and so does a word that looks like a field; in quotes `*` is itself, and `\"`
    is a quote.

    >>> filter_from('risk>=high tool:deploy* "api v2"')  # doctest: +ELLIPSIS
    Filter(risks=('high', 'critical'), tool=('deploy', ''), ..., words=('api v2',))
    """
    _check(text)
    found, given = Filter(), set[str]()
    for typed in _WORD.findall(text):
        pieces = _pieces(typed)
        term = None if pieces[0][1] else _TERM.match(pieces[0][0])
        if term is None:
            found = replace(found, words=(*found.words, _plain(pieces)))
            continue
        name, sign = term[1], term[2]
        if name in given:
            raise _wrong(typed, f"{name} is given twice: keep one")
        given.add(name)
        found = _with(found, typed, name, sign, [(pieces[0][0][term.end() :], False), *pieces[1:]])
    if len(found.words) > _MOST_WORDS:
        raise UsageError(f"the filter searches for {len(found.words)} words: {_MOST_WORDS} are the most")
    return replace(found, words=tuple(word for word in found.words if word))


def small(text: str) -> str:
    """The text with its ASCII letters small: what SQLite's `lower` makes of it."""
    return text.translate(_SMALL)


def needles(word: str, *, in_json: bool = False) -> tuple[str, ...]:
    r"""What to search for in a `small` text, to find the word whatever its letters' case.

    Letters outside of ASCII are found as they are typed, all small, all large, or the first one large. In a JSON text
    also as JSON writes them.

    >>> needles("über"), needles("a/b"), needles('"a"', in_json=True)
    (('über', 'Über'), ('a/b',), ('"a"', '\\"a\\"'))
    """
    cases = [word, word.lower(), word.upper(), word.capitalize()]
    if in_json:
        cases += [json.dumps(case, ensure_ascii=False)[1:-1] for case in cases]
    return tuple(dict.fromkeys(map(small, cases)))


def fits_pattern(pattern: Pattern, text: str) -> bool:
    """Whether a name is as the pattern says, to the letter.

    >>> fits_pattern(("deploy", ""), "deploy_api"), fits_pattern(("deploy",), "deploy_api")
    (True, False)
    """
    if len(pattern) == 1:
        return text == pattern[0]
    first, *middle, last = pattern
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        place = text.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True


def _check(text: str) -> None:
    if type(text) is not str:
        raise UsageError(f"a filter is a text, not {type(text).__name__}")
    if len(text) > _LONGEST:
        raise UsageError(f"the filter has {len(text):,} characters: {_LONGEST:,} are the most")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise UsageError(f"{_shown(text)} holds half a character, which no request does")
    if "\0" in text:
        raise UsageError(f"{_shown(text)} holds a NUL, which a filter cannot search for")
    if _WORD.sub("", text).strip():
        raise UsageError(f'{_shown(text)}: a quote is not closed; a quote itself is written "\\""')


def _pieces(typed: str) -> Pieces:
    found: Pieces = []
    for match in _PIECE.finditer(typed):
        quoted = match[2] is None
        found.append((re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL) if quoted else match[2], quoted))
    return found


def _with(found: Filter, typed: str, name: str, sign: str, pieces: Pieces) -> Filter:
    if name == "status":
        raise _wrong(typed, _LISTS)
    if name not in _SAMPLES:
        raise _wrong(
            typed, f"there is no {_shown(name)}; there is {', '.join(_SAMPLES)}. To search for the text, quote it"
        )
    if sign not in (":", "=") and name != "risk":
        raise _wrong(typed, f"{name} takes a colon, as in {_SAMPLES[name]}")
    if not _plain(pieces):
        raise _wrong(typed, f"it says nothing: write it as in {_SAMPLES[name]}")
    if name == "risk":
        return replace(found, risks=_risks(typed, sign, _plain(pieces)))
    return replace(found, **{name: _READERS[name](typed, pieces)})


def _risks(typed: str, sign: str, value: str) -> tuple[Risk, ...]:
    rank = RISKS.index(_one_of(typed, value, RISKS))
    chosen = {">=": RISKS[rank:], ">": RISKS[rank + 1 :], "<=": RISKS[: rank + 1], "<": RISKS[:rank]}
    risks = chosen.get(sign, (RISKS[rank],))
    if not risks:
        raise _wrong(typed, f"no risk is {'above' if sign == '>' else 'below'} {value}")
    return risks


def _pattern(typed: str, pieces: Pieces) -> Pattern:
    parts = [""]
    for text, quoted in pieces:
        first, *others = [text] if quoted else text.split("*")
        parts[-1] += first
        parts += others
    if len(parts) - 1 > _MOST_STARS:
        raise _wrong(typed, f"it has {len(parts) - 1} stars: {_MOST_STARS} are the most")
    return tuple(parts)


def _people(typed: str, pieces: Pieces) -> tuple[Pattern, ...]:
    first, *others = _pattern(typed, pieces)
    return ((first, *others), *((f"{kind}:{first}", *others) for kind in _REQUESTERS))


def _seconds(typed: str, pieces: Pieces) -> float:
    read = re.fullmatch(r"([0-9]{1,6})([smhdw])", _plain(pieces))
    seconds = int(read[1]) * _UNITS[read[2]] if read else 0
    if not 0 < seconds <= 100 * 366 * _UNITS["d"]:
        raise _wrong(typed, "it is no span of time: write 90s, 10m, 2h, 1d or 1w, up to a century")
    return float(seconds)


def _claimed(typed: str, pieces: Pieces) -> bool:
    return _one_of(typed, _plain(pieces), ("yes", "no")) == "yes"


def _kind(typed: str, pieces: Pieces) -> Kind:
    return _one_of(typed, _plain(pieces), KINDS)


def _stage(typed: str, pieces: Pieces) -> int:
    text = _plain(pieces)
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise _wrong(typed, "a stage is a number from 1, as in stage:2")
    return int(text)


def _one_of(typed: str, value: str, known: tuple[T, ...]) -> T:
    for one in known:
        if value == one:
            return one
    raise _wrong(typed, f"it is one of {', '.join(known)}")


def _plain(pieces: Pieces) -> str:
    return "".join(text for text, _ in pieces)


def _wrong(typed: str, why: str) -> UsageError:
    return UsageError(f"{_shown(typed)} in the filter: {why}")


def _shown(text: str) -> str:
    return visible(text if len(text) <= 60 else f"{text[:60]}…")[0]


_LISTS: Final = (
    "there is no status, for the lists stand for it: in the dashboard ] goes to the next list; on the command line "
    "use gatekit list --status. To search for the text, quote it"
)
_READERS: Final[dict[str, Callable[[str, Pieces], Any]]] = {
    "tool": _pattern,
    "by": _people,
    "run": _pattern,
    "older": _seconds,
    "newer": _seconds,
    "expires": _seconds,
    "kind": _kind,
    "claimed": _claimed,
    "stage": _stage,
}
_SAMPLES: Final[dict[str, str]] = {
    "risk": "risk>=high",
    "tool": "tool:deploy*",
    "by": "by:agent-7",
    "run": "run:thread-7",
    "older": "older:10m",
    "newer": "newer:1d",
    "expires": "expires:5m",
    "kind": "kind:question",
    "claimed": "claimed:no",
    "stage": "stage:2",
}
