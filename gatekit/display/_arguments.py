"""The arguments of a call, drawn by us from what is stored: this is what runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from gatekit.display._visible import visible
from gatekit.display._warnings import warnings_of

_BARE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\t": "\\t"})
_MOST_WARNINGS: Final = 6

Kind = Literal["string", "number", "constant", "empty", "redacted", "more"]


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn line. Its texts went through `visible()` and hold no line break."""

    path: str
    """Where the value is, as `items[0].name`; empty where the line goes on with the value above it."""
    text: str
    """The value as JSON, or a part of it."""
    kind: Kind
    """What is drawn, for its colour. `more` is a note of ours: what follows is not shown."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The drawn arguments, and what a reviewer should know of them."""

    lines: tuple[Line, ...]
    """The lines, in the order of the stored text."""
    cut: int
    """How many characters are not shown."""
    hidden: int
    """How many deceptive characters there are in all, shown or cut."""
    warnings: tuple[str, ...]
    """What could mislead, each with its path."""

    @property
    def shown_all(self) -> bool:
        """Whether every character of the arguments is in the lines."""
        return self.cut == 0


def draw_arguments(args: object, *, limit: int | None = None) -> Drawing:
    r"""Draw parsed arguments (JSON values) with one leaf a line, each with its whole path.

    Strings are quoted as in JSON, so that quotes, backslashes and tabs inside cannot be mistaken for ours; a
    line break is shown as `\n` and really breaks the line; what hides is made visible. `limit` is how many
    characters of values are drawn before a closing note says how much is left out; None draws everything.

    >>> [f"{line.path} = {line.text}" for line in draw_arguments({"to": "bob", "sum": [40, None]}).lines]
    ['to = "bob"', 'sum[0] = 40', 'sum[1] = null']
    """
    canvas = _Canvas(limit)
    for path, name in _names(args, ""):
        canvas.check_name(path, name)
    for path, value in _leaves(args, ""):
        canvas.add(path, value)
    return canvas.drawing()


class _Canvas:
    """Collects lines until its room is used up, and goes on counting after that."""

    def __init__(self, limit: int | None) -> None:
        self._room = limit
        self._lines: list[Line] = []
        self._warnings: list[str] = []
        self._hidden = 0
        self._cut = 0
        self._left_out = 0

    def check_name(self, path: str, name: str) -> None:
        self._hidden += visible(name)[1]
        if not name.strip():
            self._warnings.append(f"{visible(path)[0]}: its name is blank")
        self._warnings.extend(f"{visible(path)[0]}: its name: {warning}" for warning in warnings_of(name))

    def add(self, path: str, value: object) -> None:
        label = visible(path)[0]
        text, kind = _text_of(value)
        if kind == "string":
            self._hidden += visible(text)[1]
            self._warnings.extend(f"{label}: {warning}" for warning in warnings_of(text))
        if self._room == 0:
            self._cut += len(path) + len(text)
            self._left_out += 1
        else:
            self._draw(label, text, kind)

    def drawing(self) -> Drawing:
        lines, warnings = self._lines, self._warnings
        if not lines:
            lines.append(Line("", "none", "empty"))
        if self._left_out:
            lines.append(Line("", f"… {_several(self._left_out, 'more value')} not shown", "more"))
        rest = len(warnings) - _MOST_WARNINGS
        if rest > 0:
            warnings[_MOST_WARNINGS:] = [_several(rest, "more warning")]
        return Drawing(tuple(lines), self._cut, self._hidden, tuple(warnings))

    def _draw(self, label: str, text: str, kind: Kind) -> None:
        cut = 0
        if self._room is not None:
            cut = max(0, len(text) - self._room)
            text = text[: len(text) - cut]
            self._room -= min(self._room, len(text) + len(label))
        rows = _quoted(text, closed=not cut) if kind == "string" else [text]
        self._lines.extend(Line("" if number else label, row, kind) for number, row in enumerate(rows))
        if cut:
            self._cut += cut
            self._room = 0
            self._lines.append(Line("", f"… {_several(cut, 'more character')}", "more"))


def _several(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _names(value: object, path: str) -> Iterator[tuple[str, str]]:
    for key, where, item in _children(value, path):
        if key is not None:
            yield where, key
        yield from _names(item, where)


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    inner = False
    for _, where, item in _children(value, path):
        inner = True
        yield from _leaves(item, where)
    if not inner and (path or value != {}):
        yield path, value


def _children(value: object, path: str) -> Iterator[tuple[str | None, str, object]]:
    """The key (of an object), the path and the value of each inner value. A redacted value has none."""
    if isinstance(value, dict) and "$gatekit" not in value:
        for key, item in value.items():
            yield str(key), _under(path, str(key)), item
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield None, f"{path}[{number}]", item


def _under(path: str, key: str) -> str:
    if _BARE_NAME.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _text_of(value: object) -> tuple[str, Kind]:
    match value:
        case str():
            return value, "string"
        case bool() | None:
            return json.dumps(value), "constant"
        case int() | float():
            return json.dumps(value), "number"
        case {"$gatekit": _}:
            return "redacted: the value is kept from the queue", "redacted"
        case _:
            return json.dumps(value), "empty"


def _quoted(text: str, *, closed: bool) -> list[str]:
    rows = [visible(row.translate(_ESCAPES))[0] for row in text.split("\n")]
    rows = [*(f"{row}\\n" for row in rows[:-1]), rows[-1]]
    rows[0] = f'"{rows[0]}'
    rows[-1] += '"' if closed else ""
    return rows
